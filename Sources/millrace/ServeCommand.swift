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
            generated and kept in DIR/secrets.

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

    /// New secrets are shown once, on standard output, apart from the log that others may keep.
    private func announce(_ secrets: Secrets, in settings: Settings) {
        guard secrets.uploadIsNew || secrets.adminIsNew else { return }
        print("Generated, and kept in \(settings.storage.path)/secrets:")
        if secrets.uploadIsNew { print("  upload secret: \(secrets.upload.revealed)") }
        if secrets.adminIsNew { print("  admin token:   \(secrets.admin.revealed)") }
        // Into a pipe the output is buffered whole, and a server does not end soon.
        fflush(nil)
    }
}
