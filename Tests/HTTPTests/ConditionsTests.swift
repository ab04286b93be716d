// Goal:   the preconditions of RFC 9110 §13 in the order of §13.2.2, weak and strong comparison as
//         in §8.8.3.2.
// Method: each row is a request's fields against one object and the verdict.

import HTTP
import Testing

private let date = "Sun, 06 Nov 1994 08:49:37 GMT"
private let before = "Sun, 06 Nov 1994 08:49:36 GMT"
private let after = "Sun, 06 Nov 1994 08:49:38 GMT"

private func verdict(
    _ method: String, _ fields: [String], entityTag: String = "\"abc\""
) -> Conditions.Verdict {
    let lines = fields.map { $0 + "\r\n" }.joined()
    let parsed = Parsed("\(method) / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
    precondition(parsed.byteCount != nil, "\(parsed.outcome)")
    return Conditions.evaluate(
        parsed.head, in: parsed.bytes.span, entityTag: entityTag.utf8.span,
        lastModified: 784_111_777, now: 1_700_000_000)
}

private let proceed = Conditions.Verdict.proceed(isRangeAllowed: false)
private let partial = Conditions.Verdict.proceed(isRangeAllowed: true)

@Suite struct `A precondition` {
    @Test(
        arguments: [
            ("GET", [], proceed),
            ("GET", ["If-Match: \"abc\""], proceed), ("PUT", ["If-Match: *"], proceed),
            ("PUT", ["If-Match: \"x\", \"abc\""], proceed),
            ("PUT", ["If-Match: ,\"x\" ,, \"abc\""], proceed),
            ("PUT", ["If-Match: \"x\""], .preconditionFailed),
            ("GET", ["If-Match: W/\"abc\""], .preconditionFailed),
            ("GET", ["If-Match: \"ABC\""], .preconditionFailed),
            ("GET", ["If-Match: abc"], .preconditionFailed),
            ("GET", ["If-Match:"], .preconditionFailed),
            ("GET", ["If-Match: \"x\" \"abc\""], .preconditionFailed),
            ("GET", ["If-Match: \"abc"], .preconditionFailed),
            ("GET", ["If-Match: \"x\"", "If-Match: \"abc\""], proceed),
            ("GET", ["If-Match: \"x\"", "If-Match: \"y\""], .preconditionFailed),
            ("GET", ["If-None-Match: \"abc\""], .notModified),
            ("HEAD", ["If-None-Match: \"abc\""], .notModified),
            ("GET", ["If-None-Match: *"], .notModified),
            ("PUT", ["If-None-Match: *"], .preconditionFailed),
            ("DELETE", ["If-None-Match: \"abc\""], .preconditionFailed),
            ("GET", ["If-None-Match: W/\"abc\""], .notModified),
            ("GET", ["If-None-Match: \"a,bc\", \"abc\""], .notModified),
            ("GET", ["If-None-Match: \"x\""], proceed),
            ("GET", ["If-None-Match: w/\"abc\""], proceed),
            ("GET", ["If-None-Match: \"x\"", "If-None-Match: W/\"abc\""], .notModified),
            ("GET", ["If-None-Match: \"x\"", "If-None-Match: \"y\""], proceed),
        ] as [(String, [String], Conditions.Verdict)])
    func `on the entity tag`(method: String, fields: [String], expected: Conditions.Verdict) {
        #expect(verdict(method, fields) == expected)
    }

    @Test(
        arguments: [
            ("GET", ["If-Modified-Since: \(date)"], .notModified),
            ("HEAD", ["If-Modified-Since: \(after)"], .notModified),
            ("GET", ["If-Modified-Since: \(before)"], proceed),
            ("PUT", ["If-Modified-Since: \(date)"], proceed),
            ("GET", ["If-Modified-Since: yesterday"], proceed),
            ("GET", ["If-Modified-Since:"], proceed),
            ("GET", ["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], .notModified),
            ("GET", ["If-Modified-Since: Sun Nov  6 08:49:37 1994"], .notModified),
            ("PUT", ["If-Unmodified-Since: \(date)"], proceed),
            ("PUT", ["If-Unmodified-Since: \(after)"], proceed),
            ("GET", ["If-Unmodified-Since: \(before)"], .preconditionFailed),
            ("GET", ["If-Unmodified-Since: never"], proceed),
        ] as [(String, [String], Conditions.Verdict)])
    func `on the date`(method: String, fields: [String], expected: Conditions.Verdict) {
        #expect(verdict(method, fields) == expected)
    }

    @Test(
        arguments: [
            // If-Match takes the place of If-Unmodified-Since.
            ("GET", ["If-Match: \"abc\"", "If-Unmodified-Since: \(before)"], proceed),
            ("GET", ["If-Match: \"x\"", "If-Unmodified-Since: \(after)"], .preconditionFailed),
            // If-None-Match takes the place of If-Modified-Since.
            ("GET", ["If-None-Match: \"x\"", "If-Modified-Since: \(date)"], proceed),
            ("GET", ["If-None-Match: \"abc\"", "If-Modified-Since: \(before)"], .notModified),
            // 412 comes before 304.
            ("GET", ["If-None-Match: \"abc\"", "If-Match: \"x\""], .preconditionFailed),
            (
                "GET", ["If-Modified-Since: \(date)", "If-Unmodified-Since: \(before)"],
                .preconditionFailed
            ),
            ("GET", ["If-None-Match: \"abc\"", "If-Match: \"abc\""], .notModified),
            // And both before the range.
            ("GET", ["If-None-Match: \"abc\"", "Range: bytes=0-"], .notModified),
            (
                "GET", ["If-Match: \"x\"", "Range: bytes=0-", "If-Range: \"abc\""],
                .preconditionFailed
            ),
        ] as [(String, [String], Conditions.Verdict)])
    func `gives way to another as the RFC says`(
        method: String, fields: [String], expected: Conditions.Verdict
    ) {
        #expect(verdict(method, fields) == expected)
    }

    @Test(
        arguments: [
            ("GET", ["Range: bytes=0-"], partial), ("HEAD", ["Range: bytes=0-"], proceed),
            ("PUT", ["Range: bytes=0-"], proceed), ("GET", ["If-Range: \"abc\""], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: \"abc\""], partial),
            ("GET", ["Range: bytes=0-", "If-Range: \"x\""], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: W/\"abc\""], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: \"abc\", \"x\""], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: *"], proceed),
            ("GET", ["Range: bytes=0-", "If-Range:"], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: \(date)"], partial),
            ("GET", ["Range: bytes=0-", "If-Range: \(after)"], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: \(before)"], proceed),
            ("GET", ["Range: bytes=0-", "If-Range: W"], proceed),
        ] as [(String, [String], Conditions.Verdict)])
    func `on the range`(method: String, fields: [String], expected: Conditions.Verdict) {
        #expect(verdict(method, fields) == expected)
    }

    @Test func `knows a weak tag of our own`() {
        let weak = "W/\"abc\""
        #expect(verdict("GET", ["If-None-Match: \"abc\""], entityTag: weak) == .notModified)
        #expect(verdict("GET", ["If-Match: \"abc\""], entityTag: weak) == .preconditionFailed)
        #expect(
            verdict("GET", ["Range: bytes=0-", "If-Range: \"abc\""], entityTag: weak) == proceed)
    }

    @Test func `on an object that is not there fails only for If-Match`() {
        let create = Parsed("PUT / HTTP/1.0\r\nIf-None-Match: *\r\n\r\n").head
        #expect(Conditions.evaluateAbsent(create) == proceed)
        let replace = Parsed("PUT / HTTP/1.0\r\nIf-Match: *\r\n\r\n").head
        #expect(Conditions.evaluateAbsent(replace) == .preconditionFailed)
    }
}
