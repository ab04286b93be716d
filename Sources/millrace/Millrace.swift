// The command line's root: which commands there are, and what each way of ending exits with.

internal import ArgumentParser
internal import Configuration
internal import Files
internal import Glibc

@main
struct Millrace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "A durable object server: what it acknowledged survives a power cut.",
        discussion: """
            EXAMPLES
              millrace serve
              millrace sign --url http://127.0.0.1:8080/photos/cat.jpg --size 52341
              millrace import photos --prefix photos
              millrace export /backup/objects
              millrace config check millrace.toml
              millrace topology

            Exit codes: 0 clean, 1 failure, 2 usage or configuration.
            """,
        version: "millrace \(Release.version)",
        subcommands: [
            ServeCommand.self, SignCommand.self, ImportCommand.self, ExportCommand.self,
            ConfigCommand.self, TopologyCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            finish(after: error)
        }
    }

    /// Prints what `error` has to say and ends the process with the code that it means.
    private static func finish(after error: any Error) -> Never {
        switch Ending(error) {
        case .clean(let text):
            if !text.isEmpty { print(text) }
            Glibc.exit(0)
        case .failure(let text, let code):
            if !text.isEmpty { writeToStandardError(text) }
            Glibc.exit(code)
        }
    }
}

/// How a command that threw ends.
enum Ending: Equatable {
    /// Help or version was asked for.
    case clean(String)
    case failure(String, exitCode: Int32)

    init(_ error: any Error) {
        if let error = error as? SettingsError {
            self = .failure(error.description, exitCode: 2)
        } else if let error = error as? CommandFailure {
            self = .failure("millrace: \(error.text)", exitCode: error.exitCode)
        } else {
            let code = Millrace.exitCode(for: error)
            let text = Millrace.fullMessage(for: error)
            switch code {
            case .success: self = .clean(text)
            case .validationFailure: self = .failure(text, exitCode: 2)
            default: self = .failure(text, exitCode: code.rawValue)
            }
        }
    }
}

/// A command that could not do its work, in one line.
struct CommandFailure: Error, Equatable {
    let text: String
    /// 1: it failed. 2: it was asked for something that makes no sense.
    let exitCode: Int32
}
