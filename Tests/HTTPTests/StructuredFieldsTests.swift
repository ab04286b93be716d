// Goal:   structured fields are malformed exactly when RFC 9651 says so, and what this server asks
//         them for is found among everything else that they may hold.
// Method: rows for every type, named by the section that decides; random Dictionaries written over
//         random lines and read back; mutations that must not trap.

import HTTP
import Testing

private func item(_ text: String) -> StructuredValue? {
    let bytes = Array(text.utf8)
    return StructuredValue(
        item: ByteSlice(offset: 0, count: UInt16(bytes.count)), in: bytes.span)
}

@Suite struct `A structured Item` {
    @Test(
        arguments: [
            ("?1", .boolean(true)), ("?0", .boolean(false)), (" ?1  ", .boolean(true)),
            ("0", .integer(0)), ("42", .integer(42)), ("-42", .integer(-42)), ("00", .integer(0)),
            ("-0", .negativeZero), ("007", .integer(7)),
            ("999999999999999", .integer(999_999_999_999_999)),
            ("-999999999999999", .integer(-999_999_999_999_999)),
            ("?1;a", .boolean(true)), ("5;a=1; b=?0;c=\"x;y\";*d=tok", .integer(5)),
            ("5;a;a;a", .integer(5)), ("1.5", .other), ("-1.125", .other),
            ("123456789012.123", .other), ("tok", .other), ("*a/b:c", .other), ("\"\"", .other),
            ("\"a\\\"b\\\\\"", .other), ("@1659578233", .other), ("@-1", .other),
            ("%\"f%c3%bc\"", .other), ("%\"\"", .other),
        ] as [(String, StructuredValue)])
    func `is read`(text: String, expected: StructuredValue) {
        #expect(item(text) == expected)
    }

    @Test(arguments: [
        ("::", ""), (":Zg==:", "Zg=="), (":Zg:", "Zg"), (":Zh==:", "Zh=="), (":Zm9v:;a=1", "Zm9v"),
    ])
    func `has bytes`(text: String, base64: String) {
        guard case .byteSequence(let slice) = item(text) else {
            Issue.record("\(text) is no byte sequence")
            return
        }
        #expect(String(decoding: Array(text.utf8)[slice.range], as: UTF8.self) == base64)
    }

    @Test(arguments: [
        "", " ", "?", "?2", "?t", "?1x", "? 1", "?11", "??1", "+1", "--1", "-", "1-", "1 2", "1,2",
        "1000000000000000", "-1000000000000000", "0000000000000000", "1.", ".5", "1.1234", "1..2",
        "-.5", "1234567890123.1", "1.5.5", "1e3", "0x1", "1;", "1;A", "1;a=", "1;a=;b", "1 ;a",
        "1;;a", "1;=1", "1;a= 1", "1;a=(1)", "\t1", "1\t", "\"", "\"a", "\"\\a\"", "\"\\", "\"\t\"",
        "\"\u{e9}\"", "\"\u{7f}\"", "'a'", ":Zg==", ":", ":Z:", ":Zg=:", ":Z g=:", ":Zm-_:", "@",
        "@1.5", "@a", "%", "%a", "%\"", "%\"%c3\"", "%\"%C3%BC\"", "%\"%c3%\"", "%\"%zz\"",
        "%\"\u{e9}\"", "%\"%c3x\"", "%\"\t\"", "%\"%", "%\"%a\"", "(1)", "(1", "tok{", "\u{e9}",
        "{",
        "tok tok", "a=1", "@-", "%\"\u{7f}\"",
    ])
    func `is malformed`(text: String) {
        #expect(item(text) == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("5;x", 5), ("999999999999999", 999_999_999_999_999), ("-0", nil),
            ("-1", nil),
            ("1.0", nil), ("?1", nil), ("\"5\"", nil), ("@5", nil), (":Zg==:", nil),
        ] as [(String, UInt64?)])
    func `is a count without sign or not`(text: String, expected: UInt64?) {
        #expect(item(text)?.count == expected)
    }
}

/// The members of a Dictionary over these lines as text; nil if it is malformed.
private func members(_ lines: [String]) -> [String]? {
    let spoken = Spoken(lines.map { "Repr-Digest: \($0)" })
    var dictionary = StructuredDictionary(spoken.lines.lines(of: .reprDigest))
    var members: [String] = []
    do throws(StructuredDictionary.Malformed) {
        while let member = try dictionary.next(in: spoken.bytes) {
            members.append("\(spoken.text(member.key))=\(described(member.value, spoken))")
        }
    } catch {
        return nil
    }
    return members
}

