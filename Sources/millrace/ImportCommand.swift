// `millrace import`: makes an object of every file below a directory.

internal import ArgumentParser
internal import Glibc
internal import Transfer

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make an object of every file below a directory.",
        discussion: """
            An object has its file's path below DIR, byte for byte, behind --prefix; its time of \
            modification in whole seconds; and the media type of its extension. Names that the \
            server would refuse, links, which are never followed, pipes, sockets and devices are \
            skipped, each with a line. Objects are never overwritten: one of the same length and \
            time is taken for the file's and not read again, one of the same length and another \
            time is compared byte by byte, everything else is a conflict. What is counted as \
            imported is durable.

            Without --url the data directory must be stopped; it is the one of --config or --data. \
            With --url a running server takes the files, which wants its admin token: from \
            --token-file, the configuration, or the secrets in the data directory.

            \(transferEndings)

            EXAMPLES
              millrace import /var/www/uploads --data /srv/objects
              millrace import photos --prefix photos --url http://127.0.0.1:8080/
              millrace import photos --dry-run
            """)

    @Argument(help: ArgumentHelp("The directory.", valueName: "dir"))
    var directory: String

    @OptionGroup var options: TransferOptions

    func run() throws {
        let code = try options.run(
            .importing, directory: directory, environment: processEnvironment())
        fflush(nil)
        Glibc.exit(code)
    }
}
