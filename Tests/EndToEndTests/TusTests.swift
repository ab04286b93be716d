// Goal:   tus 1.0.0 as its document has it, over a raw socket: every status, every field, and that
//         a refused request changes nothing. `Sources/Server/Conformance.md` says which clause.

import Foundation
import Testing

/// One upload's resource.
private struct TusUpload {
    let server: RunningServer
    let location: String

    func head(_ fields: [String] = []) throws -> RawClient.Response {
        try Tus.ask(server, "HEAD", location, fields)
    }

    func offset() throws -> Int? { try head().fields["upload-offset"].flatMap { Int($0) } }

    func patch(
        _ bytes: [UInt8], at offset: Int, _ fields: [String] = []
    ) throws -> RawClient.Response {
        try Tus.ask(
            server, "PATCH", location, [Tus.type, "Upload-Offset: \(offset)"] + fields, bytes)
    }
}

private enum Tus {
    static let version = "Tus-Resumable: 1.0.0"
    static let token = "Authorization: Bearer \(RunningServer.adminToken)"
    static let type = "Content-Type: application/offset+octet-stream"

    static func ask(
        _ server: RunningServer, _ method: String, _ target: String, _ fields: [String] = [],
        _ body: [UInt8]? = nil
    ) throws -> RawClient.Response {
        try RawClient(server.port).exchange(
            method, target, fields: [version, token] + fields, body: body)
    }

    static func create(
        _ server: RunningServer, _ fields: [String], _ body: [UInt8] = []
    ) throws -> TusUpload {
        let answer = try ask(server, "POST", "/files", fields, body)
        #expect(answer.status == 201)
        let location = try #require(answer.fields["location"])
        return TusUpload(server: server, location: location)
    }

    /// Upload-Metadata of those pairs.
    static func metadata(_ pairs: (String, String)...) -> String {
        "Upload-Metadata: "
            + pairs.map { "\($0.0) \(Data($0.1.utf8).base64EncodedString())" }
            .joined(separator: ",")
    }
}

@Suite struct `tus` {
    static let bytes = pattern(300_001, seed: 71)

    // MARK: Core

    @Test func `tells what it speaks to anybody`() throws {
        let answer = try RawClient(SharedServer.get().port).exchange("OPTIONS", "/files")
        #expect(answer.status == 204)
        #expect(answer.fields["tus-version"] == "1.0.0")
        #expect(answer.fields["tus-resumable"] == "1.0.0")
        #expect(answer.fields["tus-max-size"] == "\(64 << 20)")
        let spoken = answer.fields["tus-extension"]?.split(separator: ",").map(String.init) ?? []
        let wanted = [
            "creation", "creation-with-upload", "creation-defer-length", "expiration",
            "termination",
        ]
        #expect(Set(wanted).isSubset(of: spoken))
    }

    @Test func `refuses another version, and says which it speaks`() throws {
        let server = try SharedServer.get()
        for (method, target) in [("POST", "/files"), ("HEAD", "/files/\(Self.nobody)")] {
            let answer = try RawClient(server.port).exchange(
                method, target,
                fields: ["Tus-Resumable: 0.2.2", Tus.token, "Upload-Length: 5"], body: nil)
            #expect(answer.status == 412)
            #expect(answer.fields["tus-version"] == "1.0.0")
        }
    }

    private static let nobody = String(repeating: "0", count: 32)

    @Test func `creates, appends, tells where it is, and is an object at the end`() throws {
        let server = try SharedServer.get()
        let name = SharedServer.name("tus")
        let metadata = Tus.metadata(("path", name), ("filetype", "image/png"))
        let upload = try Tus.create(server, ["Upload-Length: \(Self.bytes.count)", metadata])
        let created = try upload.head()
        #expect(created.status == 200)
        #expect(created.fields["tus-resumable"] == "1.0.0")
        #expect(created.fields["upload-offset"] == "0")
        #expect(created.fields["upload-length"] == "\(Self.bytes.count)")
        #expect(created.fields["cache-control"] == "no-store")
        #expect(created.fields["upload-expires"] != nil)
        #expect(created.fields["upload-metadata"].map { "Upload-Metadata: " + $0 } == metadata)
        let first = try upload.patch(Array(Self.bytes[..<100_001]), at: 0)
        #expect(first.status == 204)
        #expect(first.fields["upload-offset"] == "100001")
        #expect(first.fields["upload-expires"] != nil)
        #expect(try server.get(name).status == 404)
        let last = try upload.patch(Array(Self.bytes[100_001...]), at: 100_001)
        #expect(last.status == 204)
        #expect(last.fields["upload-offset"] == "\(Self.bytes.count)")
        let object = try server.get(name)
        #expect(object.body == Self.bytes && object.fields["content-type"] == "image/png")
        #expect(try upload.offset() == Self.bytes.count)
    }

