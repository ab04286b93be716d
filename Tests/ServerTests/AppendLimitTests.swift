// Goal:   where one request may bring only so many bytes, clients of the IETF's uploads are told so
//         and held to it, lose nothing, and get whole files across in several requests; nobody else
//         is bound by it.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Simulator
import Store
import Testing

@testable import Server

@Suite struct `One request of an upload` {
    private static let limit = 128 << 10
    private static let announcement = "max-append-size=131072"
    private static let append = "Content-Type: application/partial-upload"

    private func withBed(_ body: (StoredBed) throws -> Void) throws {
        var settings = StoredBed.lasting()
        settings.appendBytesMax = UInt64(Self.limit)
        try withChunkBed(settings, body)
    }

    private func begin(
        _ bed: StoredBed, _ bytes: [UInt8], of length: Int
    ) throws -> String {
        let fields = ["Upload-Complete: ?0", "Upload-Length: \(length)"]
        let created = try #require(bed.ask("POST", "/files", fields, bytes))
        #expect(created.status == 201)
        return try #require(created.field("location"))
    }

    private func patch(
        _ bed: StoredBed, _ target: String, _ bytes: [UInt8], at offset: Int, isLast: Bool
    ) -> Response? {
        let fields = [
            "Upload-Offset: \(offset)", "Upload-Complete: ?\(isLast ? 1 : 0)", Self.append,
        ]
        return bed.ask("PATCH", target, fields, bytes)
    }

    @Test func `is told how long it may be`() throws {
        try withBed { bed in
            let options = try #require(bed.ask("OPTIONS", "/files"))
            #expect(options.field("upload-limit")?.contains(Self.announcement) == true)
            let target = try begin(bed, [1, 2, 3], of: 10)
            let state = try #require(bed.ask("HEAD", target))
            #expect(state.field("upload-limit")?.contains(Self.announcement) == true)
        }
        try withChunkBed { bed in
            let options = try #require(bed.ask("OPTIONS", "/files"))
            #expect(options.field("upload-limit")?.contains("append-size") == false)
        }
    }

    @Test func `is refused if it is longer, and the upload stays as it was`() throws {
        let data = noise(3 * Self.limit, seed: 40)
        try withBed { bed in
            let whole = bed.ask("POST", "/files", ["Upload-Complete: ?1"], data)
            #expect(whole?.status == 413)
            #expect(whole?.text.contains("131072 bytes at most") == true)
            #expect(bed.shared.unfinishedUploads == 0)

            let target = try begin(bed, Array(data[..<Self.limit]), of: data.count)
            let rest = Array(data[Self.limit...])
            #expect(patch(bed, target, rest, at: Self.limit, isLast: true)?.status == 413)
            #expect(bed.ask("HEAD", target)?.field("upload-offset") == "\(Self.limit)")
            for offset in [Self.limit, 2 * Self.limit] {
                let part = Array(data[offset..<offset + Self.limit])
                let isLast = offset > Self.limit
                #expect(
                    patch(bed, target, part, at: offset, isLast: isLast)?.status
                        == (isLast ? 201 : 204))
            }
            #expect(bed.ask("GET", target)?.body == data)
        }
    }

    /// Nobody says how long it is: it is cut where the limit is, and what came before counts.
    @Test(arguments: [0, 1, 200_000])
    func `that comes in chunks is counted`(excess: Int) throws {
        let data = noise(Self.limit + excess, seed: 41)
        try withBed { bed in
            let target = try begin(bed, [], of: 1 << 20)
            let head = bed.head(
                "PATCH", target,
                [
                    "Upload-Offset: 0", "Upload-Complete: ?0", Self.append,
                    "Transfer-Encoding: chunked",
                ],
                length: nil)
            let answer = bed.exchange(head, chunked(data, 10_000)).answer
            #expect(answer?.status == (excess == 0 ? 204 : 413))
            if excess > 0 { #expect(answer?.text.contains("131072 bytes at most") == true) }
            let offset = try #require(
                bed.ask("HEAD", target)?.field("upload-offset").flatMap { Int($0) })
            #expect(excess == 0 ? offset == Self.limit : offset <= Self.limit)
            let more = patch(
                bed, target, Array(data[offset..<Self.limit]), at: offset, isLast: false)
            #expect(more?.status == 204)
            #expect(more?.field("upload-offset") == "\(Self.limit)")
        }
    }

    @Test func `of another dialect is as long as it likes`() throws {
        let data = noise(3 * Self.limit, seed: 42)
        try withBed { bed in
            let fields = [
                "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream",
                "Upload-Length: \(data.count)",
            ]
            #expect(bed.ask("POST", "/files", fields, data)?.status == 201)
            let status = try bed.put("plain", data)
            #expect(status == 201)
        }
    }
}
