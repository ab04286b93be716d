// Goal:   one path, one name: nothing climbs out, hides, or is read differently by two readers.
// Method: tables of paths with their names or their faults, limits at n and n + 1, and random paths
//         against what every name must hold.

import HTTP
import Testing

/// A path decoded under a base, with its name as text.
private func decode(
    _ path: String, base: String = "/", limits: Limits = Limits()
) throws(Refusal) -> (name: String, path: RequestPath) {
    try decode(Array(path.utf8), base: base, limits: limits)
}

private func decode(
    _ path: [UInt8], base: String = "/", limits: Limits = Limits()
) throws(Refusal) -> (name: String, path: RequestPath) {
    var result: RequestPath?
    let base = Array(base.utf8)
    let name = try written(capacity: limits.nameBytes) { (output) throws(Refusal) in
        result = try RequestPath.decode(path.span, base: base.span, limits: limits, into: &output)
    }
    return (String(decoding: name, as: UTF8.self), result!)
}

@Suite struct `A path` {
    @Test(arguments: [
        ("/a", "a"), ("/a/b/c.jpg", "a/b/c.jpg"), ("/", ""), ("", ""),
        ("/a%20b", "a b"), ("/a+b", "a+b"), ("/%61%2D%5a", "a-Z"),
        ("/%C3%A9", "\u{e9}"), ("/%e2%82%ac/%F0%9F%98%80", "\u{20ac}/\u{1f600}"),
        ("/%252e%252e/%252f", "%2e%2e/%2f"), ("/%25", "%"), ("/%2500", "%00"),
        ("/a/.b", "a/.b"), ("/a/..b/c..", "a/..b/c.."), ("/a/...", "a/..."),
        ("/%C2%A0", "\u{a0}"), ("/~a:b@c!$&'()*,;=", "~a:b@c!$&'()*,;="), ("/a?b", "a?b"),
        ("/%F4%8F%BF%BF", "\u{10ffff}"), ("/%ED%9F%BF%EE%80%80", "\u{d7ff}\u{e000}"),
    ])
    func `is decoded once to a name`(path: String, name: String) throws {
        let decoded = try decode(path)
        #expect(decoded.name == name)
        #expect(decoded.path.isUnderBase)
    }

    @Test(
        arguments: [
            ("a", .malformedPath), ("http://a", .malformedPath), ("%2Fa", .malformedPath),
            ("/%", .malformedEscape), ("/%4", .malformedEscape), ("/%zz", .malformedEscape),
            ("/%4g", .malformedEscape), ("/a%", .malformedEscape), ("/%%41", .malformedEscape),
            ("/% 41", .malformedEscape), ("/%+1", .malformedEscape), ("/%u0041", .malformedEscape),
            ("//", .emptySegment), ("//a", .emptySegment), ("/a//b", .emptySegment),
            ("/a/", .emptySegment), ("/a/b/", .emptySegment),
            ("/.", .dotSegment), ("/..", .dotSegment), ("/./a", .dotSegment),
            ("/../a", .dotSegment),
            ("/a/.", .dotSegment), ("/a/..", .dotSegment), ("/a/../b", .dotSegment),
            ("/a/./b", .dotSegment), ("/%2e%2e/a", .dotSegment), ("/.%2E/a", .dotSegment),
            ("/a/%2e", .dotSegment), ("/a/%2e%2e", .dotSegment),
            ("/%2e%2e%2fa", .forbiddenCharacter), ("/a%2Fb", .forbiddenCharacter),
            ("/%2f", .forbiddenCharacter), ("/a%2f..", .forbiddenCharacter),
            ("/%00", .forbiddenCharacter), ("/a%00.jpg", .forbiddenCharacter),
            ("/a\\b", .forbiddenCharacter), ("/..%5ca", .forbiddenCharacter),
            ("/a%0d%0ab", .forbiddenCharacter), ("/%1f", .forbiddenCharacter),
            ("/%7F", .forbiddenCharacter), ("/%09", .forbiddenCharacter),
            ("/.upload_sessions/x", .hiddenSegment), ("/.htaccess", .hiddenSegment),
            ("/%2egit/config", .hiddenSegment), ("/...", .hiddenSegment), ("/...a", .hiddenSegment),
        ] as [(String, Refusal)])
    func `is refused for its fault`(path: String, refusal: Refusal) {
        #expect(throws: refusal) { try decode(path) }
    }

    @Test(
        arguments: [
            [0x80], [0xbf, 0x80], [0xc0, 0xaf], [0xc1, 0xbf], [0xc3], [0xc3, 0x28],
            [0xc3, 0xc3, 0xa9],
            [0xe0, 0x80, 0xaf], [0xe0, 0x9f, 0xbf], [0xe2, 0x82], [0xe2, 0x28, 0xa1],
            [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0xaf],
            [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xfe],
            [0xff], [0xc0, 0xae, 0xc0, 0xae], [0xe2, 0x82, 0x2f],
        ] as [[UInt8]])
    func `that is not UTF-8 is refused, escaped or not`(bytes: [UInt8]) {
        #expect(throws: Refusal.invalidUnicode) { try decode(Array("/a".utf8) + bytes) }
        let inSegment = bytes.filter { $0 != 0x2f }
        let escaped = "/a" + inSegment.map { "%" + String($0, radix: 16) }.joined() + "/b"
        #expect(throws: Refusal.invalidUnicode) { try decode(escaped) }
    }

