// Goal:   an object longer than any volume goes in and out at full size, to the byte: 3 GiB over
//         volumes of 1 GiB, where 32-bit positions and the borders between volumes would show.
// Method: curl and cmp do the moving and comparing, so that nobody holds 3 GiB in memory.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct `An object longer than a volume` {
    /// With a last block that is not whole.
    private static let size = (3 << 30) + 12_345
    /// The source takes 192 MiB, the volumes 3.1 GiB; the rest is room for the other tests.
    private static let bytesNeeded = 5 << 30

    @Test func `goes in and out whole and across every border, and its space comes back`() throws {
        let scratch = try ScratchDirectory()
        guard try hasRoom(scratch) else { return }
        let source = try PositionedFile(scratch.path + "/source", size: Self.size)
        var options = ServerOptions()
        options.volumeSize = "1GiB"
        options.capacity = "5GiB"
        let server = try RunningServer(options, in: scratch)
        let put = server.url + Signing.v("long", Self.size)
        #expect(try transfer(["-T", source.path, put]) == 201)
        let fields = try expectFields(server)
        #expect(try reserve(server) == 507)
        #expect(server.stop() == 0)

        let again = try RunningServer(options, in: scratch)
        #expect(try expectFields(again) == fields)
        try expectWhole(again, source)
        let borders = try (1...3).map { try source.position(after: volume($0, again)) }
        #expect(Set(borders).union([0]).count == 4)
        for border in borders {
            #expect(border % PositionedFile.unit == 0)
            try expectRange(again, source, border - 1, border)
            try expectRange(again, source, border - (5 << 20) - 1, border + (3 << 20) + 1)
        }
        try expectRange(again, source, Self.size - 20_000, Self.size - 1)

        #expect(try again.delete("long").status == 204)
        #expect(try again.get("long").status == 404)
        #expect(try eventually { try reserve(again) == 100 })
        #expect(again.stop() == 0)
    }

    private func hasRoom(_ scratch: ScratchDirectory) throws -> Bool {
        var system = statvfs()
        guard unsafe statvfs(scratch.path, &system) == 0 else { throw Problem("errno \(errno)") }
        let free = Int(system.f_bavail) * Int(system.f_frsize)
        if free >= Self.bytesNeeded { return true }
        print("SKIPPED: a 3 GiB object needs \(Self.bytesNeeded >> 20) MiB; \(free >> 20) are free")
        return false
    }

    /// What the server answers to curl.
    private func transfer(_ arguments: [String]) throws -> Int? {
        let quiet = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"]
        return Int(try Programs.run("curl", quiet + arguments, withinSeconds: 300).output)
    }

    /// cmp reads as curl writes, and misses what does not come.
    private func expectWhole(_ server: RunningServer, _ source: PositionedFile) throws {
        let command = "curl -sSf \"$0\" | cmp - \"$1\""
        let (status, output) = try Programs.run(
            "sh", ["-c", command, server.url + "/long", source.path], withinSeconds: 300)
        #expect(status == 0, "\(output)")
    }

    private func expectRange(
        _ server: RunningServer, _ source: PositionedFile, _ first: Int, _ last: Int
    ) throws {
        let get = try RawClient(server.port).get("long", "Range: bytes=\(first)-\(last)")
        #expect(get.status == 206)
        #expect(get.fields["content-range"] == "bytes \(first)-\(last)/\(Self.size)")
        let isSame = try get.body == source.bytes(first...last)
        #expect(isSame, "\(first)-\(last)")
    }

    /// The fields of HEAD that have to outlive the server.
    private func expectFields(_ server: RunningServer) throws -> [String: String] {
        let head = try RawClient(server.port).exchange("HEAD", "/long")
        #expect(head.status == 200)
        #expect(head.fields["content-length"] == "\(Self.size)")
        #expect(head.body.isEmpty)
        return head.fields.filter { ["etag", "last-modified", "content-type"].contains($0.key) }
    }

    /// Asks for the space of a second such object: 100 if it is there, 507 if not.
    private func reserve(_ server: RunningServer) throws -> Int {
        let client = try RawClient(server.port)
        try client.send(
            "PUT \(Signing.v("second", Self.size)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(Self.size)\r\nExpect: 100-continue\r\n\r\n")
        defer { client.reset() }
        return try client.response().status
    }

    private func volume(_ number: Int, _ server: RunningServer) -> String {
        server.dataPath + "/volumes/large-000\(number)"
    }
}

/// A sparse file in which every unit of 64 KiB has one block that says where it stands, at a place
/// within its unit that differs from one to the next: bytes that went elsewhere are found out.
private struct PositionedFile {
    static let unit = 64 << 10
    private static let blockSize = 4096
    private static let noise = pattern(blockSize, seed: 99)

    let path: String

    init(_ path: String, size: Int) throws {
        self.path = path
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Problem("\(path): errno \(errno)") }
        defer { Glibc.close(descriptor) }
        guard ftruncate(descriptor, size) == 0 else { throw Problem("\(path): errno \(errno)") }
        var block = Self.noise
        for start in stride(from: 0, to: size, by: Self.unit) {
            let position = Self.place(inUnitAt: start)
            for byte in 0..<8 { block[byte] = UInt8(truncatingIfNeeded: start >> (8 * byte)) }
            let count = min(Self.blockSize, size - position)
            guard count > 0 else { continue }
            guard unsafe pwrite(descriptor, block, count, position) == count else {
                throw Problem("\(path): errno \(errno)")
            }
        }
    }

    /// Where the block of the unit at `start` lies: in one of its 16 places, by Knuth's hash.
    private static func place(inUnitAt start: Int) -> Int {
        let hash = UInt64(start / unit) &* 0x9e37_79b9_7f4a_7c15
        return start + Int(hash >> 60) * blockSize
    }

    func bytes(_ range: ClosedRange<Int>) throws -> [UInt8] {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(range.lowerBound))
        return Array(try handle.read(upToCount: range.count) ?? Data())
    }

    /// Where in this file the first unit of data in a volume stands: the border before it.
    func position(after volume: String) throws -> Int {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: volume))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(Self.superblockBytes))
        let data = Array(try handle.read(upToCount: Self.unit) ?? Data())
        for place in stride(from: 0, to: data.count, by: Self.blockSize) {
            let block = data[place..<place + Self.blockSize]
            guard block.dropFirst(8) == Self.noise.dropFirst(8) else { continue }
            return block.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        throw Problem("\(volume) begins with nothing of ours")
    }

    /// Reserved at the head of every volume.
    private static let superblockBytes = 2 << 20
}
