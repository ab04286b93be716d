// Goal:   clients of every dialect that has a place for it are told how long their chunks should
//         be, within the operator's limits; and nobody is where that is switched off.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Engine
import Simulator
import Testing

@testable import Server

@Suite struct `Advice on chunks` {
    private static let tus = ["Tus-Resumable: 1.0.0"]
    private static let part = ["Content-Type: application/offset+octet-stream"]

    private func advice(_ answer: Response?) -> String? { answer?.field("millrace-chunk") }

    private func withBed(
        _ change: (inout FrontSettings) -> Void = { _ in }, _ body: (StoredBed) throws -> Void
    ) throws {
        var settings = StoredBed.lasting()
        change(&settings)
        try withChunkBed(settings, body)
    }

    @Test func `comes with each state of a tus upload that is not finished`() throws {
        try withBed { bed in
            let created = bed.ask("POST", "/files", Self.tus + ["Upload-Length: 5"], [])
            let bytes = try #require(advice(created).flatMap { UInt64($0.prefix { $0 != ";" }) })
            #expect(bytes % 4096 == 0 && (256 << 10...10 << 20).contains(bytes))
            let target = try #require(created?.field("location"))
            #expect(advice(bed.ask("HEAD", target, Self.tus)) != nil)
            let more = bed.ask(
                "PATCH", target, Self.tus + Self.part + ["Upload-Offset: 0"], [1, 2])
            #expect(more?.status == 204 && advice(more) != nil)
            let last = bed.ask(
                "PATCH", target, Self.tus + Self.part + ["Upload-Offset: 2"], [3, 4, 5])
            #expect(last?.status == 204 && advice(last) == nil)
        }
    }

    @Test func `comes with a resumable upload, no longer than one request may be`() throws {
        try withBed({ $0.appendBytesMax = 100_000 }) { bed in
            let fields = ["Upload-Complete: ?0", "Upload-Length: 5"]
            let created = bed.ask("POST", "/files", fields, [1, 2])
            #expect(created?.status == 201 && advice(created) == "100000")
            let target = try #require(created?.field("location"))
            #expect(advice(bed.ask("HEAD", target)) == "100000")
        }
    }

    @Test func `is what numbered chunks are to be`() throws {
        try withBed { bed in
            let fields = ["X-Filename: f.txt", "X-Total-Size: 104857600"]
            let answer = try #require(bed.ask("POST", "/chunked-upload", fields, []))
            #expect(answer.status == 201)
            let parallel = try #require(answer.member("parallel_chunks").flatMap { Int($0) })
            #expect((1...8).contains(parallel))
        }
    }

    @Test func `keeps to the operator's limits`() throws {
        try withBed({ $0.chunks = ChunkLimits(smallest: 8192, largest: 8192) }) { bed in
            let created = bed.ask("POST", "/files", Self.tus + ["Upload-Length: 50000"], [])
            #expect(advice(created)?.hasPrefix("8192") == true)
        }
    }

    @Test func `is not given where it is switched off`() throws {
        try withBed({ $0.plansChunks = false }) { bed in
            let created = bed.ask("POST", "/files", Self.tus + ["Upload-Length: 5"], [])
            #expect(created?.status == 201 && advice(created) == nil)
            let fields = ["Upload-Complete: ?0", "Upload-Length: 5"]
            #expect(advice(bed.ask("POST", "/files", fields, [1, 2])) == nil)
            let numbered = bed.ask(
                "POST", "/chunked-upload", ["X-Filename: f", "X-Total-Size: 104857600"], [])
            // The tier of a link that is not known, as ever.
            #expect(numbered?.member("chunk_size") == "2097152")
            #expect(numbered?.member("parallel_chunks") == "1")
        }
    }
}
