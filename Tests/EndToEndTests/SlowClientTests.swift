// Goal:   a client that is slow on purpose is told so or let go, and one that is slow but steady is
//         served to the end.

import Testing

@Suite struct `A slow client` {
    @Test func `in its head gets 408`() throws {
        let client = try ImpatientServer.client()
        try client.send("GET /hea")
        #expect(try client.response().status == 408)
        #expect(client.isClosedByServer())
    }

    @Test func `in its body gets 408, and nothing is stored`() throws {
        for size in [1000, 1 << 20] {
            let name = SharedServer.name()
            let slow = try ImpatientServer.client()
            try slow.send(
                "PUT \(Signing.v(name, size)) HTTP/1.1\r\nHost: h\r\n"
                    + "Content-Length: \(size)\r\n\r\nabc")
            #expect(try slow.response().status == 408)
            #expect(slow.isClosedByServer())
            #expect(try ImpatientServer.get().get(name).status == 404)
        }
    }

    @Test func `between requests is let go`() throws {
        let client = try ImpatientServer.client()
        #expect(try client.get("health").status == 200)
        #expect(client.isClosedByServer())
    }

    /// The send timeout is three seconds here; the whole takes longer, piece by piece.
    @Test func `that reads slowly but steadily gets everything`() throws {
        let bytes = pattern(4 << 20, seed: 20)
        let name = SharedServer.name()
        #expect(try ImpatientServer.get().put(name, bytes).status == 201)
        let slow = try RawClient(ImpatientServer.get().port, receiveBufferBytes: 4096)
        try slow.send("GET /\(name) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        var taken = 0
        let started = ContinuousClock.now
        while true {
            let count = try slow.receive(atMost: 16 << 10)
            if count == 0 { break }
            taken += count
            // A pace of about half a megabyte a second, so that the whole outlasts the timeout.
            let due = started.advanced(by: .milliseconds(taken / 600))
            _ = eventually { ContinuousClock.now >= due }
        }
        #expect(taken > bytes.count)
        #expect(started.duration(to: .now) > .seconds(4))
    }

    /// Together they ask for more memory than handlers have; who waits long enough is told so by
    /// `RawClient`.
    @Test func `that reads one download behind the other gets all of them`() throws {
        var options = ServerOptions()
        options.memoryPerCore = "4MiB"
        options.limits = "[downloads]\nverify = \"always\""
        let server = try RunningServer(options)
        let bytes = pattern(6 << 20, seed: 21)
        #expect(try server.put("object", bytes).status == 201)
        let readers = try (0..<24).map { _ in
            let reader = try RawClient(server.port, receiveBufferBytes: 64 << 10)
            try reader.send("GET /object HTTP/1.1\r\nHost: h\r\n\r\n")
            return reader
        }
        for reader in readers {
            let isWhole = try reader.response().body == bytes
            #expect(isWhole)
        }
        #expect(server.stop() == 0)
    }
}
