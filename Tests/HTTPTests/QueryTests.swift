// Goal:   parameters are found as they were sent, and a doubled one is never silently chosen from.

import HTTP
import Testing

/// A query inside a head, as the server has it.
private func parsed(_ query: String) -> Parsed {
    Parsed("GET /a?\(query) HTTP/1.0\r\n\r\n")
}

@Suite struct `A query` {
    @Test(arguments: [
        ("v=1&w=2", ["v=1", "w=2"]), ("v", ["v="]), ("v=", ["v="]), ("=v", ["=v"]),
        ("", []), ("&&", []), ("&v=1&", ["v=1"]), ("v=a=b", ["v=a=b"]),
        ("v=1&v=2", ["v=1", "v=2"]),
        ("%76=1", ["%76=1"]), ("a?b=c/d", ["a?b=c/d"]),
    ])
    func `is walked pair by pair`(query: String, pairs: [String]) {
        let parsed = parsed(query)
        var walk = Query(parsed.head.query)
        var seen: [String] = []
        while let pair = walk.next(in: parsed.bytes.span) {
            let key = String(decoding: parsed.bytes[pair.key.range], as: UTF8.self)
            let value = String(decoding: parsed.bytes[pair.value.range], as: UTF8.self)
            seen.append("\(key)=\(value)")
        }
        #expect(seen == pairs)
    }

    @Test func `that is absent has no pairs`() {
        let parsed = Parsed("GET /a HTTP/1.0\r\n\r\n")
        var walk = Query(parsed.head.query)
        #expect(walk.next(in: parsed.bytes.span) == nil)
    }

    @Test(
        arguments: [
            ("v=1&w=2", "w", "2"), ("v2=1&v=2", "v", "2"), ("v=1&vv=2", "v", "1"),
            ("v&w=1", "v", ""),
            ("v=1&w=2", "x", nil), ("v=1&v=1", "v", "several"), ("V=1", "v", nil),
            ("%76=1", "v", nil),
            ("v=1&w&v", "v", "several"),
        ] as [(String, String, String?)])
    func `finds a value by its key`(query: String, key: String, expected: String?) {
        let parsed = parsed(query)
        switch Query(parsed.head.query).value(of: key, in: parsed.bytes.span) {
        case .none: #expect(expected == nil)
        case .several: #expect(expected == "several")
        case .one(let value):
            #expect(String(decoding: parsed.bytes[value.range], as: UTF8.self) == expected)
        }
    }

    @Test(arguments: [
        ("abc", "abc"), ("a+b%20c", "a b c"), ("%2B%26%3d", "+&="), ("", ""), ("%c3%A9", "\u{e9}"),
        ("%2520", "%20"),
    ])
    func `decodes a value`(value: String, expected: String) throws {
        let decoded = try written { (output) throws(Refusal) in
            try Query.decode(value.utf8.span, into: &output)
        }
        #expect(String(decoding: decoded, as: UTF8.self) == expected)
    }

    @Test(arguments: ["%", "%a", "%zz", "abc%4"])
    func `refuses a value with a broken escape`(value: String) {
        #expect(throws: Refusal.malformedEscape) {
            try written { (output) throws(Refusal) in
                try Query.decode(value.utf8.span, into: &output)
            }
        }
    }

    @Test func `refuses a value that has no room`() throws {
        let bytes = try written(capacity: 3) { (output) throws(Refusal) in
            try Query.decode("a%62c".utf8.span, into: &output)
        }
        #expect(bytes == Array("abc".utf8))
        #expect(throws: Refusal.queryValueTooLong) {
            try written(capacity: 3) { (output) throws(Refusal) in
                try Query.decode("a%62cd".utf8.span, into: &output)
            }
        }
    }
}

@Suite struct `Hexadecimal digits` {
    @Test func `of either case become bytes`() throws {
        var isDecoded = false
        let bytes = try written { (output) throws(Refusal) in
            isDecoded = "00ffAbcD9e".utf8.span.decodeHexadecimal(into: &output)
        }
        #expect(isDecoded)
        #expect(bytes == [0x00, 0xff, 0xab, 0xcd, 0x9e])
    }

    @Test(arguments: ["0", "000", "0g", "g0", " 0", "+1", "0x", "é", "\u{0}0", "@@", "``", "::"])
    func `are nothing else`(text: String) throws {
        var isDecoded = true
        let bytes = try written { (output) throws(Refusal) in
            isDecoded = text.utf8.span.decodeHexadecimal(into: &output)
        }
        #expect(!isDecoded && bytes.isEmpty)
    }

    @Test func `need room for every byte`() throws {
        var isDecoded = true
        let bytes = try written(capacity: 2) { (output) throws(Refusal) in
            isDecoded = "aabbcc".utf8.span.decodeHexadecimal(into: &output)
        }
        #expect(!isDecoded && bytes.isEmpty)
    }
}
