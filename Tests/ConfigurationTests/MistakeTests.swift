// Mistakes in a configuration: found all at once, each at its line, with the key that was meant,
// and never with a secret in the message.

import Testing

@testable import Configuration

@Suite struct `A mistaken configuration` {
    @Test(arguments: [
        ("[server]\nlisen = 1", 2, "unknown key server.lisen; did you mean server.listen?"),
        ("[server]\n\n  Listen = 1", 3, "unknown key server.Listen; did you mean server.listen?"),
        (
            "[server]\nmax_size = 1", 2,
            "unknown key server.max_size; did you mean uploads.max_size?"
        ),
        ("[limits]\nfeilds = 1", 2, "unknown key limits.feilds; did you mean limits.fields?"),
        ("listen = 1", 1, "unknown key listen; did you mean server.listen?"),
        ("\n[sever]\nlisten = 1", 2, "unknown section [sever]; did you mean [server]?"),
        ("[[server]]\nlisten = 1", 1, "server is a section: write [server] and its keys below"),
        ("server = 1", 1, "server is a section: write [server] and its keys below"),
        (
            "server = { numa = true,\tlisen = 1 }", 1,
            "unknown key server.lisen; did you mean server.listen?"
        ),
        (
            "[server.listen]\nx = 1", 1,
            "server.listen: expected an address such as \"127.0.0.1:8080\" or \"[::1]:8080\","
                + " found a table"
        ),
        (
            "[storage]\ncapacity = 0.9", 2,
            "storage.capacity: expected a share such as \"90%\" (1 to 100), or a size such as"
                + " \"64MiB\", from 256MiB to 1048576TiB, found a fraction"
        ),
        (
            "[uploads]\nmax_size = 1979-05-27", 2,
            "uploads.max_size: expected a size such as \"64MiB\", from 1 to 15GiB, found a date"
                + " or time"
        ),
    ])
    func `names the line and the key that was meant`(text: String, line: Int, message: String) {
        #expect(problems(text) == [.init(origin: "test.toml", line: line, text: message)])
    }

    @Test func `is reported whole and in order`() {
        let text = """
            [uploads]
            max_size = ["
              [server]
              listen = 1
            "]
            [server]
            note = '''
            listen = 2
            '''
            listen = 3
            base_path = \"""
            \\\"""
            numa = 1
            \"""
            numa = 2
            """
        #expect(problems(text).map(\.line) == [2])
        let valid = text.replacing("[\"\n  [server]\n  listen = 1\n\"]", with: "[\n1, # ]\n2\n]")
        #expect(problems(valid).map(\.line) == [2, 7, 10, 11, 15])
    }

    @Test(arguments: [
        ("[server]\nx = = 2", 2), ("[server]\na = 1\na = 1", 3), ("[server", 1),
        ("a = \"x\nb = 1", 1),
        ("\"\"\"", 1),
    ])
    func `that is not TOML is reported with its line`(text: String, line: Int) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.line == line)
        #expect(found.first?.text.hasPrefix("not valid TOML at column ") == true)
    }

    @Test(arguments: ["a = \"x\\u0000y\"", "a = \"x\\U00000000y\"", "a = 'x\0y'"])
    func `with a NUL is refused`(text: String) {
        let found = problems("# a\n" + text)
        #expect(found.map(\.line) == [2])
        #expect(found.first?.text == "a NUL character is not allowed here")
    }

    /// Every way found to have a secret's own bytes in a parser's message.
    @Test(arguments: [
        "[security]\nsecret = hunter2", "[security]\nsecret = \"hunter2",
        "security.secret = hunter2",
        "[security]\nadmin_token = hunter2", "[security]\nsecrt = hunter2",
        "[securty]\nx = hunter2",
        "[server]\nsecret = hunter2", "[security]\nadmin_token = \"hunter2 hunter2\"",
        "[security]\nsecret = [\"hunter2\"]", "[security]\nsecret = { a = \"hunter2\" }",
        "[security]\nsecret = \"\"\"\nhunter2\\q\n\"\"\"", "[security]\nsecret = \"hunter2\\q\"",
        "[security]\nsecret = \"a\"\nsecret = \"hunter2\"", "[security]\nsecret = \"a\" hunter2",
        "[security]\nsecrte = \"hunter2\"", "[security]\nadmin_token = 'hunter2\nx = 1",
    ])
    func `never shows a secret`(text: String) {
        let found = problems(text)
        #expect(!found.isEmpty)
        for problem in found { #expect(!problem.description.contains("hunter2")) }
    }

    @Test(
        arguments: [
            ("[security]\nsecret = \"a\"\nsecret_file = \"b\"", 3),
            ("[security]\nadmin_token_file = \"b\"\nadmin_token = \"a\"", 2),
            ("[server]\nlisten = \"127.0.0.1:8081\"", nil),
            ("[metrics]\nlisten = \"127.0.0.1:8080\"", 2),
            (
                "[performance]\nmax_buffer_size = \"64KiB\"\nmin_buffer_size = \"128KiB\"", 3
            ),
            ("[performance]\nmax_chunk_size = \"64KiB\"\nmin_chunk_size = \"128KiB\"", 3),
            // Against a default.
            ("[performance]\nmax_chunk_size = \"128KiB\"", nil),
            ("[limits]\ntarget_size = \"32KiB\"\nhead_size = \"16KiB\"", 2),
            ("[security]\nupload_token = \"t\"\nupload_token_file = \"f\"", 3),
            ("[security]\njwt_audience = \"a\"", 2),
            (
                "[security]\njwt_secret = \"0123456789abcdef0123456789abcdef\"\n"
                    + "jwt_secret_file = \"f\"", 3
            ),
            ("[uploads]\nmax_unfinished = 10\nmax_unfinished_per_owner = 11", 3),
            ("[uploads]\nmax_unfinished_size_per_owner = \"76%\"", 2),
            (
                "[uploads]\nmax_unfinished_size = 1048576\n"
                    + "max_unfinished_size_per_owner = \"2MB\"", 3
            ),
        ] as [(String, Int?)])
    func `that contradicts itself is refused`(text: String, line: Int?) {
        #expect(problems(text).map(\.line) == [line])
    }

    @Test func `prints one line a problem, as compilers do`() {
        let error = SettingsError([
            .init(origin: "a.toml", line: 3, text: "x"),
            .init(origin: "--listen", line: nil, text: "y"),
        ])
        #expect(error.description == "a.toml:3: x\n--listen: y")
    }
}

@Suite struct `The distance between names` {
    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1),
        ("abc", "ab", 1), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
    func `counts edits`(source: String, target: String, distance: Int) {
        #expect(editDistance(Array(source.utf8), Array(target.utf8)) == distance)
        #expect(editDistance(Array(target.utf8), Array(source.utf8)) == distance)
    }
}
