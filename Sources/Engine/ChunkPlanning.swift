/// How chunks are planned for a link that something is known of.

extension ChunkPlanner {
    /// What an operator's `performance.chunk_adaptation_algorithm` makes of what is known.
    ///
    /// `adaptive` takes the length at which failures and round trips cost least (`ChunkBalance`),
    /// clamped to `limits`; if the file's size is known, the next length to it that cuts the rest
    /// into equal chunks; down to whole blocks of 4 KiB. A chunk's overhead is a round trip. What
    /// is missing among the facts is taken from the history, or 100 ms, or the class's prior. With
    /// the limits' defaults, for 100 MiB of which all are left:
    ///
    ///     | bytes/s     | round trip | failures/s | chunk      | at once | because         |
    ///     |-------------|------------|------------|------------|---------|-----------------|
    ///     | unknown     | unknown    | unknown    |  4,194,304 | 1       | unknownLink     |
    ///     | 125,000     | 1 ms       | 1/600      |    262,144 | 1       | shortestAllowed |
    ///     | 125,000     | 600 ms     | 1/600      |  3,276,800 | 1       | balance         |
    ///     | 125,000     | 600 ms     | 1/10       |    385,024 | 2       | balance         |
    ///     | 1,250,000   | 20 ms      | 1/60       |  1,908,736 | 1       | balance         |
    ///     | 1,250,000   | 80 ms      | 1/10       |  1,523,712 | 1       | balance         |
    ///     | 12,500,000  | 20 ms      | 1/10       |  7,491,584 | 1       | balance         |
    ///     | 12,500,000  | 200 ms     | 1/10       | 10,485,760 | 2       | longestAllowed  |
    ///     | 125,000,000 | 600 ms     | 0          | 10,485,760 | 8       | longestAllowed  |
    ///     | 1,000,000   | 80 ms      | 1/60       |  3,084,288 | 1       | balance         |
    ///     | the same on 1 round trip: opening     |  8,740,864 | 1       | balance         |
    ///
    /// For a file whose length is not known the one before the last is 3,043,328.
    ///
    /// `predictive` takes rate and failures from `LinkHistory.forecast` where that has seen enough,
    /// and a rate that was just measured before the forecast one; else it is `adaptive`.
    public static func plan(
        _ algorithm: ChunkAlgorithm, _ facts: TransferFacts, limits: ChunkLimits = ChunkLimits()
    ) -> ChunkPlan {
        switch algorithm {
        case .fixed: tiers(facts, .tier, limits)
        case .adaptive: adaptive(facts, limits)
        case .predictive: predictive(facts, limits)
        }
    }

    private static func tiers(
        _ facts: TransferFacts, _ reason: ChunkReason, _ limits: ChunkLimits
    ) -> ChunkPlan {
        let bytes = fixed(facts, limits: limits)
        return ChunkPlan(
            chunkBytes: bytes,
            parallelism: parallelism(
                chunkBytes: bytes, bytesPerSecond: facts.bytesPerSecond.map { Double($0) },
                roundTripSeconds: facts.roundTripNanoseconds.map { Double($0) / 1e9 }),
            reason: reason)
    }

    /// What stands in for facts that are missing.
    static let roundTripSecondsAssumed = 0.1
    /// Below this a link fails less than once in thirty years; nearer to 0 nothing changes.
    private static let failuresPerSecondMin = 1e-9

    /// Of a link that nothing is known of: what costs little if it turns out to be good, and little
    /// if not, as the next chunk's length will follow from what this one shows. (Of 256 KiB to 10
    /// MiB the one whose worst cell of the grid was best, on the training seeds.)
    static let unknownBytes: UInt64 = 4 << 20

    private static func unknown(_ facts: TransferFacts, _ limits: ChunkLimits) -> ChunkPlan {
        var plan = tiers(facts, .unknownLink, limits)
        guard facts.bytesLeft != nil else { return plan }
        plan.chunkBytes = min(max(unknownBytes, limits.smallest), limits.largest)
        return plan
    }

