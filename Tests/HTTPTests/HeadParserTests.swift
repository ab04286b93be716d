// Goal:   every head that RFC 9112 allows is understood, wherever the network cuts it.
// Method: whole heads with known meaning; each is then cut at every byte.

import HTTP
import Testing

private let putHead =
    "PUT /upload/a%20b.jpg?v2=00ff&x HTTP/1.1\r\nHost: files.example.org:8443\r\n"
    + "User-Agent: test/1.0 (a;\tb)\r\nContent-Length: 5242880\r\nCONTENT-type:image/jpeg \r\n"
    + "Expect: 100-Continue\r\nMillrace-Durability: \t written\r\nX-Empty:\r\n"
    + "X-Long-Name_123: caf\u{e9} \u{7e}\r\nAuthorization: Bearer abc\r\n\r\n"

private let getHead =
    "GET http://other.example/p/q?r=s HTTP/1.0\r\nHost: files.example.org\r\n"
    + "Connection: x, Keep-Alive\r\nRange: bytes=0-1\r\nIf-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n"
    + "If-Modified-Since: c\r\nIf-Unmodified-Since: d\r\nIf-Range: \"e\"\r\n"
    + "Content-Range: bytes 0-1/2\r\n\r\n"

private let postHead =
    "\r\nPOST /a HTTP/1.1\r\ntransfer-encoding: Chunked\r\nhost:\r\nConnection: Close\r\n\r\n"

@Suite struct `A request head` {
    @Test func `says what was sent`() {
        let put = Parsed(putHead)
        #expect(put.byteCount == putHead.utf8.count)
        #expect(put.head.method == .put)
        #expect(put.head.minorVersion == 1)
        #expect(put.head.keepAlive)
        #expect(put.head.contentLength == 5_242_880)
        #expect(put.head.framing == .length(5_242_880))
        #expect(put.head.expectsContinue)
        #expect(!put.head.hasUnknownExpectation)
        #expect(put.text(put.head.target) == "/upload/a%20b.jpg?v2=00ff&x")
        #expect(put.text(put.head.path) == "/upload/a%20b.jpg")
        #expect(put.text(put.head.query) == "v2=00ff&x")
        #expect(put.text(put.head.host) == "files.example.org:8443")
        #expect(put.text(put.head.contentType) == "image/jpeg")
        #expect(put.text(put.head.durability) == "written")
        #expect(put.text(put.head.authorization) == "Bearer abc")
        #expect(put.text(put.head.range) == nil)
    }

    @Test func `in absolute form and version 1.0 says the same things`() {
        let get = Parsed(getHead)
        #expect(get.byteCount == getHead.utf8.count)
        #expect(get.head.method == .get)
        #expect(get.head.minorVersion == 0)
        #expect(get.head.keepAlive)
        #expect(get.head.framing == .none)
        #expect(get.text(get.head.host) == "other.example")
        #expect(get.text(get.head.path) == "/p/q")
        #expect(get.text(get.head.query) == "r=s")
        #expect(get.text(get.head.range) == "bytes=0-1")
        #expect(get.text(get.head.ifMatch) == "\"a\"")
        #expect(get.text(get.head.ifNoneMatch) == "\"b\"")
        #expect(get.text(get.head.ifModifiedSince) == "c")
        #expect(get.text(get.head.ifUnmodifiedSince) == "d")
        #expect(get.text(get.head.ifRange) == "\"e\"")
        #expect(get.text(get.head.contentRange) == "bytes 0-1/2")
    }

