// Goal:   a form means the same however it is cut, no byte of a boundary is ever data, and every
//         fault is found.
// Method: whole bodies, cut in two at every byte and byte by byte; random bodies of what nearly is
//         a boundary, in random pieces, against the parts that they were built from.

import HTTP
import Testing

private let head = "Content-Disposition: form-data; name=\"a\"\r\n\r\n"

private func read(_ text: String, limits: Limits = Limits()) -> ReadForm {
    ReadForm([Array(text.utf8)], boundary: .plain("b-1"), limits: limits)
}

private let forms: [(String, [String])] = [
    ("--b-1\r\n\(head)x\r\n--b-1--\r\n", ["a=x"]),
    ("--b-1\r\n\(head)x\r\n--b-1--", ["a=x"]),
    ("--b-1--", []),
    ("--b-1--\r\nepilogue \r\n--b-1\r\n", []),
    ("\r\n--b-1\r\n\(head)\r\n--b-1--\r\n", ["a="]),
    ("--b-1\r\n\(head)--b-1--\r\n", ["a="]),
    ("preamble\r\n--b-1 \t \r\n\(head)x\r\n--b-1\t\r\n\(head)y\r\n--b-1--", ["a=x", "a=y"]),
    ("--b-2\r\n--b-1\r\n\(head)x\r\n--b-1--", ["a=x"]),
    ("--b-1\r\n\(head)\r\n\r\n--b-\r\n--b-1--", ["a=\r\n\r\n--b-"]),
    ("--b-1\r\n\(head)--b-\r\n--b\r\n\r\r\n--b-1--", ["a=--b-\r\n--b\r\n\r"]),
    ("--b-1\r\n\(head)\n--b-1\r--b-1 --b-1--\r\n--b-1--", ["a=\n--b-1\r--b-1 --b-1--"]),
    (
        "--b-1\r\ncontent-disposition:form-data;filename=\"f\";name=n\r\nX: y\r\n"
            + "Content-Type: \t image/png \r\n\r\n\u{0}\u{ff}\r\n--b-1--", ["n(f)=\u{0}\u{ff}"]
    ),
]

@Suite struct `A form` {
    @Test(arguments: forms)
    func `has its parts`(text: String, parts: [String]) {
        let form = read(text)
        #expect(form.parts == parts)
        #expect(form.steps.last == .end)
        #expect(form.isComplete)
    }

    @Test(arguments: forms)
    func `means the same in any two pieces and byte by byte`(text: String, parts: [String]) {
        let bytes = Array(text.utf8)
        let whole = ReadForm([bytes], boundary: .plain("b-1"))
        for cut in 0...bytes.count {
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            #expect(ReadForm(pieces, boundary: .plain("b-1")) == whole)
        }
        #expect(ReadForm(bytes.map { [$0] }, boundary: .plain("b-1")) == whole)
    }