    private static func adaptive(_ facts: TransferFacts, _ limits: ChunkLimits) -> ChunkPlan {
        // Only for what nobody measured: it is most of what a plan costs.
        lazy var known = facts.history?.forecast(at: facts.now ?? 0, facts.linkClass)
        guard let rate = rate(facts) ?? known?.bytesPerSecond else {
            return unknown(facts, limits)
        }
        return balance(
            ChunkBalance(
                bytesPerSecond: rate,
                overheadSeconds: roundTrip(facts) ?? known?.roundTripSeconds
                    ?? roundTripSecondsAssumed,
                failuresPerSecond: hazard(facts)
                    ?? (known == nil ? nil : facts.history?.hazard(at: facts.now ?? 0))
                    .map { $0.failuresPerSecond(facts.linkClass) }
                    ?? LinkHazard().failuresPerSecond(facts.linkClass),
                isOpening: isOpening(facts)),
            facts, .balance, limits)
    }

    private static func predictive(_ facts: TransferFacts, _ limits: ChunkLimits) -> ChunkPlan {
        guard let history = facts.history, let now = facts.now,
            let forecast = history.forecast(at: now, facts.linkClass)
        else { return adaptive(facts, limits) }
        return balance(
            ChunkBalance(
                bytesPerSecond: rate(facts) ?? forecast.bytesPerSecond,
                overheadSeconds: roundTrip(facts) ?? forecast.roundTripSeconds
                    ?? roundTripSecondsAssumed,
                failuresPerSecond: forecast.failuresPerSecond, isOpening: isOpening(facts)),
            facts, .forecast, limits)
    }

    private static func isOpening(_ facts: TransferFacts) -> Bool {
        (facts.roundTrips ?? .infinity) < LinkEstimate.roundTripsEnough
    }

    private static func rate(_ facts: TransferFacts) -> Double? {
        guard let rate = facts.bytesPerSecond, rate > 0 else { return nil }
        return min(Double(rate), LinkEstimator.bytesPerSecondMax)
    }

    private static func roundTrip(_ facts: TransferFacts) -> Double? {
        guard let told = facts.roundTripNanoseconds, told > 0 else { return nil }
        return min(Double(told), LinkEstimator.roundTripMax) / 1e9
    }

    private static func hazard(_ facts: TransferFacts) -> Double? {
        guard let told = facts.failuresPerSecond, told >= 0 else { return nil }
        return min(max(told, failuresPerSecondMin), 1e3)
    }

    private static func balance(
        _ balance: ChunkBalance, _ facts: TransferFacts, _ reason: ChunkReason,
        _ limits: ChunkLimits
    ) -> ChunkPlan {
        let wanted = balance.bytes
        let (least, most) = (Double(limits.smallest), Double(limits.largest))
        var reason = reason
        if wanted < least { reason = .shortestAllowed }
        if wanted > most { reason = .longestAllowed }
        var bytes = UInt64(min(max(wanted, least), most))
        if let left = facts.bytesLeft ?? facts.size, left > bytes {
            bytes = balance.evenly(left, about: bytes, limits)
        }
        bytes -= bytes % ChunkLimits.blockBytes
        return ChunkPlan(
            chunkBytes: bytes,
            parallelism: parallelism(
                chunkBytes: bytes, bytesPerSecond: balance.bytesPerSecond,
                roundTripSeconds: balance.overheadSeconds),
            reason: reason)
    }

    // MARK: Parallelism

    /// Most connections that a client is advised to use.
    public static let parallelismMax = 8
    /// A second connection that would bring less than this share is not worth its failures.
    static let idleShareWorthwhile = 0.1

    /// Chunks that must be under way together so that the link never waits: while one's answer is
    /// awaited, a round trip long, the others send. A chunk occupies the link for c/r and its
    /// connection for c/r + RTT, so these are 1 + r·RTT/c; a tenth of a chunk is let go. What is
    /// not known is 1.
    static func parallelism(
        chunkBytes: UInt64, bytesPerSecond: Double?, roundTripSeconds: Double?
    ) -> Int {
        guard let bytesPerSecond, let roundTripSeconds, chunkBytes > 0 else { return 1 }
        let wanted = 1 + bytesPerSecond * roundTripSeconds / Double(chunkBytes)
        return Int(min((wanted - idleShareWorthwhile).rounded(.up), Double(parallelismMax)))
    }
}
