// Goal:   a figure in perf/runs is the median it says it is, and an interval covers what it claims.
// Method: small cases by hand; the interval against repeated draws from a known distribution.

import BenchMeasure
import Testing

@Suite struct `A summary` {
    @Test func `takes the middle value, or the mean of the middle two`() {
        #expect(Summary.median(of: [3, 1, 2]) == 2)
        #expect(Summary.median(of: [4, 1, 2, 3]) == 2.5)
        #expect(Summary.median(of: [7]) == 7)
    }

    @Test func `keeps the least and the greatest`() {
        let summary = Summary([5, -1, 3])
        #expect(summary?.least == -1)
        #expect(summary?.greatest == 5)
        #expect(summary?.median == 3)
    }

    @Test func `of nothing is nothing`() {
        #expect(Summary([]) == nil)
    }
}

@Suite struct `A ratio of pairs` {
    @Test func `is the median of ratios, not the ratio of medians`() throws {
        let ratio = try #require(RatioEstimate(of: [1, 10, 9], to: [2, 5, 3], seed: 1))
        #expect(ratio.median == 2)
    }

    @Test func `has an interval without width if all pairs agree`() throws {
        let ratio = try #require(RatioEstimate(of: [2, 4, 6], to: [4, 8, 12], seed: 1))
        #expect(ratio == RatioEstimate(median: 0.5, low: 0.5, high: 0.5))
    }

    @Test func `is the same for the same seed`() {
        let (ours, theirs) = ([1.0, 2, 3, 4, 5, 6, 7], [2.0, 2, 2, 2, 2, 2, 2])
        let first = RatioEstimate(of: ours, to: theirs, seed: 7)
        #expect(first == RatioEstimate(of: ours, to: theirs, seed: 7))
    }

    @Test func `has an interval around its median, inside what was seen`() throws {
        let ours = [1.0, 2, 3, 4, 5, 6, 7, 8, 9]
        let ratio = try #require(
            RatioEstimate(of: ours, to: Array(repeating: 1, count: 9), seed: 3))
        #expect(ratio.low < ratio.median && ratio.median < ratio.high)
        #expect(ratio.low >= 1 && ratio.high <= 9)
    }

    @Test func `without pairs or with an empty measurement is nothing`() {
        #expect(RatioEstimate(of: [], to: [], seed: 1) == nil)
        #expect(RatioEstimate(of: [1], to: [0], seed: 1) == nil)
    }

    @Test func `covers the true median about nineteen times in twenty`() throws {
        var random = SplitMix64(seed: 11)
        let (trialCount, pairCount, truth) = (120, 15, 1.0)
        var covered = 0
        for trial in 0..<trialCount {
            let ours = (0..<pairCount).map { _ in Double.random(in: 0.5...1.5, using: &random) }
            let theirs = Array(repeating: 1.0, count: pairCount)
            let ratio = try #require(
                RatioEstimate(of: ours, to: theirs, seed: UInt64(trial), resampleCount: 400))
            if ratio.low <= truth, truth <= ratio.high { covered += 1 }
        }
        // Binomial with 0.95: fewer than 104 of 120 is less likely than one in 2,000.
        #expect(covered >= 104)
        #expect(covered < trialCount)
    }
}

@Suite struct `A goal` {
    private func estimate(_ low: Double, _ median: Double, _ high: Double) -> RatioEstimate {
        RatioEstimate(median: median, low: low, high: high)
    }

    @Test func `is met when the whole interval keeps to it`() {
        #expect(Goal.atMost(0.5).verdict(on: estimate(0.3, 0.4, 0.5)) == .met)
        #expect(Goal.atLeast(1.5).verdict(on: estimate(1.5, 1.6, 2)) == .met)
    }

    @Test func `is met but unresolved when the interval straddles it`() {
        #expect(Goal.atMost(0.5).verdict(on: estimate(0.3, 0.4, 0.6)) == .metUnresolved)
        #expect(Goal.atLeast(4).verdict(on: estimate(3.9, 4, 5)) == .metUnresolved)
    }

    @Test func `is not met when the median misses it`() {
        #expect(Goal.atMost(0.5).verdict(on: estimate(0.6, 0.7, 0.8)) == .notMet)
        #expect(Goal.atMost(0.5).verdict(on: estimate(0.4, 0.7, 0.8)) == .notMetUnresolved)
        #expect(Goal.atLeast(4).verdict(on: estimate(3, 3.5, 3.9)) == .notMet)
        #expect(Goal.atLeast(4).verdict(on: estimate(3, 3.5, 4)) == .notMetUnresolved)
    }
}
