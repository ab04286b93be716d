// Goal:   an upload that breaks off goes on where it was, on the same URL, in every dialect that
//         speaks of offsets; a killed server has lost nothing of what it had said to have.

import Foundation
import Testing

/// What a client of resumable uploads does.
private struct Resumer {
    let server: RunningServer
    /// Path and query of the upload's resource.
    let target: String
    var authorization: [String] = []

    func head() throws -> RawClient.Response {
        try RawClient(server.port).exchange("HEAD", target, fields: authorization, body: nil)
    }

    func offset() throws -> Int {
        let answer = try head()
        #expect(answer.status == 204)
        return try #require(answer.fields["upload-offset"].flatMap { Int($0) })
    }

    func append(
        _ bytes: [UInt8], at offset: Int, isLast: Bool = true
    ) throws -> RawClient.Response {
        let fields = [
            "Upload-Offset: \(offset)", "Upload-Complete: ?\(isLast ? 1 : 0)",
            "Content-Type: application/partial-upload",
        ]
        return try RawClient(server.port).exchange(
            "PATCH", target, fields: fields + authorization, body: bytes)
    }

    /// Sends a request's head and the first bytes of its body, and is gone once those are there.
    func breakOff(_ head: String, _ bytes: [UInt8]) throws {
        let client = try RawClient(server.port)
        try client.send(head)
        try client.send(bytes)
        client.reset()
    }
}

@Suite struct `An upload that breaks off` {
    static let bytes = pattern(3_000_001, seed: 5)

    private func breakOff(_ server: RunningServer, _ name: String, sent: Int) throws -> Resumer {
        let target = Signing.v(name, Self.bytes.count)
        let resumer = Resumer(server: server, target: target)
        let head =
            "PUT \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: \(Self.bytes.count)\r\n\r\n"
        let client = try RawClient(server.port)
        try client.send(head)
        try client.send(Array(Self.bytes[..<sent]))
        client.endSending()
        // The server has noticed once it has answered, or closed.
        _ = try? client.response()
        return resumer
    }

    @Test(arguments: [200_000, 1_048_576, 3_000_000])
    func `as a plain PUT goes on on its own URL`(sent: Int) throws {
        let server = try SharedServer.get()
        let name = SharedServer.name()
        let resumer = try breakOff(server, name, sent: sent)
        let offset = try resumer.offset()
        #expect(offset > sent - 70_000 && offset <= sent)
        #expect(try server.get(name).status == 404)
        let done = try resumer.append(Array(Self.bytes[offset...]), at: offset)
        #expect(done.status == 201)
        #expect(done.fields["upload-complete"] == "?1")
        #expect(try server.get(name).body == Self.bytes)
        // Nothing is left to go on with.
        #expect(try resumer.head().status == 200)
        #expect(try resumer.append([1], at: 0).status == 404)
    }

    @Test func `may begin anew, and nothing is left of the first try`() throws {
        let server = try SharedServer.get()
        let name = SharedServer.name()
        let resumer = try breakOff(server, name, sent: 500_000)
        #expect(try resumer.offset() > 0)
        #expect(try server.put(name, Self.bytes).status == 201)
        #expect(try server.get(name).body == Self.bytes)
        #expect(try resumer.append([1], at: 0).status == 404)
    }

    @Test func `is nobody's who has not its signature`() throws {
        let server = try SharedServer.get()
        let name = SharedServer.name()
        let resumer = try breakOff(server, name, sent: 500_000)
        for target in ["/\(name)", "/\(name)?v=00", Signing.v(name, 3_000_000)] {
            let stranger = Resumer(server: server, target: target)
            #expect(try stranger.head().status == 404)
            #expect(try stranger.append([1], at: 0).status == 404)
        }
        #expect(try resumer.offset() > 0)
    }

