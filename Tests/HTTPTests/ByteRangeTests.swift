// Goal:   ranges as RFC 9110 §14 has them, for any length and any number a client can write.

import HTTP
import Testing

private let max64 = UInt64.max

@Suite struct `A Range field` {
    @Test(
        arguments: [
            ("bytes=0-499", .from(first: 0, last: 499)),
            ("bytes=500-999", .from(first: 500, last: 999)),
            ("bytes=9500-", .from(first: 9500, last: nil)), ("bytes=-500", .suffix(count: 500)),
            ("bytes=0-0", .from(first: 0, last: 0)), ("BYTES=0-0", .from(first: 0, last: 0)),
            ("bytes= 0-1 ", .from(first: 0, last: 1)), ("bytes=,0-1", .from(first: 0, last: 1)),
            ("bytes=0-1 ,\t,", .from(first: 0, last: 1)),
            ("bytes=007-010", .from(first: 7, last: 10)),
            ("bytes=-0", .suffix(count: 0)), ("bytes=0-0,-1", .several),
            ("bytes= 0-999, 4500-5499, -1000", .several),
            ("bytes=18446744073709551615-", .from(first: max64, last: nil)),
            ("bytes=0-99999999999999999999999999", .from(first: 0, last: max64)),
            ("bytes=99999999999999999999999999-", .from(first: max64, last: nil)),
            ("bytes=-99999999999999999999999999", .suffix(count: max64)),
        ] as [(String, ByteRange)])
    func `is parsed`(value: String, expected: ByteRange) {
        #expect(ByteRange(parsing: value.utf8.span) == expected)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1-0", "bytes=5",
        "bytes 0-1",
        "bytes =0-1", "bytes=0 - 1", "bytes=0--1", "bytes=--1", "bytes=-1-2", "bytes=+0-1",
        "bytes=0-1;", "bytes=0-1,x", "bytes=0-1,2-1", "items=0-1", "xbytes=0-1", "bytes=0-1-2",
        "bytes=0x0-1", "bytes:0-1", "bytes=1- 2", "bytes=\u{661}-2",
    ])
    func `that is malformed or of another unit is ignored`(value: String) {
        #expect(ByteRange(parsing: value.utf8.span) == .ignored)
        #expect(ByteRange(parsing: value.utf8.span).resolve(length: 10) == .full)
    }

    @Test(
        arguments: [
            (.from(first: 0, last: 499), 10_000, .satisfiable(0...499)),
            (.from(first: 9_500, last: nil), 10_000, .satisfiable(9_500...9_999)),
            (.suffix(count: 500), 10_000, .satisfiable(9_500...9_999)),
            (.from(first: 0, last: 0), 1, .satisfiable(0...0)),
            (.from(first: 0, last: nil), 1, .satisfiable(0...0)),
            (.from(first: 9_999, last: max64), 10_000, .satisfiable(9_999...9_999)),
            (.from(first: 10_000, last: nil), 10_000, .unsatisfiable),
            (.from(first: 10_000, last: 10_001), 10_000, .unsatisfiable),
            (.from(first: max64, last: max64), 10, .unsatisfiable),
            (.from(first: 0, last: nil), 0, .unsatisfiable),
            (.from(first: 0, last: 0), 0, .unsatisfiable),
            (.suffix(count: 0), 10, .unsatisfiable), (.suffix(count: 0), 0, .unsatisfiable),
            (.suffix(count: 1), 0, .full), (.suffix(count: 10), 10, .satisfiable(0...9)),
            (.suffix(count: max64), 10, .satisfiable(0...9)), (.several, 10, .full),
            (.from(first: 0, last: nil), max64, .satisfiable(0...(max64 - 1))),
            (.suffix(count: 1), max64, .satisfiable((max64 - 1)...(max64 - 1))),
        ] as [(ByteRange, UInt64, ByteRange.Resolved)])
    func `is cut to what there is`(range: ByteRange, length: UInt64, expected: ByteRange.Resolved) {
        #expect(range.resolve(length: length) == expected)
    }

    @Test func `of any kind never reaches beyond the object`() {
        var generator = SeededGenerator(seed: 9110)
        let characters = Array("0123456789-, =bytes".utf8)
        for _ in 0..<20_000 {
            let tail = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                characters.randomElement(using: &generator)!
            }
            let range = ByteRange(parsing: (Array("bytes=".utf8) + tail).span)
            let length = UInt64.random(in: 0...30, using: &generator)
            if case .satisfiable(let bytes) = range.resolve(length: length) {
                #expect(bytes.upperBound < length)
            }
        }
    }
}
