// Goal:   a signed upload is stored byte for byte and acknowledged once; everything that speaks
//         against it is said before its body.

import Foundation
import Testing

@Suite struct `A signed upload` {
    /// Around blocks, checksum units, the border between small and large, and buffers.
    @Test(arguments: [
        0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, (1 << 20) - 1, 1 << 20,
        (1 << 20) + 1, 5 << 20,
        // A buffer of 256 KiB, or more, and a last one of a few bytes.
        (256 << 10) + 1, (256 << 10) + 2049, (768 << 10) + 2048,
    ])
    func `comes back byte for byte`(size: Int) throws {
        let client = try SharedServer.client()
        let (name, bytes) = (SharedServer.name(), pattern(size, seed: size))
        let put = try client.put(name, bytes)
        #expect(put.status == 201)
        #expect(put.body.isEmpty)
        // Once from the disk, once from whatever the first time has warmed.
        for _ in 0..<2 {
            let get = try client.get(name)
            #expect(get.status == 200)
            #expect(get.body == bytes)
        }
    }

    @Test func `waits for its turn while others have announced too much`() throws {
        var options = ServerOptions()
        options.limits = "reserved_size = \"256MiB\""
        let server = try RunningServer(options)
        let invited = try announce("first", 200 << 20, to: server)
        #expect(try invited.response().status == 100)
        let refused = try announce("second", 100 << 20, to: server).response()
        #expect(refused.status == 503)
        #expect(refused.fields["retry-after"] == "10")
        #expect(try server.put("small", pattern(1000, seed: 1)).status == 201)
        invited.reset()
        let isTaken = try eventually {
            try announce("second", 100 << 20, to: server).response().status == 100
        }
        #expect(isTaken)
        #expect(server.stop() == 0)
    }

