/// What a link will be, by what it was: how transfers are entered into a `LinkHistory`, and what is
/// read off it.

internal import Glibc

/// A link's next moments, as far as its history tells.
public struct LinkForecast: Equatable, Sendable {
    public var bytesPerSecond: Double
    /// Nil if none was measured.
    public var roundTripSeconds: Double?
    public var failuresPerSecond: Double
}

extension LinkHistory {
    /// The time in which an observation loses two thirds of its weight: in the level of the rate,
    /// in its trend, in how far a trend is believed to go on, in the least and the most that was
    /// seen, and in the two memories of failures.
    static let levelSeconds = 5.0
    static let trendSeconds = 20.0
    static let dampingSeconds = 10.0
    static let boundsSeconds = 600.0
    static let hazardSeconds = 1800.0
    static let recentHazardSeconds = 120.0
    /// As many seconds of transfer as the long memory weighs where the short one is asked.
    static let recentPriorSeconds = 30.0
    /// Rates that must have been seen before there is a forecast.
    static let rateCountMin: UInt64 = 3
    /// Clocks of two moments that are the same, or went back.
    private static let distanceMin = 0.05
    private static let distanceMax = 1e9

    /// Enters what one transfer, or a part of one, told. Figures that cannot be are left out.
    ///
    /// - Parameters:
    ///   - hazard: of this transfer alone.
    ///   - now: milliseconds since 1970, when it ended. If the clock went back, no time has passed.
    public mutating func observe(
        bytesPerSecond: Double?, roundTripNanoseconds: UInt64?, hazard: LinkHazard, now: UInt64
    ) {
        let distance = count == 0 ? 0 : secondsUntil(now)
        if let rate = bytesPerSecond, rate >= 1, rate <= LinkEstimator.bytesPerSecondMax {
            observe(logRate: log(rate), distance: distance)
        }
        if let seen = roundTripNanoseconds, seen > 0,
            Double(seen) <= LinkEstimator.roundTripMax
        {
            let isFirst = roundTripSeconds == 0
            let weight = isFirst ? 1 : LinkHistory.weight(distance, LinkHistory.levelSeconds)
            roundTripSeconds += weight * (Double(seen) / 1e9 - roundTripSeconds)
        }
        let long = exp(-distance / LinkHistory.hazardSeconds)
        let short = exp(-distance / LinkHistory.recentHazardSeconds)
        failures = failures * long + LinkHazard.bounded(hazard.failures)
        seconds = seconds * long + LinkHazard.bounded(hazard.seconds)
        recentFailures = recentFailures * short + LinkHazard.bounded(hazard.failures)
        recentSeconds = recentSeconds * short + LinkHazard.bounded(hazard.seconds)
        count = count == .max ? count : count + 1
        updatedAt = max(updatedAt, now)
    }

    private mutating func observe(logRate seen: Double, distance: Double) {
        defer { rateCount = rateCount == .max ? rateCount : rateCount + 1 }
        guard rateCount > 0 else {
            (logRate, logRateTrend, logRateLeast, logRateMost) = (seen, 0, seen, seen)
            return
        }
        let distance = max(distance, LinkHistory.distanceMin)
        let expected = logRate + trend(over: distance)
        let level =
            expected + LinkHistory.weight(distance, LinkHistory.levelSeconds) * (seen - expected)
        let slope = (level - logRate) / distance
        let faded = logRateTrend * exp(-distance / LinkHistory.dampingSeconds)
        logRateTrend =
            faded + LinkHistory.weight(distance, LinkHistory.trendSeconds) * (slope - faded)
        logRate = level
        let kept = exp(-distance / LinkHistory.boundsSeconds)
        logRateLeast = min(seen, level - max(level - logRateLeast, 0) * kept)
        logRateMost = max(seen, level + max(logRateMost - level, 0) * kept)
    }

    /// How far the trend leads in that time: less and less of it is believed to go on.
    private func trend(over seconds: Double) -> Double {
        logRateTrend * LinkHistory.dampingSeconds * -expm1(-seconds / LinkHistory.dampingSeconds)
    }

    private static func weight(_ distance: Double, _ seconds: Double) -> Double {
        -expm1(-distance / seconds)
    }

    private func secondsUntil(_ now: UInt64) -> Double {
        guard now > updatedAt else { return 0 }
        return min(Double(now - updatedAt) / 1000, LinkHistory.distanceMax)
    }

    // MARK: Reading

    /// Nil if too little was seen, or it is no history that `observe` could have made.
    public func forecast(at now: UInt64, _ linkClass: LinkClass) -> LinkForecast? {
        guard isSound, rateCount >= LinkHistory.rateCountMin else { return nil }
        let expected = logRate + trend(over: secondsUntil(now))
        return LinkForecast(
            bytesPerSecond: exp(min(max(expected, logRateLeast), logRateMost)),
            roundTripSeconds: roundTripSeconds > 0 ? roundTripSeconds : nil,
            failuresPerSecond: failuresPerSecond(at: now, linkClass))
    }

    /// What was seen lately, with what was seen at all as its prior, and the class as that one's.
    private func failuresPerSecond(at now: UInt64, _ linkClass: LinkClass) -> Double {
        let distance = secondsUntil(now)
        let long = exp(-distance / LinkHistory.hazardSeconds)
        let short = exp(-distance / LinkHistory.recentHazardSeconds)
        let base = LinkHazard(failures: failures * long, seconds: seconds * long)
            .failuresPerSecond(linkClass)
        return (recentFailures * short + base * LinkHistory.recentPriorSeconds)
            / (recentSeconds * short + LinkHistory.recentPriorSeconds)
    }

    /// Whether all figures are such as `observe` makes: for what was read from somewhere.
    public var isSound: Bool {
        let logRates = [logRate, logRateLeast, logRateMost]
        let counted = [failures, seconds, recentFailures, recentSeconds]
        return logRates.allSatisfy { $0 >= 0 && $0 <= 30 } && logRateTrend.magnitude <= 1e3
            && logRateLeast <= logRateMost
            && roundTripSeconds >= 0 && roundTripSeconds <= LinkEstimator.roundTripMax / 1e9
            && counted.allSatisfy { $0 >= 0 && $0 <= 1e15 }
    }
}