    /// Whoever asks for them by name finds them exactly then.
    @Test(
        arguments: [
            ("Content-Digest", [true, false, false]), ("repr-digest", [true, false, false]),
            ("WANT-REPR-DIGEST", [false, true, false]), ("Upload-complete", [false, false, true]),
            ("Want-Content-Digest", []), ("Upload-Length", []),
            ("Content-Digesu", []), ("Repr-Digess", []), ("Kepr-Digest", []),
            ("Want-Repr-Digest2", []), ("Uplaod-Complete", []), ("Upload-Completf", []),
            ("Upload-Metadata", []), ("X-Repr-Digest-16", []), ("Content-Encoding", []),
        ] as [(String, [Bool])])
    func `notes which fields of dialects are there`(name: String, noted: [Bool]) {
        let parsed = Parsed("PUT / HTTP/1.1\r\nHost: a\r\n\(name): x\r\n\(name): y\r\n\r\n")
        #expect(parsed.byteCount != nil)
        let head = parsed.head
        let found = [head.hasDigest, head.wantsReprDigest, head.hasUploadComplete]
        #expect(found == (noted.count == 3 ? noted : [false, false, false]))
        let lines = DialectLines(head, in: parsed.bytes.span)
        let isDigest = lines[.contentDigest].isPresent || lines[.reprDigest].isPresent
        #expect(
            found == [
                isDigest, lines[.wantReprDigest].isPresent, lines[.uploadComplete].isPresent,
            ])
    }

    @Test func `may follow one empty line, be chunked and ask to close`() {
        let post = Parsed(postHead)
        #expect(post.byteCount == postHead.utf8.count)
        #expect(post.head.method == .post)
        #expect(post.head.framing == .chunked)
        #expect(!post.head.keepAlive)
        #expect(post.head.host.isPresent)
        #expect(post.head.host.count == 0)
    }

    @Test(arguments: [putHead, getHead, postHead])
    func `is incomplete when cut anywhere and the same when it is not`(text: String) {
        let whole = Parsed(text)
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            #expect(Parsed(Array(bytes[..<count])).outcome == .incomplete, "cut at \(count)")
        }
        let followed = Parsed(bytes + Array("GET ".utf8))
        #expect(followed.outcome == whole.outcome)
        #expect(followed.description == whole.description)
    }

    @Test(arguments: [putHead, getHead, postHead])
    func `that arrives byte by byte is complete with its last byte`(text: String) {
        let bytes = Array(text.utf8)
        var head = RequestHead()
        for count in 1...bytes.count {
            let outcome = HeadParser.parse(
                bytes.span.extracting(0..<count), seenCount: count - 1, into: &head,
                limits: Limits())
            #expect(outcome == (count == bytes.count ? .complete(byteCount: count) : .incomplete))
        }
    }

    @Test func `ends where the next one starts`() {
        let first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        let second = "DELETE /2 HTTP/1.1\r\nHost: b\r\n\r\n"
        let both = Parsed(first + second)
        #expect(both.byteCount == first.utf8.count)
        #expect(both.head.method == .get)
        let rest = Parsed(Array(both.bytes[first.utf8.count...]))
        #expect(rest.byteCount == second.utf8.count)
        #expect(rest.head.method == .delete)
        #expect(rest.text(rest.head.path) == "/2")
    }

    @Test(
        arguments: [
            ("GET", .get), ("HEAD", .head), ("PUT", .put), ("POST", .post), ("PATCH", .patch),
            ("DELETE", .delete), ("OPTIONS", .options), ("get", .other), ("PROPFIND", .other),
            ("GETS", .other), ("M-SEARCH", .other), ("OPTIONSOPTIONS", .other),
        ] as [(String, RequestHead.Method)])
    func `names its method`(method: String, expected: RequestHead.Method) {
        let parsed = Parsed("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(parsed.byteCount != nil)
        #expect(parsed.head.method == expected)
    }

    @Test(
        arguments: [
            ("/", "/", nil), ("/a?", "/a", ""), ("/a?b?c", "/a", "b?c"),
            ("/a?/../b", "/a", "/../b"),
            ("//a", "//a", nil), ("/|{}\\\"<>^`", "/|{}\\\"<>^`", nil),
            ("http://h", "", nil), ("HTTPS://h:1", "", nil), ("http://h?q", "", "q"),
            ("http://[::1]:80/x", "/x", nil),
            ("/12345678901234567890?", "/12345678901234567890", ""),
        ] as [(String, String, String?)])
    func `splits its target`(target: String, path: String, query: String?) {
        let parsed = Parsed("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(parsed.byteCount != nil)
        #expect(parsed.text(parsed.head.path) == path)
        #expect(parsed.text(parsed.head.query) == query)
    }

    @Test func `may speak of the whole server`() {
        let parsed = Parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(parsed.head.isAsterisk)
        #expect(!Parsed("OPTIONS /* HTTP/1.1\r\nHost: a\r\n\r\n").head.isAsterisk)
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.0", "", false), ("1.1", "Connection: close\r\n", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: keep-alive, CLOSE\r\n", false),
        ("1.1", "Connection: foo\r\nConnection: , close ,\r\n", false),
        ("1.1", "Connection: closed, xclose, keep-alives\r\n", true),
        ("1.0", "Connection: keep-alives\r\n", false),
    ])
    func `is kept alive as its version and Connection say`(
        version: String, field: String, keepsAlive: Bool
    ) {
        let parsed = Parsed("GET / HTTP/\(version)\r\nHost: a\r\n\(field)\r\n")
        #expect(parsed.byteCount != nil)
        #expect(parsed.head.keepAlive == keepsAlive)
    }

    @Test(arguments: [
        ("1.1", "100-continue", true, false), ("1.1", "100-continue, 100-continue", true, false),
        ("1.1", "200-ok", false, true), ("1.1", "100-continue, foo=\"bar\"", true, true),
        ("1.1", "100-continued", false, true), ("1.0", "100-continue", false, false),
        ("1.0", "foo", false, false), ("1.1", "", false, false),
    ])
    func `flags what it expects`(
        version: String, value: String, expectsContinue: Bool, isUnknown: Bool
    ) {
        let parsed = Parsed("PUT / HTTP/\(version)\r\nHost: a\r\nExpect: \(value)\r\n\r\n")
        #expect(parsed.head.expectsContinue == expectsContinue)
        #expect(parsed.head.hasUnknownExpectation == isUnknown)
    }

    @Test(
        arguments: [
            ("0", 0), ("00", 0), ("18446744073709551615", UInt64.max), ("9999999999999999999", nil),
        ] as [(String, UInt64?)])
    func `gives its length exactly`(value: String, expected: UInt64?) {
        let parsed = Parsed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(value)\r\n\r\n")
        #expect(parsed.head.contentLength == expected ?? UInt64(value))
    }

    @Test func `without content has no framing, with a length of zero it has`() {
        #expect(Parsed("PUT / HTTP/1.0\r\n\r\n").head.framing == .none)
        let empty = Parsed("PUT / HTTP/1.0\r\ncontent-length:0\r\n\r\n")
        #expect(empty.head.framing == .length(0))
    }

    @Test func `does not take a name that differs in one letter for a known one`() {
        let names = [
            "Host", "Range", "Expect", "If-Match", "If-Range", "Connection", "Content-Type",
            "If-None-Match", "Authorization", "Content-Range", "Content-Length",
            "Transfer-Encoding", "If-Modified-Since", "If-Unmodified-Since", "Millrace-Durability",
        ]
        let plain = Parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for name in names {
            let known = Parsed("GET / HTTP/1.1\r\nHost: a\r\n\(name): close\r\n\r\n")
            #expect(known.refusal != nil || known.meaning != plain.meaning, "\(name)")
            for index in 0..<name.utf8.count {
                var other = Array(name.utf8)
                other[index] = UInt8(ascii: "q")  // Which none of the names contains.
                let line = String(decoding: other, as: UTF8.self)
                let parsed = Parsed("GET / HTTP/1.1\r\nHost: a\r\n\(line): close\r\n\r\n")
                #expect(parsed.refusal == nil && parsed.meaning == plain.meaning, "\(line)")
            }
        }
    }
}

