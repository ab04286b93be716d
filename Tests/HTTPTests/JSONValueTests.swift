// Goal:   JSON is read as RFC 8259 has it and not otherwise, whatever is sent.
// Method: tables of what is JSON and what is nearly; every prefix of a document; random damage.

import Testing

@testable import HTTP

private func parsed(_ text: String) -> JSONValue? { JSONValue(parsing: text.utf8.span) }

private func text(_ value: String) -> JSONValue { .string(Array(value.utf8)) }

@Suite struct `A JSON document` {
    @Test(
        arguments: [
            ("null", .null), (" \t\r\ntrue\n", .boolean(true)), ("false", .boolean(false)),
            ("0", .number(0)), ("-0", .number(-0.0)), ("12", .number(12)),
            ("-1.5e2", .number(-150)), ("1E+2", .number(100)), ("1e-2", .number(0.01)),
            ("1300819380", .number(1_300_819_380)), ("0.25", .number(0.25)),
            ("\"\"", text("")), ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", text("a\"\\/\u{8}\u{c}\n\r\t")),
            ("\"\\u00e9\\u20AC\\ud83d\\uDE00\"", text("é€😀")), ("\"é€😀\"", text("é€😀")),
            ("\"\\u0000\\u007f\"", text("\0\u{7f}")),
            ("[]", .array([])), ("[ 1 , [null] ]", .array([.number(1), .array([.null])])),
            ("{}", .object([])),
            (
                "{ \"a\" : 1 , \"b\":{\"a\":[]}}",
                .object([
                    .init(name: Array("a".utf8), value: .number(1)),
                    .init(
                        name: Array("b".utf8),
                        value: .object([.init(name: Array("a".utf8), value: .array([]))])),
                ])
            ),
        ] as [(String, JSONValue)])
    func `is read`(document: String, value: JSONValue) { #expect(parsed(document) == value) }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "NaN", "Infinity", "+1", "01", "-", "-a", "1.", ".5",
        "1.e2",
        "1e", "1e+", "0x1", "1 2", "1e999", "--1", "'a'", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"",
        "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\ud83d\\ud83d\"",
        "\"a\nb\"", "\"\u{1f}\"", "\"a\"b", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]",
        "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\":1 \"b\":2}",
        "{\"a\":1;}", "{1:2}", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":1}}",
        "/**/1",
        "1//", "\u{feff}1", "[1]\0", "\u{a0}1",
    ])
    func `is none`(document: String) { #expect(parsed(document) == nil) }

    @Test func `is UTF-8`() {
        for bytes in [
            [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80],
            [0x80],
        ] as [[UInt8]] {
            let document = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
            #expect(JSONValue(parsing: document.span) == nil)
            // An escape amid a character does not end it.
            let escaped = [UInt8(ascii: "\""), 0xe2] + Array("\\n".utf8) + [UInt8(ascii: "\"")]
            #expect(JSONValue(parsing: escaped.span) == nil)
        }
    }

    @Test func `is no deeper than its limit`() {
        let most = JSONValue.depthMax - 1
        for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
            let deepest =
                String(repeating: opening, count: most) + "1"
                + String(repeating: closing, count: most)
            #expect(parsed(deepest) != nil)
            #expect(parsed(opening + deepest + closing) == nil)
        }
        #expect(parsed(String(repeating: "[", count: 100_000)) == nil)
    }

    @Test func `is whole or none, and survives damage`() {
        let document = #" {"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é"],"b":{"c":null,"d":true},"e":""} "#
        let bytes = Array(document.utf8)
        #expect(JSONValue(parsing: bytes.span)?["b"]?["d"] == .boolean(true))
        #expect(JSONValue(parsing: bytes.span)?["x"] == nil)
        for count in 0..<bytes.count - 1 {
            #expect(JSONValue(parsing: Array(bytes[..<count]).span) == nil, "\(count)")
        }
        var random = SeededGenerator(seed: 1)
        for _ in 0..<5000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = .random(in: 0...255)
            }
            // Whatever it is now: what was read is no longer than what was sent.
            _ = JSONValue(parsing: damaged.span)
        }
    }
}
