// `millrace export`: makes a file of every object.

internal import ArgumentParser
internal import Glibc
internal import Transfer

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Make a file of every object, below a directory.",
        discussion: """
            A file has its object's path behind --prefix, and its time. Every byte is compared \
            with its checksum; a file gets its name when it is whole and durable, until then it is \
            below DIR/.millrace-export, which is gone at the end. Files that are there are never \
            overwritten, unless by --overwrite: one of the same length and time is taken for the \
            object's, one of the same length and another time is compared byte by byte, everything \
            else is a conflict. No link is followed below DIR, and nothing is written outside of \
            it. Media types are not exported.

            Without --url the data directory must be stopped; it is the one of --config or --data. \
            With --url a running server gives the objects, which wants its admin token: from \
            --token-file, the configuration, or the secrets in the data directory.

            \(transferEndings)

            EXAMPLES
              millrace export /backup/objects --data /srv/objects
              millrace export photos --prefix photos --url http://127.0.0.1:8080/
              millrace export photos --dry-run
            """)

    @Argument(help: ArgumentHelp("The directory; made if it is not there.", valueName: "dir"))
    var directory: String

    @OptionGroup var options: TransferOptions

    @Flag(help: "Replace files whose length or time is not the object's.")
    var overwrite = false

    func run() throws {
        let code = try options.run(
            .exporting(overwrites: overwrite), directory: directory,
            environment: processEnvironment())
        fflush(nil)
        Glibc.exit(code)
    }
}
