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
    /// What each peer says of itself, in the order of `Side`.
    public var peers: [String] = []
    public var serverCongestionControl = ""
    public var clientCongestionControl = ""
    public var serverCPU = 0
    public var clientCPU = 0
    public var pairs = 0
    public var secondsPerSmallRound = 0.0
    public var largeBytes = 0
    /// Whether every Millrace reads downloads from the disk, also those that are cached.
    public var readsDisk = false

    public init() {}

    /// One fact a line, for the result's head.
    public var lines: [String] {
        [
            "date: \(date)", "commit: \(commit)", "command: `\(command)`", "kernel: \(kernel)",
            "CPU: \(cpuModel), \(cpuCount) of them; memory \(memoryBytes >> 30) GiB",
            "file system: \(fileSystem); journal: \(journal); write cache: \(writeCache)",
            "peers: \(peers.joined(separator: "; "))",
            "congestion control: server \(serverCongestionControl),"
                + " client \(clientCongestionControl)",
            "server and all its threads on CPU \(serverCPU), client on CPU \(clientCPU)",
            "\(pairs) interleaved pairs; rounds of small objects last \(secondsPerSmallRound) s;"
                + " a large object has \(largeBytes >> 20) MiB",
        ] + reading
    }

    private var reading: [String] {
        guard readsDisk else { return [] }
        return [
            "both sides have `\(Ablation.readingDisk)`: every download is read from the disk,"
                + " cached and cold are the same"
        ]
    }
}

/// A whole run: everything that is written down of it.
public struct RunResult: Equatable, Sendable, Encodable {
    public var environment: Environment
    public var rows: [RowResult] = []
    public var idle: [IdleResult] = []
    /// Figures of uploads that are no ratio.
    public var readings: [Reading] = []
    /// Peers that were not there, one line each.
    public var skipped: [String]
    /// What a reader must know before trusting a figure.
    public var warnings: [String] = []

    public init(environment: Environment, skipped: [String] = []) {
        (self.environment, self.skipped) = (environment, skipped)
    }
}
