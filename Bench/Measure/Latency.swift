/// What a histogram of latencies says, in nanoseconds.
public struct Latency: Equatable, Sendable, Codable {
    public let count: UInt64
    public let p50: UInt64
    public let p90: UInt64
    public let p99: UInt64
    public let p999: UInt64
    public let max: UInt64

    /// Nil if nothing was counted.
    public init?(_ histogram: Histogram) {
        guard let p50 = histogram.percentile(50), let p90 = histogram.percentile(90),
            let p99 = histogram.percentile(99), let p999 = histogram.percentile(99.9),
            let max = histogram.greatest
        else { return nil }
        count = histogram.count
        (self.p50, self.p90, self.p99, self.p999, self.max) = (p50, p90, p99, p999, max)
    }
}

/// One round of requests that left on a schedule.
public struct LatencySample: Equatable, Sendable {
    public let side: Side
    public let pair: Int
    public let perSecond: Double
    public let histogram: Histogram
    /// Seconds of the server's CPU for each; nil where it served others beside.
    public let serverCPUPerRequest: Double?

    public init(
        side: Side, pair: Int, perSecond: Double, histogram: Histogram,
        serverCPUPerRequest: Double? = nil
    ) {
        (self.side, self.pair, self.perSecond) = (side, pair, perSecond)
        (self.histogram, self.serverCPUPerRequest) = (histogram, serverCPUPerRequest)
    }
}

/// All scheduled rounds of one side in one row.
public struct LatencyResult: Equatable, Sendable, Codable {
    /// Requests that were due a second.
    public let perSecond: Double
    /// Seconds a request, over the rounds: more than at full load, where a server finds its work in
    /// larger batches.
    public let serverCPU: Summary?
    /// Over all rounds together.
    public let all: Latency
    /// Round by round, in order.
    public let rounds: [Latency]
    /// The merged histogram's buckets that are not empty.
    public let buckets: [Histogram.Bucket]

    /// Nil if this side had no scheduled round.
    public init?(of side: Side, in samples: [LatencySample]) {
        let mine = samples.filter { $0.side == side }.sorted { $0.pair < $1.pair }
        var merged = Histogram()
        for sample in mine { merged.merge(sample.histogram) }
        guard let first = mine.first, let all = Latency(merged) else { return nil }
        perSecond = first.perSecond
        serverCPU = Summary(mine.compactMap(\.serverCPUPerRequest))
        self.all = all
        rounds = mine.compactMap { Latency($0.histogram) }
        buckets = merged.buckets
    }
}
