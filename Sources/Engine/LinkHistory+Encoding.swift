/// What is remembered of a link as numbers of 8 bytes, as a profile keeps it.

extension LinkHistory {
    private static let numberCount = 11
    /// Two weights to a number.
    private static let weightCount = HazardBelief.hazardCount * HazardBelief.slopeCount
    static let fieldCount = numberCount + weightCount / 2

    var fields: [UInt64] {
        let numbers = [
            logRate, logRateTrend, logRateLeast, logRateMost, qualityMean, roundTripSeconds,
            failures, seconds,
        ].map(\.bitPattern)
        let weights = stride(from: 0, to: LinkHistory.weightCount, by: 2).map { index in
            UInt64(belief.weights[index].bitPattern)
                | UInt64(belief.weights[index + 1].bitPattern) << 32
        }
        return numbers + [rateCount, count, updatedAt] + weights
    }

    /// Nil for numbers that no link has: also for what is no number.
    init?(fields: [UInt64]) {
        precondition(fields.count == LinkHistory.fieldCount, "a history of other fields")
        let numbers = fields.prefix(8).map { Double(bitPattern: $0) }
        self.init(
            logRate: numbers[0], logRateTrend: numbers[1], logRateLeast: numbers[2],
            logRateMost: numbers[3], qualityMean: numbers[4], roundTripSeconds: numbers[5],
            failures: numbers[6], seconds: numbers[7], rateCount: fields[8], count: fields[9],
            updatedAt: fields[10])
        for (index, pair) in fields.dropFirst(LinkHistory.numberCount).enumerated() {
            let (low, high) = (UInt32(truncatingIfNeeded: pair), UInt32(pair >> 32))
            belief.weights[2 * index] = Float(bitPattern: low)
            belief.weights[2 * index + 1] = Float(bitPattern: high)
        }
        guard isSound else { return nil }
    }

    /// Of the format before, which had 13 fields: the long run of the rate alone as the fifth, and
    /// what was counted of weak times as the ninth and tenth.
    init?(firstFormat fields: [UInt64]) {
        precondition(fields.count == LinkHistory.firstFormatCount, "a history of other fields")
        let kept = Array(fields[..<8]) + fields[10...]
        var all = kept + [UInt64](repeating: 0, count: LinkHistory.weightCount / 2)
        let (rate, roundTrip) = (Double(bitPattern: fields[4]), Double(bitPattern: fields[5]))
        all[4] = LinkHistory.quality(logRate: rate, roundTripSeconds: roundTrip).bitPattern
        self.init(fields: all)
    }

    static let firstFormatCount = 13
}
