// `millrace serve`: reads the configuration, prepares the secrets, starts the log, then serves.

internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import Logging

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve objects until SIGTERM or SIGINT.",
        discussion: """
            Everything has a default: without options it listens on 127.0.0.1:8080 and keeps its \
            data in ./data. Options win over the file. Secrets come from the file, a secret_file, \
            or MILLRACE_SECRET and MILLRACE_ADMIN_TOKEN, never from options; without any, they are \
            generated, kept in DIR/secrets, and shown once if standard output is a terminal.

            EXAMPLES
              millrace serve
              millrace serve --config /etc/millrace.toml
              millrace serve --listen '[::1]:0' --data /srv/objects --cores 0,1
            """)

    @OptionGroup var place: ConfigurationOptions

    @Option(help: ArgumentHelp("Address to serve on; port 0: any.", valueName: "addr:port"))
    var listen: String?

    @Option(help: ArgumentHelp("Address of the metrics, or \"off\".", valueName: "addr:port"))
    var metricsListen: String?

    @Option(help: ArgumentHelp("CPUs to run on, such as 0,1 or 0-3.", valueName: "list"))
    var cores: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    func run() throws {
        let settings = try settings(environment: processEnvironment())
        let logger = makeLogger(level: settings.logging.level)
        let secrets = try Secrets.prepare(for: settings)
        announce(secrets, in: settings)
        try serve(settings, secrets: secrets, logger: logger)
    }

    /// The file, then these options, then the environment.
    func settings(environment: [String: String]) throws -> Settings {
        let options: [(key: String, text: String?, flag: String)] = [
            ("server.listen", listen, "--listen"),
            ("metrics.listen", metricsListen, "--metrics-listen"),
            ("server.cores", cores, "--cores"),
            ("logging.level", logLevel, "--log-level"),
        ]
        let overrides = options.compactMap { option in
            option.text.map { SettingOverride(option.key, $0, from: option.flag) }
        }
        return try place.settings(overrides: overrides, environment: environment)
    }

    private func announce(_ secrets: Secrets, in settings: Settings) {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        guard let text = announcement(of: secrets, in: settings, isTerminal: isTerminal) else {
            return
        }
        print(text)
        // Into a pipe the output is buffered whole, and a server does not end soon.
        fflush(nil)
    }

    /// New secrets are shown once, to somebody who looks: what is no terminal may be a journal that
    /// others read and that is kept. `nil` if nothing is new.
    func announcement(of secrets: Secrets, in settings: Settings, isTerminal: Bool) -> String? {
        guard secrets.uploadIsNew || secrets.adminIsNew else { return nil }
        let place = settings.storage.path + "/secrets"
        guard isTerminal else { return "Generated secrets; they are in \(place)" }
        var lines = ["Generated, and kept in \(place):"]
        if secrets.uploadIsNew { lines.append("  upload secret: \(secrets.upload.revealed)") }
        if secrets.adminIsNew { lines.append("  admin token:   \(secrets.admin.revealed)") }
        return lines.joined(separator: "\n")
    }
}
