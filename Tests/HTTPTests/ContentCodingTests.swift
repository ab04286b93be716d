// Goal:   which codings a request accepts, and in which order, is what RFC 9110 §12.5.3 says.
// Method: a table; of what is malformed nothing is accepted.

import Testing

@testable import HTTP

@Suite struct `Accept-Encoding` {
    private func order(_ values: [String]) -> String {
        let parsed = Parsed(
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + values.map { "Accept-Encoding: \($0)\r\n" }.joined() + "\r\n")
        return AcceptedCodings(parsed.head, in: parsed.bytes.span).inOrder.map(\.token)
            .joined(separator: " ")
    }

    @Test(arguments: [
        ("", ""), ("gzip", "gzip"), ("GZip", "gzip"), ("x-gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br zstd gzip"), ("gzip;q=1.0, br;q=0.5", "gzip br"),
        ("br;q=0, gzip", "gzip"), ("br;q=0.000", ""), ("br; q=0.001", "br"), ("br ;Q=1", "br"),
        ("*", "br zstd gzip"), ("*;q=0.5, gzip;q=0.8", "gzip br zstd"), ("*;q=0", ""),
        ("gzip, *;q=0", "gzip"), ("identity", ""), ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=1, gzip;q=0.5", ""), ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("compress, deflate", ""), (" , gzip ,, br", "br gzip"), ("gzip;q=0, gzip", "gzip"),
    ])
    func `is read`(value: String, wanted: String) { #expect(order([value]) == wanted) }

    @Test(arguments: [
        "gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=-1", "gzip;q=", "gzip;q", "gzip;",
        "gzip;x=1", "gzip q=1", "gzip/1", "br, gzip;q=NaN", "br;q=.5", "br;q=1e0", "\"br\"",
        "br;q=0.5;q=1",
    ])
    func `that is malformed accepts nothing`(value: String) { #expect(order([value]) == "") }

    @Test func `may stand on several lines`() {
        #expect(order(["gzip;q=0.5", "br;q=0.4"]) == "gzip br")
        #expect(order(["gzip", "br;q=x"]) == "")
        #expect(order([]) == "")
    }
}

@Suite struct `Text` {
    @Test func `is what its type says`() {
        for type in [
            "text/html", "TEXT/CSS; charset=utf-8", "application/json", "image/svg+xml",
            "application/ld+json", "application/javascript", "application/wasm",
        ] {
            let isTextual = MediaType.isTextual(type.utf8.span)
            #expect(isTextual, "\(type)")
        }
        for type in [
            "", "text/", "image/png", "application/octet-stream", "video/mp4", "application/gzip",
            "textual/x", "application/jsonx",
        ] {
            let isTextual = MediaType.isTextual(type.utf8.span)
            #expect(!isTextual, "\(type)")
        }
    }
}
