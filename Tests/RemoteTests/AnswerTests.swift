// What servers say, read as strictly as it takes; and where they are.

import Testing

@testable import Remote

@Suite struct `A server's URL` {
    @Test(
        arguments: [
            ("http://h", "h", 80, "/"), ("http://h:8080", "h", 8080, "/"),
            ("http://h:8080/", "h", 8080, "/"), ("http://h/up", "h", 80, "/up/"),
            ("http://127.0.0.1:1/up/", "127.0.0.1", 1, "/up/"), ("http://[::1]:9/", "::1", 9, "/"),
            ("http://[::1]", "::1", 80, "/"),
        ] as [(String, String, UInt16, String)])
    func `is taken apart`(url: String, host: String, port: UInt16, base: String) throws {
        let address = try ServerAddress(url: url)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.base == base)
    }

    @Test(arguments: [
        "https://h/", "h:80", "ftp://h", "http://", "http:///a", "http://h:0/", "http://h:x/",
        "http://h:65536/", "http://u@h/", "http://h/?a", "http://h/#a", "http://h/a b",
        "http://[::1", "http://[::1]x", "http://ü/",
    ])
    func `is refused if it can be none`(url: String) {
        #expect(throws: ClientError.self) { try ServerAddress(url: url) }
    }

    @Test func `names bytes of a path and of a query`() {
        #expect(
            PercentEncoding.path(Array("a/ü %+?#&.~_-Z9".utf8))
                == "a/%C3%BC%20%25%2B%3F%23%26.~_-Z9")
        #expect(PercentEncoding.queryValue(Array("a/b".utf8)) == "a%2Fb")
    }
}

@Suite struct `A server's answer` {
    private func answer(_ text: String) throws -> ServerAnswer {
        try ServerAnswer(head: Array(text.utf8))
    }

    @Test func `has a status and fields in any case`() throws {
        let answer = try answer(
            "HTTP/1.1 201 Created\r\nContent-Length: 12\r\nCONNECTION:\tclose\r\nX: a: b")
        #expect(answer.status == 201)
        #expect(answer.contentLength == 12)
        #expect(answer.closes)
        #expect(answer["x"] == "a: b")
        #expect(answer["y"] == nil)
    }

    @Test func `needs no fields`() throws {
        #expect(try answer("HTTP/1.1 100 Continue").status == 100)
        #expect(try answer("HTTP/1.1 204 ").contentLength == nil)
    }

    @Test(arguments: [
        "", "HTTP/1.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2xx", "HTTP/1.1 600 X", "SSH-2.0",
        "HTTP/1.1 200 OK\r\n: a", "HTTP/1.1 200 OK\r\nnothing",
        "HTTP/1.1 200 OK\r\nContent-Length: x", "HTTP/1.1 200 OK\r\nContent-Length: -1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
    ])
    func `is refused if it makes no sense`(text: String) {
        #expect(throws: ClientError.self) { try answer(text) }
    }

    @Test func `is refused if it is no text`() {
        let head = Array("HTTP/1.1 200 OK\r\nA: ".utf8) + [0xff]
        #expect(throws: ClientError.self) { try ServerAnswer(head: head) }
    }
}
