// Goal:   whoever is refused for a limit, in whichever dialect, is told what the limit is, where
//         the dialect has words for it, and when to come again, where that helps.
// Method: the decision as a table; then every such refusal in every dialect, on a front that is not
//         open yet, and on stores that are full, small or busy (StoredBed).

import Catalog
import HTTP
import Simulator
import Store
import Testing

@testable import Server

@Suite struct `What a refusal tells of limits` {
    /// By status: seconds to wait, and whether it is about a size.
    private static let statuses: [(Status, UInt64?, Bool)] = [
        (.contentTooLarge, nil, true), (.tooManyRequests, 60, false),
        (.serviceUnavailable, 10, false), (.insufficientStorage, 300, false),
    ]

    @Test func `is decided for every dialect alike`() {
        for (status, seconds, isSize) in Self.statuses {
            for dialect in RefusalAdvice.Dialect.allCases {
                let advice = RefusalAdvice(status, dialect)
                #expect(advice?.retryAfterSeconds == seconds)
                #expect(advice?.tellsUploadLimit == (dialect == .resumable))
                #expect(advice?.tellsTusMaxSize == (dialect == .tus && isSize))
            }
        }
        for status in [.badRequest, .notFound, .conflict, .gone, .forbidden] as [Status] {
            #expect(RefusalAdvice(status, .resumable) == nil)
        }
    }

    // MARK: On the wire

    /// A request that begins an upload of so many bytes, as its client would send it.
    private struct Beginning: Sendable, CustomTestStringConvertible {
        let name: String
        let dialect: RefusalAdvice.Dialect
        let isUpload: Bool
        let request: @Sendable (StoredBed?, Int) throws -> String

        var testDescription: String { name }
    }

    private static let beginnings = [
        Beginning(name: "a plain PUT", dialect: .other, isUpload: false) { bed, count in
            try bed?.signed("plain", count) ?? head("PUT", "/plain?v=00", [], count)
        },
        Beginning(name: "a signed PUT that can be resumed", dialect: .resumable, isUpload: true) {
            bed, count in
            try bed?.signed("resumable", count, "Upload-Complete: ?1\r\n")
                ?? head("PUT", "/resumable?v=00", ["Upload-Complete: ?1"], count)
        },
        Beginning(name: "a POST", dialect: .resumable, isUpload: true) { _, count in
            head("POST", "/files", ["Upload-Complete: ?1"], count)
        },
        Beginning(name: "a POST of the whole", dialect: .resumable, isUpload: true) { _, count in
            head("POST", "/files", [], count)
        },
        Beginning(name: "tus", dialect: .tus, isUpload: true) { _, count in
            let fields = [
                "Tus-Resumable: 1.0.0", "Upload-Length: \(count)",
                "Content-Type: application/offset+octet-stream",
            ]
            return head("POST", "/files", fields, count)
        },
        Beginning(name: "numbered chunks", dialect: .other, isUpload: true) { _, count in
            head("POST", "/chunked-upload", ["X-Filename: f", "X-Total-Size: \(count)"], 0)
        },
    ]

