// Goal:   a large object is the same by every way that its bytes can take, and takes the way that
//         its history calls for.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct `A large object` {
    private let window = 2 << 20

    /// Drops the pages of all large objects; they are on disk.
    private func coolDown(_ server: RunningServer) throws {
        let path = server.scratch.path + "/data/volumes/large-0000"
        let file = unsafe open(path, O_RDONLY)
        try #require(file >= 0)
        #expect(posix_fadvise(file, 0, 0, Int32(POSIX_FADV_DONTNEED)) == 0)
        close(file)
    }

    /// What GET brings, and how much of it came from the page cache and by O_DIRECT.
    private func get(
        _ server: RunningServer, _ range: Range<Int>? = nil
    ) throws -> (body: [UInt8], cached: Int, direct: Int) {
        let cached = try server.metric("sent_file_bytes_total")
        let direct = try server.metric("sent_direct_bytes_total")
        let fields = range.map { "Range: bytes=\($0.lowerBound)-\($0.upperBound - 1)" }
        let client = try RawClient(server.port)
        let body = try fields.map { try client.get("o", $0) } ?? client.get("o")
        return (
            body.body, try server.metric("sent_file_bytes_total") - cached,
            try server.metric("sent_direct_bytes_total") - direct
        )
    }

    @Test func `is verified first, then brought into the page cache, and served from there`()
        throws
    {
        let server = try RunningServer()
        let bytes = pattern(4 * window + 70_001, seed: 77)
        #expect(try server.put("o", bytes).status == 201)
        let first = try get(server)
        #expect(first.body == bytes)
        #expect((first.cached, first.direct) == (0, bytes.count))
        for _ in 0..<2 {
            try coolDown(server)
            let warmed = try get(server)
            #expect(warmed.body == bytes)
            #expect((warmed.cached, warmed.direct) == (bytes.count, 0))
        }
        let cached = try get(server)
        #expect(cached.body == bytes)
        #expect((cached.cached, cached.direct) == (bytes.count, 0))
        #expect(server.stop() == 0)
    }

    @Test(arguments: [10_000, 64 << 10, 300_000])
    func `is worth caching in part the second time that a part is missed`(count: Int) throws {
        let server = try RunningServer()
        let bytes = pattern(3 * window, seed: 78)
        #expect(try server.put("o", bytes).status == 201)
        _ = try get(server)
        try coolDown(server)
        var cachedCounts: [Int] = []
        for start in [100, window + 5, window + 400_001, window + 900_000] {
            let range = start..<start + count
            let part = try get(server, range)
            #expect(part.body == Array(bytes[range]))
            #expect(part.cached + part.direct == count)
            cachedCounts.append(part.cached)
        }
        #expect(cachedCounts[0] == 0)
        #expect(cachedCounts[1] == 0)
        #expect(cachedCounts[3] == count)
        #expect(server.stop() == 0)
    }

    @Test func `never comes from the page cache where every read is to be verified`() throws {
        var options = ServerOptions()
        options.limits = "[downloads]\nverify = \"always\""
        let server = try RunningServer(options)
        let bytes = pattern(2 * window + 1, seed: 79)
        #expect(try server.put("o", bytes).status == 201)
        for _ in 0..<3 {
            let got = try get(server)
            #expect(got.body == bytes)
            #expect((got.cached, got.direct) == (0, bytes.count))
        }
        let part = try get(server, 5..<1000)
        #expect(part.body == Array(bytes[5..<1000]))
        #expect(part.cached == 0)
        #expect(server.stop() == 0)
    }
}
