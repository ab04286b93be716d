// Goal:   a history says what Holt's method says, stays within what was seen, and takes anything.
// Method: the same series by the method's textbook form; series with a known trend; clocks that go
//         back, records that are corrupt.

import Foundation
import Testing

@testable import Engine

private func estimate(_ rate: Double?, roundTrips: Double = 20) -> LinkEstimate {
    var estimate = LinkEstimate()
    estimate.bytesPerSecond = rate
    estimate.roundTripNanoseconds = 50_000_000
    estimate.roundTrips = roundTrips
    return estimate
}

private func history(_ rates: [Double], everyMilliseconds: UInt64 = 1000) -> LinkHistory {
    var history = LinkHistory()
    for (index, rate) in rates.enumerated() {
        history.observe(
            estimate(rate), LinkHazard(seconds: 1), now: 1000 + UInt64(index) * everyMilliseconds)
    }
    return history
}

@Suite struct `A link's history` {
    @Test func `has no forecast before it has seen three rates`() {
        #expect(LinkHistory().forecast(at: 0, .unknown) == nil)
        #expect(history([1e6, 1e6]).forecast(at: 3000, .unknown) == nil)
        #expect(history([1e6, 1e6, 1e6]).forecast(at: 3000, .unknown) != nil)
    }

    /// Level, trend and forecast at regular distances, as the textbooks write them: with φ the
    /// sum of the damping over one step, and weights that belong to steps of a second.
    @Test func `is Holt's damped trend`() {
        let rates = (0..<60).map { 1e6 * exp(0.02 * Double($0) + 0.1 * sin(Double($0))) }
        let alpha = 1 - exp(-1 / LinkHistory.levelSeconds)
        let beta = 1 - exp(-1 / LinkHistory.trendSeconds)
        let damping = exp(-1 / LinkHistory.dampingSeconds)
        let reach = LinkHistory.dampingSeconds * (1 - damping)
        var (level, trend) = (log(rates[0]), 0.0)
        for rate in rates.dropFirst() {
            let before = level
            level = alpha * log(rate) + (1 - alpha) * (before + reach * trend)
            trend = beta * (level - before) + (1 - beta) * damping * trend
        }
        let found = history(rates)
        #expect((found.logRate - level).magnitude < 1e-9)
        #expect((found.logRateTrend - trend).magnitude < 1e-9)
        let forecast = found.forecast(at: 61_000, .unknown)?.bytesPerSecond ?? 0
        #expect((forecast / exp(level + reach * trend) - 1).magnitude < 1e-9)
    }

    @Test func `follows a trend, but not beyond what was seen`() {
        let falling = history((0..<40).map { 4e6 * exp(-0.03 * Double($0)) })
        let soon = falling.forecast(at: 41_000, .unknown)?.bytesPerSecond ?? 0
        let later = falling.forecast(at: 60_000, .unknown)?.bytesPerSecond ?? 0
        #expect(falling.logRateTrend < -0.005)
        #expect(later <= soon)
        #expect(later >= 4e6 * exp(-0.03 * 39) * 0.999)
        let rising = history((0..<40).map { 1e6 * exp(0.03 * Double($0)) })
        let most = 1e6 * exp(0.03 * 39)
        for seconds in [41, 60, 1000, 1_000_000] as [UInt64] {
            let forecast = rising.forecast(at: seconds * 1000, .unknown)?.bytesPerSecond ?? 0
            #expect(forecast <= most * 1.001 && forecast > 1e6)
        }
    }

    @Test func `is raised by a lower bound, and not lowered`() {
        var found = history([1e6, 1e6, 1e6, 1e6])
        let before = found
        found.observe(estimate(2e5, roundTrips: 1), LinkHazard(seconds: 1), now: 5000)
        #expect(found.logRate == before.logRate && found.logRateTrend == before.logRateTrend)
        found.observe(estimate(3e6, roundTrips: 1), LinkHazard(seconds: 1), now: 6000)
        #expect(found.logRate == log(3e6) && found.logRateTrend == before.logRateTrend)
        var first = LinkHistory()
        first.observe(estimate(5e5, roundTrips: 0), LinkHazard(), now: 1)
        #expect(first.logRate == log(5e5) && first.rateCount == 1)
    }

