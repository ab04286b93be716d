// `millrace config`: checks a file before a server meets it, and prints what every key means.

internal import ArgumentParser
internal import Configuration

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check a configuration file, or print the reference of its keys.",
        discussion: """
            EXAMPLES
              millrace config check millrace.toml
              millrace config reference > configuration.md
            """,
        subcommands: [ConfigCheckCommand.self, ConfigReferenceCommand.self])
}

struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check FILE and print what it comes to, defaults included.",
        discussion: """
            Every mistake is printed with its line; the exit code is then 2. Secrets are not shown.

            EXAMPLE
              millrace config check millrace.toml
            """)

    @Argument(help: "Configuration file (TOML).")
    var file: String

    func run() throws {
        let settings = try Settings.load(file: file)
        try Secrets.check(settings)
        print(settings.listing(), terminator: "")
    }
}

struct ConfigReferenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract: "Print every key, its default and its meaning, as Markdown.",
        discussion: """
            EXAMPLE
              millrace config reference > configuration.md
            """)

    func run() throws { print(Settings.reference(), terminator: "") }
}
