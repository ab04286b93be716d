// Goal:   bytes that are not those that were stored never go out, and files that are not ours, or
//         not ours yet, are left alone.

import Foundation
import Testing

@Suite(.serialized) struct `Damage on disk` {
    private static let marker = "here-is-where-a-test-flips-one-byte"

    /// Content with the marker at `offset`.
    private func marked(_ count: Int, at offset: Int, seed: Int) -> [UInt8] {
        var bytes = pattern(count, seed: seed)
        let mark = Array((`Damage on disk`.marker + "-\(seed)-").utf8)
        bytes.replaceSubrange(offset..<offset + mark.count, with: mark)
        return bytes
    }

    /// Flips one bit behind the marker of that seed, wherever it is on disk.
    private func damage(_ server: RunningServer, seed: Int) throws {
        let mark = `Damage on disk`.marker + "-\(seed)-"
        let volumes = server.dataPath + "/volumes"
        var places = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: volumes) {
            let file = volumes + "/" + name
            let (_, output) = try Programs.run("grep", ["-obaF", mark, file])
            for line in output.split(separator: "\n") {
                guard let offset = UInt64(line.prefix { $0.isNumber }) else { continue }
                let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
                try handle.seek(toOffset: offset)
                try handle.write(contentsOf: [UInt8(ascii: "H")])
                try handle.synchronize()
                try handle.close()
                places += 1
            }
        }
        #expect(places > 0)
    }

    @Test func `is found before a small object's head goes out, and each time`() throws {
        let server = try RunningServer()
        let client = try RawClient(server.port)
        for (seed, size) in [(1, 1000), (2, 60_000), (3, 200_000), (4, 1 << 20)] {
            let bytes = marked(size, at: size / 2, seed: seed)
            #expect(try client.put("o\(seed)", bytes).status == 201)
            try damage(server, seed: seed)
            for _ in 0..<2 {
                let get = try client.get("o\(seed)")
                #expect(get.status == 500, "\(size)")
                #expect(get.text.contains("request "))
            }
        }
        #expect(try client.put("good", [1, 2, 3]).status == 201)
        #expect(try client.get("good").body == [1, 2, 3])
        #expect(try server.metric("corruptions_total") >= 4)
        #expect(server.log.contains("corrupt bytes in small-0000 at offset"))
        #expect(server.log.contains("corrupt bytes in large-0000 at offset"))
        #expect(server.stop() == 0)
    }

    @Test func `further inside ends the connection short, never with a wrong body`() throws {
        let server = try RunningServer()
        let size = 5 << 20
        let bytes = marked(size, at: size - 1000, seed: 5)
        #expect(try server.put("o", bytes).status == 201)
        try damage(server, seed: 5)
        for _ in 0..<2 {
            let client = try RawClient(server.port)
            try client.send("GET /o HTTP/1.1\r\nHost: h\r\n\r\n")
            let all = try client.readToEnd()
            let end = try #require(all.firstRange(of: Array("\r\n\r\n".utf8)))
            let body = all[end.upperBound...]
            #expect(body.count < size)
            #expect(Array(body) == Array(bytes[..<body.count]))
        }
        let client = try RawClient(server.port)
        #expect(try client.get("o", "Range: bytes=0-999").body == Array(bytes[..<1000]))
        #expect(try client.get("o", "Range: bytes=\(size - 10)-").status == 500)
        #expect(try client.get("health").status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `is no reason to take a repeated upload for the same`() throws {
        let server = try RunningServer()
        let client = try RawClient(server.port)
        for (seed, size) in [(6, 1000), (7, 200_000)] {
            let bytes = marked(size, at: 10, seed: seed)
            #expect(try client.put("o\(seed)", bytes).status == 201)
            try damage(server, seed: seed)
            #expect(try client.put("o\(seed)", bytes).status != 201)
        }
        #expect(server.stop() == 0)
    }

    /// The superblock's checksum: CRC32C (Castagnoli), bit by bit.
    private func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var state = UInt32.max
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state >> 1 ^ (state & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
        return ~state
    }

    private func put(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }

    @Test func `or a newer format, or another's volume, is left alone`() throws {
        let server = try RunningServer()
        #expect(try server.put("o", pattern(1000, seed: 1)).status == 201)
        #expect(server.stop() == 0)
        let file = URL(fileURLWithPath: server.dataPath + "/volumes/small-0000")
        let handle = try FileHandle(forUpdating: file)
        let original = Array(try handle.read(upToCount: 4096) ?? Data())
        #expect(original.count == 4096)
        func replace(_ bytes: [UInt8]) throws {
            try handle.seek(toOffset: 0)
            try handle.write(contentsOf: bytes)
            try handle.synchronize()
        }
        var newer = original
        put(2, at: 8, in: &newer)
        put(crc32c(newer[..<4092]), at: 4092, in: &newer)
        var foreign = original
        foreign[24] ^= 1
        put(crc32c(foreign[..<4092]), at: 4092, in: &foreign)
        var damaged = original
        damaged[100] ^= 1
        for (bytes, text) in [
            (newer, "newer"), (foreign, "another installation"), (damaged, "damaged"),
        ] {
            try replace(bytes)
            let (process, log) = try RunningServer.launch(ServerOptions(), in: server.scratch)
            #expect(process.wait() == 1)
            let said = RunningServer.text(log).split(separator: "\n").last ?? ""
            #expect(said.contains("small-0000"))
            #expect(said.contains(text), "\(said)")
        }
        try replace(original)
        let again = try RunningServer(in: server.scratch)
        #expect(try again.get("o").body == pattern(1000, seed: 1))
        #expect(again.stop() == 0)
    }

    @Test func `to the catalog costs nothing but time`() throws {
        let server = try RunningServer()
        let client = try RawClient(server.port)
        let sizes = [0, 1000, 65_536, 65_537, 2 << 20]
        for size in sizes {
            #expect(try client.put("o\(size)", pattern(size, seed: size)).status == 201)
        }
        #expect(try client.put("gone", pattern(500, seed: 1)).status == 201)
        #expect(try client.delete("gone").status == 204)
        #expect(server.stop() == 0)
        try FileManager.default.removeItem(atPath: server.dataPath + "/catalog")
        let again = try RunningServer(in: server.scratch)
        let reader = try RawClient(again.port)
        for size in sizes {
            #expect(try reader.get("o\(size)").body == pattern(size, seed: size))
        }
        #expect(try reader.get("gone").status == 404)
        #expect(again.stop() == 0)
    }

    @Test func `or loss of the identity is not papered over`() throws {
        let server = try RunningServer()
        #expect(try server.put("o", [1]).status == 201)
        #expect(server.stop() == 0)
        try FileManager.default.removeItem(atPath: server.dataPath + "/instance")
        let (process, log) = try RunningServer.launch(ServerOptions(), in: server.scratch)
        #expect(process.wait() == 1)
        #expect(RunningServer.text(log).contains("instance is missing"))
    }
}
