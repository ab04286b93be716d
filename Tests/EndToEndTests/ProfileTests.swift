// Goal:   a client that returns is advised from the first answer on by what its link was like,
//         also by a server that was started anew; and is a stranger again once it was forgotten.
// Method: the built server and uploads by tus, with a JSON Web Token, for on loopback only its
//         subject says who a client is.

import Cryptography
import Foundation
import Testing

@Suite struct `A client that returns` {
    private static let key = "a key of thirty-two bytes, or so"

    private func start(in scratch: ScratchDirectory) throws -> RunningServer {
        let keyFile = try scratch.write(Array(Self.key.utf8), to: "jwt-key")
        var options = ServerOptions()
        options.security = "jwt_secret_file = \"\(keyFile)\""
        return try RunningServer(options, in: scratch, data: scratch.path + "/data")
    }

    private func token(_ subject: String) throws -> String {
        func encoded(_ bytes: [UInt8]) -> String {
            Data(bytes).base64EncodedString().replacing("+", with: "-")
                .replacing("/", with: "_").replacing("=", with: "")
        }
        let header = #"{"typ":"JWT","alg":"HS256"}"#
        let claims = #"{"sub":"\#(subject)","exp":4000000000,"scope":"upload"}"#
        let text = encoded(Array(header.utf8)) + "." + encoded(Array(claims.utf8))
        let key = Array(Self.key.utf8)
        var authenticator = try MessageAuthenticator(key: key.span)
        let tag = authenticator.tag(of: text.utf8.span)
        return text + "." + encoded((0..<32).map { tag.bytes[$0] })
    }

    private func ask(
        _ server: RunningServer, _ subject: String, _ method: String, _ target: String,
        _ fields: [String], _ body: [UInt8] = []
    ) throws -> RawClient.Response {
        let known = ["Tus-Resumable: 1.0.0", "Authorization: Bearer \(try token(subject))"]
        return try RawClient(server.port).exchange(
            method, target, fields: known + fields, body: body)
    }

    /// What a new upload's answer says of its chunks, without how many at once.
    private func advice(_ server: RunningServer, _ subject: String) throws -> String? {
        let answer = try ask(server, subject, "POST", "/files", ["Upload-Length: 268435456"])
        #expect(answer.status == 201)
        return answer.fields["millrace-chunk"].map { String($0.prefix { $0 != ";" }) }
    }

    private func upload(_ server: RunningServer, _ subject: String, megabytes: Int) throws {
        let bytes = pattern(megabytes << 20, seed: 80)
        let created = try ask(
            server, subject, "POST", "/files", ["Upload-Length: \(2 * bytes.count)"])
        let location = try #require(created.fields["location"])
        for part in 0..<2 {
            let fields = [
                "Content-Type: application/offset+octet-stream",
                "Upload-Offset: \(part * bytes.count)",
            ]
            #expect(try ask(server, subject, "PATCH", location, fields, bytes).status == 204)
        }
    }

    private func profiles(_ server: RunningServer) throws -> String {
        let fields = ["Authorization: Bearer \(RunningServer.adminToken)"]
        let answer = try RawClient(server.port).exchange(
            "GET", "/admin/profiles", fields: fields)
        #expect(answer.status == 200)
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test func `is known, also after a restart, until it is forgotten`() throws {
        let scratch = try ScratchDirectory()
        do {
            let server = try start(in: scratch)
            let stranger = try advice(server, "me")
            try upload(server, "me", megabytes: 8)
            #expect(try advice(server, "me") != stranger)
            #expect(try advice(server, "you") == stranger)
            let known = try profiles(server)
            #expect(known.contains(#"{"client":"user:sub:me","#))
            #expect(known.contains(#""dialect":"tus""#))
            #expect(server.stop() == 0)
        }
        let server = try start(in: scratch)
        #expect(try profiles(server).contains(#"{"client":"user:sub:me","#))
        let stranger = try advice(server, "you")
        #expect(try advice(server, "me") != stranger)
        let fields = ["Authorization: Bearer \(RunningServer.adminToken)"]
        let forgotten = try RawClient(server.port).exchange(
            "DELETE", "/admin/profiles?client=user%3Asub%3Ame", fields: fields)
        #expect(forgotten.status == 204)
        #expect(try advice(server, "me") == stranger)
        #expect(server.stop() == 0)
    }
}