    private static func head(
        _ method: String, _ target: String, _ fields: [String], _ count: Int
    ) -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: h\r\n\(StoredBed.token)"
            + "Content-Length: \(count)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    private func expect(
        _ answer: Response?, _ status: Int, seconds: Int?, to beginning: Beginning
    ) {
        let name = beginning.name
        #expect(answer?.status == status, "\(name)")
        #expect(answer?.field("retry-after") == seconds.map { "\($0)" }, "\(name), \(status)")
        let limit = answer?.field("upload-limit")
        #expect((limit != nil) == (beginning.dialect == .resumable), "\(name), \(status)")
        let isTus = beginning.dialect == .tus
        #expect(answer?.field("tus-resumable") == (isTus ? "1.0.0" : nil), "\(name)")
        let size = answer?.field("tus-max-size")
        #expect((size != nil) == (isTus && status == 413), "\(name), \(status)")
        if let size { #expect(limit == nil && Int(size) ?? 0 > 0) }
        limit.map { #expect($0.contains("max-size=") && $0.contains("max-age=")) }
    }

    @Test(arguments: beginnings.indices)
    func `is told before the server is ready`(index: Int) throws {
        let beginning = Self.beginnings[index]
        try FrontBed.run { bed in
            let client = bed.connect()
            client.send(try beginning.request(nil, 200_000))
            bed.settle()
            expect(client.finalResponse, 503, seconds: 1, to: beginning)
            client.endSending()
            bed.settle()
        }
    }

    @Test(arguments: beginnings.indices)
    func `is told while it drains`(index: Int) throws {
        let beginning = Self.beginnings[index]
        try withChunkBed { bed in
            let request = try beginning.request(bed, 200_000)
            // As behind a request that was under way when the drain began.
            bed.front.on { $0.phase = .draining }
            expect(bed.exchange(request).answer, 503, seconds: 5, to: beginning)
        }
    }

    @Test(arguments: beginnings.indices)
    func `is told to who sends too much`(index: Int) throws {
        let beginning = Self.beginnings[index]
        try withChunkBed(StoredBed.lasting(uploadBytesMax: 100_000)) { bed in
            let request = try beginning.request(bed, 100_001)
            expect(bed.exchange(request).answer, 413, seconds: nil, to: beginning)
        }
    }

    @Test(arguments: beginnings.indices)
    func `is told where too many uploads are unfinished`(index: Int) throws {
        let beginning = Self.beginnings[index]
        guard beginning.isUpload else { return }
        try withChunkBed(uploadsMax: 1) { bed in
            _ = try ChunkSession(bed, noise(10, seed: 1))
            let request = try beginning.request(bed, 200_000)
            expect(bed.exchange(request).answer, 429, seconds: 60, to: beginning)
        }
    }

    @Test(arguments: beginnings.indices)
    func `is told where there is no space`(index: Int) throws {
        let beginning = Self.beginnings[index]
        // That one's creation brings no bytes, so it needs no space.
        guard beginning.name != "numbered chunks" else { return }
        try StoredBed.run(
            SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance), capacityBytes: 256 << 20,
            settings: StoredBed.lasting()
        ) { bed in
            let request = try beginning.request(bed, 900 << 20)
            expect(bed.exchange(request).answer, 507, seconds: 300, to: beginning)
        }
    }

    @Test func `is told with an append as with a creation`() throws {
        try StoredBed.run(
            SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance), capacityBytes: 256 << 20,
            settings: StoredBed.lasting()
        ) { bed in
            let fields = ["Upload-Complete: ?0", "Upload-Length: \(900 << 20)"]
            let created = try #require(bed.ask("POST", "/files", fields, [1, 2, 3]))
            let target = try #require(created.field("location"))
            let patch = [
                "Upload-Offset: 3", "Upload-Complete: ?1",
                "Content-Type: application/partial-upload",
            ]
            let length = (900 << 20) - 3
            let full = bed.exchange(bed.head("PATCH", target, patch, length: length)).answer
            expect(full, 507, seconds: 300, to: Self.beginnings[2])
            let long = bed.exchange(bed.head("PATCH", target, patch, length: length + 1)).answer
            #expect(long?.status == 400)
            let more = patch.filter { $0 != "Upload-Complete: ?1" }
            let beyond = bed.exchange(bed.head("PATCH", target, more, length: length + 1)).answer
            expect(beyond, 413, seconds: nil, to: Self.beginnings[2])
            let tus = [
                "Tus-Resumable: 1.0.0", "Upload-Offset: 3",
                "Content-Type: application/offset+octet-stream",
            ]
            let past = bed.exchange(bed.head("PATCH", target, tus, length: length + 1)).answer
            expect(past, 413, seconds: nil, to: Self.beginnings[4])
        }
    }
}
