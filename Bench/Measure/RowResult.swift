/// A row's rounds boiled down to the figures of one table line.
public struct RowResult: Equatable, Sendable, Codable {
    public struct Figures: Equatable, Sendable, Codable {
        /// CPU-seconds per GB, or per request.
        public let serverCPU: Summary
        public let serverAndFlushCPU: Summary
        /// GB or requests per second.
        public let throughput: Summary
        /// Share of its CPU that the server used while requests ran.
        public let serverUse: Summary
        /// CPU-seconds of strangers per second, at its worst.
        public let strangersGreatest: Double
        /// How far the sum over threads falls short of the process clock, at its worst.
        public let threadsMissing: Double
    }

    public struct Comparison: Equatable, Sendable, Codable {
        public let cpuRatio: RatioEstimate
        public let throughputRatio: RatioEstimate
        public let cpuVerdict: Verdict?
        public let throughputVerdict: Verdict?
    }

    public let row: Row
    public let pairCount: Int
    public let millrace: Figures?
    public let nginx: Figures?
    /// Nil if only one side ran.
    public let comparison: Comparison?

    /// `samples` are this row's, in any order. The seed makes the intervals repeatable.
    public init(row: Row, samples: [Sample], seed: UInt64) {
        let bySide = Side.allCases.map { side in
            samples.filter { $0.row == row && $0.side == side }.sorted { $0.pair < $1.pair }
        }
        let (ours, theirs) = (bySide[0], bySide[1])
        precondition(
            ours.isEmpty || theirs.isEmpty || ours.map(\.pair) == theirs.map(\.pair),
            "a pair without its other half")
        self.row = row
        pairCount = max(ours.count, theirs.count)
        millrace = RowResult.figures(of: ours)
        nginx = RowResult.figures(of: theirs)
        comparison = RowResult.compare(ours, theirs, row: row, seed: seed)
    }

    private static func figures(of samples: [Sample]) -> Figures? {
        guard let cpu = Summary(samples.map(\.serverCPUPerUnit)),
            let both = Summary(samples.map(\.serverAndFlushCPUPerUnit)),
            let throughput = Summary(samples.map(\.throughput)),
            let use = Summary(samples.map(\.serverUse)),
            let strangers = samples.map({ $0.otherCPU / $0.seconds }).max(),
            let missing = samples.map(\.threadsMissing).max()
        else { return nil }
        return Figures(
            serverCPU: cpu, serverAndFlushCPU: both, throughput: throughput, serverUse: use,
            strangersGreatest: strangers, threadsMissing: missing)
    }

    private static func compare(
        _ ours: [Sample], _ theirs: [Sample], row: Row, seed: UInt64
    ) -> Comparison? {
        guard ours.count == theirs.count,
            let cpu = RatioEstimate(
                of: ours.map(\.serverCPUPerUnit), to: theirs.map(\.serverCPUPerUnit), seed: seed),
            let throughput = RatioEstimate(
                of: ours.map(\.throughput), to: theirs.map(\.throughput), seed: seed)
        else { return nil }
        return Comparison(
            cpuRatio: cpu, throughputRatio: throughput,
            cpuVerdict: row.cpuGoal?.verdict(on: cpu),
            throughputVerdict: row.throughputGoal?.verdict(on: throughput))
    }
}

/// What idle connections cost one server.
public struct IdleResult: Equatable, Sendable, Codable {
    public let side: Side
    public let connectionCount: Int
    /// Private memory (RssAnon over all processes) before and with the connections, in bytes.
    public let bytesBefore: Int
    public let bytesWith: Int
    /// All resident memory before, in bytes.
    public let residentBefore: Int

    public init(
        side: Side, connectionCount: Int, bytesBefore: Int, bytesWith: Int, residentBefore: Int
    ) {
        (self.side, self.connectionCount) = (side, connectionCount)
        (self.bytesBefore, self.bytesWith) = (bytesBefore, bytesWith)
        self.residentBefore = residentBefore
    }

    public var bytesPerConnection: Double {
        Double(bytesWith - bytesBefore) / Double(connectionCount)
    }

    /// The goal is Millrace's own; nginx's figure stands beside it.
    public var verdict: Verdict? {
        guard side == .millrace else { return nil }
        return bytesPerConnection <= Row.idleBytesGoal ? .met : .notMet
    }
}