private func described(_ value: StructuredValue, _ spoken: Spoken) -> String {
    switch value {
    case .boolean(let isTrue): isTrue ? "?1" : "?0"
    case .integer(let number): "\(number)"
    case .byteSequence(let text): ":\(spoken.text(text)):"
    case .negativeZero: "-0"
    case .other: "other"
    }
}

@Suite struct `A structured Dictionary` {
    @Test(arguments: [
        ([], []), ([""], []), (["a=1"], ["a=1"]), (["a"], ["a=?1"]), (["a;x=1"], ["a=?1"]),
        (["a=1,b=?0 , c=:Zg==:"], ["a=1", "b=?0", "c=:Zg==:"]), (["a=1\t,\tb=2"], ["a=1", "b=2"]),
        (["a=1", "b=2"], ["a=1", "b=2"]), (["a=1, b=2", "a=3"], ["a=1", "b=2", "a=3"]),
        (["a=(1 2);x=1, b=1"], ["a=other", "b=1"]), (["a=(), b"], ["a=other", "b=?1"]),
        (["a=( 1  \"x, y\";q=1 tok )"], ["a=other"]),
        (["a=\"b=1, c=2\", d=3"], ["a=other", "d=3"]),
        (["*a-b_c.d*=1"], ["*a-b_c.d*=1"]), (["a=1;b=2;c, d=-0"], ["a=1", "d=-0"]),
        (["sha-256=:Zg==:, unixsum=:AGx:,x=1.5"], ["sha-256=:Zg==:", "unixsum=:AGx:", "x=other"]),
    ])
    func `has its members`(lines: [String], expected: [String]) {
        #expect(members(lines) == expected)
    }

    @Test(arguments: [
        [","], ["a=1,"], [",a=1"], ["a=1,,b=2"], ["a=1 b=2"], ["a=1;b=2 c"], ["A=1"], ["1=1"],
        ["a="], ["a= 1"], ["a =1"], ["a=1, "], ["=1"], ["a=(1"], ["a=(1,2)"], ["a=(1\t2)"],
        ["a=(1)2"], ["a=((1))"], ["a=(1;A)"], ["a=()x"], ["a=\"b"], ["a;b="], ["-a=1"], [".a"],
        ["a=1", ""], ["", "a=1"], ["", ""], ["a=1,", "b=2"], ["a=1", ",b=2"], ["a=\"x", "y\""],
        ["a=(1", "2)"], ["a=1", "B=2"],
    ])
    func `is malformed`(lines: [String]) {
        #expect(members(lines) == nil)
    }

    @Test(arguments: 0..<32 as Range<UInt64>)
    func `is read back from any lines`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            var expected: [String] = []
            var lines: [String] = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                var line = ""
                for index in 0..<Int.random(in: 1...4, using: &generator) {
                    if index > 0 { line += [",", ", ", " ,\t"].randomElement(using: &generator)! }
                    let member = randomMember(&generator)
                    line += member.text
                    expected.append(member.meaning)
                }
                lines.append(line)
            }
            #expect(members(lines) == expected, "\(lines)")
        }
    }

    private func randomMember(
        _ generator: inout SeededGenerator
    ) -> (text: String, meaning: String) {
        let key = ["a", "sha-256", "crc32c", "*", "z_9.", "b"].randomElement(using: &generator)!
        let values = [
            ("=?1", "?1"), ("=?0", "?0"), ("", "?1"), ("=17", "17"), ("=-17", "-17"),
            ("=:Zm9vYmE=:", ":Zm9vYmE=:"), ("=::", "::"), ("=\"a,b=\\\"c\"", "other"),
            ("=a/b", "other"), ("=(a \"b, c\" 1.5)", "other"), ("=@17", "other"),
            ("=%\"%e2%82%ac, \"", "other"), ("=0.125", "other"),
        ]
        let value = values.randomElement(using: &generator)!
        let parameters = ["", "", ";q", ";q=1; r=\"x, y\"", ";q=:Zg==:;q=?0"]
        let text = key + value.0 + parameters.randomElement(using: &generator)!
        return (text, "\(key)=\(value.1)")
    }

    @Test(arguments: 0..<32 as Range<UInt64>)
    func `that is mutated never traps`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let marks = Array("\"\\:?@%(),;= -.*1aA\t".unicodeScalars)
        var malformedCount = 0
        for _ in 0..<200 {
            var text = Array(randomMember(&generator).text.unicodeScalars)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = Int.random(in: 0...text.count, using: &generator)
                let mark = marks.randomElement(using: &generator)!
                if Bool.random(using: &generator), position < text.count {
                    text[position] = mark
                } else {
                    text.insert(mark, at: position)
                }
            }
            var line = ""
            line.unicodeScalars.append(contentsOf: text)
            if members([line]) == nil { malformedCount += 1 }
            _ = item(line)
        }
        #expect(malformedCount > 0 && malformedCount < 200)
    }
}
