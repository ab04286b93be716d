/// Where the server process says what it does; the command line gives it a log.

public struct Journal: Sendable {
    public enum Level: Sendable { case info, notice, warning, error }

    public let write: @Sendable (Level, String, [(String, String)]) -> Void

    public init(_ write: @escaping @Sendable (Level, String, [(String, String)]) -> Void) {
        self.write = write
    }

    func info(_ message: String, _ fields: [(String, String)] = []) {
        write(.info, message, fields)
    }

    func notice(_ message: String, _ fields: [(String, String)] = []) {
        write(.notice, message, fields)
    }

    func warning(_ message: String, _ fields: [(String, String)] = []) {
        write(.warning, message, fields)
    }

    func error(_ message: String, _ fields: [(String, String)] = []) {
        write(.error, message, fields)
    }
}

/// Why the server could not start or had to end: one line for the operator.
public struct ServeError: Error, CustomStringConvertible {
    public let description: String
    /// Another process has the data directory.
    public let isInUse: Bool

    init(_ description: String, isInUse: Bool = false) {
        (self.description, self.isInUse) = (description, isInUse)
    }
}
