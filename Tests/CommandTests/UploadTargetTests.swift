// The URL that `millrace sign` is given: what is sent, what is signed, and what cannot be signed.

import HTTP
import Testing

@testable import millrace

@Suite struct `An upload's URL` {
    @Test(arguments: [
        ("http://h/a", "http://h/a", "a"), ("https://h:1/a/b.c", "https://h:1/a/b.c", "a/b.c"),
        ("http://h/a b/ü.bin", "http://h/a%20b/%C3%BC.bin", "a b/ü.bin"),
        ("http://h/a%20b", "http://h/a%20b", "a b"), ("http://h/%41%3f", "http://h/A%3F", "A?"),
        ("http://h/100%25", "http://h/100%25", "100%"),
        ("http://h/%2541", "http://h/%2541", "%41"),
        ("http://h/a+b~(1)", "http://h/a%2Bb~%281%29", "a+b~(1)"),
        ("http://[::1]:80/x", "http://[::1]:80/x", "x"), ("http://h/a/.b", "http://h/a/.b", "a/.b"),
        ("http://h/a/admin", "http://h/a/admin", "a/admin"),
    ])
    func `is encoded for sending and decoded for signing`(text: String, url: String, path: String)
        throws
    {
        let target = try UploadTarget(url: text, basePath: "/")
        #expect(target.url == url)
        #expect(target.path == Array(path.utf8))
    }

    @Test func `has as long a name as the server takes`() throws {
        let name = "x" + String(repeating: "/x", count: 239) + "y"
        #expect(name.utf8.count == Limits().nameBytes)
        #expect(try UploadTarget(url: "http://h/" + name, basePath: "/").path.count == 480)
    }

    @Test func `is signed without the base path`() throws {
        let target = try UploadTarget(url: "http://h/up/a", basePath: "/up/")
        #expect(target.url == "http://h/up/a")
        #expect(target.path == Array("a".utf8))
    }

    @Test(
        arguments: [
            ("h/a", .noScheme), ("ftp://h/a", .noScheme), ("http:///a", .noHost),
            ("http://", .noHost),
            ("http://a b/a", .badHost), ("http://ü/a", .badHost), ("http://h/a?b", .query),
            ("http://h/a#b", .query), ("http://h?a", .query), ("http://h", .noPath),
            ("http://h/", .noPath),
            ("http://h/a/", .refused(.emptySegment)), ("http://h//a", .refused(.emptySegment)),
            ("http://h/a/../b", .refused(.dotSegment)), ("http://h/./b", .refused(.dotSegment)),
            ("http://h/%2e%2E/b", .refused(.dotSegment)), ("http://h/admin", .reserved(.admin)),
            ("http://h/%75/x", .reserved(.u)), ("http://h/.a", .refused(.hiddenSegment)),
            ("http://h/...", .refused(.hiddenSegment)),
            ("http://h/a%ff", .refused(.invalidUnicode)),
            ("http://h/100%", .refused(.malformedEscape)),
            ("http://h/%zz", .refused(.malformedEscape)),
            ("http://h/a%2Fb", .refused(.forbiddenCharacter)),
            ("http://h/" + String(repeating: "x", count: 256), .refused(.segmentTooLong)),
            ("http://h/x" + String(repeating: "/x", count: 240), .refused(.pathTooLong)),
        ] as [(String, UploadTargetError)])
    func `that names no object is refused`(text: String, error: UploadTargetError) {
        #expect(throws: error) { try UploadTarget(url: text, basePath: "/") }
        #expect(!error.description.isEmpty)
    }

    @Test(arguments: [
        "http://h/a%00", "http://h/a\\b", "http://h/a\nb", "http://h/%5c", "http://h/%7F",
    ])
    func `has no control character and no backslash`(text: String) {
        #expect(throws: UploadTargetError.refused(.forbiddenCharacter)) {
            try UploadTarget(url: text, basePath: "/")
        }
    }

    @Test(arguments: ["http://h/other/a", "http://h/up", "http://h/upa"])
    func `is under the base path`(text: String) {
        #expect(throws: UploadTargetError.outsideBase("/up/")) {
            try UploadTarget(url: text, basePath: "/up/")
        }
    }
}
