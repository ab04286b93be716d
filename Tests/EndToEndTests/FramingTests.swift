// Goal:   bytes that two readers could read differently are refused with one clear line, and the
//         connection ends exactly where it must.

import Testing

@Suite struct `Bytes that are no request` {
    private static let host = "Host: h\r\n"

    @Test(arguments: [
        ("GET /a HTTP/1.1\nHost: h\n\n", 400),
        ("GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400),
        ("GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: h\r\n X: y\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: h\r\nX: \u{1}\r\n\r\n", 400),
        ("GET /a HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("G@T /a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx", 400),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nx", 400),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\nx", 400),
        (
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
        ),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n", 400),
    ])
    func `are refused, and the connection ends`(bytes: String, status: Int) throws {
        let client = try SharedServer.client()
        try client.send(bytes)
        let answer = try client.response()
        #expect(answer.status == status)
        #expect(answer.fields["connection"] == "close")
        #expect(answer.text.hasSuffix("\n"))
        #expect(answer.text.count > 10)
        #expect(client.isClosedByServer())
    }

    @Test func `are refused behind a request that is answered`() throws {
        let client = try SharedServer.client()
        try client.send("GET /health HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n")
        #expect(try client.response().status == 200)
        #expect(try client.response().status == 400)
        #expect(client.isClosedByServer())
    }

    @Test func `are refused where they are too many`() throws {
        let long = String(repeating: "x", count: 9000)
        let target = try SharedServer.client()
        try target.send("GET /\(long) HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try target.response().status == 414)

        let head = try SharedServer.client()
        try head.send("GET /a HTTP/1.1\r\nHost: h\r\nX: \(long)\r\nY: \(long)\r\n\r\n")
        #expect(try head.response().status == 431)
        #expect(head.isClosedByServer())

        let fields = try SharedServer.client()
        let many = (0..<101).map { "F\($0): x\r\n" }.joined()
        try fields.send("GET /a HTTP/1.1\r\nHost: h\r\n\(many)\r\n")
        #expect(try fields.response().status == 431)
    }

    @Test func `but only nearly so are answered, and the connection stays`() throws {
        let client = try SharedServer.client()
        try client.send("\r\nGET /health HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try client.response().status == 200)
        let expectation = try client.exchange("GET", "/health", fields: ["Expect: the-moon"])
        #expect(expectation.status == 417)
        try client.send(
            "POST /health HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;x=y\r\nabcde\r\n0\r\nTrailer: x\r\n\r\n")
        #expect(try client.response().status == 405)
        let ignored = try client.exchange("GET", "/health", body: pattern(100_000, seed: 1))
        #expect(ignored.status == 200)
        #expect(try client.get("health").status == 200)
    }

    @Test func `in an old version end the connection, unless it is asked to stay`() throws {
        let old = try SharedServer.client()
        try old.send("GET /health HTTP/1.0\r\n\r\n")
        #expect(try old.response().status == 200)
        #expect(old.isClosedByServer())
        let kept = try SharedServer.client()
        for _ in 0..<2 {
            try kept.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try kept.response().status == 200)
        }
    }

    @Test func `one at a time make a request`() throws {
        let client = try SharedServer.client()
        for byte in Array("GET /health HTTP/1.1\r\nHost: h\r\n\r\n".utf8) {
            try client.send([byte])
        }
        #expect(try client.response().status == 200)
    }
}