    @Test func `is complete only behind its last boundary`() {
        let text = "--b-1\r\n\(head)x\r\n--b-1\r\n\(head)y\r\n--b-1--"
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            let form = ReadForm([Array(bytes[..<count])], boundary: .plain("b-1"))
            #expect(!form.isComplete && form.refusal == nil)
        }
        #expect(Refusal.incompleteForm.status == .badRequest)
    }

    @Test(
        arguments: [
            ("--b-1x\r\n", .malformedForm), ("--b-1\n", .malformedForm),
            ("--b-1-x", .malformedForm),
            ("--b-1 -", .malformedForm), ("--b-1\r\r", .malformedForm),
            ("--b-1\rx", .malformedForm),
            ("--b-1\r\n\(head)x\r\n--b-12\r\n", .malformedForm),
            ("--b-1\r\n\(head)x\r\n--b-1-\r\n", .malformedForm),
            ("--b-1\r\n\(head)--b-1!", .malformedForm),
            ("--b-1\r\n\r\nx", .malformedDisposition),
            ("--b-1\r\nContent-Type: a/b\r\n\r\n", .malformedDisposition),
            ("--b-1\r\nA: b\n", .bareLineFeed), ("--b-1\r\nA: b\rx", .bareCarriageReturn),
            ("--b-1\r\nA: b\r\r\n", .bareCarriageReturn),
            ("--b-1\r\nA\r\n\r\n", .malformedFieldName),
            ("--b-1\r\nA : b\r\n\r\n", .malformedFieldName),
            ("--b-1\r\n: b\r\n\r\n", .malformedFieldName),
            ("--b-1\r\nA: b\r\n c\r\n\r\n", .foldedField), ("--b-1\r\n A: b\r\n\r\n", .foldedField),
            ("--b-1\r\nA: \u{0}\r\n\r\n", .controlCharacter),
            ("--b-1\r\n\(head.dropLast())\(head)", .repeatedField),
            ("--b-1\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n", .repeatedField),
            (
                "--b-1\r\nContent-Transfer-Encoding: binary\r\n"
                    + "Content-Transfer-Encoding: binary\r\n\r\n", .repeatedField
            ),
            ("--b-1\r\nContent-Transfer-Encoding: base64\r\n\r\n", .encodedPart),
            ("--b-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", .encodedPart),
        ] as [(String, Refusal)])
    func `is refused for its fault however it is cut`(text: String, refusal: Refusal) {
        let bytes = Array(text.utf8)
        let whole = ReadForm([bytes], boundary: .plain("b-1"))
        #expect(whole.refusal == refusal)
        #expect(!whole.isComplete)
        for cut in 0...bytes.count {
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            #expect(ReadForm(pieces, boundary: .plain("b-1")) == whole)
        }
    }

    @Test func `stays ended, or refused`() {
        for (text, event) in [
            ("--b-1--more", FormDataParser.Event.end), ("--b-1!", .invalid(.malformedForm)),
        ] {
            var parser = FormDataParser(.plain("b-1"), limits: Limits())
            let bytes = Array(text.utf8)
            var position = 0
            #expect(parser.next(in: bytes.span, at: &position) == event)
            let end = position
            #expect(parser.next(in: bytes.span, at: &position) == event)
            #expect(position == end)
        }
    }

    @Test(arguments: ["binary", "8bit", "7bit", "Binary"])
    func `may say that nothing is encoded`(encoding: String) {
        let line = "Content-Transfer-Encoding: \(encoding)\r\n"
        #expect(read("--b-1\r\n\(line)\(head)x\r\n--b-1--").parts == ["a=x"])
    }

    @Test func `gives out data as it comes`() {
        var parser = FormDataParser(.plain("b-1"), limits: Limits())
        let bytes = Array("--b-1\r\n\(head)0123\r\n--b-".utf8)
        let start = bytes.count - "0123\r\n--b-".utf8.count
        var position = 0
        guard case .part = parser.next(in: bytes.span, at: &position) else {
            Issue.record("no part")
            return
        }
        #expect(parser.next(in: bytes.span, at: &position) == .data(start..<start + 4))
        #expect(parser.next(in: bytes.span, at: &position) == .needsMore)
        #expect(bytes.count - position == "\r\n--b-".utf8.count)
        #expect(parser.carryBytesMax == "\r\n--b-1".utf8.count - 1)
    }
}

@Suite struct `A form's limits` {
    @Test func `hold for what precedes it`() {
        let limits = Limits()
        let longest = String(repeating: "p", count: limits.preambleBytes)
        #expect(read("\(longest)\r\n--b-1--").isComplete)
        #expect(read("\(longest)p\r\n--b-1--").refusal == .preambleTooLong)
        #expect(read("\(longest)p").refusal == .preambleTooLong)
        let lines = String(repeating: "\r\n", count: limits.preambleBytes)
        #expect(read(lines).refusal == .preambleTooLong)
    }

    @Test func `hold for the head of a part`() {
        let limits = Limits()
        let rest = "Content-Disposition: form-data; name=\"a\"\r\nX:\r\n\r\n".utf8.count
        func form(_ count: Int) -> String {
            let value = String(repeating: "x", count: count)
            return "--b-1\r\nX:\(value)\r\n\(head)y\r\n--b-1--"
        }
        #expect(read(form(limits.partHeadBytes - rest)).parts == ["a=y"])
        #expect(read(form(limits.partHeadBytes - rest + 1)).refusal == .partHeadTooLong)
        let blanks = String(repeating: " ", count: limits.partHeadBytes)
        #expect(read("--b-1\(blanks)\r\n\(head)y\r\n--b-1--").parts == ["a=y"])
        #expect(read("--b-1\(blanks) \r\n").refusal == .partHeadTooLong)
        #expect(Refusal.partHeadTooLong.status == .contentTooLarge)
    }

