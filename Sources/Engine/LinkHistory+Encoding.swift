/// What is remembered of a link as numbers of 8 bytes, as a profile keeps it.

extension LinkHistory {
    static let fieldCount = 13
    /// A rate's logarithm: from less than a byte a year to more than there are.
    private static let logRates = -50.0...50.0
    /// Seconds and counts of an age in which there was no network.
    private static let amounts = 0.0...1e12

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
        guard numbers[0..<5].allSatisfy(LinkHistory.logRates.contains),
            numbers[5...].allSatisfy(LinkHistory.amounts.contains)
        else { return nil }
        self.init(
            logRate: numbers[0], logRateTrend: numbers[1], logRateLeast: numbers[2],
            logRateMost: numbers[3], logRateMean: numbers[4], roundTripSeconds: numbers[5],
            failures: numbers[6], seconds: numbers[7], weakFailures: numbers[8],
            weakSeconds: numbers[9], rateCount: fields[10], count: fields[11],
            updatedAt: fields[12])
    }
}
