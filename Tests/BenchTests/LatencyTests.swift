// Goal:   a percentile in perf/runs is within 1 % of the truth, and no slow server hides in it.
// Method: against sorted values, over the whole range; schedules by hand.

import Testing

@testable import BenchMeasure

@Suite struct `A histogram` {
    private func exact(_ values: [UInt64], _ percent: Double) -> UInt64 {
        let rank = Int((percent / 100 * Double(values.count)).rounded(.up))
        return values.sorted()[max(1, rank) - 1]
    }

    @Test(arguments: [50.0, 90, 99, 99.9, 100])
    func `is never more than 1 % above the value that it stands for`(percent: Double) throws {
        var random = SplitMix64(seed: 3)
        for bits in [4, 8, 12, 20, 33, 63] as [UInt64] {
            // Spread over all sizes up to 2^bits, as latencies are.
            let values = (0..<5_000).map { _ in
                random.next() >> (64 - bits + random.next() % bits)
            }
            var histogram = Histogram()
            for value in values { histogram.add(value) }
            let got = try #require(histogram.percentile(percent))
            let truth = exact(values, percent)
            #expect(got >= truth)
            #expect(Double(got - truth) <= Double(truth) * 0.01, "\(bits) bits")
        }
    }

    @Test func `has buckets without gap or overlap`() {
        let edges: [UInt64] = (0..<64).flatMap { shift -> [UInt64] in
            let power = UInt64(1) << shift
            return [power - 1, power, power + 1, power + power / 2]
        }
        for value in edges + [.max] {
            let index = Histogram.index(of: value)
            #expect(Histogram.end(of: index) >= value)
            if index > 0 { #expect(Histogram.end(of: index - 1) < value) }
        }
    }

    @Test func `merged is the histogram of everything`() {
        var (first, second, both) = (Histogram(), Histogram(), Histogram())
        for value in 0..<2_000 as Range<UInt64> {
            if value.isMultiple(of: 3) { first.add(value * value) } else { second.add(value * 7) }
            both.add(value.isMultiple(of: 3) ? value * value : value * 7)
        }
        first.merge(second)
        #expect(first == both)
        first.merge(Histogram())
        #expect(first == both)
        var empty = Histogram()
        empty.merge(both)
        #expect(empty == both)
    }

    @Test func `keeps the least and the greatest exactly`() {
        var histogram = Histogram()
        #expect(histogram.percentile(50) == nil)
        #expect(Latency(histogram) == nil)
        for value in [1_000_003, 70, 999_999_937] as [UInt64] { histogram.add(value) }
        #expect(histogram.least == 70)
        #expect(histogram.greatest == 999_999_937)
        #expect(histogram.percentile(100) == 999_999_937)
        #expect(histogram.percentile(1) == 70)
    }

    @Test func `tells its buckets in order, and only those in use`() {
        var histogram = Histogram()
        for value in [5, 5, 300, 301, 5_000] as [UInt64] { histogram.add(value) }
        let buckets = histogram.buckets
        #expect(buckets.map(\.count) == [2, 2, 1])
        #expect(buckets.map(\.upTo) == [5, 301, 5_023])
    }
}

@Suite struct `A schedule` {
    @Test func `hands out each request once, when it is due and not before`() {
        var schedule = Schedule(perSecond: 1_000, from: 5_000_000, until: 8_000_000)
        #expect(schedule.take(at: 4_999_999) == nil)
        #expect(schedule.take(at: 5_000_000) == 5_000_000)
        #expect(schedule.take(at: 5_999_999) == nil)
        #expect(schedule.next == 6_000_000)
    }

    @Test func `keeps the times of requests that a busy client missed`() {
        var schedule = Schedule(perSecond: 1_000, from: 0, until: 3_000_000)
        let late: UInt64 = 900_000_000
        #expect(schedule.take(at: late) == 0)
        #expect(schedule.take(at: late) == 1_000_000)
        #expect(schedule.take(at: late) == 2_000_000)
        #expect(schedule.take(at: late) == nil)
        #expect(schedule.count == 3)
    }

    @Test func `does not drift, however odd the rate`() {
        var schedule = Schedule(perSecond: 30_001, from: 0, until: 10_000_000_000)
        var last: UInt64 = 0
        while let time = schedule.take(at: .max) { last = time }
        #expect(schedule.count == 300_010)
        #expect(last == 9_999_966_668)
    }

    @Test func `says how long nothing will be due`() {
        var schedule = Schedule(perSecond: 1_000, from: 0, until: 1_500_000)
        #expect(schedule.pause(at: 0) == .poll)
        _ = schedule.take(at: 0)
        #expect(schedule.pause(at: 0) == .sleep(990_000))
        #expect(schedule.pause(at: 990_000) == .poll)
        #expect(schedule.pause(at: 2_000_000) == .poll)
        _ = schedule.take(at: 2_000_000)
        #expect(schedule.pause(at: 2_000_000) == .over)
    }
}

@Suite struct `Latencies of a row` {
    private func sample(_ side: Side, _ pair: Int, _ values: [UInt64]) -> LatencySample {
        var histogram = Histogram()
        for value in values { histogram.add(value) }
        return LatencySample(side: side, pair: pair, perSecond: 100, histogram: histogram)
    }

    @Test func `are those of all rounds together, beside each round's own`() throws {
        let samples = [
            sample(.nginx, 1, [40]), sample(.nginx, 0, [10, 20, 30]), sample(.millrace, 0, [1]),
        ]
        let result = try #require(LatencyResult(of: .nginx, in: samples))
        #expect(result.all.count == 4)
        #expect(result.all.p50 == 20)
        #expect(result.all.max == 40)
        #expect(result.rounds.map(\.max) == [30, 40])
        #expect(result.buckets.count == 4)
        #expect(result.perSecond == 100)
        #expect(LatencyResult(of: .nginx, in: [samples[2]]) == nil)
    }
}
