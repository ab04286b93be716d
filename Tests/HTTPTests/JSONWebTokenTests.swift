// Goal:   of a JSON Web Token is believed what RFC 7515 and 7519 let be believed: one algorithm,
//         one text for it, a time at which it ends, and whom it is for.
// Method: the tokens of both documents; tables; every bit of a token flipped.

import Testing

@testable import HTTP

/// As RFC 7515 §2 has it.
private func base64URL(_ bytes: [UInt8]) throws -> String {
    let count = Base64.encodedCount(byteCount: bytes.count)
    let text = try written(capacity: count) { (output) throws(Refusal) in
        output.append(base64: bytes.span)
    }
    return String(decoding: text, as: UTF8.self).replacing("+", with: "-")
        .replacing("/", with: "_").replacing("=", with: "")
}

private func makeToken(
    _ claims: String, header: String = #"{"alg":"HS256"}"#, signature: [UInt8]? = nil
) throws -> String {
    try base64URL(Array(header.utf8)) + "." + base64URL(Array(claims.utf8)) + "."
        + base64URL(signature ?? Array(0..<32))
}

private func read(_ text: String) throws(JSONWebToken.Fault) -> JSONWebToken {
    try JSONWebToken(parsing: text.utf8.span)
}

@Suite struct `A JSON Web Token` {
    /// RFC 7515 A.1: it says neither whose it is.
    private static let example =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        + "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOE"
        + "jXk"

    @Test func `is read`() throws {
        let text = try makeToken(
            #"{"sub":"ä@b","exp":100.5,"nbf":50,"scope":"a upload  admin","aud":["x","y"],"iss":5}"#
        )
        let token = try read(text)
        #expect(token.subject == Array("ä@b".utf8))
        #expect(token.expires == 100.5 && token.notBefore == 50)
        #expect(token.audiences == [Array("x".utf8), Array("y".utf8)])
        #expect(token.allows("upload") && token.allows("admin") && token.allows("a"))
        #expect(!token.allows("up") && !token.allows("") && !token.allows("a upload"))
        #expect(token.signature == Array(0..<32))
        #expect(text.utf8.dropFirst(token.signedByteCount).first == UInt8(ascii: "."))
        #expect(text.utf8.dropFirst(token.signedByteCount).count == 44)
    }

