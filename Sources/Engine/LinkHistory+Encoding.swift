/// What is remembered of a link as numbers of 8 bytes, as a profile keeps it.

extension LinkHistory {
    static let fieldCount = 13

    var fields: [UInt64] {
        [
            logRate, logRateTrend, logRateLeast, logRateMost, logRateMean, roundTripSeconds,
            failures, seconds, weakFailures, weakSeconds,
        ].map(\.bitPattern) + [rateCount, count, updatedAt]
    }

    /// Nil for numbers that no link has: also for what is no number.
    init?(fields: [UInt64]) {
        precondition(fields.count == LinkHistory.fieldCount, "a history of other fields")
        let numbers = fields.prefix(10).map { Double(bitPattern: $0) }
        self.init(
            logRate: numbers[0], logRateTrend: numbers[1], logRateLeast: numbers[2],
            logRateMost: numbers[3], logRateMean: numbers[4], roundTripSeconds: numbers[5],
            failures: numbers[6], seconds: numbers[7], weakFailures: numbers[8],
            weakSeconds: numbers[9], rateCount: fields[10], count: fields[11],
            updatedAt: fields[12])
        guard isSound else { return nil }
    }
}
