// Goal:   what `millrace sign` prints is what the server takes from curl, whatever curl sends or
//         leaves out.

import Foundation
import Testing

@Suite struct `A URL that the sign command printed` {
    private static let bytes = pattern(7, seed: 3)

    /// What is typed in a shell: the status of a `curl -T` to the URL on standard output.
    private func upload(
        to name: String, _ options: [String], fields: [String] = []
    ) throws -> String {
        let server = try SharedServer.get()
        let scratch = try ScratchDirectory()
        let configuration = try scratch.write(
            Array(ServerOptions().configuration(data: server.dataPath).utf8), to: "sign.toml")
        let file = try scratch.write(Self.bytes, to: "file")
        let curl = "curl -sS -o /dev/null -w '%{http_code}' -T \"$0\" -H \"$1\" \"$url\""
        let script = "url=$(shift; \"$@\" 2>/dev/null) && \(curl)"
        let sign = [
            Programs.millrace, "sign", "--url", "\(server.url)/\(name)", "--size", "7",
            "--config", configuration,
        ]
        let field = fields.first ?? "X-Nothing: here"
        return try Programs.run("sh", ["-c", script, file, field] + sign + options).output
    }

    private func expectStored(_ name: String, type: String) throws {
        let get = try SharedServer.client().get(name)
        #expect(get.body == Self.bytes)
        #expect(get.fields["content-type"] == type)
    }

    @Test(arguments: ["v", "v2", "token"])
    func `holds for any name`(scheme: String) throws {
        let name = SharedServer.name("ä b") + "/%25.txt"
        #expect(try upload(to: name, ["--scheme", scheme]) == "201")
        let escaped = name.replacing("ä b", with: "%C3%A4%20b")
        try expectStored(escaped, type: "text/plain")
    }

    @Test(arguments: ["v2", "token"])
    func `holds for an upload without Content-Type`(scheme: String) throws {
        let types = [
            (".png", "image/png"), (".unheard-of", "application/octet-stream"),
            ("", "application/octet-stream"), (".txt", "text/plain"),
        ]
        for (suffix, type) in types {
            let name = SharedServer.name() + suffix
            #expect(try upload(to: name, ["--scheme", scheme]) == "201", "\(suffix)")
            try expectStored(name, type: type)
        }
    }

    @Test func `for another type holds for that one only`() throws {
        let name = SharedServer.name() + ".png"
        let options = ["--scheme", "v2", "--type", "image/x-other"]
        #expect(try upload(to: name, options) == "403")
        #expect(try upload(to: name, options, fields: ["Content-Type: image/png"]) == "403")
        #expect(try upload(to: name, options, fields: ["Content-Type: image/x-other"]) == "201")
        try expectStored(name, type: "image/x-other")
    }

    // MARK: Several secrets

    private static let two = {
        var options = ServerOptions()
        options.limits = """
            [[security.secrets]]
            id = "new"
            secret = "a new secret"
            tenant = "acme"
            """
        return options
    }()

    private func sign(
        _ url: String, _ configuration: String, _ more: [String]
    ) throws -> (status: Int32, output: String) {
        try Programs.run(
            Programs.millrace,
            ["sign", "--url", url, "--size", "300000", "--config", configuration] + more)
    }

    /// While a secret is changed both count; an upload goes on with the one that began it.
    @Test func `may be signed by any of several secrets`() throws {
        let scratch = try ScratchDirectory()
        let server = try RunningServer(Self.two, in: scratch)
        let configuration = try scratch.write(
            Array(Self.two.configuration(data: server.dataPath).utf8), to: "sign.toml")
        let bytes = pattern(300_000, seed: 4)
        var targets: [String] = []
        for (name, id) in [("a", nil), ("b", "new"), ("c", "secret")] {
            let url = try sign(
                server.url + "/" + name, configuration, id.map { ["--secret-id", $0] } ?? []
            ).output.trimmingCharacters(in: .newlines)
            let target = String(url.dropFirst(server.url.count))
            let put = try RawClient(server.port).exchange(
                "PUT", target, fields: ["Upload-Complete: ?0", "Upload-Length: \(bytes.count)"],
                body: Array(bytes[..<100_000]))
            #expect(put.status == 201)
            targets.append(target)
        }
        #expect(targets[0] == Signing.v("a", bytes.count))
        #expect(targets[1] != Signing.v("b", bytes.count))
        #expect(server.stop() == 0)

        let again = try RunningServer(Self.two, in: scratch)
        for target in targets {
            let head = try RawClient(again.port).exchange("HEAD", target, body: nil)
            #expect(head.fields["upload-offset"] == "100000")
            let append = [
                "Upload-Offset: 100000", "Upload-Complete: ?1",
                "Content-Type: application/partial-upload",
            ]
            let done = try RawClient(again.port).exchange(
                "PATCH", target, fields: append, body: Array(bytes[100_000...]))
            #expect(done.status == 201)
        }
        #expect(try again.get("b").body == bytes)
        #expect(again.stop() == 0)
    }

    @Test func `is not to be had of a secret that there is not, nor shown`() throws {
        let scratch = try ScratchDirectory()
        let configuration = try scratch.write(
            Array(Self.two.configuration(data: scratch.path + "/data").utf8), to: "sign.toml")
        let unknown = try sign("http://h/d", configuration, ["--secret-id", "old"])
        #expect(unknown.status == 2)
        #expect(unknown.output.contains("no secret has the id \"old\"; there are: secret, new"))
        let checked = try Programs.run(Programs.millrace, ["config", "check", configuration])
        #expect(checked.status == 0)
        #expect(checked.output.contains("id = \"new\"\n# secret is set (hidden)"))
        #expect(!checked.output.contains("a new secret"))
    }

    @Test func `comes with a note beside it`() throws {
        let sign = [Programs.millrace, "sign", "--url", "http://h/a.png", "--size", "7"]
        let run = { try Programs.run("env", ["MILLRACE_SECRET=x"] + sign + $0) }
        let noted = try run(["--scheme", "v2"])
        #expect(noted.status == 0)
        #expect(noted.output.contains("millrace: signed for Content-Type image/png: "))
        #expect(try run(["--scheme", "v"]).output.hasPrefix("http://h/a.png?v="))
    }
}
