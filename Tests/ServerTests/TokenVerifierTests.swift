// Goal:   a JSON Web Token under the server's key uploads for its subject, for as long as it says,
//         and nobody else's does.
// Method: the example of RFC 7515 A.1; then a front with such a key on a store (StoredBed).

import Cryptography
import HTTP
import Store
import Testing

@testable import Server

/// As RFC 7515 §2 has it.
private func base64URL(_ bytes: [UInt8]) -> String {
    let text = [UInt8](capacity: Base64.encodedCount(byteCount: bytes.count)) {
        $0.append(base64: bytes.span)
    }
    return String(decoding: text, as: UTF8.self).replacing("+", with: "-")
        .replacing("/", with: "_").replacing("=", with: "")
}

@Suite struct `A JSON Web Token as a credential` {
    private static let key = Array("a key of thirty-two bytes, or so".utf8)

    private func token(
        _ subject: String, _ more: String = #","exp":4000000000,"scope":"upload""#,
        header: String = #"{"typ":"JWT","alg":"HS256"}"#, key: [UInt8] = key
    ) throws -> String {
        let claims = #"{"sub":"\#(subject)"\#(more)}"#
        let text = base64URL(Array(header.utf8)) + "." + base64URL(Array(claims.utf8))
        var authenticator = try MessageAuthenticator(key: key.span)
        let tag = authenticator.tag(of: text.utf8.span)
        return text + "." + base64URL((0..<32).map { tag.bytes[$0] })
    }

    private func withBed(
        audience: String? = nil, key: [UInt8]? = key, _ body: (StoredBed) throws -> Void
    ) throws {
        var settings = StoredBed.lasting()
        settings.jwtSecret = key
        settings.jwtAudience = audience.map { Array($0.utf8) }
        try withChunkBed(settings, body)
    }

    private func ask(
        _ bed: StoredBed, _ method: String, _ target: String, _ token: String,
        _ fields: [String] = [], _ body: [UInt8]? = nil
    ) -> Response? {
        let all =
            ["Authorization: Bearer \(token)"] + fields
            + (body.map { ["Content-Length: \($0.count)"] } ?? [])
        let head = "\(method) \(target) HTTP/1.1\r\nHost: h\r\n"
        return bed.exchange(head + all.map { $0 + "\r\n" }.joined() + "\r\n", body ?? []).answer
    }

    @Test func `is verified as RFC 7515 has it`() throws {
        let signed =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs"
            + "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let key = try bytes(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        )
        let signature = try bytes("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        var authenticator = try MessageAuthenticator(key: key.span)
        let tag = authenticator.tag(of: signed.utf8.span)
        #expect(MessageTag(bytes: signature.span) == tag)
    }

    private func bytes(_ text: String) throws -> [UInt8] {
        let bytes = Base64.decodeURL(text.utf8.span)
        return try #require(bytes)
    }

    @Test func `uploads for its subject, in every dialect`() throws {
        try withBed { bed in
            let (mine, yours) = (try token("me"), try token("you"))
            let begun = ["Upload-Complete: ?0", "Upload-Length: 5"]
            let created = ask(bed, "POST", "/files", mine, begun, [1, 2])
            let location = try #require(created?.field("location"))
            #expect(ask(bed, "HEAD", location, mine)?.field("upload-offset") == "2")
            // Another one of the same subject goes on; others' do not.
            let renewed = try token("me", #","exp":4000000001,"scope":"x admin""#)
            #expect(ask(bed, "HEAD", location, renewed)?.field("upload-offset") == "2")
            #expect(ask(bed, "HEAD", location, yours)?.status == 404)
            #expect(bed.ask("HEAD", location)?.status == 404)
            #expect(ask(bed, "HEAD", location, mine, ["Tus-Resumable: 1.0.0"])?.status == 200)
            let chunks = ["X-Filename: f", "X-Total-Size: 5"]
            #expect(ask(bed, "POST", "/chunked-upload", mine, chunks, [])?.status == 201)
            // It is no token for operators.
            #expect(ask(bed, "GET", "/admin/objects", renewed)?.status == 403)
            #expect(ask(bed, "DELETE", "/nothing", renewed)?.status == 403)
        }
    }

    @Test func `does not count for what it is not`() throws {
        let claims = #","exp":4000000000,"scope":"upload""#
        let good = try token("me")
        let parts = good.split(separator: ".").map(String.init)
        let other = try token("you").split(separator: ".").map(String.init)
        try withBed { bed in
            for text in [
                try token("me", key: Array("another key of thirty-two bytes!".utf8)),
                try token("me", header: #"{"alg":"none"}"#),
                try token("me", header: #"{"alg":"RS256"}"#), parts[0] + "." + parts[1] + ".",
                try token("me", header: #"{"alg":"HS256","crit":["x"],"x":1}"#),
                [parts[0], other[1], parts[2]].joined(separator: "."),
                try token("me", #","scope":"upload""#), try token("", claims), good + "x",
                good.replacing(".", with: ".."),
            ] {
                let answer = ask(bed, "POST", "/files", text, ["Upload-Complete: ?1"], [1])
                #expect(answer?.status == 403, "\(text)")
                #expect(answer?.field("www-authenticate") == nil)
            }
            #expect(bed.shared.unfinishedUploads == 0)
        }
        try withBed(key: nil) { bed in
            #expect(ask(bed, "POST", "/files", good, ["Upload-Complete: ?1"], [1])?.status == 403)
        }
    }

    @Test func `says why it counts no more, or not yet`() throws {
        let invalid = "bearer error=\"invalid_token\", error_description="
        try withBed(audience: "here") { bed in
            for (more, status, challenge) in [
                (
                    #""exp":1,"aud":"here","scope":"upload""#, 401,
                    invalid + "\"the token has expired\""
                ),
                (
                    #""exp":4000000000,"nbf":3999999999,"aud":"here","scope":"upload""#, 401,
                    invalid + "\"the token is not valid yet\""
                ),
                (
                    #""exp":4000000000,"aud":"there","scope":"upload""#, 401,
                    invalid + "\"the token is for another audience\""
                ),
                (
                    #""exp":4000000000,"aud":"here","scope":"uploads download""#, 403,
                    "bearer error=\"insufficient_scope\", scope=\"upload\""
                ),
                (
                    #""exp":4000000000,"aud":["x","here"]"#, 403,
                    "bearer error=\"insufficient_scope\", scope=\"upload\""
                ),
            ] {
                let text = try token("me", "," + more)
                let answer = ask(bed, "POST", "/files", text, ["Upload-Complete: ?1"], [1])
                #expect(answer?.status == status, "\(more)")
                #expect(answer?.field("www-authenticate")?.lowercased() == challenge)
            }
            let right = #","exp":4000000000,"aud":["x","here"],"scope":"upload""#
            for (count, status) in [(60, 201), (61, 403)] {
                let text = try token(String(repeating: "s", count: count), right)
                let answer = ask(bed, "POST", "/files", text, ["Upload-Complete: ?1"], [1])
                #expect(answer?.status == status)
            }
        }
    }
}
