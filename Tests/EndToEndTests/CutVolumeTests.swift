// Goal:   a volume that is cut off under a running server costs its own objects a clear end, is
//         named to the operator, and costs the others nothing.

import Foundation
import Glibc
import Testing

@Suite struct `A volume that is cut off under a running server` {
    /// In blocks that hold something, which begin with something; the others are many.
    private func position(of bytes: [UInt8], in volume: UnsafeRawBufferPointer) -> Int? {
        for block in stride(from: 0, to: volume.count - 4096, by: 4096)
        where unsafe volume.load(fromByteOffset: block, as: UInt64.self) != 0 {
            for start in stride(from: block, to: block + 4096, by: 4)
            where unsafe memcmp(volume.baseAddress! + start, bytes, 64) == 0 {
                return start
            }
        }
        return nil
    }

    /// Cuts it behind so many bytes of an object, at a page's end.
    private func cut(
        _ server: RunningServer, _ volume: String, behind count: Int, of bytes: [UInt8]
    ) throws {
        let path = server.dataPath + "/volumes/" + volume
        let all = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        let start = unsafe all.withUnsafeBytes { all in unsafe position(of: bytes, in: all) }
        let end = (try #require(start) + count) / 4096 * 4096
        #expect(unsafe truncate(path, end) == 0)
    }

    /// What of the body comes before the connection ends; nil if the answer is a 500 instead.
    private func bodyUntilEnd(_ client: RawClient, after earlier: [UInt8] = []) throws -> [UInt8]? {
        let all = earlier + (try client.readToEnd())
        if all.starts(with: "HTTP/1.1 500".utf8) { return nil }
        let end = try #require(all.firstRange(of: Array("\r\n\r\n".utf8)))
        return Array(all[end.upperBound...])
    }

    private func ask(_ server: RunningServer, _ client: RawClient) throws {
        try client.send("GET /object HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    }

    private func expectCut(_ body: [UInt8], of bytes: [UInt8], _ server: RunningServer) {
        #expect(body.count < bytes.count)
        let isRight = bytes.starts(with: body)
        #expect(isRight)
        #expect(server.log.contains("large-0000 at offset"))
    }

    private func expectOthersServed(_ server: RunningServer, _ other: [UInt8]) throws {
        let isOtherThere = try server.get("other").body == other
        #expect(isOtherThere)
        #expect(try server.get("health").status == 200)
        #expect(try server.put("new", pattern(1000, seed: 9)).status == 201)
        #expect(server.stop() == 0)
    }

    /// Not verified yet, verified, or in the page cache.
    @Test(arguments: [0, 1, 2])
    func `ends downloads short, and serves the others`(reads: Int) throws {
        let server = try RunningServer()
        let (other, bytes) = (pattern(2 << 20, seed: 1), pattern(5 << 20, seed: 2))
        #expect(try server.put("other", other).status == 201)
        #expect(try server.put("object", bytes).status == 201)
        for _ in 0..<reads { _ = try server.get("object") }
        try cut(server, "large-0000", behind: 3_000_000, of: bytes)
        for _ in 0..<3 {
            let client = try RawClient(server.port)
            try ask(server, client)
            expectCut(try bodyUntilEnd(client) ?? [], of: bytes, server)
        }
        try expectOthersServed(server, other)
    }

    @Test func `ends a download that is under way from the page cache short`() throws {
        let server = try RunningServer()
        let (other, bytes) = (pattern(2 << 20, seed: 1), pattern(24 << 20, seed: 2))
        #expect(try server.put("other", other).status == 201)
        #expect(try server.put("object", bytes).status == 201)
        for _ in 0..<2 { _ = try server.get("object") }
        #expect(try server.metric("sent_file_bytes_total") > 0)
        let client = try RawClient(server.port, receiveBufferBytes: 4096)
        try ask(server, client)
        let first = try client.receivePiece(atMost: 1000)
        try cut(server, "large-0000", behind: 20 << 20, of: bytes)
        expectCut(try bodyUntilEnd(client, after: first) ?? [], of: bytes, server)
        try expectOthersServed(server, other)
    }

    @Test func `answers 500 for a small object that is not in memory`() throws {
        let server = try RunningServer()
        let (kept, cold) = (pattern(5000, seed: 3), pattern(5000, seed: 4))
        #expect(try server.put("other", kept).status == 201)
        _ = try server.get("other")
        #expect(try server.put("cold", cold).status == 201)
        try cut(server, "small-0000", behind: 0, of: cold)
        #expect(try server.get("cold").status == 500)
        #expect(server.log.contains("small-0000 at offset"))
        #expect(try server.get("other").body == kept)
        #expect(server.stop() == 0)
    }
}
