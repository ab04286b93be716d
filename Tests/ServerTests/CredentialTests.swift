// Goal:   what a credential uploads is its own: nobody else's signature or token goes on with it,
//         and the object's record says whose it is and for which tenant.
// Method: a front with several secrets and tokens on a store (StoredBed); the record is looked for
//         on the simulated disk.

import Catalog
import Cryptography
import Signatures
import Simulator
import Store
import Testing

@testable import Server

@Suite struct `Uploads of several credentials` {
    private static let secrets = [
        UploadCredential(owner: "secret", secret: [1]),
        UploadCredential(owner: "secret:two", tenant: "acme", secret: [2, 2]),
        UploadCredential(owner: "secret:three", tenant: "umbra", secret: [3]),
    ]
    private static let tokens = [
        UploadCredential(owner: "uploadToken", secret: Array("first".utf8)),
        UploadCredential(owner: "token:app", tenant: "acme", secret: Array("second".utf8)),
    ]

    private func withBed(_ body: (StoredBed) throws -> Void) throws {
        var settings = StoredBed.lasting()
        settings.secrets = Self.secrets
        settings.tokens = Self.tokens
        try withChunkBed(settings, body)
    }

    private func target(
        _ name: String, _ count: Int, by signer: Int, _ scheme: SignatureScheme = .v,
        type: String = ""
    ) throws -> String {
        let secret = Self.secrets[signer].secret
        var authenticator = try MessageAuthenticator(key: secret.span)
        let tag = scheme.tag(
            path: name.utf8.span, size: UInt64(count), type: type.utf8.span, &authenticator)
        return "/\(name)?\(scheme.parameter)=\(tag.hexadecimal)"
    }

    private func ask(
        _ bed: StoredBed, _ method: String, _ target: String, _ fields: [String] = [],
        _ body: [UInt8]? = nil, token: String? = nil
    ) -> Response? {
        let all =
            (token.map { ["Authorization: Bearer \($0)"] } ?? []) + fields
            + (body.map { ["Content-Length: \($0.count)"] } ?? [])
        let head = "\(method) \(target) HTTP/1.1\r\nHost: h\r\n"
        return bed.exchange(head + all.map { $0 + "\r\n" }.joined() + "\r\n", body ?? []).answer
    }

    /// Whether a record on the disk has these texts, which stand behind its fixed part.
    private func isRecorded(_ bed: StoredBed, _ texts: String...) -> Bool {
        let wanted = Array(texts.joined().utf8)
        return bed.disk.visible.files.contains { path, file in
            path.contains("small")
                && file.blocks.values.contains { block in
                    block.count > 144 + wanted.count
                        && Array(block[144..<144 + wanted.count]) == wanted
                }
        }
    }

