// Goal:   delays are within their bounds and spread over them, retries within their share, and one
//         bad place is not taken for a bad disk.
// Method: bounds and vectors; random lives beside the sums that limit them.

import Resilience
import Testing

@Suite struct `A backoff` {
    @Test func `doubles its bound up to the longest`() {
        let backoff = Backoff(base: 10, longest: 70)
        let longest: [UInt64] = (0..<6).map { backoff.delay(before: $0, random: .max) }
        #expect(longest == [10, 20, 40, 70, 70, 70])
        for attempt in 0..<6 { #expect(backoff.delay(before: attempt, random: 0) == 0) }
        #expect(backoff.delay(before: 1_000_000, random: .max) == 70)
        let long = Backoff(base: 1 << 40, longest: .max - 1)
        #expect(long.delay(before: 60, random: .max) == UInt64.max - 1)
    }

    @Test func `without an exponent is always the same`() {
        let backoff = Backoff(base: 10, longest: 70, isExponential: false)
        for attempt in 0..<6 {
            #expect(backoff.delay(before: attempt, random: UInt64(attempt) << 60) == 10)
        }
    }

    @Test func `spreads over all of its range`() {
        let backoff = Backoff(base: 1000, longest: 8000)
        var random = Jitter(seed: 5)
        for attempt in 0..<5 {
            let bound: UInt64 = min(8000, 1000 << UInt64(attempt))
            var tenths = [Int](repeating: 0, count: 10)
            for _ in 0..<4000 {
                let delay = backoff.delay(before: attempt, random: random.next())
                #expect(delay <= bound)
                tenths[Int(min(9, delay * 10 / bound))] += 1
            }
            #expect(tenths.allSatisfy { 300...500 ~= $0 })
        }
    }

    @Test func `has jitter that its seed decides`() {
        // The first numbers of SplitMix64 for the seed 1234567, as Rosetta Code has them.
        var jitter = Jitter(seed: 1_234_567)
        let numbers = (0..<3).map { _ in jitter.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }
}

@Suite struct `A budget of retries` {
    private let limits = RetryBudget.Limits(
        burst: 4, operationsPerRetry: 10, nanosecondsPerRetry: 1000)

    @Test func `allows a burst, and then a share of what is done`() {
        let budget = HeldBudget(limits)
        #expect(budget.allowed(of: 6, operations: 0, at: 0) == 4)
        #expect(!budget.take(operations: 9, at: 0))
        #expect(budget.take(operations: 10, at: 0))
        #expect(!budget.take(operations: 10, at: 0))
        #expect(budget.take(operations: 10, at: 1000))
        #expect(!budget.take(operations: 19, at: 1999))
        // What is over a full bucket is lost.
        #expect(budget.allowed(of: 9, operations: 5000, at: 90_000) == 4)
    }

    @Test func `survives counters that go back`() {
        let budget = HeldBudget(limits, operations: 1000, at: 1000)
        for _ in 0..<4 { _ = budget.take(operations: 1000, at: 1000) }
        #expect(!budget.take(operations: 0, at: 0))
        #expect(budget.take(operations: 10, at: 0))
        #expect(budget.take(operations: 10, at: 1000))
        #expect(budget.take(operations: .max, at: .max))
    }

    @Test(arguments: 0..<20) func `never allows more than its share`(seed: UInt64) {
        var random = Jitter(seed: seed)
        let budget = HeldBudget(limits)
        var (operations, now, taken): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for _ in 0..<5000 {
            operations += UInt64.random(in: 0..<6, using: &random)
            now += UInt64.random(in: 0..<200, using: &random)
            if budget.take(operations: operations, at: now) { taken += 1 }
            #expect(taken <= 4 + operations / 10 + now / 1000)
        }
        #expect(taken > 400, "nearly all of its share was asked for")
    }
}

@Suite struct `A rate of failures` {
    private let limits = FailureRate.Limits(places: 3, nanoseconds: 100)

    @Test func `is too high where different places fail`() {
        let rate = HeldRate(limits)
        #expect(!rate.failed(at: 1, asked: 1, now: 0))
        #expect(!rate.failed(at: 2, asked: 2, now: 1))
        #expect(rate.failed(at: 3, asked: 3, now: 2))
        #expect(!rate.failed(at: 4, asked: 4, now: 3), "counted anew")
    }

    @Test func `is not where it is one place, however often`() {
        let rate = HeldRate(limits)
        for number in 0..<1000 {
            #expect(!rate.failed(at: 7, asked: UInt64(number) + 1, now: UInt64(number) / 100))
        }
    }

    @Test func `is not where most succeeds, or it takes long`() {
        let rate = HeldRate(limits)
        for number in 1...20 {
            #expect(!rate.failed(at: UInt64(number), asked: UInt64(number) * 10, now: 5))
        }
        let slow = HeldRate(limits)
        for number in 1...20 {
            let number = UInt64(number)
            #expect(!slow.failed(at: number, asked: number, now: number * 60))
        }
        // Nor by a clock, or a count, that went back.
        #expect(!slow.failed(at: 40, asked: 0, now: 0))
    }
}