@Suite struct `The fields of a head` {
    @Test func `are walked in order, with the blanks around values taken off`() {
        let parsed = Parsed("GET / HTTP/1.0\r\nA:1\r\nb: \t2 \t\r\nC:\r\nA: x y\r\n\r\n")
        var cursor = FieldCursor(parsed.head)
        var seen: [String] = []
        while let field = cursor.next(in: parsed.bytes.span) {
            let value = String(decoding: parsed.bytes[field.value.range], as: UTF8.self)
            seen.append("\(parsed.text(field.name)!)=\(value)")
        }
        #expect(seen == ["A=1", "b=2", "C=", "A=x y"])
    }

    @Test func `are found by name in any case, one after the other`() {
        let parsed = Parsed("GET / HTTP/1.0\r\nX-A: 1\r\nx-ab: 2\r\nx-a: 3\r\n\r\n")
        var cursor = FieldCursor(parsed.head)
        let first = cursor.next(named: "x-a", in: parsed.bytes.span)
        let second = cursor.next(named: "x-a", in: parsed.bytes.span)
        let third = cursor.next(named: "x-a", in: parsed.bytes.span)
        #expect(first.flatMap(parsed.text) == "1")
        #expect(second.flatMap(parsed.text) == "3")
        #expect(third == nil)
    }

    @Test func `may be none`() {
        let parsed = Parsed("GET / HTTP/1.0\r\n\r\n")
        var cursor = FieldCursor(parsed.head)
        #expect(cursor.next(in: parsed.bytes.span) == nil)
    }
}
