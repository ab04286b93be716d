// Where a value comes from: file, then flags, then environment; and files that cannot be read.

import Files
import Testing

@testable import Configuration

@Suite struct `Loading a configuration` {
    @Test func `lets flags win over the file`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "[server]\nlisten = \"127.0.0.1:1\"\nnuma = false\n", to: "a.toml")
        let settings = try Settings.load(
            file: file,
            overrides: [
                SettingOverride("server.listen", "[::1]:0", from: "--listen"),
                SettingOverride("metrics.listen", "off", from: "--metrics-listen"),
                SettingOverride("server.cores", "1,0", from: "--cores"),
                SettingOverride("storage.path", "/x", from: "--data"),
                SettingOverride("logging.level", "debug", from: "--log-level"),
            ])
        #expect(settings.server.listen == ListenAddress("[::1]:0"))
        #expect(!settings.server.usesNUMA)
        #expect(settings.metrics.listen == nil)
        #expect(settings.server.cores?.indices == [1, 0])
        #expect(settings.storage.path == "/x")
        #expect(settings.logging.level == .debug)
    }

    @Test func `blames a flag by its name`() {
        let error = failure {
            try Settings.load(
                file: nil, overrides: [SettingOverride("server.listen", "x", from: "--listen")])
        }
        let expected = ListenAddress.form
        #expect(error?.description == "--listen: expected \(expected), found \"x\"")

        let both = failure {
            try Settings.load(
                file: nil,
                overrides: [
                    SettingOverride("metrics.listen", "127.0.0.1:8080", from: "--metrics-listen")
                ])
        }
        #expect(both?.description == "--metrics-listen: 127.0.0.1:8080 is already server.listen")
    }

    @Test func `lets the environment give the secrets`() throws {
        let directory = try TemporaryDirectory()
        let text = "[security]\nsecret = \"file\"\nadmin_token_file = \"/nonexistent\"\n"
        let file = try directory.write(text, to: "a.toml")
        let environment = [
            "MILLRACE_SECRET": "from outside", "MILLRACE_ADMIN_TOKEN": "tok",
            "MILLRACE_UPLOAD_TOKEN": "up", "OTHER": "x",
        ]
        let settings = try Settings.load(file: file, environment: environment)
        #expect(settings.security.secret == Secret("from outside"))
        #expect(settings.security.adminToken == Secret("tok"))
        #expect(settings.security.adminTokenFile == nil)
        #expect(settings.security.uploadToken == Secret("up"))
    }

    @Test(arguments: [("MILLRACE_SECRET", ""), ("MILLRACE_ADMIN_TOKEN", "hunter2 hunter2")])
    func `refuses a bad secret of the environment without showing it`(name: String, value: String) {
        let error = failure { try Settings.load(file: nil, environment: [name: value]) }
        #expect(error?.description.hasPrefix("\(name): expected ") == true)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func `says which file cannot be read and why`() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path + "/none.toml"
        #expect(
            failure { try Settings.load(file: missing) }?.description
                == "\(missing): cannot open \(missing): No such file or directory")
        #expect(
            failure { try Settings.load(file: directory.path) }?.description
                == "\(directory.path): cannot read \(directory.path): Is a directory")
        let binary = try directory.write(bytes: [0x61, 0xff], to: "b.toml")
        #expect(
            failure { try Settings.load(file: binary) }?.description == "\(binary): not UTF-8 text")
        let big = try directory.write(
            bytes: Array(repeating: 0x23, count: (1 << 20) + 1), to: "c.toml")
        #expect(
            failure { try Settings.load(file: big) }?.description
                == "\(big): \(big) is larger than 1048576 bytes, which cannot be right")
    }

    @Test func `names the file in its mistakes`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("[a]\n", to: "a.toml")
        #expect(failure { try Settings.load(file: file) }?.problems.first?.origin == file)
    }
}

extension ListenAddress {
    fileprivate static var form: String {
        SettingKey.named("server.listen")?.expectation ?? ""
    }
}