    @Test func `is told where to go on, and takes no byte too many`() throws {
        let server = try SharedServer.get()
        let name = SharedServer.name()
        let resumer = try breakOff(server, name, sent: 500_000)
        let offset = try resumer.offset()
        let wrong = try resumer.append([1, 2, 3], at: offset + 1, isLast: false)
        #expect(wrong.status == 409)
        #expect(wrong.fields["upload-offset"] == "\(offset)")
        #expect(wrong.fields["content-type"] == "application/problem+json")
        #expect(wrong.text.contains("mismatching-upload-offset"))
        let many = [UInt8](repeating: 1, count: Self.bytes.count - offset + 1)
        #expect(try resumer.append(many, at: offset, isLast: false).status == 413)
        #expect(try resumer.append([1], at: offset, isLast: true).status == 400)
        #expect(try resumer.offset() == offset)
        #expect(try resumer.append(Array(Self.bytes[offset...]), at: offset).status == 201)
        #expect(try server.get(name).body == Self.bytes)
    }

    @Test func `goes on after the server was killed`() throws {
        let scratch = try ScratchDirectory()
        var server = try RunningServer(in: scratch)
        var resumer = try breakOff(server, "a", sent: 1_500_000)
        let offset = try resumer.offset()
        #expect(server.process.end(SIGKILL) != nil)
        server = try RunningServer(in: scratch)
        resumer = Resumer(server: server, target: resumer.target)
        #expect(try resumer.offset() >= offset)
        let half = offset + (Self.bytes.count - offset) / 2
        let middle = try resumer.append(Array(Self.bytes[offset..<half]), at: offset, isLast: false)
        #expect(middle.status == 204)
        #expect(server.process.end(SIGKILL) != nil)
        server = try RunningServer(in: scratch)
        resumer = Resumer(server: server, target: resumer.target)
        #expect(try resumer.offset() == half)
        #expect(try resumer.append(Array(Self.bytes[half...]), at: half).status == 201)
        #expect(try server.get("a").body == Self.bytes)
        #expect(server.stop() == 0)
    }

    // MARK: At /files

    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"

