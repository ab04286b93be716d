// Goal:   a small upload learns before its body that there is no room for it.

import Foundation
import Testing

@Suite(.serialized) struct `A store full of small objects` {
    @Test func `refuses the next one before its body, and takes it after a deletion`() throws {
        var options = ServerOptions()
        options.capacity = "256MiB"
        let server = try RunningServer(options)
        let client = try RawClient(server.port)
        let bytes = pattern(60_000, seed: 1)
        var count = 0
        while try client.put("small\(count)", bytes).status == 201 {
            count += 1
            try #require(count < 5000, "256 MiB are never full")
        }
        #expect(count > 900)

        func announce(_ name: String) throws -> Int {
            let client = try RawClient(server.port)
            try client.send(
                "PUT \(Signing.v(name, bytes.count)) HTTP/1.1\r\nHost: h\r\n"
                    + "Content-Length: \(bytes.count)\r\nExpect: 100-continue\r\n\r\n")
            return try client.response().status
        }
        #expect(try announce("more") == 507)
        let other = try RawClient(server.port)
        #expect(try other.delete("small0").status == 204)
        let hasRoom = try eventually { try announce("more") == 100 }
        #expect(hasRoom)
        #expect(server.stop() == 0)
    }
}
