// Goal:   answers are valid JSON whatever clients called their files, and say what they should.
// Method: exact texts; random bytes as strings, undone by rules of RFC 8259 alone; traps for what
//         would be no JSON.

import HTTP
import Testing

private func text(_ write: (inout JSONText) -> Void) -> String {
    var json = JSONText()
    write(&json)
    return String(decoding: json.bytes, as: UTF8.self)
}

@Suite struct `JSON` {
    @Test func `is nested, with commas where they belong`() {
        let document = text { json in
            json.object { json in
                json.key("a")
                json.array { json in
                    json.integer(1 as UInt64)
                    json.array { _ in }
                    json.object { _ in }
                    json.object { json in
                        json.key("b")
                        json.null()
                        json.key("c")
                        json.boolean(true)
                    }
                    json.boolean(false)
                }
                json.key("d")
                json.range(5...7)
                json.key("e")
                json.string("f")
            }
            json.lineEnd()
        }
        #expect(
            document == "{\"a\":[1,[],{},{\"b\":null,\"c\":true},false],\"d\":[5,7],\"e\":\"f\"}\n")
    }

    @Test func `has exact numbers`() {
        let numbers = text { json in
            json.array { json in
                json.integer(UInt64.max)
                json.integer(Int64.min)
                json.integer(0 as Int64)
                json.integer(10 as UInt64)
                for thousandths: UInt64 in [0, 5, 50, 500, 1000, 12_345] {
                    json.decimal(thousandths: thousandths)
                }
            }
        }
        #expect(
            numbers == "[18446744073709551615,-9223372036854775808,0,10,0.000,0.005,0.050,0.500,"
                + "1.000,12.345]")
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_782_609, "2026-11-27T12:30:09Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (.max, "9999-12-31T23:59:59Z"),
        ] as [(UInt64, String)])
    func `are times as RFC 3339 has them`(seconds: UInt64, text: String) {
        var json = JSONText()
        json.timestamp(seconds)
        #expect(String(decoding: json.bytes, as: UTF8.self) == "\"\(text)\"")
    }

    @Test(arguments: [
        ("", "\"\""), ("a\"b\\c/", "\"a\\\"b\\\\c/\""),
        ("\u{0}\n\u{1f}", "\"\\u0000\\u000a\\u001f\""),
        ("\u{7f}\u{e9}\u{20ac}\u{1f600}\u{2028}", "\"\u{7f}\u{e9}\u{20ac}\u{1f600}\u{2028}\""),
        ("\t\r\u{10}", "\"\\u0009\\u000d\\u0010\""),
    ])
    func `escapes what it must`(plain: String, expected: String) {
        #expect(text { $0.string(plain) } == expected)
        #expect(
            text {
                $0.object { json in
                    json.key(plain); json.null()
                }
            } == "{\(expected):null}")
    }

    @Test(
        arguments: [
            ([0xff], "\u{fffd}"), ([0x61, 0xc3], "a\u{fffd}"), ([0xc3, 0x61], "\u{fffd}a"),
            ([0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}"), ([0xc0, 0xaf], "\u{fffd}\u{fffd}"),
            ([0xf0, 0x9f, 0x98], "\u{fffd}\u{fffd}\u{fffd}"), ([0xe2, 0x82, 0xac], "\u{20ac}"),
        ] as [([UInt8], String)])
    func `never has what is no UTF-8`(bytes: [UInt8], expected: String) {
        #expect(text { $0.string(bytes.span) } == "\"\(expected)\"")
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `of any bytes is what they say`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var plain = ""
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                let value = [0..<0x30, 0x30..<0x80, 0x80..<0xd800, 0xe000..<0x11_0000]
                    .randomElement(using: &generator)!.randomElement(using: &generator)!
                plain.unicodeScalars.append(try #require(Unicode.Scalar(UInt32(value))))
            }
            #expect(try unescaped(text { $0.string(plain.utf8.span) }) == plain)
        }
    }

    /// RFC 8259 §7, as far as the writer uses it.
    private func unescaped(_ json: String) throws -> String {
        var scalars = Array(json.unicodeScalars)
        try #require(scalars.count >= 2 && scalars.first == "\"" && scalars.last == "\"")
        scalars = Array(scalars.dropFirst().dropLast())
        var plain = ""
        var index = 0
        while index < scalars.count {
            try #require(scalars[index].value >= 0x20 && scalars[index] != "\"")
            guard scalars[index] == "\\" else {
                plain.unicodeScalars.append(scalars[index])
                index += 1
                continue
            }
            if scalars[index + 1] == "u" {
                let digits = String(String.UnicodeScalarView(scalars[index + 2..<index + 6]))
                let value = try #require(UInt32(digits, radix: 16))
                plain.unicodeScalars.append(try #require(Unicode.Scalar(value)))
                index += 6
            } else {
                plain.unicodeScalars.append(scalars[index + 1])
                index += 2
            }
        }
        return plain
    }

    @Test func `traps rather than be none`() async {
        await #expect(processExitsWith: .failure) { _ = text { $0.object { $0.null() } } }
        await #expect(processExitsWith: .failure) { _ = text { $0.object { $0.key("a") } } }
        await #expect(processExitsWith: .failure) { _ = text { $0.array { $0.key("a") } } }
        await #expect(processExitsWith: .failure) {
            _ = text { json in
                json.object { json in
                    json.key("a"); json.key("b")
                }
            }
        }
        await #expect(processExitsWith: .failure) { _ = text { $0.lineEnd() } }
        await #expect(processExitsWith: .failure) { _ = text { $0.array { $0.lineEnd() } } }
        await #expect(processExitsWith: .failure) {
            _ = text { json in
                json.null()
                json.null()
            }
        }
    }
}

