// Goal:   clients that vanish in the midst of a transfer leave nothing behind, be it memory, space
//         or a connection.

import Testing

@Suite struct `A client that resets its connection` {
    private func expectNothingLeft(_ server: RunningServer) throws {
        let total = try server.metric("pool_bytes")
        #expect(try eventually { try server.metric("connections") <= 1 })
        #expect(try eventually { try server.metric("pool_free_bytes") == total })
        #expect(server.stop() == 0)
    }

    /// By O_DIRECT, and from the page cache.
    @Test(arguments: [0, 2])
    func `in the midst of a download leaves nothing`(reads: Int) throws {
        let server = try RunningServer()
        let bytes = pattern(16 << 20, seed: 7)
        #expect(try server.put("a", bytes).status == 201)
        for _ in 0..<reads { _ = try server.get("a") }
        for _ in 0..<10 {
            let client = try RawClient(server.port, receiveBufferBytes: 4096)
            try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try client.receive(atMost: 1000)
            client.reset()
        }
        let isThere = try server.get("a").body == bytes
        #expect(isThere)
        #expect(try server.metric("sent_file_bytes_total") > 0 || reads == 0)
        try expectNothingLeft(server)
    }

    @Test(arguments: [1000, 60_000, 4 << 20])
    func `in the midst of an upload leaves nothing`(size: Int) throws {
        let server = try RunningServer()
        let bytes = pattern(size, seed: 8)
        for _ in 0..<10 {
            let client = try RawClient(server.port)
            try client.send(
                "PUT \(Signing.v("a", size)) HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n"
            )
            try client.send(Array(bytes.prefix(size / 2)))
            client.reset()
        }
        #expect(try server.get("a").status == 404)
        #expect(try server.put("a", bytes).status == 201)
        let isThere = try server.get("a").body == bytes
        #expect(isThere)
        try expectNothingLeft(server)
    }
}
