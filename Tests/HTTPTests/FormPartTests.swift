// Goal:   what clients call a part and a file is read as browsers, curl and the RFCs write it.
// Method: rows of Content-Type and of Content-Disposition.

import HTTP
import Testing

private func boundary(_ type: String) throws(Refusal) -> FormBoundary {
    try FormBoundary(contentType: type.utf8.span, limits: Limits())
}

/// The part that this Content-Disposition makes.
private func part(_ disposition: String) -> FormPart? {
    let text = "--b\r\nContent-Disposition: \(disposition)\r\n\r\n"
    let form = ReadForm([Array(text.utf8)], boundary: .plain("b"))
    if case .part(let part) = form.steps.first { return part }
    #expect(form.refusal == .malformedDisposition)
    return nil
}

@Suite struct `A form's boundary` {
    @Test(arguments: [
        ("multipart/form-data; boundary=abc", "abc"),
        ("Multipart/Form-Data;BOUNDARY=abc ", "abc"),
        ("multipart/form-data; boundary=\"a b'()+_,-./:=?\"", "a b'()+_,-./:=?"),
        (
            "multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW;",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW"
        ),
        ("multipart/form-data; a=\"boundary=x; boundary=y\"; boundary=z", "z"),
        (
            "multipart/form-data; boundary=\"===============7330845974216740156==\"",
            "===============7330845974216740156=="
        ),
    ])
    func `is in its type`(type: String, expected: String) throws {
        #expect(try boundary(type) == .plain(expected))
    }

    @Test(arguments: ["", "text/plain; boundary=a", "multipart/mixed; boundary=a", "multipart"])
    func `is not in another type`(type: String) {
        #expect(throws: Refusal.notForm) { try boundary(type) }
        #expect(Refusal.notForm.status == .unsupportedMediaType)
    }

    @Test(arguments: [
        "", "; boundary", "; boundary=", "; boundary=\"\"", "; boundary=\"a", "; boundary=a b",
        "; boundary=a; boundary=a", "; boundary=\"a \"", "; boundary=\" \"", "; boundary=a/b",
        "; boundary=\"a\u{e9}\"", "; boundary=\"a;b\"", "; boundary=\"a\\\"b\"",
        "; boundary=\"a*\"",
        "; boundary = a", "; boundary=a;x", "; =a", "; boundary=\"a\"b", "; xboundary=a",
        "; boundary=a; charset=", "; boundary=(a)", "; boundary=\"a#\"", "; boundary=\"a\\b\"",
    ])
    func `is refused`(parameters: String) {
        #expect(throws: Refusal.malformedBoundary) {
            try boundary("multipart/form-data\(parameters)")
        }
    }

    @Test func `has a bounded length`() throws {
        let longest = String(repeating: "b", count: Limits().boundaryBytes)
        #expect(try boundary("multipart/form-data; boundary=\(longest)") == .plain(longest))
        #expect(throws: Refusal.malformedBoundary) {
            try boundary("multipart/form-data; boundary=\(longest)b")
        }
    }
}

@Suite struct `A part of a form` {
    @Test(
        arguments: [
            ("form-data; name=\"a\"", "a", nil), ("Form-Data;NAME=a", "a", nil),
            ("form-data; name=\"\"", "", nil), ("form-data; name=\"a\"; filename=\"\"", "a", ""),
            ("form-data; name=\"a\"; filename=\"b c.jpg\"", "a", "b c.jpg"),
            ("form-data; filename=b.jpg; name=a", "a", "b.jpg"),
            // curl and Python escape with backslashes, browsers with percent signs.
            ("form-data; name=\"a\"; filename=\"q\\\"q\\\\q\"", "a", "q\"q\\q"),
            ("form-data; name=\"a%22b\"; filename=\"q%22q%22\"", "a\"b", "q\"q\""),
            ("form-data; name=\"a\"; filename=\"C:\\dir\\f.jpg\"", "a", "C:\\dir\\f.jpg"),
            ("form-data; name=\"a\"; filename=\"100%.txt%2\"", "a", "100%.txt%2"),
            ("form-data; name=\"a\"; filename=\"%0D%0A%41%%222\"", "a", "%0D%0A%41%\"2"),
            ("form-data; name=\"a\"; filename=\"\u{e9}\u{1f600}\"", "a", "\u{e9}\u{1f600}"),
            ("form-data; name=\"a; filename=x\"; x=\"y;z\"", "a; filename=x", nil),
            ("form-data; name=a; filename*=UTF-8''%e2%82%ac%20rates", "a", "\u{20ac} rates"),
            ("form-data; name=a; filename=x; filename*=utf-8'en'y", "a", "y"),
            ("form-data; name=a; filename*=utf-8''y; filename=x;", "a", "y"),
            ("form-data; name=a; filename*=utf-8''", "a", ""),
        ] as [(String, String, String?)])
    func `has its names`(disposition: String, name: String, fileName: String?) {
        let part = part(disposition)
        #expect(part?.name == Array(name.utf8))
        #expect(part?.fileName == fileName.map { Array($0.utf8) })
        #expect(part?.contentType == nil)
    }

    @Test(arguments: [
        "", "form-data", "form-data; filename=\"a\"", "attachment; name=\"a\"", "form-data name=a",
        "form-data; name=\"a", "form-data; name=\"a\\\"", "form-data; name=a; name=a",
        "form-data; name=a; filename=b; filename=c", "form-data; name=a; filename*=\"\"",
        "form-data; name=a; filename*=b; filename=c", "form-data; name=a b",
        "form-data; name=a; filename*=ISO-8859-1''b", "form-data; name=a; filename*=UTF-8'b",
        "form-data; name=a; filename*=UTF-8''%zz", "form-data; name=a; filename=",
        "form-data; name=a; filename*=UTF-8''a; filename*=UTF-8''a", "form-data; name=\u{e9}",
        "form-data; name=\"a\"x", "form-data; name", "form-data, name=a",
    ])
    func `without good ones is refused`(disposition: String) {
        #expect(part(disposition) == nil)
    }

    @Test func `has the type that was sent`() {
        let text =
            "--b\r\nContent-Type: text/html; charset=x \r\n"
            + "Content-Disposition: form-data; name=a\r\n\r\n"
        let form = ReadForm([Array(text.utf8)], boundary: .plain("b"))
        guard case .part(let part) = form.steps.first else {
            Issue.record("no part")
            return
        }
        #expect(part.contentType == Array("text/html; charset=x".utf8))
    }
}