    @Test func `of the documents is none for us`() throws {
        #expect(throws: JSONWebToken.Fault.incomplete) { try read(Self.example) }
        // RFC 7519 §6.1, unsecured; RFC 7515 A.5 the same.
        let parts = Self.example.split(separator: ".")
        #expect(throws: JSONWebToken.Fault.malformed) {
            try read("eyJhbGciOiJub25lIn0.\(parts[1]).")
        }
    }

    @Test(arguments: [
        #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":"RS256"}"#, #"{"alg":"HS384"}"#,
        #"{"alg":"HS512"}"#, #"{"alg":"hs256"}"#, #"{"alg":"HS256 "}"#, #"{"alg":["HS256"]}"#,
        #"{"alg":null}"#, "{}", #"{"typ":"JWT"}"#, #"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        #"{"alg":"HS256","crit":[]}"#, #"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
    ])
    func `is signed in one way only`(header: String) throws {
        let text = try makeToken(#"{"sub":"a","exp":1}"#, header: header)
        #expect(throws: JSONWebToken.Fault.unsupported) { try read(text) }
    }

    @Test(arguments: [
        #"{"sub":"a"}"#, #"{"exp":1}"#, "{}", #"{"sub":"","exp":1}"#, #"{"sub":5,"exp":1}"#,
        #"{"sub":"a","exp":"1"}"#, #"{"sub":"a","exp":null}"#, #"{"sub":null,"exp":1}"#,
    ])
    func `says whose it is, and until when`(claims: String) throws {
        let text = try makeToken(claims)
        #expect(throws: JSONWebToken.Fault.incomplete) { try read(text) }
    }

    @Test(arguments: [
        #""nbf":"1""#, #""nbf":null"#, #""aud":5"#, #""aud":[5]"#, #""aud":{}"#,
        #""scope":["upload"]"#,
        #""scope":1"#, #""exp":2"#, #""nbf":1e999"#,
    ])
    func `has claims of the right kind, each once`(claim: String) throws {
        let text = try makeToken(#"{"sub":"a","exp":1,"# + claim + "}")
        #expect(throws: JSONWebToken.Fault.malformed) { try read(text) }
    }

    @Test func `has three parts of strict base64`() throws {
        let good = try makeToken(#"{"sub":"a","exp":1}"#)
        let parts = good.split(separator: ".").map(String.init)
        #expect(throws: Never.self) { try read(good) }
        for text in [
            "", ".", "..", "...", "a.b.c", good + ".", "." + good, good + "=", good + " ",
            " " + good,
            parts[0] + "." + parts[1], parts.joined(separator: "."),
            parts[0] + "=." + parts[1] + "." + parts[2],
            // Another text for the same 32 bytes: bits that belong to none.
            String(good.dropLast()) + "9", good.replacing(parts[2], with: ""),
            good.replacing(parts[2], with: try base64URL(Array(0..<31))),
            good.replacing(parts[2], with: try base64URL(Array(0..<33))),
            good.replacing(parts[1], with: try base64URL(Array("[1]".utf8))),
            good.replacing(parts[1], with: try base64URL(Array("{} x".utf8))),
            good.replacing(parts[0], with: try base64URL(Array("5".utf8))),
        ] where text != good {
            #expect(throws: JSONWebToken.Fault.malformed, "\(text)") { try read(text) }
        }
        let claims = { #"{"sub":"a","exp":1,"x":"\#(String(repeating: "x", count: $0))"}"# }
        let long = try makeToken(claims(6000))
        #expect(long.utf8.count <= JSONWebToken.bytesMax)
        #expect(throws: Never.self) { try read(long) }
        let tooLong = try makeToken(claims(6200))
        #expect(throws: JSONWebToken.Fault.malformed) { try read(tooLong) }
    }

    @Test func `counts within its time, and a minute around it`() throws {
        let token = try read(makeToken(#"{"sub":"a","exp":1000,"nbf":500}"#))
        for (now, fault) in [
            (439, .notYetValid), (440, nil), (500, nil), (1000, nil), (1059, nil), (1060, .expired),
            (UInt64.max, .expired),
        ] as [(UInt64, JSONWebToken.Fault?)] {
            #expect(token.fault(at: now, audience: nil) == fault, "\(now)")
        }
        let early = try read(makeToken(#"{"sub":"a","exp":-5}"#))
        #expect(early.fault(at: 0, audience: nil) == nil)
        #expect(early.fault(at: 55, audience: nil) == .expired)
    }

    @Test(
        arguments: [
            ("", nil, true), ("", "me", false), (#","aud":"me""#, "me", true),
            (#","aud":"me""#, nil, false), (#","aud":"you""#, "me", false),
            (#","aud":["you","me"]"#, "me", true), (#","aud":[]"#, "me", false),
            (#","aud":[]"#, nil, false), (#","aud":"""#, nil, false),
        ] as [(String, String?, Bool)])
    func `is for whom it says`(claim: String, audience: String?, counts: Bool) throws {
        let token = try read(makeToken(#"{"sub":"a","exp":1000"# + claim + "}"))
        let fault = token.fault(at: 1, audience: audience.map { Array($0.utf8) })
        #expect(fault == (counts ? nil : .foreignAudience))
    }

    @Test func `survives damage`() throws {
        let good = Array(try makeToken(#"{"sub":"a","exp":1000,"scope":"upload"}"#).utf8)
        for index in good.indices {
            for bit in 0..<8 {
                var damaged = good
                damaged[index] ^= 1 << UInt8(bit)
                _ = try? JSONWebToken(parsing: damaged.span)
            }
            _ = try? JSONWebToken(parsing: Array(good[..<index]).span)
        }
    }
}
