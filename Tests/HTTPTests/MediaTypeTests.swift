// Goal:   types that are stored are harmless to send back, and what a browser would run is known.

import HTTP
import Testing

@Suite struct `A media type` {
    @Test(arguments: [
        ("a.jpg", "image/jpeg"), ("u/x/A.JPEG", "image/jpeg"), ("a.tar.gz", "application/gzip"),
        ("a.txt", "text/plain"), ("a.svg", "image/svg+xml"), ("a.mp4", "video/mp4"),
        ("a.ogg", "audio/ogg"), ("a.html", "text/html"), ("a.pdf", "application/pdf"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.7z", "application/x-7z-compressed"), ("a.webp", "image/webp"), ("a.opus", "audio/ogg"),
        ("a", MediaType.unknown), ("", MediaType.unknown), ("a.", MediaType.unknown),
        ("a.unknown", MediaType.unknown), ("jpg", MediaType.unknown),
        ("a.jpg/b", MediaType.unknown),
        ("a.jpg.exe", MediaType.unknown), ("a.j\u{e9}", MediaType.unknown),
        ("a.jpgjpgjpgjpg", MediaType.unknown), ("dir.jpg/", MediaType.unknown),
        ("a.markdown", "text/markdown"), (".png", "image/png"), ("a.zip", "application/zip"),
    ])
    func `is guessed from the name's extension`(name: String, type: String) {
        #expect(MediaType.guess(name: name.utf8.span).type == type)
        #expect(MediaType.guess(name: name.utf8.span).bytes == Array(type.utf8))
    }

    @Test func `of plain text has two spellings`() {
        let guess = MediaType.guess(name: "a.txt".utf8.span)
        #expect(guess.alternative == "text/plain; charset=utf-8")
        #expect(MediaType.guess(name: "a.png".utf8.span).alternative == nil)
    }

    @Test(arguments: [
        ("a.txt", "text/plain", true), ("a.txt", "text/plain; charset=utf-8", true),
        ("a.txt", "text/html", false), ("a.png", "image/png", true),
        ("a.png", MediaType.unknown, false), ("a", MediaType.unknown, true),
        ("a.png", "Image/PNG", false), ("a", "", false),
    ])
    func `that is guessed stands for one that is not sent`(
        name: String, signed: String, isCovered: Bool
    ) {
        #expect(MediaType.guess(name: name.utf8.span).covers(signed) == isCovered)
    }

    @Test(arguments: [
        ("text/plain; charset=utf-8", "text/plain"), ("text/plain ;x", "text/plain"),
        ("image/png", "image/png"), ("", ""), (";", ""), ("a/b;c;d", "a/b"),
    ])
    func `is known without its parameters`(type: String, expected: String) {
        let isEqual = MediaType.withoutParameters(type.utf8.span).equals(expected.utf8.span)
        #expect(isEqual)
    }

    @Test(arguments: [
        "image/jpeg", "text/plain; charset=utf-8", "text/plain;charset=\"utf 8\"", "a/b",
        "application/vnd.oasis.opendocument.text", "text/plain ; x=y", "image/svg+xml",
        "application/x-7z-compressed", "a/b;",
    ])
    func `is taken from a client`(type: String) throws {
        try MediaType.validate(type.utf8.span, limits: Limits())
    }

    @Test(arguments: [
        "", "text", "text/", "/plain", "text/plain, text/html", "text /plain", "text/ plain",
        "text/plain\r\nX: y", "text/plain; a=\u{e9}", "text/plain; \u{7f}", "te(t/plain", "a/b/c",
        "text/plain charset", "*/*; \u{0}", " a/b",
    ])
    func `that is malformed is refused`(type: String) {
        #expect(throws: Refusal.malformedContentType) {
            try MediaType.validate(type.utf8.span, limits: Limits())
        }
    }

    @Test func `has a bounded length`() throws {
        let longest = "a/" + String(repeating: "b", count: Limits().contentTypeBytes - 2)
        try MediaType.validate(longest.utf8.span, limits: Limits())
        #expect(throws: Refusal.contentTypeTooLong) {
            try MediaType.validate((longest + "b").utf8.span, limits: Limits())
        }
    }

    @Test(arguments: [
        ("text/html", true), ("TEXT/HTML; charset=utf-8", true), ("application/xhtml+xml", true),
        ("image/svg+xml", true), ("text/xml", true), ("application/xml", true),
        ("application/rss+xml", true), ("text/javascript", true), ("application/ecmascript", true),
        ("application/x-javascript", true), ("multipart/x-mixed-replace", true),
        ("application/x-shockwave-flash", true), ("text/xsl", true),
        ("image/jpeg", false), ("text/plain", false), ("text/plain; x=html", false),
        ("application/pdf", false), ("video/mp4", false), ("application/json", false),
        ("application/octet-stream", false), ("", false),
    ])
    func `is known to be active`(type: String, isActive: Bool) {
        #expect(MediaType.isActive(type.utf8.span) == isActive)
    }
}
