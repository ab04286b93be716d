// Goal:   a signature on a URL of /files allows what it allows on the object's own: one upload, to
//         that path, of that size and type; and the upload is the same one, whichever URL speaks.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Cryptography
import Signatures
import Simulator
import Store
import Testing

@testable import Server

@Suite struct `A signature at /files` {
    private static let data = noise(200_000, seed: 60)
    private static let tus = "Tus-Resumable: 1.0.0"
    private static let append = "Content-Type: application/partial-upload"

    private func signature(
        _ path: String, _ size: Int, _ scheme: SignatureScheme = .v, type: String = ""
    ) throws -> String {
        let secret = StoredBed.settings.secrets[0].secret
        var authenticator = try MessageAuthenticator(key: secret.span)
        let tag = scheme.tag(
            path: path.utf8.span, size: UInt64(size), type: type.utf8.span, &authenticator)
        return "\(scheme.parameter)=\(tag.hexadecimal)"
    }

    /// Without a token.
    private func ask(
        _ bed: StoredBed, _ method: String, _ target: String, _ fields: [String] = [],
        _ body: [UInt8]? = nil
    ) -> Response? {
        let all = fields + (body.map { ["Content-Length: \($0.count)"] } ?? [])
        let head = "\(method) \(target) HTTP/1.1\r\nHost: h\r\n"
        return bed.exchange(head + all.map { $0 + "\r\n" }.joined() + "\r\n", body ?? []).answer
    }

    private func begun(_ length: Int) -> [String] {
        ["Upload-Complete: ?0", "Upload-Length: \(length)"]
    }

    private func rest(_ offset: Int) -> [String] {
        ["Upload-Offset: \(offset)", "Upload-Complete: ?1", Self.append]
    }

    // MARK: The IETF's

    @Test(arguments: ["POST", "PUT"])
    func `begins an upload that goes on`(method: String) throws {
        let (data, name) = (Self.data, "dir/a b.bin")
        try withChunkBed { bed in
            let target = "/files?path=dir/a+b.bin&" + (try signature(name, data.count))
            let created = ask(bed, method, target, begun(data.count), Array(data[..<70_000]))
            #expect(created?.status == 201)
            let location = try #require(created?.field("location"))
            #expect(location.hasPrefix("/files/") && location.contains("?v="))
            let head = ask(bed, "HEAD", location)
            #expect(head?.status == 204 && head?.field("upload-offset") == "70000")
            let done = ask(bed, "PATCH", location, rest(70_000), Array(data[70_000...]))
            #expect(done?.status == 201)
            #expect(bed.object("/dir/a%20b.bin") == data)
            // What it became, under its own address.
            #expect(ask(bed, "HEAD", location)?.field("upload-complete") == "?1")
            #expect(ask(bed, "GET", location)?.body == data)
        }
    }

