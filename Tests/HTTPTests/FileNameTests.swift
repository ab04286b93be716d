// Goal:   a file's name is never a path, and fits one segment of an object's name.

import HTTP
import Testing

@Suite struct `A file's name` {
    @Test(arguments: [
        "a", "a b.jpg", ".hidden", "...", "..a", "a..", "\u{1f600}", "-", "~", "a:b*?\"<>|%2F", " ",
        String(repeating: "\u{e9}", count: 127) + "x",
    ])
    func `is taken`(name: String) throws {
        try FileName.validate(name.utf8.span, limits: Limits())
    }

    @Test(arguments: [
        "", ".", "..", "/", "a/b", "../a", "a/..", "\\", "a\\b", "a\u{0}", "a\n", "\u{7f}", "\t",
        String(repeating: "a", count: 256),
    ])
    func `that is none is refused`(name: String) {
        #expect(throws: Refusal.malformedFileName) {
            try FileName.validate(name.utf8.span, limits: Limits())
        }
    }

    @Test(
        arguments: [[0xff], [0xc3], [0x61, 0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func `is UTF-8`(name: [UInt8]) {
        #expect(throws: Refusal.malformedFileName) {
            try FileName.validate(name.span, limits: Limits())
        }
    }
}
