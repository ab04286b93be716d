// The seam between the command line and the machine that serves.

internal import Configuration
internal import Logging

/// Serves until the process is told to stop; returns after a clean drain.
///
/// - Throws: `CommandFailure` when the server cannot start or had to be ended hard.
func serve(_ settings: Settings, secrets: Secrets, logger: Logger) throws {
    throw CommandFailure(text: "this build cannot serve", exitCode: 1)
}
