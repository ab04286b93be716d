// Goal:   a signature counts for exactly the path, size and type that it was made over.
// Method: tags computed with another program (openssl dgst -sha256 -hmac secret).

import Cryptography
import HTTP
import Signatures
import Testing

@testable import Server

/// A request as a handler has it, parsed from text.
func makeRequest(_ text: String) throws -> Request {
    let bytes = Array(text.utf8)
    var head = RequestHead()
    let outcome = HeadParser.parse(bytes.span, into: &head, limits: Limits())
    guard case .complete = outcome else { throw Malformed(outcome: outcome) }
    return Request(slot: 0, head: head, bytes: bytes, number: 1, handedAt: 0)
}

struct Malformed: Error { let outcome: HeadParser.Outcome }

@Suite struct `A request's signature` {
    private func signature(_ query: String) throws -> RequestSignature {
        try RequestSignature(makeRequest("PUT /a?\(query) HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    private func matches(
        _ signature: RequestSignature, _ path: String, _ size: UInt64, _ type: String
    ) throws -> Bool {
        var authenticator = try MessageAuthenticator(key: Array("secret".utf8).span)
        return signature.matches(
            path: Array(path.utf8), size: size, type: type.utf8.span, &authenticator)
    }

    @Test func `of scheme v covers path and size`() throws {
        let tag = "aae05bcd5ced36c49c5432d01b5a4f5c1f6c92df1f7ae8c3b3e1e6c3db727cf8"
        let signature = try signature("v=\(tag)")
        #expect(signature.scheme == .v)
        #expect(try matches(signature, "a/b.txt", 5, "text/plain"))
        #expect(try matches(signature, "a/b.txt", 5, "whatever"))
        #expect(try !matches(signature, "a/b.txt", 6, "text/plain"))
        #expect(try !matches(signature, "a/b.txt ", 5, "text/plain"))
        #expect(try !matches(signature, "a/b.tx", 5, "text/plain"))
        #expect(try matches(self.signature("v=" + tag.uppercased()), "a/b.txt", 5, ""))
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345_678_901, .max] as [UInt64])
    func `is over the message that its scheme describes`(size: UInt64) throws {
        var authenticator = try MessageAuthenticator(key: Array("secret".utf8).span)
        let messages: [(SignatureScheme, String)] = [
            (.v, "ä/b \(size)"), (.v2, "ä/b\0\(size)\0a/c"), (.token, "ä/b\0\(size)\0a/c"),
        ]
        for (scheme, message) in messages {
            let expected = authenticator.tag(of: message.utf8.span)
            let tag = scheme.tag(
                path: "ä/b".utf8.span, size: size, type: "a/c".utf8.span, &authenticator)
            #expect(tag == expected, "\(scheme)")
        }
    }

    @Test func `takes any path and size`() throws {
        let tag = "8748937a738609e7eee79567be9d2e3184eebea34ed3f1bcad66037c771a5fd5"
        #expect(try matches(signature("v=\(tag)"), "ä b", .max, ""))
    }

    @Test(arguments: ["v2", "token"])
    func `of schemes v2 and token covers the type too`(parameter: String) throws {
        let tag = "8e712282d523ce669398e82cfd02f775d08a10cf53066f51884d4e0456e90ffc"
        let signature = try signature("x=1&\(parameter)=\(tag)&y")
        #expect(try matches(signature, "a/b.txt", 5, "text/plain"))
        #expect(try !matches(signature, "a/b.txt", 5, "text/plain; charset=utf-8"))
        #expect(try !matches(signature, "a/b.txt", 55, "ext/plain"))
        let long = "8b886b5eb5c335a0bee8bd3f1e6ad48064109f8e2d2f77b630d6e444a9136b41"
        #expect(
            try matches(
                self.signature("\(parameter)=\(long)"), "a/b.txt", 5, "text/plain; charset=utf-8"))
    }

    @Test func `of one scheme is none of another`() throws {
        let v = "aae05bcd5ced36c49c5432d01b5a4f5c1f6c92df1f7ae8c3b3e1e6c3db727cf8"
        let v2 = "8e712282d523ce669398e82cfd02f775d08a10cf53066f51884d4e0456e90ffc"
        #expect(try !matches(signature("v2=\(v)"), "a/b.txt", 5, "text/plain"))
        #expect(try !matches(signature("v=\(v2)"), "a/b.txt", 5, "text/plain"))
    }

    private func fault(_ query: String) throws -> RequestSignature.Fault? {
        let request = try makeRequest("PUT /a\(query) HTTP/1.1\r\nHost: h\r\n\r\n")
        do throws(RequestSignature.Fault) {
            _ = try RequestSignature(request)
            return nil
        } catch { return error }
    }

    @Test func `is there once, or not at all`() throws {
        let tag = String(repeating: "ab", count: 32)
        #expect(try fault("?v=\(tag)") == nil)
        for query in ["", "?", "?x=1", "?V=\(tag)", "?v3=\(tag)", "?%76=\(tag)"] {
            #expect(try fault(query) == .missing, "\(query)")
        }
        for query in ["?v=\(tag)&v=\(tag)", "?v=\(tag)&v2=\(tag)", "?token=\(tag)&v2=", "?v&v"] {
            #expect(try fault(query) == .several, "\(query)")
        }
        for query in ["?v", "?v=", "?v=\(tag)0", "?v=\(tag.dropLast())", "?v=x\(tag.dropFirst())"] {
            #expect(try fault(query) == .malformed, "\(query)")
        }
    }
}
