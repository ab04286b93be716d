// What is wrong with a configuration, each mistake with the place to correct it.

/// Every mistake found, in the order of the file. Values of secrets never stand in it.
public struct SettingsError: Error, Equatable, Sendable {
    public struct Problem: Equatable, Sendable {
        /// A file's path, a flag ("--listen") or an environment variable.
        public let origin: String
        /// Counted from 1; `nil` where lines mean nothing.
        public let line: Int?
        public let text: String
    }

    public let problems: [Problem]

    init(_ problems: [Problem]) {
        precondition(!problems.isEmpty, "an error without a problem")
        self.problems = problems
    }

    init(origin: String, line: Int? = nil, _ text: String) {
        problems = [Problem(origin: origin, line: line, text: text)]
    }
}

extension SettingsError: CustomStringConvertible {
    /// One line a problem, as compilers print them: `millrace.toml:3: …`.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

extension SettingsError.Problem: CustomStringConvertible {
    public var description: String {
        if let line { "\(origin):\(line): \(text)" } else { "\(origin): \(text)" }
    }
}
