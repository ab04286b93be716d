/// Where and how a run was made: without it a figure means nothing.
public struct Environment: Equatable, Sendable, Codable {
    public var date = ""
    public var commit = ""
    public var command = ""
    public var kernel = ""
    public var cpuModel = ""
    public var cpuCount = 0
    public var memoryBytes = 0
    public var fileSystem = ""
    public var journal = ""
    public var writeCache = ""
    public var nginxVersion = ""
    public var serverCongestionControl = ""
    public var clientCongestionControl = ""
    public var serverCPU = 0
    public var clientCPU = 0
    public var pairs = 0
    public var secondsPerSmallRound = 0.0
    public var largeBytes = 0

    public init() {}

    /// One fact a line, for the result's head.
    public var lines: [String] {
        [
            "date: \(date)", "commit: \(commit)", "command: `\(command)`", "kernel: \(kernel)",
            "CPU: \(cpuModel), \(cpuCount) of them; memory \(memoryBytes >> 30) GiB",
            "file system: \(fileSystem); journal: \(journal); write cache: \(writeCache)",
            "nginx: \(nginxVersion)",
            "congestion control: server \(serverCongestionControl),"
                + " client \(clientCongestionControl)",
            "server and all its threads on CPU \(serverCPU), client on CPU \(clientCPU)",
            "\(pairs) interleaved pairs; rounds of small objects last \(secondsPerSmallRound) s;"
                + " a large object has \(largeBytes >> 20) MiB",
        ]
    }
}

/// A whole run: everything that is written down of it.
public struct RunResult: Equatable, Sendable, Codable {
    public var environment: Environment
    public var rows: [RowResult]
    public var idle: [IdleResult]
    /// What a reader must know before trusting a figure.
    public var warnings: [String]
    public var samples: [Sample]

    public init(
        environment: Environment, rows: [RowResult], idle: [IdleResult], warnings: [String],
        samples: [Sample]
    ) {
        (self.environment, self.rows, self.idle) = (environment, rows, idle)
        (self.warnings, self.samples) = (warnings, samples)
    }
}