    /// By either way, short or long; and whether the type is covered or guessed.
    @Test(arguments: [0, 1, 2])
    func `are signed by any secret, and are its own`(signer: Int) throws {
        let credential = Self.secrets[signer]
        let owner = String(decoding: credential.owner, as: UTF8.self)
        let tenant = String(decoding: credential.tenant, as: UTF8.self)
        try withBed { bed in
            for (name, size) in [("short", 1000), ("long", 200_000)] {
                let body = noise(size, seed: UInt64(size))
                let signed = try target(name, size, by: signer)
                #expect(ask(bed, "PUT", signed, [], body)?.status == 201)
                #expect(bed.object("/\(name)") == body)
                #expect(isRecorded(bed, name, owner, tenant, "application/octet-stream"))
            }
            let typed = try target("typed", 5, by: signer, .v2, type: "text/html")
            let fields = ["Content-Type: text/html"]
            #expect(ask(bed, "PUT", typed, fields, noise(5, seed: 1))?.status == 201)
            let guessed = try target(
                "t.txt", 5, by: signer, .token, type: "text/plain; charset=utf-8")
            #expect(ask(bed, "PUT", guessed, [], noise(5, seed: 2))?.status == 201)
            #expect(isRecorded(bed, "t.txt", owner, tenant, "text/plain"))
            // Signed for another size, and by nobody.
            #expect(ask(bed, "PUT", try target("x", 6, by: signer), [], [1])?.status == 403)
            #expect(
                ask(bed, "PUT", "/x?v=" + String(repeating: "0", count: 64), [], [1])?.status == 403
            )
        }
    }

    @Test func `go on only with the signature of who began them`() throws {
        let data = noise(300_000, seed: 50)
        let append = ["Upload-Complete: ?1", "Content-Type: application/partial-upload"]
        try withBed { bed in
            for isPlain in [true, false] {
                let name = isPlain ? "plain" : "resumable"
                let mine = try target(name, data.count, by: 1)
                let client = bed.front.connect()
                let more = isPlain ? "" : "Upload-Complete: ?1\r\n"
                let length = "Content-Length: \(data.count)\r\n"
                client.send("PUT \(mine) HTTP/1.1\r\nHost: h\r\n\(length)\(more)\r\n")
                bed.front.settle()
                client.send(Array(data[..<131_072]))
                bed.front.settle()
                _ = bed.finalAnswer(client)

                for other in [0, 2] {
                    let theirs = try target(name, data.count, by: other)
                    let rest = Array(data[131_072...])
                    #expect(ask(bed, "HEAD", theirs)?.status == 404)
                    #expect(
                        ask(bed, "PATCH", theirs, ["Upload-Offset: 131072"] + append, rest)?.status
                            == 404)
                    #expect(ask(bed, "DELETE", theirs)?.status == 401)
                    let begun = ask(
                        bed, "PUT", theirs, ["Upload-Complete: ?0", "Upload-Length: 300000"], [])
                    #expect(begun?.status == 409)
                }
                let head = ask(bed, "HEAD", mine)
                #expect(head?.status == 204 && head?.field("upload-offset") == "131072")
                let fields = ["Upload-Offset: 131072"] + append
                #expect(ask(bed, "PATCH", mine, fields, Array(data[131_072...]))?.status == 201)
                #expect(bed.object("/\(name)") == data)
                #expect(isRecorded(bed, name, "secret:two", "acme", "application/octet-stream"))
            }
        }
    }

    /// A secret that is configured no more leaves its uploads to time.
    @Test func `are nobody's when their secret is gone`() throws {
        let (disk, catalog) = (SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance))
        var settings = StoredBed.lasting()
        settings.secrets = Self.secrets
        let mine = try target("a", 300_000, by: 1)
        let fields = ["Upload-Complete: ?0", "Upload-Length: 300000"]
        try StoredBed.run(disk, catalog, settings: settings) { bed in
            #expect(ask(bed, "PUT", mine, fields, noise(1000, seed: 1))?.status == 201)
        }
        settings.secrets = [Self.secrets[0], Self.secrets[2]]
        try StoredBed.run(SimulatedDisk(disk.visible), catalog, settings: settings) { bed in
            #expect(ask(bed, "HEAD", mine)?.status == 404)
            #expect(ask(bed, "PUT", mine, fields, [])?.status == 403)
            #expect(bed.shared.unfinishedUploads == 1)
        }
        settings.secrets = [Self.secrets[2], Self.secrets[1]]
        try StoredBed.run(SimulatedDisk(disk.visible), catalog, settings: settings) { bed in
            #expect(ask(bed, "HEAD", mine)?.field("upload-offset") == "1000")
            #expect(ask(bed, "DELETE", mine)?.status == 204)
        }
    }

    @Test func `are their token's, in every dialect`() throws {
        let data = noise(100_000, seed: 51)
        let name = { (answer: Response?) -> String in
            String(answer?.field("location")?.dropFirst() ?? "")
        }
        try withBed { bed in
            #expect(ask(bed, "POST", "/files", [], [1], token: "third")?.status == 403)
            #expect(ask(bed, "POST", "/files", [], [1])?.status == 401)
            for (token, owner, tenant) in [
                ("first", "uploadToken", "default"), ("second", "token:app", "acme"),
                ("admin", "adminToken", "default"),
            ] {
                let posted = ask(
                    bed, "POST", "/files", ["Upload-Complete: ?1"], data, token: token)
                #expect(posted?.status == 201)
                #expect(isRecorded(bed, name(posted), owner, tenant, "application/octet-stream"))

                let tus = ["Tus-Resumable: 1.0.0"]
                let created = ask(
                    bed, "POST", "/files",
                    tus + ["Upload-Length: 3", "Upload-Metadata: path \(base64(token))"], [],
                    token: token)
                let location = try #require(created?.field("location"))
                for other in ["first", "second", "admin"] where other != token {
                    #expect(ask(bed, "HEAD", location, tus, token: other)?.status == 404)
                }
                let type = ["Content-Type: application/offset+octet-stream", "Upload-Offset: 0"]
                #expect(
                    ask(bed, "PATCH", location, tus + type, [1, 2, 3], token: token)?.status == 204)
                #expect(isRecorded(bed, "t-\(token)", owner, tenant, "application/octet-stream"))

                let fields = ["X-Filename: n-\(token)", "X-Total-Size: 3"]
                let session = ask(bed, "POST", "/chunked-upload", fields, [], token: token)
                let id = try #require(session?.member("session_id"))
                let chunk = ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: 0"]
                #expect(
                    ask(bed, "PUT", "/chunked-upload", chunk, [1, 2, 3], token: token)?.status
                        == 200)
                let part = "--b\r\nContent-Disposition: form-data; name="
                let form =
                    "\(part)path\r\n\r\nf-\(token)\r\n"
                    + "\(part)file; filename=x\r\n\r\nabc\r\n--b--\r\n"
                let sent = ask(
                    bed, "POST", "/upload", ["Content-Type: multipart/form-data; boundary=b"],
                    Array(form.utf8), token: token)
                #expect(sent?.status == 200)
                #expect(isRecorded(bed, "f-\(token)", owner, tenant))
            }
        }
    }

    /// Of that with `t-` before it.
    private func base64(_ text: String) -> String {
        ["first": "dC1maXJzdA==", "second": "dC1zZWNvbmQ=", "admin": "dC1hZG1pbg=="][text] ?? ""
    }
}
