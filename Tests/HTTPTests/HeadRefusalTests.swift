// Goal:   nothing ambiguous gets through: smuggling, splitting and oversize heads are refused, each
//         with its own reason.
// Method: a table of heads with one fault each. Every prefix must be incomplete or refused for the
//         same reason, so that the cut of the network never changes the answer.

import HTTP
import Testing

private struct Fault: Sendable, CustomTestStringConvertible {
    let refusal: Refusal
    let text: String
    var testDescription: String { "\(refusal): \(text.debugDescription.prefix(80))" }

    init(_ refusal: Refusal, _ text: String) { (self.refusal, self.text) = (refusal, text) }

    /// A fault in the fields of a request that is otherwise in order.
    init(_ refusal: Refusal, fields: String) {
        self.init(refusal, "PUT /a HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n")
    }
}

private let lineFaults = [
    Fault(.emptyLines, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.bareLineFeed, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.bareLineFeed, "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.bareCarriageReturn, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedMethod, "\u{16}\u{3}\u{1}\u{2}\u{0}"),
    Fault(.malformedMethod, "\u{0}GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedMethod, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedMethod, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedMethod, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedMethod, "GET\r\n\r\n"),
    Fault(.malformedMethod, "G\u{e9}T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedRequestLine, "GET /\r\n\r\n"),
    Fault(.malformedRequestLine, "GET /\n\n"),
    Fault(.malformedRequestLine, "GET /?a\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET ?a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "OPTIONS *?a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET /caf\u{e9}/abcdefgh HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedTarget, "GET http://u@a/b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HTTP/11\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / http/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HXTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HTTX/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HTTP-1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / HTTP/x.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault(.malformedVersion, "GET / \r\n\r\n"),
    Fault(.bareLineFeed, "GET / HTTP/1.1\nHost: a\n\n"),
    Fault(.bareCarriageReturn, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    Fault(.unsupportedVersion, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    Fault(.unsupportedVersion, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    Fault(.unsupportedVersion, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
]

private let fieldFaults = [
    Fault(.bareLineFeed, fields: "A: b\nC: d"),
    Fault(.bareLineFeed, fields: "A: b\n"),
    Fault(.bareLineFeed, fields: "A\nB: c"),
    Fault(.bareLineFeed, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    Fault(.bareCarriageReturn, fields: "A: b\rC: d"),
    Fault(.bareCarriageReturn, fields: "A: b\r\r"),
    Fault(.bareCarriageReturn, "GET / HTTP/1.1\r\nHost: a\r\n\rX"),
    Fault(.controlCharacter, fields: "A: b\u{0}c"),
    Fault(.controlCharacter, fields: "A: 12345678\u{7f}"),
    Fault(.controlCharacter, fields: "A: \u{1b}[0m and more of it"),
    Fault(.controlCharacter, fields: "A: \t\u{8}\t1234567"),
    Fault(.foldedField, fields: "A: b\r\n c"),
    Fault(.foldedField, fields: "A: b\r\n\tc: d"),
    Fault(.foldedField, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    Fault(.spaceBeforeColon, fields: "A : b"),
    Fault(.spaceBeforeColon, fields: "Content-Length\t: 5"),
    Fault(.spaceBeforeColon, fields: "Transfer-Encoding : chunked"),
    Fault(.malformedFieldName, fields: ": b"),
    Fault(.malformedFieldName, fields: "Abc"),
    Fault(.malformedFieldName, fields: "A(b: c"),
    Fault(.malformedFieldName, fields: "A\u{e9}: c"),
    Fault(.malformedFieldName, fields: "A\u{0}: c"),
    Fault(.malformedFieldName, fields: "Abcdefgh@ijk: c"),
    Fault(.malformedFieldName, fields: "[abc]: c"),
    Fault(.missingHost, "GET / HTTP/1.1\r\n\r\n"),
    Fault(.missingHost, "GET http://a/ HTTP/1.1\r\nX-Host: a\r\n\r\n"),
    Fault(.repeatedField, fields: "Host: a"),
    Fault(.repeatedField, fields: "Content-Length: 5\r\nContent-Length: 5"),
    Fault(.repeatedField, fields: "Content-Length: 5\r\ncontent-length: 6"),
    Fault(.repeatedField, fields: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    Fault(.repeatedField, fields: "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
    Fault(.repeatedField, fields: "Transfer-Encoding:\r\nTransfer-Encoding: chunked"),
    Fault(.repeatedField, fields: "Authorization: a\r\nAuthorization: b"),
    Fault(.repeatedField, fields: "Content-Type: a/b\r\nContent-Type: a/b"),
    Fault(.repeatedField, fields: "Content-Range: a\r\nContent-Range: a"),
    Fault(.repeatedField, fields: "Range: bytes=0-\r\nRange: bytes=1-"),
    Fault(.repeatedField, fields: "If-Range: \"a\"\r\nIf-Range: \"a\""),
    Fault(.repeatedField, fields: "If-Modified-Since: a\r\nIf-Modified-Since: a"),
    Fault(.repeatedField, fields: "If-Unmodified-Since: a\r\nIf-Unmodified-Since: a"),
    Fault(.repeatedField, fields: "Millrace-Durability: durable\r\nMillrace-Durability: written"),
    Fault(.lengthAndCoding, fields: "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    Fault(.lengthAndCoding, fields: "Transfer-Encoding: chunked\r\nContent-Length: 0"),
    Fault(.lengthAndCoding, fields: "Transfer-Encoding: identity\r\nContent-Length: 0"),
    Fault(.codingInOldVersion, "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    Fault(
        .codingInOldVersion,
        "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"),
]

private let valueFaults =
    [
        "", "gzip", "gzip, chunked", "chunked, chunked", "xchunked", "chunked;q=1", "\"chunked\"",
        "chunke", "identity", ", chunked", "chunked,", "chun ked", "chunked\u{b}x",
    ]
    .map { value in
        let refusal: Refusal = value.contains("\u{b}") ? .controlCharacter : .unknownCoding
        return Fault(refusal, fields: "Transfer-Encoding: \(value)")
    }
    + [
        "", "+1", "-1", "1,1", "5, 5", "0x10", "1 1", "1.0", "1e3", "abc", "18446744073709551616",
        "99999999999999999999", "000000000000000000001", "\u{661}", "5;", "/", ":",
    ]
    .map { Fault(.malformedContentLength, fields: "Content-Length: \($0)") }
    + [
        "a b", "a,b", "a@b", "a/b", "a:80x", "a:8:0", "[::1", "[]", "[::1]x", "[::g]", ":80",
        "a\u{e9}", "a\\b", "a?b", "<a>",
    ]
    .map { Fault(.malformedHost, "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n") }

@Suite struct `A malformed head` {
    @Test(arguments: lineFaults + fieldFaults + valueFaults)
    private func `is refused for its fault wherever it is cut`(fault: Fault) {
        let bytes = Array(fault.text.utf8)
        #expect(Parsed(bytes).outcome == .invalid(fault.refusal))
        var isRefused = false
        for count in 0...bytes.count {
            let outcome = Parsed(Array(bytes[..<count])).outcome
            let expected: HeadParser.Outcome =
                isRefused || outcome != .incomplete ? .invalid(fault.refusal) : .incomplete
            #expect(outcome == expected, "cut at \(count)")
            isRefused = isRefused || outcome != .incomplete
        }
    }

    @Test(arguments: lineFaults + fieldFaults + valueFaults)
    private func `is never taken for whole when it arrives byte by byte`(fault: Fault) {
        let bytes = Array(fault.text.utf8)
        var head = RequestHead()
        for count in 1...bytes.count {
            let outcome = HeadParser.parse(
                bytes.span.extracting(0..<count), seenCount: count - 1, into: &head,
                limits: Limits())
            #expect(outcome == .incomplete || outcome == .invalid(fault.refusal))
        }
    }

    @Test func `and every refusal has a status and a line`() {
        var lines: Set<String> = []
        for refusal in Refusal.allCases {
            #expect(refusal.status.rawValue >= 400 && refusal.status.rawValue < 600)
            #expect(lines.insert(refusal.line).inserted, "\(refusal) reads like another")
        }
        #expect(Refusal.unknownCoding.status == .notImplemented)
        #expect(Refusal.methodTooLong.status == .notImplemented)
        #expect(Refusal.requestLineTooLong.status == .targetTooLong)
        #expect(Refusal.headTooLarge.status == .headTooLarge)
        #expect(Refusal.tooManyFields.status == .headTooLarge)
        #expect(Refusal.unsupportedVersion.status == .versionNotSupported)
        #expect(Refusal.lengthAndCoding.status == .badRequest)
        #expect(Refusal.contentTypeTooLong.status == .unsupportedMediaType)
    }
}

@Suite struct `The limits of a head` {
    private let limits = Limits()

    @Test func `hold for its bytes`() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let room = limits.headBytes - start.utf8.count - 4
        let fits = start + String(repeating: "x", count: room) + "\r\n\r\n"
        #expect(Parsed(fits).byteCount == limits.headBytes)
        #expect(Parsed(fits + "more").byteCount == limits.headBytes)
        let tooLarge = start + String(repeating: "x", count: room + 1) + "\r\n\r\n"
        #expect(Parsed(tooLarge).refusal == .headTooLarge)
        let bytes = Array(tooLarge.utf8)
        #expect(Parsed(Array(bytes[..<(limits.headBytes - 1)])).outcome == .incomplete)
        #expect(Parsed(Array(bytes[..<limits.headBytes])).refusal == .headTooLarge)
        var head = RequestHead()
        let drip = HeadParser.parse(
            bytes.span.extracting(0..<limits.headBytes), seenCount: limits.headBytes - 1,
            into: &head, limits: limits)
        #expect(drip == .invalid(.headTooLarge))
    }

    @Test func `hold for its request line`() {
        let fields = "\r\nHost: a\r\n\r\n"
        let room = limits.requestLineBytes - "GET / HTTP/1.1".utf8.count
        let fits = "GET /" + String(repeating: "x", count: room) + " HTTP/1.1" + fields
        #expect(Parsed(fits).byteCount == fits.utf8.count)
        #expect(Parsed("\r\n" + fits).byteCount == fits.utf8.count + 2)
        let tooLong = "GET /" + String(repeating: "x", count: room + 1) + " HTTP/1.1" + fields
        #expect(Parsed(tooLong).refusal == .requestLineTooLong)
        let endless = "GET /?" + String(repeating: "x", count: limits.requestLineBytes)
        #expect(Parsed(endless).refusal == .requestLineTooLong)
    }

    @Test func `hold for its method`() {
        let longest = String(repeating: "M", count: limits.methodBytes)
        #expect(Parsed("\(longest) / HTTP/1.0\r\n\r\n").head.method == .other)
        #expect(Parsed("\(longest)M / HTTP/1.0\r\n\r\n").refusal == .methodTooLong)
        #expect(Parsed("\(longest)M").refusal == .methodTooLong)
    }

    @Test func `hold for the number of its fields`() {
        let most = String(repeating: "X: y\r\n", count: limits.fieldCount)
        #expect(Parsed("GET / HTTP/1.0\r\n\(most)\r\n").byteCount != nil)
        #expect(Parsed("GET / HTTP/1.0\r\n\(most)X: y\r\n\r\n").refusal == .tooManyFields)
    }

    @Test func `trap when positions would not fit`() async {
        await #expect(processExitsWith: .failure) {
            var limits = Limits()
            limits.headBytes = 65_536
            _ = Parsed("GET / HTTP/1.1\r\n", limits: limits)
        }
    }
}