    @Test func `tells the hazard of weak times from that of strong ones`() {
        var found = LinkHistory()
        var now: UInt64 = 1000
        for round in 0..<200 {
            let isWeak = round / 10 % 2 == 1
            now += 5000
            found.observe(
                estimate(isWeak ? 3e5 : 3e6),
                LinkHazard(failures: isWeak && round % 2 == 0 ? 1 : 0, seconds: 5), now: now)
        }
        let weak = found.forecast(at: now, .unknown)?.failuresPerSecond ?? 0
        for _ in 0..<5 {
            now += 5000
            found.observe(estimate(3e6), LinkHazard(seconds: 5), now: now)
        }
        let strong = found.forecast(at: now, .unknown)?.failuresPerSecond ?? 1
        #expect(weak > 0.06 && weak < 0.14, "one in ten seconds of weak ones: \(weak)")
        #expect(strong < 0.025, "\(strong)")
    }

    /// Rate and round trip stay; it breaks for a minute, and then not for a quarter of an hour.
    @Test func `tells a bad minute from good ones by its failures alone`() {
        var found = history([1e6, 1e6, 1e6])
        var now: UInt64 = 4000
        func pass(_ count: Int, failing: Bool) {
            for _ in 0..<count {
                now += 5000
                found.observe(
                    estimate(1e6), LinkHazard(failures: failing ? 1 : 0, seconds: 5), now: now)
            }
        }
        let expected = { found.forecast(at: now, .unknown)?.failuresPerSecond ?? 0 }
        pass(100, failing: false)
        let calm = expected()
        pass(12, failing: true)
        let bad = expected()
        pass(100, failing: false)
        let after = expected()
        // What all times had: 12 in 1000 s.
        let mean = found.hazard(at: now).failuresPerSecond(.unknown)
        #expect(calm < 0.003 && bad > 0.05, "\(calm) \(bad)")
        #expect(after < bad / 5 && after < mean / 1.2, "\(after) \(bad) \(mean)")
        // Long after the last one nothing but that is known.
        now += 1_000_000
        #expect(expected() > after)
    }

    /// Strong and weak times of 25 s, and breaks: as a strong one ends, when the link is weak
    /// already; or amid weak ones. Whoever plans in a strong time cannot know that it is the last.
    @Test func `counts what ends a good time as a risk of good times`() {
        func ratio(breakAt place: Int) -> Double {
            var found = LinkHistory()
            var now: UInt64 = 1000
            for round in 0..<300 {
                let failures = round % 10 == place ? 1.0 : 0
                now += 5000
                found.observe(
                    estimate(round % 10 >= 5 ? 3e5 : 3e6),
                    LinkHazard(failures: failures, seconds: 5), now: now)
            }
            return found.belief.failuresPerSecond(quality: -1)
                / found.belief.failuresPerSecond(quality: 1)
        }
        #expect(ratio(breakAt: 5) < 2, "\(ratio(breakAt: 5))")
        #expect(ratio(breakAt: 7) > 4, "\(ratio(breakAt: 7))")
    }

    @Test func `forgets failures in time`() {
        var found = history([1e6, 1e6, 1e6])
        found.observe(estimate(1e6), LinkHazard(failures: 20, seconds: 20), now: 5000)
        let at = { (now: UInt64) in found.forecast(at: now, .unknown)?.failuresPerSecond ?? 0 }
        #expect(at(5000) > at(3_600_000) && at(3_600_000) > at(36_000_000))
        let prior = LinkHazard().failuresPerSecond(.unknown)
        // Eight hazards have that mean about.
        #expect((at(36_000_000) / prior - 1).magnitude < 0.25)
    }

    @Test func `counts no time for a clock that went back, and any for one that leaps`() {
        var found = history([1e6, 2e6, 1e6, 2e6])
        for now in [0, 4000, 1, UInt64.max, 3, .max, 0] as [UInt64] {
            found.observe(estimate(1e6), LinkHazard(seconds: 1), now: now)
            #expect(found.isSound)
            let rate = found.forecast(at: now, .unknown)?.bytesPerSecond ?? 0
            #expect(rate >= 1e6 * 0.999 && rate <= 2e6 * 1.001)
        }
    }

