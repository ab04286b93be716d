// Goal:   an operator puts objects with the time that they say, unsigned, and nobody else does.

import Foundation
import Testing

@Suite struct `An operator who moves objects` {
    private static let token = "Authorization: Bearer \(RunningServer.adminToken)"
    private static let date = "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT"

    private func put(
        _ client: RawClient, _ name: String, _ body: [UInt8], _ fields: String...
    ) throws -> RawClient.Response {
        try client.exchange(
            "PUT", "/admin/objects/" + name, fields: [Self.token] + fields, body: body)
    }

    @Test(arguments: [0, 1, 4096, 65_536, 65_537, (3 << 20) + 1])
    func `puts an object with its type and time`(size: Int) throws {
        let client = try SharedServer.client()
        let (name, body) = (SharedServer.name(), pattern(size, seed: size))
        let (type, date) = ("Content-Type: image/x-raw", Self.date)
        #expect(try put(client, name, body, type, date).status == 201)
        // Again, whatever the time: it is the same object.
        #expect(try put(client, name, body, type).status == 201)
        for path in [name, "admin/objects/" + name] {
            let get = try client.get(path, Self.token)
            #expect(get.status == 200)
            #expect(get.body == body)
            #expect(get.fields["content-type"] == "image/x-raw")
            #expect(get.fields["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT")
        }
        let head = try client.exchange(
            "HEAD", "/admin/objects/" + name, fields: [Self.token])
        #expect(head.status == 200)
        #expect(head.fields["content-length"] == "\(size)")
        for (count, other) in [(size, "Content-Type: image/png"), (size + 1, type)] {
            // Another type or length is refused before the body.
            let refused = try RawClient(SharedServer.get().port).exchange(
                "PUT", "/admin/objects/" + name,
                fields: [
                    Self.token, other, "Content-Length: \(count)", "Expect: 100-continue",
                ])
            #expect(refused.status == 409)
        }
        // Its owner may well be somebody who has a URL for it.
        #expect(try client.put(name, body, fields: [type]).status == 201)
    }

    @Test func `need not say type and time`() throws {
        let client = try SharedServer.client()
        let name = SharedServer.name() + ".png"
        #expect(try put(client, name, [1]).status == 201)
        let get = try client.get(name)
        #expect(get.fields["content-type"] == "image/png")
        #expect(get.fields["last-modified"]?.contains("GMT") == true)
        #expect(get.fields["last-modified"]?.contains("2001") == false)
    }

    @Test func `is not just anybody`() throws {
        let client = try SharedServer.client()
        let name = "/admin/objects/" + SharedServer.name()
        for method in ["GET", "HEAD", "PUT"] {
            let none = try client.exchange(method, name, body: method == "PUT" ? [1] : nil)
            #expect(none.status == 401)
            let wrong = try client.exchange(
                method, name, fields: ["Authorization: Bearer x"], body: method == "PUT" ? [1] : nil
            )
            #expect(wrong.status == 403)
        }
        #expect(try client.get(String(name.dropFirst()), Self.token).status == 404)
    }

    @Test func `is told what is wrong, and nothing is stored`() throws {
        let client = try SharedServer.client()
        let name = SharedServer.name()
        for date in ["yesterday", "", "Fri, 31 Dec 1969 23:59:59 GMT"] {
            #expect(try put(client, name, [1], "Last-Modified: " + date).status == 400, "\(date)")
        }
        #expect(try put(client, name, [1], Self.date, Self.date).status == 400)
        #expect(try put(client, name, [1], "Content-Type: text").status == 415)
        #expect(try put(client, name, [1], "Millrace-Durability: maybe").status == 400)
        #expect(try put(client, name, [1], "Content-Range: bytes 0-0/1").status == 400)
        for other in [".hidden", "admin/x", "health", "u", "a/../b"] {
            #expect(try put(client, other, [1]).status == 400, "\(other)")
        }
        let chunked = try client.exchange(
            "PUT", "/admin/objects/" + name,
            fields: [Self.token, "Transfer-Encoding: chunked"])
        #expect(chunked.status == 411)
        #expect(try RawClient(SharedServer.get().port).get(name).status == 404)
        let tooLong = try RawClient(SharedServer.get().port).exchange(
            "PUT", "/admin/objects/" + name,
            fields: [Self.token, "Expect: 100-continue", "Content-Length: \((15 << 30) + 1)"])
        #expect(tooLong.status == 413)
        for method in ["POST", "PATCH", "DELETE", "OPTIONS"] {
            let answer = try RawClient(SharedServer.get().port).exchange(
                method, "/admin/objects/" + name, fields: [Self.token])
            #expect(answer.status == 405)
            #expect(answer.fields["allow"] == "GET, HEAD, PUT")
        }
    }

    @Test func `names objects as long as names may be`() throws {
        let client = try SharedServer.client()
        let start = SharedServer.name()
        let filled = (start + "/" + String(repeating: "y/", count: 300)).prefix(479)
        let name = filled.hasSuffix("/") ? filled + "z" : filled.dropLast() + "zz"
        #expect(name.utf8.count == 480)
        #expect(try put(client, String(name), [1]).status == 201)
        #expect(try client.get(String(name)).body == [1])
        #expect(try put(client, name + "z", [1]).status == 414)
        #expect(try client.get(String(name + "z")).status == 414)
        #expect(try put(client, "u/1/" + start, [2]).status == 201)
        #expect(try client.get("u/1/" + start).body == [2])
    }

    @Test func `is not held to the limit of clients`() throws {
        var options = ServerOptions()
        options.uploads = "max_size = \"100KiB\""
        let server = try RunningServer(options)
        let body = pattern((100 << 10) + 1, seed: 1)
        #expect(try put(RawClient(server.port), "o", body).status == 201)
        #expect(try server.get("o").body == body)
        #expect(server.stop() == 0)
    }

    @Test func `who goes in the midst leaves nothing behind`() throws {
        let server = try RunningServer()
        let size = 3 << 20
        let name = "o"
        let client = try RawClient(server.port)
        try client.send(
            "PUT /admin/objects/\(name) HTTP/1.1\r\nHost: h\r\n\(Self.token)\r\n"
                + "Content-Length: \(size)\r\n\r\n")
        try client.send(pattern(1 << 20, seed: 1))
        client.close()
        // What breaks off could only be gone on with on a signed URL: nothing is kept for one.
        let isOver = try eventually { try server.metric("upload_errors_total") == 1 }
        #expect(isOver)
        let probe = try RawClient(server.port)
        #expect(try probe.exchange("HEAD", Signing.v(name, size)).status == 404)
        #expect(try server.metric("unfinished_uploads") == 0)
        #expect(try put(probe, name, pattern(size, seed: 2)).status == 201)
        #expect(server.stop() == 0)
    }

    @Test func `finds the same objects whatever the base path`() throws {
        var options = ServerOptions()
        options.basePath = "/up/"
        let server = try RunningServer(options)
        let client = try RawClient(server.port)
        #expect(try put(client, "a/b", [1, 2, 3], Self.date).status == 201)
        for path in ["up/a/b", "admin/objects/a/b", "up/admin/objects/a/b"] {
            #expect(try client.get(path, Self.token).body == [1, 2, 3], "\(path)")
        }
        #expect(try client.get("a/b").status == 404)
        #expect(server.stop() == 0)
    }
}