    @Test func `begins with a POST that says so, and goes on with its Location`() throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let first = Array(Self.bytes[..<1_000_000])
        let created = try client.exchange(
            "POST", "/files",
            fields: [Self.token, "Upload-Complete: ?0", "Upload-Length: \(Self.bytes.count)"],
            body: first)
        #expect(created.status == 201)
        #expect(created.fields["upload-offset"] == "1000000")
        let resumer = Resumer(
            server: server, target: try #require(created.fields["location"]),
            authorization: [Self.token])
        #expect(try resumer.offset() == 1_000_000)
        let done = try resumer.append(Array(Self.bytes[1_000_000...]), at: 1_000_000)
        #expect(done.status == 201)
        let object = try #require(done.fields["location"])
        #expect(try client.exchange("GET", object, fields: [], body: nil).body == Self.bytes)
        #expect(try resumer.head().fields["upload-complete"] == "?1")
    }

    @Test func `is published where it asked for no path, and deleted there by the admin`() throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let created = try client.exchange(
            "POST", "/files", fields: [Self.token, "Upload-Complete: ?1"], body: [1, 2, 3])
        let object = try #require(created.fields["location"])
        #expect(object.hasPrefix("/u/"))
        #expect(try client.exchange("DELETE", object, fields: [], body: nil).status == 401)
        let put = try client.exchange("PUT", object, fields: [Self.token], body: [1])
        #expect(put.status == 405)
        #expect(put.fields["allow"] == "GET, HEAD, DELETE, OPTIONS")
        #expect(
            try client.exchange("DELETE", object, fields: [Self.token], body: nil).status == 204)
        #expect(try client.exchange("GET", object, fields: [], body: nil).status == 404)
    }

    @Test func `takes no content whose digest is another one`() throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let fields = [Self.token, "Upload-Complete: ?0", "Upload-Length: 6"]
        // SHA-256 of "abc" (FIPS 180-2).
        let right = "Content-Digest: sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
        let created = try client.exchange(
            "POST", "/files", fields: fields + [right], body: Array("abc".utf8))
        #expect(created.status == 201)
        #expect(created.fields["upload-offset"] == "3")
        let location = try #require(created.fields["location"])
        let patch = [
            Self.token, "Upload-Offset: 3", "Upload-Complete: ?1",
            "Content-Type: application/partial-upload",
        ]
        let wrong = try client.exchange(
            "PATCH", location, fields: patch + [right], body: Array("abd".utf8))
        #expect(wrong.status == 400)
        #expect(wrong.text.contains("digest-mismatching-values"))
        let done = try client.exchange(
            "PATCH", location, fields: patch + [right], body: Array("abc".utf8))
        #expect(done.status == 201)
        let object = try #require(done.fields["location"])
        #expect(try client.exchange("GET", object).text == "abcabc")
    }

    @Test(arguments: [
        ("sha1", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
        ("sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), ("crc32c", "Nks/tw=="),
    ])
    func `by tus is held to its checksum`(algorithm: String, base64: String) throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let tus = [Self.token, "Tus-Resumable: 1.0.0"]
        let created = try client.exchange(
            "POST", "/files", fields: tus + ["Upload-Length: 3"], body: [])
        #expect(created.status == 201)
        let location = try #require(created.fields["location"])
        let patch =
            tus + [
                "Upload-Offset: 0", "Content-Type: application/offset+octet-stream",
                "Upload-Checksum: \(algorithm) \(base64)",
            ]
        let wrong = try client.exchange(
            "PATCH", location, fields: patch, body: Array("abd".utf8))
        #expect(wrong.status == 460)
        #expect(wrong.fields["tus-resumable"] == "1.0.0")
        let right = try client.exchange(
            "PATCH", location, fields: patch, body: Array("abc".utf8))
        #expect(right.status == 204)
        #expect(right.fields["upload-offset"] == "3")
        let unknown = try client.exchange(
            "PATCH", location,
            fields: Array(patch.dropLast()) + ["Upload-Checksum: md5 kAFQmDzST7DWlj99KOF/cg=="],
            body: Array("abc".utf8))
        #expect(unknown.status == 400)
    }

    @Test func `is given up by DELETE`() throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let created = try client.exchange(
            "POST", "/files", fields: [Self.token, "Upload-Complete: ?0"], body: [1, 2, 3])
        let location = try #require(created.fields["location"])
        let resumer = Resumer(server: server, target: location, authorization: [Self.token])
        #expect(try Resumer(server: server, target: location).head().status == 401)
        #expect(
            try client.exchange("DELETE", location, fields: [Self.token], body: nil).status == 204)
        #expect(try resumer.head().status == 404)
    }

    @Test func `of unknown length ends with its last chunk`() throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let created = try client.exchange(
            "POST", "/files", fields: [Self.token, "Upload-Complete: ?0"], body: [])
        let location = try #require(created.fields["location"])
        for (index, range) in [0..<700_001, 700_001..<700_002].enumerated() {
            let part = Array(Self.bytes[range])
            try client.send(
                "PATCH \(location) HTTP/1.1\r\nHost: h\r\n\(Self.token)\r\n"
                    + "Upload-Offset: \(range.lowerBound)\r\nUpload-Complete: ?\(index)\r\n"
                    + "Content-Type: application/partial-upload\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            for start in stride(from: 0, to: part.count, by: 99_999) {
                let piece = part[start..<min(part.count, start + 99_999)]
                try client.send(String(piece.count, radix: 16) + "\r\n")
                try client.send(Array(piece))
                try client.send("\r\n")
            }
            try client.send("0\r\n\r\n")
            #expect(try client.response().status == (index == 0 ? 204 : 201))
        }
        let got = try client.exchange("GET", location, fields: [Self.token], body: nil)
        #expect(got.body == Array(Self.bytes[..<700_002]))
    }
}