    @Test func `takes no figures that cannot be`() {
        var found = history([1e6, 1e6, 1e6])
        for (rate, failures, seconds) in [
            (Double.nan, Double.nan, Double.nan), (-1, -5, -1), (.infinity, 1e300, .infinity),
            (0, 1e300, 1e300), (1e300, 0, 0),
        ] {
            found.observe(
                estimate(rate), LinkHazard(failures: failures, seconds: seconds), now: 4000)
            #expect(found.isSound)
            let forecast = found.forecast(at: 4000, .unknown)
            #expect(forecast.map { $0.bytesPerSecond.rounded() } == 1e6)
            let hazard = forecast?.failuresPerSecond ?? -1
            #expect(hazard >= 0 && hazard.isFinite)
        }
    }

    @Test func `has no forecast if it is corrupt`() {
        let sound = history([1e6, 1e6, 1e6])
        let damages: [(inout LinkHistory) -> Void] = [
            { $0.logRate = .nan }, { $0.logRate = 31 }, { $0.logRateTrend = .infinity },
            {
                $0.logRateLeast = 20; $0.logRateMost = 10
            }, { $0.qualityMean = 51 },
            { $0.roundTripSeconds = -1 }, { $0.roundTripSeconds = 61 },
            { $0.failures = .nan }, { $0.seconds = -1 }, { $0.qualityMean = .nan },
            { $0.belief.weights[3] = .nan }, { $0.belief.weights[31] += 1 },
            { $0.belief.weights[0] = -0.1 }, { $0.belief.weights[8] += 0.01 },
        ]
        for (number, damage) in damages.enumerated() {
            var broken = sound
            damage(&broken)
            #expect(!broken.isSound, "damage \(number)")
            #expect(broken.forecast(at: 4000, .unknown) == nil)
        }
        #expect(sound.isSound)
    }
}

@Suite struct `How often a link breaks` {
    @Test func `is the prior's before anything was seen, and what was seen in the end`() {
        #expect(LinkHazard().failuresPerSecond(.unknown) == 60.0 / 300 / 60)
        #expect(LinkHazard().failuresPerSecond(.lan) == 60.0 / 3600 / 60)
        let much = LinkHazard(failures: 1000, seconds: 10_000).failuresPerSecond(.lan)
        #expect((much / 0.1 - 1).magnitude < 0.01)
        #expect(LinkHazard(failures: 1, seconds: 10).failuresPerSecond(.unknown) == 1.2 / 70)
    }

    @Test func `is never negative, endless or no number`() {
        for value in [Double.nan, -1, -.infinity, .infinity, 1e300] {
            for linkClass in LinkClass.allCases {
                for hazard in [
                    LinkHazard(failures: value, seconds: 1),
                    LinkHazard(failures: 1, seconds: value),
                    LinkHazard(failures: value, seconds: value),
                ] {
                    let rate = hazard.failuresPerSecond(linkClass)
                    #expect(rate > 0 && rate.isFinite)
                }
            }
        }
    }
}

@Suite struct `An estimate on a new connection` {
    @Test func `is completed by the one before, until it stands for itself`() {
        var earlier = estimate(5e6)
        earlier.lossShare = 0.25
        var fresh = LinkEstimate()
        fresh.roundTripNanoseconds = 7
        #expect(fresh.completed(by: nil) == fresh)
        var expected = earlier
        expected.roundTripNanoseconds = 7
        #expect(fresh.completed(by: earlier) == expected)
        (fresh.bytesPerSecond, fresh.roundTrips) = (1e6, 2)
        #expect(fresh.completed(by: earlier).bytesPerSecond == 5e6)
        fresh.bytesPerSecond = 6e6
        #expect(fresh.completed(by: earlier).bytesPerSecond == 6e6)
        #expect(fresh.completed(by: earlier).roundTrips == 2)
        (fresh.bytesPerSecond, fresh.roundTrips) = (1e6, LinkEstimate.roundTripsEnough)
        #expect(fresh.completed(by: earlier).bytesPerSecond == 1e6)
    }
}
