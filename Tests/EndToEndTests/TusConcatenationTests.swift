// Goal:   tus' concatenation as its document has it, over raw sockets: parts of any length, sent at
//         the same time, are one object that can be fetched in any way; and that a refused request
//         changes nothing. `Sources/Server/Conformance.md` says which clause.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite(.serialized) struct `tus puts together` {
    private static let version = "Tus-Resumable: 1.0.0"
    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"
    private static let type = "Content-Type: application/offset+octet-stream"
    private static let partial = "Upload-Concat: partial"

    private func ask(
        _ server: RunningServer, _ method: String, _ target: String, _ fields: [String] = [],
        _ body: [UInt8]? = nil
    ) throws -> RawClient.Response {
        try RawClient(server.port).exchange(
            method, target, fields: [Self.version, Self.token] + fields, body: body)
    }

    /// A part that is not there yet.
    private func create(_ server: RunningServer, _ length: Int) throws -> String {
        let answer = try ask(
            server, "POST", "/files", ["Upload-Length: \(length)", Self.partial], [])
        #expect(answer.status == 201 && answer.fields["upload-concat"] == "partial")
        return try #require(answer.fields["location"])
    }

    private func patch(
        _ server: RunningServer, _ part: String, _ bytes: [UInt8], at offset: Int = 0
    ) throws -> RawClient.Response {
        try ask(server, "PATCH", part, [Self.type, "Upload-Offset: \(offset)"], bytes)
    }

    private func parts(_ server: RunningServer, _ pieces: [[UInt8]]) throws -> [String] {
        try pieces.map { piece in
            let part = try create(server, piece.count)
            if !piece.isEmpty { #expect(try patch(server, part, piece).status == 204) }
            return part
        }
    }

    private func join(
        _ server: RunningServer, _ parts: [String], _ fields: [String] = [], _ body: [UInt8]? = nil
    ) throws -> RawClient.Response {
        let list = "Upload-Concat: final;" + parts.joined(separator: " ")
        return try ask(server, "POST", "/files", [list] + fields, body)
    }

    private func path(_ name: String) -> String {
        "Upload-Metadata: path \(Data(name.utf8).base64EncodedString())"
    }

    private func pieces(_ lengths: [Int]) -> [[UInt8]] {
        lengths.enumerated().map { pattern($0.element, seed: 500 + $0.offset) }
    }

    private func largeBytesUsed(_ server: RunningServer) throws -> Int {
        try server.metric("volume_bytes{class=\"large\"}")
            - server.metric("volume_free_bytes{class=\"large\"}")
    }

    private static let lengths = [65_536, 1, 0, 4095, 4096, 4097, 65_535, 65_537, 200_001]

    // MARK: By the document

    @Test func `what was sent at the same time`() throws {
        let server = try SharedServer.get()
        let spoken = try ask(server, "OPTIONS", "/files").fields["tus-extension"]
        let extensions = spoken?.split(separator: ",") ?? []
        #expect(extensions.contains("concatenation"))
        #expect(!extensions.contains("concatenation-unfinished"))
        let pieces = pieces(Self.lengths)
        let parts = try pieces.map { try create(server, $0.count) }
        let failed = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: parts.count) { index in
            // In two steps, the first of which ends within a block.
            let cut = pieces[index].count / 3
            let first = try? patch(server, parts[index], Array(pieces[index][..<cut]))
            let rest = try? patch(server, parts[index], Array(pieces[index][cut...]), at: cut)
            if first?.status != 204 || rest?.status != 204 { failed.add(1, ordering: .relaxed) }
        }
        #expect(failed.load(ordering: .relaxed) == 0)
        for (part, piece) in zip(parts, pieces) {
            let head = try ask(server, "HEAD", part)
            #expect(head.status == 200 && head.fields["upload-concat"] == "partial")
            #expect(head.fields["upload-offset"] == "\(piece.count)")
            #expect(head.fields["upload-length"] == "\(piece.count)")
            #expect(try ask(server, "GET", part).status == 404)
        }
        let bytes = pieces.flatMap { $0 }
        let name = SharedServer.name("whole")
        let made = try join(server, parts, [path(name)])
        #expect(made.status == 201 && made.fields["upload-offset"] == "\(bytes.count)")
        let final = try #require(made.fields["location"])
        let list = "final;" + parts.joined(separator: " ")
        #expect(made.fields["upload-concat"] == list)
        let head = try ask(server, "HEAD", final)
        #expect(head.status == 200 && head.fields["upload-concat"] == list)
        #expect(head.fields["upload-length"] == "\(bytes.count)")
        #expect(head.fields["upload-offset"] == "\(bytes.count)")
        #expect(head.fields["upload-metadata"].map { "Upload-Metadata: " + $0 } == path(name))
        #expect(head.fields["upload-expires"] == nil)
        #expect(try ask(server, "GET", final).body == bytes)
        #expect(try server.get(name).body == bytes)
        for part in parts { #expect(try ask(server, "HEAD", part).status == 404) }
    }

    @Test func `nothing else, and changes nothing then`() throws {
        let server = try SharedServer.get()
        let pieces = pieces([70_001, 5])
        let parts = try parts(server, pieces)
        let short = try create(server, 10)
        #expect(try patch(server, short, [1, 2, 3]).status == 204)
        let other = try ask(server, "POST", "/files", ["Upload-Length: 10"], [])
        let plain = try #require(other.fields["location"])
        let nobody = "/files/" + String(repeating: "0", count: 32)
        let wrong: [([String], [String], [UInt8]?, Int)] = [
            ([], [], nil, 400), ([parts[0], nobody], [], nil, 404),
            ([parts[0], "/files/x"], [], nil, 404), ([parts[0], "/x"], [], nil, 404),
            ([parts[0], "http://elsewhere\(parts[1])"], [], nil, 400),
            ([parts[0], "/files/../x"], [], nil, 400),
            ([parts[0], parts[0]], [], nil, 400), ([parts[0], plain], [], nil, 400),
            ([parts[0], short], [], nil, 400),
            (parts, ["Upload-Length: 70006"], nil, 400),
            (parts, ["Upload-Defer-Length: 1"], nil, 400),
            (parts, [Self.type], [1, 2, 3], 403),
            (Array(repeating: parts[0], count: 257), [], nil, 413),
            (parts, [path("../x")], nil, 400),
        ]
        for (list, fields, body, status) in wrong {
            let answer = try join(server, list, fields, body)
            #expect(answer.status == status, "\(list.prefix(3)) \(fields): \(answer.status)")
            #expect(answer.fields["tus-resumable"] == "1.0.0")
        }
        let noToken = try RawClient(server.port).exchange(
            "POST", "/files", fields: [Self.version, "Upload-Concat: final;\(parts[0])"])
        #expect(noToken.status == 401)
        #expect(try ask(server, "HEAD", short).fields["upload-offset"] == "3")
        // With the host in front, as it was answered to somebody behind a proxy.
        let made = try join(
            server, ["http://localhost\(parts[1])", "https://localhost\(parts[0])?a=b"])
        #expect(made.status == 201)
        let final = try #require(made.fields["location"])
        #expect(try ask(server, "GET", final).body == pieces[1] + pieces[0])
        #expect(try join(server, parts).status == 404)
    }

    @Test func `what takes no bytes afterwards`() throws {
        let server = try SharedServer.get()
        let parts = try parts(server, pieces([70_001, 5]))
        let final = try #require(try join(server, parts).fields["location"])
        let patched = try patch(server, final, [1], at: 70_006)
        #expect(patched.status == 403 && patched.fields["tus-resumable"] == "1.0.0")
        #expect(try patch(server, final, [], at: 70_006).status == 403)
        #expect(try patch(server, final, [1], at: 0).status == 403)
        #expect(try ask(server, "HEAD", final).fields["upload-offset"] == "70006")
        #expect(try ask(server, "DELETE", final).status == 204)
        #expect(try ask(server, "HEAD", final).status == 404)
    }

    @Test func `no more than one upload may have`() throws {
        let server = try SharedServer.get()
        let length = 22 << 20
        let piece = pattern(length, seed: 9)
        let parts = try parts(server, [piece, piece, piece])
        #expect(try join(server, parts).status == 413)
        for part in parts {
            #expect(try ask(server, "HEAD", part).fields["upload-offset"] == "\(length)")
            #expect(try ask(server, "DELETE", part).status == 204)
        }
    }

    @Test func `as many as may be, and tells which`() throws {
        let server = try SharedServer.get()
        let pieces = pieces((0..<256).map { 1 + $0 * 7 })
        let parts = try parts(server, pieces)
        let metadata =
            path(SharedServer.name("many")) + ",x " + String(repeating: "eHh4", count: 700)
        let made = try join(server, parts, [metadata])
        #expect(made.status == 201)
        let final = try #require(made.fields["location"])
        let head = try ask(server, "HEAD", final)
        #expect(head.fields["upload-concat"] == "final;" + parts.joined(separator: " "))
        #expect(head.fields["upload-metadata"].map { "Upload-Metadata: " + $0 } == metadata)
        #expect(try ask(server, "GET", final).body == pieces.flatMap { $0 })
    }

    @Test func `what the IETF's dialect has sent, which cannot end it`() throws {
        let server = try SharedServer.get()
        let bytes = pattern(90_001, seed: 8)
        let part = try create(server, bytes.count)
        let sent = try RawClient(server.port).exchange(
            "PATCH", part,
            fields: [
                Self.token, "Upload-Offset: 0", "Upload-Complete: ?1",
                "Content-Type: application/partial-upload",
            ], body: bytes)
        #expect(sent.status == 204 && sent.fields["upload-complete"] == "?0")
        #expect(sent.fields["upload-offset"] == "\(bytes.count)")
        let final = try #require(try join(server, [part]).fields["location"])
        #expect(try ask(server, "GET", final).body == bytes)
    }

    // MARK: What becomes of it

    @Test(arguments: ["", "[downloads]\nverify = \"always\""])
    func `an object that is fetched in any way`(limits: String) throws {
        var options = ServerOptions()
        options.limits = limits
        let server = try RunningServer(options)
        let pieces = pieces(Self.lengths + [3 << 20, 5, 2_500_001])
        let bytes = pieces.flatMap { $0 }
        let parts = try parts(server, pieces)
        #expect(try join(server, parts, [path("whole")]).status == 201)
        // Read and verified, then brought into the page cache, then from there.
        for _ in 0..<3 { #expect(try server.get("whole").body == bytes) }
        let fromCache = try server.metric("sent_file_bytes_total")
        #expect(limits.isEmpty ? fromCache >= bytes.count : fromCache == 0)
        let client = try RawClient(server.port)
        var border = 0
        for piece in pieces {
            border += piece.count
            for (start, end) in [(border - 3, border + 3), (border - 70_000, border + 70_000)] {
                let (start, end) = (max(0, start), min(bytes.count, end) - 1)
                guard start <= end else { continue }
                let part = try client.get("whole", "Range: bytes=\(start)-\(end)")
                #expect(part.status == 206 && part.body == Array(bytes[start...end]))
                #expect(part.fields["content-range"] == "bytes \(start)-\(end)/\(bytes.count)")
            }
        }
        let last = try client.get("whole", "Range: bytes=-2500003")
        #expect(last.body == Array(bytes.suffix(2_500_003)))
        let head = try client.exchange("HEAD", "/whole", fields: [])
        #expect(head.fields["content-length"] == "\(bytes.count)")
        let tag = try #require(head.fields["etag"])
        #expect(try client.get("whole", "If-None-Match: \(tag)").status == 304)
        let same = try client.get("whole", "Range: bytes=0-9", "If-Range: \(tag)")
        #expect(same.status == 206 && same.body == Array(bytes[..<10]))
        #expect(try client.get("whole", "Range: bytes=0-9", "If-Range: \"x\"").body == bytes)
        #expect(server.stop() == 0)
    }

    /// Of objects up to 1 MiB all that goes out is verified before the head.
    @Test func `an object whose rot is a 500, whichever part it is in`() throws {
        let server = try RunningServer()
        let pieces = pieces([70_001, 4097, 100_000])
        #expect(try join(server, try parts(server, pieces), [path("whole")]).status == 201)
        let volume = server.dataPath + "/volumes/large-0000"
        let file = unsafe open(volume, O_RDWR)
        try #require(file >= 0)
        defer { close(file) }
        // The last part's first block, found by its bytes.
        let wanted = Array(pieces[2].prefix(4096))
        var block = [UInt8](repeating: 0, count: 4096)
        var offset = 2 << 20
        repeat {
            offset += 4096
            let count = unsafe pread(file, &block, 4096, offset)
            try #require(count == 4096)
        } while block != wanted
        block[17] ^= 1
        let written = unsafe pwrite(file, &block, 4096, offset)
        #expect(written == 4096 && fsync(file) == 0)
        #expect(try server.get("whole").status == 500)
        let client = try RawClient(server.port)
        let whole = try client.get("whole", "Range: bytes=0-74097")
        #expect(whole.status == 206 && whole.body == pieces[0] + pieces[1])
        #expect(server.stop() == 0)
    }

    @Test func `an object that is there after a kill, and gives its space back`() throws {
        let scratch = try ScratchDirectory()
        var server = try RunningServer(in: scratch)
        let pieces = pieces(Self.lengths)
        let bytes = pieces.flatMap { $0 }
        let spare = try parts(server, [pieces[8], pieces[4]])
        let made = try join(server, try parts(server, pieces), [path("whole")])
        let final = try #require(made.fields["location"])
        let list = made.fields["upload-concat"]
        _ = server.process.end(SIGKILL)
        server = try RunningServer(in: scratch)
        #expect(try server.get("whole").body == bytes)
        let head = try ask(server, "HEAD", final)
        #expect(head.fields["upload-concat"] == list && head.status == 200)
        #expect(try ask(server, "GET", final).body == bytes)
        // A PUT of the same bytes is compared with it.
        #expect(try server.put("whole", bytes).status == 201)
        var other = bytes
        other[bytes.count - 1] ^= 1
        #expect(try server.put("whole", other).status == 409)
        #expect(try ask(server, "HEAD", spare[0]).fields["upload-concat"] == "partial")
        let again = try join(server, spare, [path("again")])
        #expect(again.status == 201)
        #expect(try server.get("again").body == pieces[8] + pieces[4])
        for name in ["whole", "again"] { #expect(try server.delete(name).status == 204) }
        let isFree = try eventually(withinSeconds: 20) {
            // What a volume keeps for itself.
            try largeBytesUsed(server) == 2 << 20 && server.metric("unfinished_uploads") == 0
        }
        #expect(isFree)
        #expect(server.stop() == 0)
    }
}
