// The seam between the command line and the process that serves.

internal import Configuration
internal import Logging
internal import Runtime

/// Serves until the process is told to stop; returns after a clean drain.
///
/// - Throws: `CommandFailure` when the server cannot start or had to be ended hard.
func serve(_ settings: Settings, secrets: Secrets, logger: Logger) throws {
    let journal = Journal { level, message, fields in
        var metadata: Logger.Metadata = [:]
        for (key, value) in fields { metadata[key] = "\(value)" }
        logger.log(level: level.logLevel, "\(message)", metadata: metadata)
    }
    do {
        try ServerProcess(settings: settings, secrets: secrets, journal: journal).run()
    } catch {
        throw CommandFailure(text: error.description, exitCode: 1)
    }
}

extension Journal.Level {
    fileprivate var logLevel: Logger.Level {
        switch self {
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