    private func announce(
        _ name: String, _ size: Int, to server: RunningServer
    ) throws -> RawClient {
        let client = try RawClient(server.port)
        try client.send(
            "PUT \(Signing.v(name, size)) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                + "Content-Length: \(size)\r\n\r\n")
        return client
    }

    @Test(arguments: ["v2", "token"])
    func `is taken with its type, with and without parameters`(scheme: String) throws {
        let client = try SharedServer.client()
        let bytes = pattern(10, seed: 1)
        // Sent with parameters, signed with them or without.
        for signed in ["text/html; charset=utf-8", "text/html"] {
            let name = SharedServer.name()
            let target = Signing.v2(name, 10, type: signed, as: scheme)
            let put = try client.exchange(
                "PUT", target, fields: ["Content-Type: text/html; charset=utf-8"], body: bytes)
            #expect(put.status == 201)
            let get = try client.get(name)
            #expect(get.fields["content-type"] == "text/html; charset=utf-8")
            #expect(get.fields["content-disposition"] == "attachment")
            #expect(get.fields["x-content-type-options"] == "nosniff")
        }
        // Not sent: guessed from the name, in either spelling.
        for type in ["text/plain", "text/plain; charset=utf-8"] {
            let name = SharedServer.name() + ".txt"
            let target = Signing.v2(name, 10, type: type, as: scheme)
            #expect(try client.exchange("PUT", target, body: bytes).status == 201)
        }
        // Another type than the signed one.
        let other = Signing.v2(SharedServer.name(), 10, type: "image/png", as: scheme)
        let refused = try client.exchange(
            "PUT", other, fields: ["Content-Type: text/html"], body: bytes)
        #expect(refused.status == 403)
    }

    @Test func `of the same bytes again is acknowledged again`() throws {
        let client = try SharedServer.client()
        for size in [0, 100, 65_536, 300_000] {
            let (name, bytes) = (SharedServer.name(), pattern(size, seed: 4))
            #expect(try client.put(name, bytes).status == 201)
            #expect(try client.put(name, bytes).status == 201)
            #expect(try client.get(name).body == bytes)
        }
    }

    @Test func `of other bytes of the same size is a conflict`() throws {
        let client = try SharedServer.client()
        for size in [1, 100, 65_536, 300_000] {
            let (name, bytes) = (SharedServer.name(), pattern(size, seed: 5))
            #expect(try client.put(name, bytes).status == 201)
            var other = bytes
            other[size - 1] ^= 1
            #expect(try client.put(name, other).status == 409)
            #expect(try client.get(name).body == bytes)
        }
    }

    @Test func `of another size or type is a conflict before its body`() throws {
        let client = try SharedServer.client()
        for size in [100, 300_000] {
            let name = SharedServer.name()
            #expect(try client.put(name, pattern(size, seed: 6)).status == 201)
            for (length, type) in [(size + 1, "application/octet-stream"), (size, "text/plain")] {
                let late = try SharedServer.client()
                try late.send(
                    "PUT \(Signing.v(name, length)) HTTP/1.1\r\nHost: h\r\n"
                        + "Content-Type: \(type)\r\nContent-Length: \(length)\r\n\r\n")
                #expect(try late.response().status == 409)
            }
        }
    }

    @Test func `repeats the durability that was asked for`() throws {
        let client = try SharedServer.client()
        for size in [10, 100_000] {
            for value in ["durable", "written"] {
                let put = try client.put(
                    SharedServer.name(), pattern(size, seed: 7),
                    fields: ["Millrace-Durability: \(value)"])
                #expect(put.status == 201)
                #expect(put.fields["millrace-durability"] == value)
            }
        }
        #expect(try client.put(SharedServer.name(), [1]).fields["millrace-durability"] == nil)
        let refused = try client.put(
            SharedServer.name(), [1], fields: ["Millrace-Durability: maybe"])
        #expect(refused.status == 400)
        #expect(refused.text.contains("Millrace-Durability"))
    }

    @Test func `is invited to send its body only once it is granted`() throws {
        let (name, bytes) = (SharedServer.name(), pattern(200_000, seed: 8))
        let client = try SharedServer.client()
        try client.send(
            "PUT \(Signing.v(name, bytes.count)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(bytes.count)\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.response().status == 100)
        try client.send(bytes)
        #expect(try client.response().status == 201)
        #expect(try client.get(name).body == bytes)

        let refused = try SharedServer.client()
        try refused.send(
            "PUT /\(name)?v=\(String(repeating: "0", count: 64)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        #expect(try refused.response().status == 403)
        #expect(refused.isClosedByServer())
    }

    @Test func `may be followed by anything on the same connection`() throws {
        let client = try SharedServer.client()
        let (name, bytes) = (SharedServer.name(), pattern(100_000, seed: 9))
        var all = Array(
            ("PUT \(Signing.v(name, bytes.count)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(bytes.count)\r\n\r\n").utf8)
        all += bytes
        all += Array("GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        all += Array("HEAD /\(name) HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        all += Array("GET /health HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        try client.send(all)
        #expect(try client.response().status == 201)
        #expect(try client.response().body == bytes)
        let head = try client.response(toHead: true)
        #expect(head.fields["content-length"] == "100000")
        #expect(try client.response().text == "alive\n")
    }
}

@Suite struct `An upload that is refused` {
    @Test func `for its signature is 403, and the connection stays`() throws {
        let client = try SharedServer.client()
        let name = SharedServer.name()
        let right = Signing.v(name, 5)
        let targets = [
            "/\(name)", "/\(name)?v=", "/\(name)?v=zz", right.dropLast() + "x",
            Signing.v(name, 6), Signing.v(name + "x", 5).replacing(name + "x", with: name),
            right.replacing("?v=", with: "?v2="),
        ]
        for target in targets {
            let put = try client.exchange("PUT", String(target), body: pattern(5, seed: 1))
            #expect(put.status == 403, "\(target)")
            #expect(put.text.hasSuffix("\n"))
        }
        #expect(try client.exchange("PUT", right + "&v=1", body: [1, 2, 3, 4, 5]).status == 400)
        #expect(try client.get(name).status == 404)
    }

    @Test func `for its framing says so`() throws {
        let client = try SharedServer.client()
        let name = SharedServer.name()
        try client.send(
            "PUT \(Signing.v(name, 5)) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nabcde\r\n0\r\n\r\n")
        #expect(try client.response().status == 411)
        let none = try client.exchange("PUT", Signing.v(name, 0))
        #expect(none.status == 411)
        let partial = try client.put(name, [1], fields: ["Content-Range: bytes 0-0/1"])
        #expect(partial.status == 400)
        let typed = try client.put(name, [1], fields: ["Content-Type: nonsense"])
        #expect(typed.status == 415)
        #expect(try client.get(name).status == 404)
    }

    @Test func `for its size is 413 before its body`() throws {
        let client = try SharedServer.client()
        let size = (64 << 20) + 1
        try client.send(
            "PUT \(Signing.v(SharedServer.name(), size)) HTTP/1.1\r\nHost: h\r\n"
                + "Content-Length: \(size)\r\n\r\n")
        #expect(try client.response().status == 413)
        #expect(client.isClosedByServer())
    }

    @Test(arguments: [
        "../x", "a/../b", "a/./b", "a//b", "a/", ".hidden", "a%00b", "a%2fb", "a%5cb", "a%zz",
        "a%0ab", "a%ff", String(repeating: "x", count: 256),
    ])
    func `for its path is 400`(path: String) throws {
        let client = try SharedServer.client()
        let put = try client.exchange("PUT", "/\(path)?v=00", body: [1])
        #expect(put.status == 400)
        #expect(try client.exchange("GET", "/\(path)").status == 400)
        try expectUnsigned(path)
    }

    @Test func `for a name that is too long is 414`() throws {
        let client = try SharedServer.client()
        let path = Array(repeating: String(repeating: "x", count: 100), count: 5)
        #expect(try client.get(path.joined(separator: "/")).status == 414)
        try expectUnsigned(path.joined(separator: "/"))
    }

    @Test(arguments: [
        "health", "ready", "metrics", "admin", "upload", "files", "chunked-upload",
        "upload-status", "download", "u",
    ])
    func `under a reserved segment is not stored`(segment: String) throws {
        let client = try SharedServer.client()
        for path in [segment, segment + "/x"] {
            let put = try client.put(path, [1])
            #expect([404, 405, 401].contains(put.status), "\(path): \(put.status)")
            try expectUnsigned(path)
        }
    }

    /// The sign command says beforehand that the server would refuse the path.
    private func expectUnsigned(_ path: String) throws {
        let url = try SharedServer.get().url + "/" + path
        let sign = [Programs.millrace, "sign", "--size", "1", "--url", url]
        let (status, output) = try Programs.run("env", ["MILLRACE_SECRET=x"] + sign)
        #expect(status == 2)
        #expect(output.hasPrefix("millrace: --url: "))
    }
}
