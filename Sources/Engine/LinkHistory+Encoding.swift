/// What is remembered of a link as numbers of 8 bytes, as a profile keeps it.

extension LinkHistory {
    static let fieldCount = 12
    /// A rate's logarithm: from less than a byte a year to more than there are.
    private static let logRates = -50.0...50.0
    /// Seconds and counts of an age in which there was no network.
    private static let amounts = 0.0...1e12

    var fields: [UInt64] {
        [
            logRate, logRateTrend, logRateLeast, logRateMost, roundTripSeconds, failures, seconds,
            recentFailures, recentSeconds,
        ].map(\.bitPattern) + [rateCount, count, updatedAt]
    }

    /// Nil for numbers that no link has: also for what is no number.
    init?(fields: [UInt64]) {
        precondition(fields.count == LinkHistory.fieldCount, "a history of other fields")
        let numbers = fields.prefix(9).map { Double(bitPattern: $0) }
        guard numbers[0..<4].allSatisfy(LinkHistory.logRates.contains),
            numbers[4...].allSatisfy(LinkHistory.amounts.contains)
        else { return nil }
        self.init(
            logRate: numbers[0], logRateTrend: numbers[1], logRateLeast: numbers[2],
            logRateMost: numbers[3], roundTripSeconds: numbers[4], failures: numbers[5],
            seconds: numbers[6], recentFailures: numbers[7], recentSeconds: numbers[8],
            rateCount: fields[9], count: fields[10], updatedAt: fields[11])
    }
}