    @Test func `has a bounded name`() throws {
        let limits = Limits()
        let segment = String(repeating: "x", count: 239)
        let most = "/\(segment)/\(segment)x"
        #expect(try decode(most).name.utf8.count == limits.nameBytes)
        #expect(throws: Refusal.pathTooLong) { try decode(most + "y") }
        let based = "/upload" + most
        #expect(try decode(based, base: "/upload/").name.utf8.count == limits.nameBytes)
        #expect(throws: Refusal.pathTooLong) { try decode(based) }
        #expect(throws: Refusal.pathTooLong) {
            try decode("/a" + String(repeating: "/x", count: 300))
        }
    }

    @Test func `has bounded segments, counted in decoded bytes`() throws {
        let longest = String(repeating: "%78", count: Limits().segmentBytes)
        #expect(try decode("/a/\(longest)/b").name.utf8.count == 255 + 4)
        #expect(throws: Refusal.segmentTooLong) { try decode("/a/\(longest)x/b") }
        #expect(throws: Refusal.segmentTooLong) { try decode("/\(longest)x") }
    }

    @Test(arguments: [
        ("/upload/a", "/upload/", "a", true), ("/upload/", "/upload/", "", true),
        ("/upload", "/upload/", "upload", false), ("/uploads/a", "/upload/", "uploads/a", false),
        ("/upl", "/upload/", "upl", false), ("/", "/upload/", "", false),
        ("/a", "/upload/", "a", false), ("/%75pload/a", "/upload/", "a", true),
        ("/upload/upload/a", "/upload/", "upload/a", true), ("/x/y/z", "/x/y/", "z", true),
        ("/x/yz", "/x/y/", "x/yz", false), ("/health", "/upload/", "health", false),
        ("/upload/health", "/upload/", "health", true),
        ("/Upload/a", "/upload/", "Upload/a", false),
        ("", "/upload/", "", false),
    ])
    func `loses its base`(path: String, base: String, name: String, isUnderBase: Bool) throws {
        let decoded = try decode(path, base: base)
        #expect(decoded.name == name)
        #expect(decoded.path.isUnderBase == isUnderBase)
    }

    @Test(arguments: ["/upload//a", "/upload/a//b", "/upload/a/", "/uploads/"])
    func `under a base has no empty segment either`(path: String) {
        #expect(throws: Refusal.emptySegment) { try decode(path, base: "/upload/") }
    }

    @Test(arguments: ["/upload/../a", "/upload/%2e%2e/a", "/../upload/a", "/upload/."])
    func `does not climb out of its base`(path: String) {
        #expect(throws: Refusal.dotSegment) { try decode(path, base: "/upload/") }
    }

    @Test func `under a base starts with no dot`() {
        #expect(throws: Refusal.hiddenSegment) { try decode("/upload/.git", base: "/upload/") }
    }

    @Test func `tells the server's own segments from names`() throws {
        for reserved in ReservedSegment.allCases {
            #expect(try decode("/\(reserved.text)").path.reserved == reserved)
            #expect(try decode("/\(reserved.text)/x/y").path.reserved == reserved)
            #expect(try decode("/\(reserved.text)x").path.reserved == nil)
            #expect(try decode("/\(reserved.text.uppercased())").path.reserved == nil)
            #expect(try decode("/x/\(reserved.text)").path.reserved == nil)
        }
        let texts = ReservedSegment.allCases.map(\.text)
        #expect(
            texts == [
                "health", "ready", "metrics", "admin", "upload", "files", "chunked-upload",
                "upload-status", "download", "u",
            ])
        for other in ["healty", "reads", "files.", "v", "", "upload.status", "a"] {
            #expect(try decode("/\(other)").path.reserved == nil)
        }
    }

    @Test func `traps without room for the longest name`() async {
        await #expect(processExitsWith: .failure) {
            _ = try written(capacity: 10) { (output) throws(Refusal) in
                let slash = [UInt8(ascii: "/")]
                _ = try RequestPath.decode(
                    slash.span, base: slash.span, limits: Limits(), into: &output)
            }
        }
    }

    @Test(arguments: 0..<32 as Range<UInt64>)
    func `made of random pieces is refused or yields a clean name`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "/", "..", ".", "%2e", "%2f", "%00", "a", "bc", "%", "%25", "%c3", "%a9", "\\",
            "upload",
            "%e2%82%ac", "+", "%5c", "é",
        ]
        var acceptedCount = 0
        for _ in 0..<400 {
            let count = Int.random(in: 0...6, using: &generator)
            let path = (0..<count).map { _ in pieces.randomElement(using: &generator)! }.joined()
            guard let (name, _) = try? decode("/" + path, base: "/upload/") else { continue }
            acceptedCount += 1
            let segments = name.split(separator: "/", omittingEmptySubsequences: false)
            #expect(name.isEmpty || !segments.contains { ["", ".", ".."].contains($0) }, "\(path)")
            #expect(!name.utf8.contains { $0 < 0x20 || $0 == 0x5c } && !name.hasPrefix("."))
            #expect(!name.unicodeScalars.contains("\u{fffd}"), "\(path)")
        }
        #expect(acceptedCount > 0)
    }
}