    @Test func `hold for its parts`() {
        let limits = Limits()
        let part = "--b-1\r\n\(head)x\r\n"
        let most = String(repeating: part, count: limits.partCount)
        #expect(read(most + "--b-1--").parts.count == limits.partCount)
        #expect(read(most + part + "--b-1--").refusal == .tooManyParts)
        #expect(Refusal.tooManyParts.status == .contentTooLarge)
    }

    @Test func `trap when positions would not fit`() async {
        await #expect(processExitsWith: .failure) {
            var limits = Limits()
            limits.partHeadBytes = 65_536
            _ = FormDataParser(.plain("b-1"), limits: limits)
        }
    }
}

@Suite struct `A random form` {
    @Test(arguments: 0..<64 as Range<UInt64>)
    func `has the parts that it was built from, in any pieces`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let boundary = ["b", "bb", "--", "a-b'()+_,./:=?", String(repeating: "z", count: 70)]
            .randomElement(using: &generator)!
        for _ in 0..<20 {
            let (body, contents) = randomForm(boundary, &generator)
            let whole = ReadForm([body], boundary: .plain(boundary))
            #expect(data(whole) == contents)
            #expect(whole.isComplete)
            for _ in 0..<4 {
                let pieces = cut(body, &generator)
                #expect(ReadForm(pieces, boundary: .plain(boundary)) == whole)
            }
        }
    }

    @Test(arguments: 0..<32 as Range<UInt64>)
    func `that is mutated means the same in pieces`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var refusedCount = 0
        for _ in 0..<100 {
            var (body, _) = randomForm("b-1", &generator)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = body.indices.randomElement(using: &generator)!
                body[position] = Array("\r\n-b1 :;\"\u{0}".utf8).randomElement(using: &generator)!
            }
            let whole = ReadForm([body], boundary: .plain("b-1"))
            if whole.refusal != nil { refusedCount += 1 }
            #expect(ReadForm(cut(body, &generator), boundary: .plain("b-1")) == whole)
        }
        #expect(refusedCount > 0 && refusedCount < 100)
    }

    private func data(_ form: ReadForm) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for step in form.steps {
            switch step {
            case .part: contents.append([])
            case .data(let data): contents[contents.count - 1] += data
            case .partEnd, .end, .invalid: break
            }
        }
        return contents
    }

    private func randomForm(
        _ boundary: String, _ generator: inout SeededGenerator
    ) -> (body: [UInt8], contents: [[UInt8]]) {
        var body: [UInt8] = []
        var contents: [[UInt8]] = []
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let content = randomContent(boundary, &generator)
            body += Array("--\(boundary)\r\n\(head)".utf8) + content + Array("\r\n".utf8)
            contents.append(content)
        }
        return (body + Array("--\(boundary)--\r\nX".utf8), contents)
    }

    /// Made of what a boundary is made of, without one.
    private func randomContent(
        _ boundary: String, _ generator: inout SeededGenerator
    ) -> [UInt8] {
        let delimiter = Array("\r\n--\(boundary)".utf8)
        while true {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: content += [0x0d, 0x0a]
                case 1:
                    content += delimiter.prefix(
                        Int.random(in: 1..<delimiter.count, using: &generator))
                case 2: content += delimiter.dropFirst(2)
                case 3: content.append(UInt8.random(in: 0...255, using: &generator))
                default: content.append([0x0d, 0x0a, 0x2d].randomElement(using: &generator)!)
                }
            }
            if !contains(content, delimiter), !content.starts(with: delimiter.dropFirst(2)) {
                return content
            }
        }
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        return (0...bytes.count - part.count).contains { bytes[$0...].starts(with: part) }
    }

    private func cut(_ body: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]] {
        let longest = [1, 3, 10, 80, 500].randomElement(using: &generator)!
        var pieces: [[UInt8]] = []
        var start = 0
        while start < body.count {
            let end = min(body.count, start + Int.random(in: 0...longest, using: &generator))
            pieces.append(Array(body[start..<end]))
            start = end
        }
        return pieces
    }
}
