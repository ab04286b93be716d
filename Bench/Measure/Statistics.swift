/// Medians, spans and intervals of a handful of measurements.

/// The middle one, the least and the greatest of some measurements.
public struct Summary: Equatable, Sendable, Codable {
    public let median: Double
    public let least: Double
    public let greatest: Double

    /// Nil if there is nothing to summarise.
    public init?(_ values: [Double]) {
        guard let least = values.min(), let greatest = values.max() else { return nil }
        median = Summary.median(of: values)
        self.least = least
        self.greatest = greatest
    }

    /// The middle value, or the mean of the two middle ones. `values` must not be empty.
    public static func median(of values: [Double]) -> Double {
        precondition(!values.isEmpty, "nothing has no median")
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// The median of paired ratios with a bootstrap interval (percentile method; Efron, Tibshirani,
/// An Introduction to the Bootstrap, 1993, §13.3).
public struct RatioEstimate: Equatable, Sendable, Codable {
    public let median: Double
    /// Ends of the 95 % interval.
    public let low: Double
    public let high: Double

    /// Enough that the interval's ends no longer move in the digits printed.
    public static let resampleCount = 10_000

    public init(median: Double, low: Double, high: Double) {
        (self.median, self.low, self.high) = (median, low, high)
    }

    /// Ratios of values measured side by side: `numerators[i]` in the same pair as
    /// `denominators[i]`. The same seed gives the same interval. Nil without pairs, or if a
    /// denominator is not positive.
    public init?(
        of numerators: [Double], to denominators: [Double], seed: UInt64,
        resampleCount: Int = RatioEstimate.resampleCount
    ) {
        precondition(resampleCount >= 40, "2.5 % of that is less than one")
        precondition(numerators.count == denominators.count, "a ratio needs both of a pair")
        guard !numerators.isEmpty, denominators.allSatisfy({ $0 > 0 }) else { return nil }
        let ratios = zip(numerators, denominators).map { $0 / $1 }
        var random = SplitMix64(seed: seed)
        var medians: [Double] = []
        medians.reserveCapacity(resampleCount)
        for _ in 0..<resampleCount {
            let resample = ratios.indices.map { _ in
                ratios[Int.random(in: ratios.indices, using: &random)]
            }
            medians.append(Summary.median(of: resample))
        }
        medians.sort()
        median = Summary.median(of: ratios)
        low = medians[resampleCount * 25 / 1000]
        high = medians[resampleCount * 975 / 1000 - 1]
    }
}
