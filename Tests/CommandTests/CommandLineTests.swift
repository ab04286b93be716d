// The command line as it is typed: options reach the settings, mistakes get their exit codes, and
// every command shows an example.

import ArgumentParser
import Configuration
import Foundation
import Testing

@testable import millrace

@Suite struct `The command line` {
    @Test func `turns serve's options into settings`() throws {
        let command = try parse([
            "serve", "--listen", "[::1]:0", "--metrics-listen", "off", "--data", "/d", "--cores",
            "0-2",
            "--log-level", "trace",
        ])
        let serve = try #require(command as? ServeCommand)
        let settings = try serve.settings(environment: ["MILLRACE_SECRET": "s"])
        #expect(settings.server.listen == ListenAddress("[::1]:0"))
        #expect(settings.metrics.listen == nil)
        #expect(settings.storage.path == "/d")
        #expect(settings.server.cores == CoreList("0-2"))
        #expect(settings.logging.level == .trace)
        #expect(settings.security.secret == Secret("s"))
    }

    @Test func `serves with no option at all`() throws {
        let serve = try #require(try parse(["serve"]) as? ServeCommand)
        #expect(try serve.settings(environment: [:]) == Settings())
    }

    @Test(arguments: [
        ["serve", "--listen", "x"], ["serve", "--cores", "x"], ["serve", "--config", "/none.toml"],
        ["config", "check", "/none.toml"], ["serve", "--secret", "x"], ["frobnicate"],
        ["config", "check"],
        ["sign"], ["sign", "--url", "http://h/a"], ["sign", "--url", "http://h/a", "--size", "x"],
        ["sign", "--url", "http://h/a", "--size", "-1"],
        ["sign", "--url", "http://h/a", "--size", "1", "--scheme", "v3"],
        ["sign", "--url", "http://h/a", "--size", "1", "--type", "text/plain"],
        ["sign", "--url", "http://h/a?b", "--size", "1"],
        ["sign", "--url", "http://h/.a", "--size", "1"],
        ["sign", "--url", "http://h/a", "--size", "1", "--scheme", "v2", "--type", "text"],
        ["sign", "--url", "http://h/admin/a", "--size", "1"],
        ["sign", "--url", "http://h/a", "--size", "1", "--data", "/none"],
        ["import"], ["export"], ["import", "/none", "--data", "/none"],
        ["import", "d", "--prefix", "/a", "--data", "/none"],
        ["export", "d", "--prefix", "admin", "--data", "/none"],
        ["import", "d", "--token-file", "t"],
        ["import", "d", "--url", "http://h", "--token-file", "/none", "--data", "/none"],
        ["import", "d", "--url", "http://h", "--data", "/none"], ["import", "d", "--overwrite"],
        ["export", "d", "--url", "https://h", "--token-file", "/dev/null"],
    ])
    func `ends with 2 on usage and configuration`(arguments: [String]) {
        let ending = run(arguments)
        guard case .failure(let text, exitCode: 2) = ending else {
            Issue.record("\(arguments) ended with \(String(describing: ending))")
            return
        }
        #expect(!text.isEmpty)
    }

    @Test func `ends with 1 on failure`() {
        let ending = Ending(CommandFailure(text: "x", exitCode: 1))
        #expect(ending == .failure("millrace: x", exitCode: 1))
        let other = Ending(CocoaError(.fileNoSuchFile))
        guard case .failure(_, exitCode: 1) = other else {
            Issue.record("ended with \(other)")
            return
        }
    }

    @Test(arguments: [
        [], ["serve"], ["sign"], ["config"], ["config", "check"], ["config", "reference"],
        ["topology"], ["import"], ["export"],
    ])
    func `shows an example with every command's help`(command: [String]) {
        guard case .clean(let text) = run(command + ["--help"]) else {
            Issue.record("no help for \(command)")
            return
        }
        #expect(text.contains("EXAMPLE"))
        #expect(text.contains("\n  millrace " + command.joined(separator: " ")))
    }

    @Test func `knows its version`() {
        #expect(run(["--version"]) == .clean("millrace \(Release.version)"))
    }

    @Test func `shows new secrets on a terminal, else where they are, and old ones never`() throws {
        let data = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: data) }
        let serve = try #require(try parse(["serve", "--data", data]) as? ServeCommand)
        let settings = try serve.settings(environment: ["MILLRACE_ADMIN_TOKEN": "mine"])
        let new = try Secrets.prepare(for: settings)
        let shown = serve.announcement(of: new, in: settings, isTerminal: true)
        #expect(
            shown == "Generated, and kept in \(data)/secrets:\n  upload secret: "
                + new.upload.revealed)
        let told = serve.announcement(of: new, in: settings, isTerminal: false)
        #expect(told == "Generated secrets; they are in \(data)/secrets")
        let old = try Secrets.prepare(for: settings)
        #expect(serve.announcement(of: old, in: settings, isTerminal: true) == nil)
    }

    private func parse(_ arguments: [String]) throws -> any ParsableCommand {
        try Millrace.parseAsRoot(arguments)
    }

    /// How the command ends, `nil` when it just returns; the environment is empty.
    private func run(_ arguments: [String]) -> Ending? {
        do {
            var command = try parse(arguments)
            if let serve = command as? ServeCommand {
                _ = try serve.settings(environment: [:])
            } else if let sign = command as? SignCommand {
                _ = try sign.signedUpload(environment: [:])
            } else {
                try command.run()
            }
            return nil
        } catch {
            return Ending(error)
        }
    }
}
