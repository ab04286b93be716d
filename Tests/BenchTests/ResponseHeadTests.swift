// Goal:   the client counts exactly the bytes that the server announced.
// Method: heads of both servers, cut at every byte; every refusal once.

import BenchMeasure
import Testing

@Suite struct `A response head` {
    private static let nginx = """
        HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: application/octet-stream\r
        content-LENGTH:  1024 \r\nConnection: keep-alive\r\nETag: "65-400"\r\n\r\n
        """

    private func read(_ text: String) throws(BadResponse) -> ResponseHead? {
        try ResponseHead.read(Array(text.utf8).span)
    }

    @Test func `tells status, length and where the body starts`() throws {
        let head = try #require(try read(Self.nginx + "body"))
        #expect(head.status == 200)
        #expect(head.contentLength == 1024)
        #expect(head.headCount == Self.nginx.utf8.count)
        #expect(!head.closes)
    }

    @Test func `is not there before its last byte`() throws {
        let bytes = Array(Self.nginx.utf8)
        for count in 0..<bytes.count {
            let head = try ResponseHead.read(bytes.span.extracting(0..<count))
            #expect(head == nil)
        }
        let whole = try ResponseHead.read(bytes.span)
        #expect(whole != nil)
    }

    @Test func `of an invitation has no body`() throws {
        let head = try #require(try read("HTTP/1.1 100 Continue\r\n\r\n"))
        #expect(head.status == 100)
        #expect(head.headCount == 25)
        #expect(head.contentLength == 0)
    }

    @Test func `says when the connection ends`() throws {
        let text = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"
        #expect(try read(text)?.closes == true)
    }

    @Test(arguments: [
        ("HTTP/1.0 200 OK\r\n\r\n", BadResponse.notHTTP),
        ("HTTP/1.1 2x0 OK\r\n\r\n", .notHTTP),
        ("HTTP/1.1 099 OK\r\n\r\n", .notHTTP),
        ("x\r\n\r\n", .notHTTP),
        ("HTTP/1.1 200 OK\r\n\r\n", .badLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", .badLength),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", .badLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456\r\n\r\n", .badLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .badLength),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .chunked),
    ])
    func `that cannot be counted is refused`(text: String, reason: BadResponse) {
        #expect(throws: reason) { _ = try read(text) }
    }

    @Test func `without end is refused at its limit`() throws {
        let endless = "HTTP/1.1 200 " + String(repeating: "x", count: ResponseHead.headCountMax)
        #expect(throws: BadResponse.headTooLong) { _ = try read(endless) }
        let almost = endless.prefix(ResponseHead.headCountMax - 1)
        #expect(try read(String(almost)) == nil)
    }
}
