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

    @Test func `comes with a note beside it`() throws {
        let sign = [Programs.millrace, "sign", "--url", "http://h/a.png", "--size", "7"]
        let run = { try Programs.run("env", ["MILLRACE_SECRET=x"] + sign + $0) }
        let noted = try run(["--scheme", "v2"])
        #expect(noted.status == 0)
        #expect(noted.output.contains("millrace: signed for Content-Type image/png: "))
        #expect(try run(["--scheme", "v"]).output.hasPrefix("http://h/a.png?v="))
    }
}