@Suite struct `A problem document` {
    private func text(_ problem: Problem) -> String {
        String(decoding: problem.json.bytes, as: UTF8.self)
    }

    @Test func `may say no more than its status`() {
        #expect(
            text(Problem(.blank, .notFound))
                == "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n")
        #expect(
            text(Problem(.blank, .gone, detail: "it \"expired\""))
                == "{\"type\":\"about:blank\",\"title\":\"Gone\",\"status\":410,"
                + "\"detail\":\"it \\\"expired\\\"\"}\n")
    }

    @Test func `says where an upload stands`() {
        let kind = Problem.Kind.mismatchingUploadOffset(expected: 12_500_000, provided: 25_000_000)
        #expect(
            text(Problem(kind, .conflict))
                == "{\"type\":\"https://iana.org/assignments/http-problem-types"
                + "#mismatching-upload-offset\",\"title\":\"Mismatching Upload Offset\","
                + "\"status\":409,\"expected-offset\":12500000,\"provided-offset\":25000000}\n")
    }

    @Test(
        arguments: [
            (.completedUpload, "completed-upload"),
            (.inconsistentUploadLength, "inconsistent-upload-length"),
        ] as [(Problem.Kind, String)])
    func `has a registered type`(kind: Problem.Kind, name: String) {
        let start = "{\"type\":\"https://iana.org/assignments/http-problem-types#\(name)\","
        #expect(text(Problem(kind, .badRequest)).hasPrefix(start))
    }

    @Test func `says which digest did not match`() {
        let kind = Problem.Kind.mismatchingDigest(
            Digest(crc32c: 0xc994_65aa), field: "Repr-Digest")
        let document = text(Problem(kind, .badRequest))
        #expect(document.contains("#digest-mismatching-values\""))
        #expect(
            document.hasSuffix(
                ",\"mismatching-digests\":[{\"algorithm\":\"crc32c\","
                    + "\"provided-digest\":\":yZRlqg==:\",\"header\":\"Repr-Digest\"}]}\n"))
    }

    @Test func `is made of a refusal`() {
        for refusal in Refusal.allCases {
            let problem = Problem(refusal)
            #expect(problem.status == refusal.status && problem.detail == refusal.line)
            let isSpecial = refusal == .inconsistentUploadLength
            #expect(problem.kind == (isSpecial ? .inconsistentUploadLength : .blank))
        }
    }

    @Test func `traps for a digest that HTTP has no key for`() async {
        await #expect(processExitsWith: .failure) {
            let digest = Digest(.sha1, [UInt8](repeating: 0, count: 20).span)
            _ = Problem(.mismatchingDigest(digest, field: "x"), .badRequest).json
        }
    }
}
