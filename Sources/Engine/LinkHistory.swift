/// What is remembered of a link between transfers: level and trend of its rate, its round trip, how
/// often transfers over it broke, in the long run and just now (`HazardBelief`), and how old that
/// is. Numbers only, so that it can be kept.
///
/// Rates are smoothed by Holt's linear method in the logarithm, for observations at any distance in
/// time (Holt 1957; Wright 1986): the weight of an observation follows from how much time it speaks
/// for. The trend is damped (Gardner, McKenzie 1985), and a forecast stays within what was seen.
public struct LinkHistory: Equatable, Sendable {
    /// Of bytes a second, the natural logarithm; the trend by second.
    public var logRate: Double
    public var logRateTrend: Double
    public var logRateLeast: Double
    public var logRateMost: Double
    /// 0 if none was measured.
    public var roundTripSeconds: Double
    /// What the logarithm of its rate by its round trip is in the long run: below it the link is
    /// weak, as links are where they break.
    public var qualityMean: Double
    /// Failures and seconds of transfer, the past fading.
    public var failures: Double
    public var seconds: Double
    /// How often it breaks just now.
    var belief = HazardBelief()
    /// Transfers that told a rate; and all.
    public var rateCount: UInt64
    public var count: UInt64
    /// Milliseconds since 1970.
    public var updatedAt: UInt64

    public init(
        logRate: Double = 0, logRateTrend: Double = 0, logRateLeast: Double = 0,
        logRateMost: Double = 0, qualityMean: Double = 0, roundTripSeconds: Double = 0,
        failures: Double = 0, seconds: Double = 0, rateCount: UInt64 = 0, count: UInt64 = 0,
        updatedAt: UInt64 = 0
    ) {
        (self.logRate, self.logRateTrend) = (logRate, logRateTrend)
        (self.logRateLeast, self.logRateMost) = (logRateLeast, logRateMost)
        (self.qualityMean, self.roundTripSeconds) = (qualityMean, roundTripSeconds)
        (self.failures, self.seconds) = (failures, seconds)
        (self.rateCount, self.count, self.updatedAt) = (rateCount, count, updatedAt)
    }
}