    @Test func `refuses an offset that is not its own, and stays as it was`() throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Length: 1000"])
        #expect(try upload.patch([1, 2, 3], at: 0).status == 204)
        for offset in [0, 2, 4, 1000] {
            let answer = try upload.patch([9], at: offset)
            #expect(answer.status == 409)
            #expect(answer.fields["tus-resumable"] == "1.0.0")
        }
        #expect(try upload.offset() == 3)
    }

    @Test func `refuses what is no append, and stays as it was`() throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Length: 10"])
        let type = try Tus.ask(
            server, "PATCH", upload.location, ["Content-Type: text/plain", "Upload-Offset: 0"], [1])
        #expect(type.status == 415)
        #expect(try Tus.ask(server, "PATCH", upload.location, [Tus.type], [1]).status == 400)
        for wrong in ["-1", "1x", "", "99999999999999999999"] {
            let answer = try Tus.ask(
                server, "PATCH", upload.location, [Tus.type, "Upload-Offset: \(wrong)"], [1])
            #expect(answer.status == 400, "\(wrong)")
        }
        #expect(try upload.patch(Array(repeating: 1, count: 11), at: 0).status == 413)
        #expect(try upload.offset() == 0)
    }

    /// The length of the request is told by its last chunk only.
    @Test(arguments: [70_000, 131_072, 200_000])
    func `takes no byte past the end, though nobody said how many come`(length: Int) throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Length: \(length)"])
        let client = try RawClient(server.port)
        try client.send(
            "PATCH \(upload.location) HTTP/1.1\r\nHost: h\r\n\(Tus.version)\r\n\(Tus.token)\r\n"
                + "\(Tus.type)\r\nUpload-Offset: 0\r\nTransfer-Encoding: chunked\r\n\r\n")
        // The server may answer and close before it has read all.
        try? client.send(String(Self.bytes.count, radix: 16) + "\r\n")
        try? client.send(Self.bytes)
        try? client.send("\r\n0\r\n\r\n")
        if let answer = try? client.response() { #expect(answer.status == 413) }
        #expect(try #require(try upload.offset()) <= length)
        let rest = Array(Self.bytes[..<length])
        let offset = try #require(try upload.offset())
        #expect(try upload.patch(Array(rest[offset...]), at: offset).status == 204)
        #expect(try Tus.ask(server, "GET", upload.location).body == rest)
    }

    @Test func `does not exist for others, nor under other numbers`() throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Length: 10"])
        for token in [[], ["Authorization: Bearer "], ["Authorization: Basic YTpi"]] {
            let answer = try RawClient(server.port).exchange(
                "HEAD", upload.location, fields: [Tus.version] + token)
            #expect(answer.status == 401)
        }
        let wrong = try RawClient(server.port).exchange(
            "HEAD", upload.location, fields: [Tus.version, "Authorization: Bearer wrong"])
        #expect(wrong.status == 403)
        for location in ["/files/\(Self.nobody)", "/files/x", "/files/\(Self.nobody)0"] {
            #expect(try Tus.ask(server, "HEAD", location).status == 404)
            let patch = try Tus.ask(
                server, "PATCH", location, [Tus.type, "Upload-Offset: 0"], [1])
            #expect(patch.status == 404)
        }
    }

    @Test func `is asked by POST where other methods do not get through`() throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Length: 5"])
        let patched = try Tus.ask(
            server, "POST", upload.location,
            ["X-HTTP-Method-Override: PATCH", Tus.type, "Upload-Offset: 0"], [1, 2])
        #expect(patched.status == 204 && patched.fields["upload-offset"] == "2")
        #expect(try upload.offset() == 2)
    }

    // MARK: Creation

    @Test func `creates nothing from what makes no sense`() throws {
        // Its own: nobody else creates any meanwhile.
        var options = ServerOptions()
        options.uploads = "max_size = \"64MiB\""
        let server = try RunningServer(options)
        let wrong: [([String], Int)] = [
            ([], 400), (["Upload-Length: -5"], 400), (["Upload-Length: many"], 400),
            (["Upload-Length: 5", "Upload-Defer-Length: 1"], 400),
            (["Upload-Defer-Length: 2"], 400), (["Upload-Length: \(65 << 20)"], 413),
            (["Upload-Length: 5", "Upload-Metadata: path ***"], 400),
            (["Upload-Length: 5", Tus.metadata(("path", "../secrets"))], 400),
            (["Upload-Length: 5", Tus.metadata(("path", "a//b"))], 400),
            (["Upload-Length: 5", Tus.metadata(("path", "files/x"))], 400),
            (["Upload-Length: 5", Tus.metadata(("filename", "a/b"))], 400),
            (["Upload-Length: 5", Tus.metadata(("filetype", "no type\n"))], 400),
        ]
        for (fields, status) in wrong {
            let answer = try Tus.ask(server, "POST", "/files", fields, [])
            #expect(answer.status == status || (status == 400 && answer.status == 415), "\(fields)")
        }
        let type = try Tus.ask(server, "POST", "/files", ["Upload-Length: 5"], [1, 2])
        #expect(type.status == 415)
        #expect(try server.metric("unfinished_uploads") == 0)
        #expect(server.stop() == 0)
    }

    @Test func `takes bytes with the creation, all of them or some`() throws {
        let server = try SharedServer.get()
        let some = try Tus.create(
            server, ["Upload-Length: \(Self.bytes.count)", Tus.type], Array(Self.bytes[..<70_000]))
        #expect(try some.offset() == 70_000)
        #expect(try some.patch(Array(Self.bytes[70_000...]), at: 70_000).status == 204)
        let all = try Tus.create(
            server, ["Upload-Length: \(Self.bytes.count)", Tus.type], Self.bytes)
        for upload in [some, all] {
            #expect(try Tus.ask(server, "GET", upload.location).body == Self.bytes)
        }
        let none = try Tus.create(server, ["Upload-Length: 0"])
        #expect(try Tus.ask(server, "GET", none.location).body == [])
    }

    @Test func `is told its length later, once`() throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Defer-Length: 1"])
        let created = try upload.head()
        #expect(created.fields["upload-defer-length"] == "1")
        #expect(created.fields["upload-length"] == nil)
        #expect(try upload.patch(Array(Self.bytes[..<50_000]), at: 0).status == 204)
        let told = try upload.patch([], at: 50_000, ["Upload-Length: \(Self.bytes.count)"])
        #expect(told.status == 204)
        let known = try upload.head()
        #expect(known.fields["upload-length"] == "\(Self.bytes.count)")
        #expect(known.fields["upload-defer-length"] == nil)
        #expect(try upload.patch([1], at: 50_000, ["Upload-Length: 60000"]).status == 400)
        #expect(try upload.patch(Array(Self.bytes[50_000...]), at: 50_000).status == 204)
        #expect(try Tus.ask(server, "GET", upload.location).body == Self.bytes)
    }

    // MARK: Termination

    @Test func `ends when it is told to`() throws {
        let server = try SharedServer.get()
        let upload = try Tus.create(server, ["Upload-Length: 100000", Tus.type], [1, 2, 3])
        let ended = try Tus.ask(server, "DELETE", upload.location)
        #expect(ended.status == 204 && ended.fields["tus-resumable"] == "1.0.0")
        #expect(try upload.head().status == 404)
        #expect(try upload.patch([4], at: 3).status == 404)
        #expect(try Tus.ask(server, "DELETE", upload.location).status == 404)
    }

    // MARK: The other dialect

    @Test func `goes on with what the IETF's began, and the other way round`() throws {
        let server = try SharedServer.get()
        let client = try RawClient(server.port)
        let created = try client.exchange(
            "POST", "/files",
            fields: [Tus.token, "Upload-Complete: ?0", "Upload-Length: \(Self.bytes.count)"],
            body: Array(Self.bytes[..<100_000]))
        let location = try #require(created.fields["location"])
        let upload = TusUpload(server: server, location: location)
        #expect(try upload.offset() == 100_000)
        #expect(try upload.patch(Array(Self.bytes[100_000..<200_000]), at: 100_000).status == 204)
        let state = try client.exchange("HEAD", location, fields: [Tus.token])
        #expect(state.status == 204 && state.fields["upload-offset"] == "200000")
        let done = try client.exchange(
            "PATCH", location,
            fields: [
                Tus.token, "Upload-Offset: 200000", "Upload-Complete: ?1",
                "Content-Type: application/partial-upload",
            ], body: Array(Self.bytes[200_000...]))
        #expect(done.status == 201)
        #expect(try Tus.ask(server, "GET", location).body == Self.bytes)
    }
}
