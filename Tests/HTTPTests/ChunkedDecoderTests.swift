// Goal:   a chunked body means the same however it is cut, and every fault in it is found.
// Method: whole bodies decoded at once, cut in two at every byte, byte by byte, and mutated.

import HTTP
import Testing

/// What a decoder made of input that came in pieces.
private struct Decoded: Equatable {
    var content: [UInt8] = []
    var last = ChunkedDecoder.Event.needsMore
    /// Bytes used up in all.
    var byteCount = 0

    init(_ pieces: [[UInt8]], limits: Limits = Limits()) {
        var decoder = ChunkedDecoder(limits: limits)
        for piece in pieces {
            var position = 0
            var isOver = false
            while !isOver {
                last = decoder.next(in: piece.span, at: &position)
                if case .data(let range) = last {
                    content += piece[range]
                } else {
                    isOver = true
                }
            }
            byteCount += position
            if last != .needsMore { return }
            precondition(position == piece.count, "it asked for more and left some")
        }
    }

    init(_ text: String, limits: Limits = Limits()) {
        self.init([Array(text.utf8)], limits: limits)
    }

    var refusal: Refusal? {
        if case .invalid(let refusal) = last { refusal } else { nil }
    }
}

private let bodies: [(String, String)] = [
    ("0\r\n\r\n", ""),
    ("5\r\nhello\r\n0\r\n\r\n", "hello"),
    ("5\r\nhello\r\n006\r\n world\r\n000\r\n\r\n", "hello world"),
    ("A;x=1\r\n0123456789\r\n0;last\r\n\r\n", "0123456789"),
    ("a \t; ext = \"q;\tr\u{e9}\"\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("2\r\n\r\n\r\n0\r\nX-Sum: 1\r\nY:\r\nZ: \ta b\u{e9}\r\n\r\n", "\r\n"),
]

@Suite struct `A chunked body` {
    @Test(arguments: bodies)
    func `is decoded to its content`(text: String, content: String) {
        let decoded = Decoded(text)
        #expect(decoded.last == .end)
        #expect(decoded.content == Array(content.utf8))
        #expect(decoded.byteCount == text.utf8.count)
    }

    @Test(arguments: bodies)
    func `means the same in any two pieces and byte by byte`(text: String, content: String) {
        let bytes = Array(text.utf8)
        let whole = Decoded([bytes])
        for cut in 0...bytes.count {
            #expect(Decoded([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
            if cut < bytes.count { #expect(Decoded([Array(bytes[..<cut])]).last == .needsMore) }
        }
        #expect(Decoded(bytes.map { [$0] }) == whole)
    }

    @Test func `leaves the next request alone`() {
        let decoded = Decoded("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n")
        #expect(decoded.last == .end)
        #expect(decoded.byteCount == "1\r\nx\r\n0\r\n\r\n".utf8.count)
    }

    @Test func `gives out the data of a chunk as it comes`() {
        var decoder = ChunkedDecoder(limits: Limits())
        var position = 0
        let first = Array("fffffffffffffff0\r\nabc".utf8)
        #expect(decoder.next(in: first.span, at: &position) == .data(18..<21))
        #expect(decoder.next(in: first.span, at: &position) == .needsMore)
    }

    @Test(
        arguments: [
            ("\r\n", .malformedChunkSize), ("g\r\n", .malformedChunkSize),
            ("-1\r\n", .malformedChunkSize), ("+1\r\n", .malformedChunkSize),
            (" 1\r\n", .malformedChunkSize), ("0x1\r\n", .malformedChunkSize),
            (";a\r\n", .malformedChunkSize), ("1 \r\n", .malformedChunkSize),
            ("1 2\r\n", .malformedChunkSize), ("1\n", .malformedChunkSize),
            ("1\rx", .malformedChunkSize), ("1;a\nb", .malformedChunkSize),
            ("1;a\u{0}", .malformedChunkSize), ("1;a\u{7f}", .malformedChunkSize),
            ("1;a\rb", .malformedChunkSize), ("1,2\r\n", .malformedChunkSize),
            ("10000000000000000\r\n", .malformedChunkSize),
            ("00000000000000000\r\n", .malformedChunkSize),
            ("1\r\nab", .malformedChunkEnd), ("1\r\na\n", .malformedChunkEnd),
            ("1\r\na\ra", .malformedChunkEnd), ("2\r\na\r\n0", .malformedChunkEnd),
            ("0\r\n\n", .malformedTrailer), ("0\r\n\rx", .malformedTrailer),
            ("0\r\n a: b\r\n", .malformedTrailer), ("0\r\na: b\r\n c\r\n", .malformedTrailer),
            ("0\r\n: b\r\n", .malformedTrailer), ("0\r\na b: c\r\n", .malformedTrailer),
            ("0\r\nabc\r\n", .malformedTrailer), ("0\r\na: b\n", .malformedTrailer),
            ("0\r\na: b\rc", .malformedTrailer), ("0\r\na: \u{0}", .malformedTrailer),
            ("0\r\nGET / HTTP/1.1\r\n", .malformedTrailer),
        ] as [(String, Refusal)])
    func `is refused for its fault however it is cut`(text: String, refusal: Refusal) {
        let bytes = Array(text.utf8)
        let whole = Decoded([bytes])
        #expect(whole.refusal == refusal)
        for cut in 0...bytes.count {
            #expect(Decoded([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
        }
    }

    @Test func `stays refused`() {
        var decoder = ChunkedDecoder(limits: Limits())
        let bytes = Array("x5\r\nhello".utf8)
        var position = 0
        #expect(decoder.next(in: bytes.span, at: &position) == .invalid(.malformedChunkSize))
        #expect(decoder.next(in: bytes.span, at: &position) == .invalid(.malformedChunkSize))
        #expect(position == 1)
    }

    @Test func `stays ended`() {
        var decoder = ChunkedDecoder(limits: Limits())
        let bytes = Array("0\r\n\r\n5\r\n".utf8)
        var position = 0
        #expect(decoder.next(in: bytes.span, at: &position) == .end)
        #expect(decoder.next(in: bytes.span, at: &position) == .end)
        #expect(position == 5)
    }

    @Test func `has bounded size lines`() {
        let limits = Limits()
        let longest = "1;" + String(repeating: "e", count: limits.chunkLineBytes - 2)
        #expect(Decoded("\(longest)\r\nx\r\n0\r\n\r\n").last == .end)
        #expect(Decoded("\(longest)e\r\nx\r\n0\r\n\r\n").refusal == .chunkLineTooLong)
        let blanks = "1" + String(repeating: " ", count: limits.chunkLineBytes)
        #expect(Decoded(blanks).refusal == .chunkLineTooLong)
        #expect(Decoded("1\r\nx\r\n\(longest)\r\ny\r\n0\r\n\r\n").last == .end)
        var tiny = limits
        tiny.chunkLineBytes = 3
        #expect(Decoded("003\r\n", limits: tiny).last == .needsMore)
        #expect(Decoded("0003\r\n", limits: tiny).refusal == .chunkLineTooLong)
    }

    @Test func `has bounded trailers`() {
        let limits = Limits()
        let longest = "a:" + String(repeating: "b", count: limits.trailerBytes - 2)
        #expect(Decoded("0\r\n\(longest)\r\n\r\n").last == .end)
        #expect(Decoded("0\r\n\(longest)b\r\n\r\n").refusal == .trailerTooLong)
        let lines = String(repeating: "a:\r\n", count: limits.trailerBytes / 2)
        #expect(Decoded("0\r\n\(lines)\r\n").last == .end)
        #expect(Decoded("0\r\n\(lines)a:\r\n\r\n").refusal == .trailerTooLong)
    }

    @Test(arguments: 0..<32 as Range<UInt64>)
    func `that is mutated means the same in pieces`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var bytes = Array(bodies.randomElement(using: &generator)!.0.utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let position = bytes.indices.randomElement(using: &generator)!
                bytes[position] = Array("\r\n01f;: x\u{0}".utf8).randomElement(using: &generator)!
            }
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            #expect(Decoded(pieces) == Decoded([bytes]))
        }
    }
}