    @Test func `is the object's own upload`() throws {
        let data = Self.data
        try withChunkBed { bed in
            let signed = try signature("a", data.count)
            let created = ask(
                bed, "POST", "/files?path=a&\(signed)", begun(data.count), Array(data[..<1000]))
            let location = try #require(created?.field("location"))
            #expect(ask(bed, "HEAD", "/a?\(signed)")?.field("upload-offset") == "1000")
            let more = ask(
                bed, "PATCH", "/a?\(signed)",
                ["Upload-Offset: 1000", "Upload-Complete: ?0", Self.append],
                Array(data[1000..<5000]))
            #expect(more?.status == 204)
            #expect(ask(bed, "HEAD", location)?.field("upload-offset") == "5000")
            // Sent once more it begins anew, and there are never two.
            for _ in 0..<3 {
                let again = ask(bed, "POST", "/files?path=a&\(signed)", begun(data.count), [])
                #expect(again?.status == 201 && again?.field("location") == location)
            }
            #expect(bed.shared.unfinishedUploads == 1)
            #expect(ask(bed, "DELETE", location)?.status == 204)
            #expect(ask(bed, "HEAD", location)?.status == 404)
            // Where nothing else is said the content is the whole.
            let whole = ask(bed, "POST", "/files?path=a&\(signed)", [], data)
            #expect(whole?.status == 201 || whole?.status == 200)
            #expect(bed.object("/a") == data)
            #expect(
                ask(bed, "POST", "/files?path=a&\(signed)", begun(data.count), [])?.status == 409)
        }
    }

    @Test func `is refused for anything else than it was made for`() throws {
        let size = Self.data.count
        try withChunkBed { bed in
            let signed = try signature("a", size)
            let (begun, other) = (begun(size), try signature("a", size, .v2, type: "a/b"))
            for (query, fields, status) in [
                ("path=a", begun, 401), ("path=b&\(signed)", begun, 403),
                ("path=a&v=00", begun, 403), (signed, begun, 400),
                ("path=a&path=a&\(signed)", begun, 400), ("path=a&\(signed)&\(signed)", begun, 400),
                ("path=a&\(signed)&\(other)", begun, 400), ("path=admin/x&\(signed)", begun, 400),
                ("path=a%00&\(signed)", begun, 400), ("path=a&\(other)", begun, 403),
                ("path=a&\(signed)", ["Upload-Complete: ?0"], 411),
                ("path=a&\(signed)", self.begun(size + 1), 403),
                ("path=a&\(signed)", begun + ["Authorization: Bearer wrong"], 403),
            ] {
                let answer = ask(bed, "POST", "/files?\(query)", fields, [])
                #expect(answer?.status == status, "\(query) \(fields)")
            }
            #expect(
                ask(bed, "POST", "/files?path=a&\(other)", begun + ["Content-Type: a/b"], [])?
                    .status
                    == 201)
            #expect(bed.shared.unfinishedUploads == 1)
        }
    }

    @Test func `is nothing to other uploads`() throws {
        try withChunkBed { bed in
            let signed = try signature("a", 1000)
            let (mine, theirs) = (
                ask(bed, "POST", "/files?path=a&\(signed)", begun(1000), [1]),
                bed.ask("POST", "/files", begun(1000), [1])
            )
            let location = try #require(mine?.field("location"))
            let token = try #require(theirs?.field("location"))
            let other = try signature("b", 1000)
            let path = String(location.prefix { $0 != "?" })
            for target in [token + "?" + signed, path + "?" + other, path + "?v=00"] {
                for (method, fields) in [
                    ("HEAD", []), ("GET", []), ("DELETE", []), ("PATCH", rest(1)),
                    ("HEAD", [Self.tus]),
                ] {
                    let answer = ask(bed, method, target, fields, method == "PATCH" ? [1] : nil)
                    let isMalformed = target.hasSuffix("=00")
                    #expect(answer?.status == (isMalformed ? 403 : 404), "\(method) \(target)")
                }
            }
            #expect(ask(bed, "HEAD", path)?.status == 401)
            #expect(bed.ask("HEAD", path)?.status == 404)
            #expect(ask(bed, "HEAD", location)?.field("upload-offset") == "1")
        }
    }

    // MARK: tus

    @Test(arguments: [SignatureScheme.v, .v2, .token])
    func `begins an upload of tus`(scheme: SignatureScheme) throws {
        let data = Self.data
        try withChunkBed { bed in
            // path dir/a.png, filetype image/png
            let metadata = "Upload-Metadata: path ZGlyL2EucG5n,filetype aW1hZ2UvcG5n"
            let signed = try signature("dir/a.png", data.count, scheme, type: "image/png")
            let type = "Content-Type: application/offset+octet-stream"
            let length = "Upload-Length: \(data.count)"
            for (fields, query, status) in [
                (
                    [length, metadata], try signature("dir/a.png", 1, scheme, type: "image/png"),
                    403
                ),
                ([length], signed, 403), (["Upload-Defer-Length: 1", metadata], signed, 411),
                ([length, metadata], "path=dir/a.png", 401),
            ] {
                let answer = ask(bed, "POST", "/files?\(query)", [Self.tus] + fields, [])
                #expect(answer?.status == status && answer?.field("tus-resumable") == "1.0.0")
            }
            let created = ask(
                bed, "POST", "/files?\(signed)", [Self.tus, length, metadata, type],
                Array(data[..<100]))
            #expect(created?.status == 201 && created?.field("upload-offset") == "100")
            let location = try #require(created?.field("location"))
            #expect(ask(bed, "HEAD", location, [Self.tus])?.field("upload-offset") == "100")
            let patch = [Self.tus, type, "Upload-Offset: 100"]
            #expect(ask(bed, "PATCH", location, patch, Array(data[100...]))?.status == 204)
            #expect(bed.object("/dir/a.png") == data)
            let again = ask(
                bed, "POST", "/files?\(signed)", [Self.tus, length, metadata], [])
            #expect(again?.status == 409)
        }
    }

    /// As without a type for a PUT. The path is t.txt.
    @Test(arguments: ["text/plain", "text/plain; charset=utf-8", "text/html"])
    func `covers the type that is guessed`(type: String) throws {
        try withChunkBed { bed in
            let signed = try signature("t.txt", 3, .v2, type: type)
            let fields = [Self.tus, "Upload-Length: 3", "Upload-Metadata: path dC50eHQ="]
            let status = ask(bed, "POST", "/files?\(signed)", fields, [])?.status
            #expect(status == (type == "text/html" ? 403 : 201))
        }
    }

    @Test func `has its methods`() throws {
        try withChunkBed { bed in
            let put = bed.ask("PUT", "/files", [], [1])
            #expect(put?.status == 405 && put?.field("allow") == "post, put, options")
            let created = bed.ask("PUT", "/files", ["Upload-Complete: ?1"], [1, 2, 3])
            #expect(created?.status == 201)
            let object = try #require(created?.field("location"))
            #expect(object.hasPrefix("/u/") && bed.object(object) == [1, 2, 3])
        }
    }
}
