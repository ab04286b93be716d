// The log: one line an event on standard error, `time level message key=value …`.

internal import Configuration
internal import Files
internal import Foundation
internal import Logging
internal import Trees

/// A logger of the whole process for the level that the configuration asks for.
func makeLogger(level: LogLevel) -> Logger {
    Logger(label: "millrace") { _ in LineLogHandler(level: level) }
}

/// Formats events and hands each line to `write`.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> Date

    init(
        level: LogLevel, write: @escaping @Sendable (String) -> Void = writeToStandardError,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        guard let level = Logger.Level(rawValue: level.rawValue) else {
            preconditionFailure("swift-log has no level \(level)")
        }
        logLevel = level
        self.write = write
        self.now = now
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let provided = metadataProvider?.get() ?? [:]
        let all = metadata.merging(provided) { $1 }.merging(event.metadata ?? [:]) { $1 }
        let time = now().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        var line = "\(time) \(event.level.rawValue) \(PlainText.of("\(event.message)"))"
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(shown("\(value)"))"
        }
        write(line)
    }

    /// A value with spaces or quotes stands in quotes, so that a line can be taken apart again.
    private func shown(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        if isPlain, !value.contains("\""), !value.contains("\\") { return value }
        let text = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"" + PlainText.of(text) + "\""
    }
}
