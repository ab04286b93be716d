// The options that import and export share: where the objects are, and what is said meanwhile.

internal import ArgumentParser
internal import Configuration
internal import Transfer

struct TransferOptions: ParsableArguments {
    @OptionGroup var place: ConfigurationOptions

    @Option(help: ArgumentHelp("Objects below this path only.", valueName: "path"))
    var prefix = ""

    @Option(
        help: ArgumentHelp(
            "A running server, http://host:port/base/; else the data directory, stopped.",
            valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp("A file that holds the server's admin token.", valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Say what would be done with each file, and do nothing.")
    var dryRun = false

    @Flag(help: "No progress, only problems and the summary.")
    var quiet = false

    func validate() throws {
        if tokenFile != nil, url == nil {
            throw ValidationError("--token-file is for a server: say which with --url.")
        }
    }

    /// Moves the files and answers the exit code.
    func run(
        _ way: TransferOrder.Way, directory: String, environment: [String: String]
    ) throws -> Int32 {
        let settings = try place.settings(environment: environment)
        var order = TransferOrder(way, directory: directory)
        order.prefix = prefix
        order.isDry = dryRun
        order.isQuiet = quiet
        let objects = try objects(settings)
        do throws(TransferFailure) {
            return try order.run(objects, settings)
        } catch {
            throw CommandFailure(text: error.text, exitCode: error.exitCode)
        }
    }

    func objects(_ settings: Settings) throws -> TransferOrder.Place {
        guard let url else { return .dataDirectory }
        let token: Secret?
        if let tokenFile {
            token = try Secrets.token(inFile: tokenFile)
        } else {
            token = try Secrets.existingAdminToken(for: settings)
        }
        guard let token else {
            let place = settings.storage.path
            throw CommandFailure(
                text: "no admin token: none is configured, and none is in \(place)/secrets;"
                    + " name a file with --token-file", exitCode: 2)
        }
        return .server(url: url, token: token)
    }
}

/// What both commands say of how they end.
let transferEndings = """
    Standard error says at the start where the objects are, then which files were skipped, are in \
    conflict or failed, and why; standard output has one summary. The exit code is 0 if every file \
    is there now, 1 if not, 2 for a mistake in the command. SIGINT, SIGTERM and SIGHUP end it \
    after the files under way, with 128 and the signal's number (130 for Ctrl-C); a second one at \
    once. However it ends, the same command goes on from there.
    """
