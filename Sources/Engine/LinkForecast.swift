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
    /// seen, and in the memory of failures.
    static let levelSeconds = 2.5
    static let trendSeconds = 20.0
    static let dampingSeconds = 10.0
    static let boundsSeconds = 600.0
    static let hazardSeconds = 1800.0
    /// How long the long run is that weak and strong are measured by, in seconds of transfer.
    static let meanSeconds = 600.0
    /// Rates that must have been seen before there is a forecast.
    static let rateCountMin: UInt64 = 3
    /// Clocks of two moments that are the same, or went back.
    private static let distanceMin = 0.05
    private static let distanceMax = 1e9

    /// Enters what one transfer, or a part of one, told. Figures that cannot be are left out. A
    /// rate on little evidence is a lower bound: it can raise the level, and says nothing of the
    /// trend.
    ///
    /// - Parameters:
    ///   - hazard: of this transfer alone.
    ///   - linkClass: what it was over.
    ///   - now: milliseconds since 1970, when it ended. If the clock went back, no time has passed.
    public mutating func observe(
        _ estimate: LinkEstimate, _ hazard: LinkHazard, _ linkClass: LinkClass = .unknown,
        now: UInt64
    ) {
        let distance = count == 0 ? 0 : secondsUntil(now)
        let hadRate = rateCount > 0
        let before = LinkHistory.quality(logRate: logRate, roundTripSeconds: roundTripSeconds)
        var seen: Double?
        if let rate = estimate.bytesPerSecond, rate >= 1, rate <= LinkEstimator.bytesPerSecondMax {
            if estimate.roundTrips >= LinkEstimate.roundTripsEnough {
                seen = log(rate)
                enter(logRate: log(rate), distance: distance)
            } else {
                raise(toLogRate: log(rate))
            }
        }
        if let seen = estimate.roundTripNanoseconds, seen > 0,
            Double(seen) <= LinkEstimator.roundTripMax
        {
            let isFirst = roundTripSeconds == 0
            let weight = isFirst ? 1 : LinkHistory.weight(distance, LinkHistory.levelSeconds)
            roundTripSeconds += weight * (Double(seen) / 1e9 - roundTripSeconds)
        }
        let quality = LinkHistory.quality(
            logRate: seen ?? logRate, roundTripSeconds: roundTripSeconds)
        if !hadRate { qualityMean = rateCount > 0 ? quality : 0 }
        let longRun = self.hazard(at: now).failuresPerSecond(linkClass)
        belief = belief.after(distance, mean: longRun)
        // By what was known when it began, as plans are: that a good link is about to end is a risk
        // of good links.
        belief.observe(hazard, quality: better(hadRate ? before : quality))
        enter(hazard, quality, distance: distance)
        count = count == .max ? count : count + 1
        updatedAt = max(updatedAt, now)
    }

    private mutating func enter(_ hazard: LinkHazard, _ quality: Double, distance: Double) {
        let kept = exp(-distance / LinkHistory.hazardSeconds)
        let passed = LinkHazard.bounded(hazard.seconds)
        failures = failures * kept + LinkHazard.bounded(hazard.failures)
        seconds = seconds * kept + passed
        guard rateCount > 0 else { return }
        let share = passed / max(min(seconds, LinkHistory.meanSeconds), passed, 1e-3)
        qualityMean += share * (quality - qualityMean)
    }

    /// How good a link is, whatever it is: the logarithm of its rate by its round trip. Far cells
    /// and full ones are slow, and answer late.
    static func quality(logRate: Double, roundTripSeconds: Double) -> Double {
        let distance =
            roundTripSeconds > 0 ? roundTripSeconds : ChunkPlanner.roundTripSecondsAssumed
        return logRate - log(max(distance, roundTripSecondsMin))
    }

    /// A microsecond: what the kernel counts in.
    private static let roundTripSecondsMin = 1e-6

    /// How much better than usual that is for this link, within bounds; 0 if nobody knows.
    private func better(_ quality: Double) -> Double {
        guard rateCount > 0 else { return 0 }
        let most = HazardBelief.qualityMost
        return min(max(quality - qualityMean, -most), most)
    }

    private mutating func enter(logRate seen: Double, distance: Double) {
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

    private mutating func raise(toLogRate seen: Double) {
        guard rateCount > 0 else {
            (logRate, logRateLeast, logRateMost, rateCount) = (seen, seen, seen, 1)
            return
        }
        logRate = max(logRate, seen)
        logRateMost = max(logRateMost, seen)
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

    /// What is still remembered of failures at that time.
    public func hazard(at now: UInt64) -> LinkHazard {
        let kept = exp(-secondsUntil(now) / LinkHistory.hazardSeconds)
        return LinkHazard(failures: failures * kept, seconds: seconds * kept)
    }

    /// Nil if too little was seen, or it is no history that `observe` could have made.
    public func forecast(at now: UInt64, _ linkClass: LinkClass) -> LinkForecast? {
        guard isSound, rateCount >= LinkHistory.rateCountMin else { return nil }
        let expected = logRate + trend(over: secondsUntil(now))
        let bounded = min(max(expected, logRateLeast), logRateMost)
        let quality = LinkHistory.quality(
            logRate: bounded, roundTripSeconds: roundTripSeconds)
        let longRun = hazard(at: now).failuresPerSecond(linkClass)
        return LinkForecast(
            bytesPerSecond: exp(bounded),
            roundTripSeconds: roundTripSeconds > 0 ? roundTripSeconds : nil,
            failuresPerSecond: belief.after(secondsUntil(now), mean: longRun)
                .failuresPerSecond(quality: better(quality)))
    }

    /// Whether all figures are such as `observe` makes: for what was read from somewhere.
    public var isSound: Bool {
        let logRates = [logRate, logRateLeast, logRateMost]
        let counted = [failures, seconds]
        return logRates.allSatisfy { $0 >= 0 && $0 <= 30 } && logRateTrend.magnitude <= 1e3
            && logRateLeast <= logRateMost && qualityMean.magnitude <= 50 && belief.isSound
            && roundTripSeconds >= 0 && roundTripSeconds <= LinkEstimator.roundTripMax / 1e9
            && counted.allSatisfy { $0 >= 0 && $0 <= 1e15 }
    }
}
