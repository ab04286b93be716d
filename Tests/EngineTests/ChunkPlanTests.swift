// Goal:   plans are as published, best by the model that they claim, and usable whatever is known.
// Method: the tables of ChunkPlanning and ChunkBalance; the model's cost searched by brute force;
//         random facts, absurd ones among them.

import Testing

@testable import Engine

private let MiB: UInt64 = 1 << 20
private let milliseconds: UInt64 = 1_000_000

private func facts(
    _ rate: UInt64?, _ roundTrip: UInt64?, _ failures: Double?, size: UInt64? = 100 * MiB
) -> TransferFacts {
    var facts = TransferFacts(
        size: size, bytesPerSecond: rate,
        roundTripNanoseconds: roundTrip.map { $0 * milliseconds }, failuresPerSecond: failures)
    facts.bytesLeft = size
    return facts
}

private func plan(_ facts: TransferFacts, _ limits: ChunkLimits = ChunkLimits()) -> ChunkPlan {
    ChunkPlanner.plan(.adaptive, facts, limits: limits)
}

@Suite struct `A chunk by balance` {
    @Test func `is as long as the table says`() {
        func expect(
            _ rate: UInt64?, _ roundTrip: UInt64?, _ failures: Double?, _ bytes: UInt64,
            _ parallelism: Int, _ reason: ChunkReason
        ) {
            #expect(
                plan(facts(rate, roundTrip, failures))
                    == ChunkPlan(chunkBytes: bytes, parallelism: parallelism, reason: reason))
        }
        expect(nil, nil, nil, 4_194_304, 1, .unknownLink)
        expect(125_000, 1, 1 / 600, 262_144, 1, .shortestAllowed)
        expect(125_000, 600, 1 / 600, 3_276_800, 1, .balance)
        expect(125_000, 600, 1 / 10, 385_024, 2, .balance)
        expect(1_250_000, 20, 1 / 60, 1_908_736, 1, .balance)
        expect(1_250_000, 80, 1 / 10, 1_523_712, 1, .balance)
        expect(12_500_000, 20, 1 / 10, 7_491_584, 1, .balance)
        expect(12_500_000, 200, 1 / 10, 10_485_760, 2, .longestAllowed)
        expect(125_000_000, 600, 0, 10_485_760, 8, .longestAllowed)
        expect(1_000_000, 80, 1 / 60, 3_084_288, 1, .balance)
        var opening = facts(1_000_000, 80, 1 / 60)
        opening.roundTrips = 1
        #expect(plan(opening).chunkBytes == 8_740_864)
        opening.roundTrips = LinkEstimate.roundTripsEnough
        #expect(plan(opening).chunkBytes == 3_084_288)
        #expect(plan(facts(1_000_000, 80, 1 / 60, size: nil)).chunkBytes == 3_043_328)
    }

    @Test func `is Young's where that is exact, and Lambert's where it is not`() {
        func expect(_ rate: Double, _ overhead: Double, _ failures: Double, _ bytes: Double) {
            let balance = ChunkBalance(
                bytesPerSecond: rate, overheadSeconds: overhead, failuresPerSecond: failures)
            #expect((balance.bytes - bytes).magnitude < 1, "\(balance) \(balance.bytes)")
        }
        expect(125_000, 0.001, 1 / 600, 136_847)
        expect(125_000, 0.6, 1 / 600, 3_304_289)
        expect(125_000, 0.6, 1 / 10, 384_524)
        expect(1_250_000, 0.02, 1 / 60, 1_919_861)
        expect(1_250_000, 0.08, 1 / 10, 1_515_187)
        expect(12_500_000, 0.6, 1, 9_218_731)
    }

    /// x = λc/r against the root of (1 − x)·eˣ = e^(−y) by halving, from tiny to hopeless.
    @Test func `solves its equation`() {
        for (y, x) in [
            (1e-9, 4.472069073585549e-05), (1e-4, 0.014075547672763034),
            (0.01, 0.13483475106683387), (0.1, 0.38318316820829473),
            (0.6, 0.7374985061644123), (1, 0.8414056604369605), (3, 0.9813393709113166),
            (10, 0.9999832980202559),
        ] {
            let found = ChunkBalance.optimum(y)
            #expect((found / x - 1).magnitude < 1e-6, "\(y): \(found)")
        }
        #expect(ChunkBalance.optimum(0) == 0)
        for y in [50, 1e3, 1e300, .infinity] { #expect(ChunkBalance.optimum(y) <= 1) }
    }

    @Test func `cuts the rest into equal chunks, of the cheaper number`() {
        // 3,043,328 are wanted: 5 MiB are cheaper in two than in one, 3 MiB are one.
        #expect(plan(facts(1_000_000, 80, 1 / 60, size: 5 * MiB)).chunkBytes == 2_621_440)
        #expect(plan(facts(1_000_000, 80, 1 / 60, size: 3 * MiB)).chunkBytes == 3 * MiB)
        #expect(plan(facts(1_000_000, 80, 1 / 60, size: 1)).chunkBytes == 3_043_328)
        // Where only one of the two keeps to the limits, it is that.
        #expect(plan(facts(125_000_000, 80, 0, size: 15 * MiB)).chunkBytes == 15 * MiB / 2)
        #expect(plan(facts(1000, 1, 1, size: 300 << 10)).chunkBytes == 300 << 10)
    }

    @Test func `takes what is missing from the history, else from priors`() {
        var without = facts(1_000_000, nil, nil)
        #expect(plan(without) == plan(facts(1_000_000, 100, 1 / 300)))
        without.linkClass = .lan
        #expect(plan(without) == plan(facts(1_000_000, 100, 1 / 3600)))

        var remembered = facts(nil, nil, nil)
        remembered.now = 10_000
        var history = LinkHistory()
        var estimate = LinkEstimate()
        (estimate.bytesPerSecond, estimate.roundTrips) = (1_000_000, 20)
        estimate.roundTripNanoseconds = 80 * milliseconds
        for second in 1...10 as ClosedRange<UInt64> {
            history.observe(estimate, LinkHazard(seconds: 1), now: second * 1000)
        }
        remembered.history = history
        let planned = plan(remembered)
        #expect(planned.reason == .balance)
        let expected = plan(facts(1_000_000, 80, 0.2 / 70))
        #expect(planned.chunkBytes.distance(to: expected.chunkBytes).magnitude < 200_000)
    }

    @Test func `is by tiers where one length is wanted for an unknown link's whole file`() {
        var whole = TransferFacts(size: 100 * MiB, roundTripNanoseconds: 201 * milliseconds)
        let far = ChunkPlanner.plan(.adaptive, whole)
        #expect(far.chunkBytes == 512 << 10 && far.reason == .unknownLink)
        whole.bytesLeft = 100 * MiB
        #expect(ChunkPlanner.plan(.adaptive, whole).chunkBytes == 4 * MiB)
        #expect(
            ChunkPlanner.plan(.adaptive, whole, limits: ChunkLimits(largest: MiB)).chunkBytes
                == MiB)
    }

    @Test func `is fixed's where that is asked for`() {
        for facts in [facts(200 * MiB, 1, 1), facts(nil, nil, nil), facts(1000, 300, 0)] {
            let planned = ChunkPlanner.plan(.fixed, facts)
            #expect(planned.chunkBytes == ChunkPlanner.fixed(facts))
            #expect(planned.reason == .tier)
        }
    }

    @Test func `costs least of all lengths, by the model`() {
        var random = Numbers(state: 3)
        for _ in 0..<100 {
            let rate = Double.random(in: 1e5...1e8, using: &random)
            let overhead = Double.random(in: 0.001...0.6, using: &random)
            let failures = 1 / Double.random(in: 1...2000, using: &random)
            let best = ChunkBalance(
                bytesPerSecond: rate, overheadSeconds: overhead, failuresPerSecond: failures
            ).bytes
            func cost(_ bytes: Double) -> Double {
                // Expected seconds a byte: Σ of attempts, each cut at an exponential time.
                let seconds = failures * (bytes / rate + overhead)
                var (term, sum) = (1.0, 0.0)
                for step in 1...200 {
                    term *= seconds / Double(step)
                    sum += term
                }
                return sum / bytes
            }
            for factor in [0.9, 0.99, 1.01, 1.1] {
                #expect(cost(best) <= cost(best * factor) * (1 + 1e-9), "\(rate) \(overhead)")
            }
        }
    }

    @Test func `can be used whatever is known`() {
        var random = Numbers(state: 11)
        let odd: [Double?] = [nil, .nan, -.infinity, -1, 0, 1e-300, 1e300, .infinity, 0.1]
        for _ in 0..<3000 {
            let smallest = UInt64.random(in: 1...2048, using: &random) * 4096
            let limits = ChunkLimits(
                smallest: smallest,
                largest: UInt64.random(in: smallest / 4096...4096, using: &random) * 4096)
            func any() -> UInt64? {
                let bits = UInt64.random(in: 0...64, using: &random)
                return bits == 64 ? nil : UInt64.random(in: 0...UInt64.max >> bits, using: &random)
            }
            var facts = TransferFacts(
                size: any(), bytesPerSecond: any(), roundTripNanoseconds: any(),
                failuresPerSecond: odd.randomElement(using: &random) ?? nil)
            facts.bytesLeft = any()
            facts.roundTrips = odd.randomElement(using: &random) ?? nil
            facts.now = any()
            if Bool.random(using: &random) {
                facts.history = LinkHistory(
                    logRate: odd.randomElement(using: &random).flatMap(\.self) ?? 3, logRateMost: 9,
                    failures: odd.randomElement(using: &random).flatMap(\.self) ?? 3, rateCount: 9)
            }
            for algorithm in ChunkAlgorithm.allCases {
                let planned = ChunkPlanner.plan(algorithm, facts, limits: limits)
                #expect(planned.chunkBytes % 4096 == 0)
                #expect(planned.chunkBytes >= limits.smallest, "\(facts)")
                #expect(planned.chunkBytes <= limits.largest)
                #expect((1...ChunkPlanner.parallelismMax).contains(planned.parallelism))
            }
        }
    }
}

@Suite struct `How many chunks at once` {
    @Test func `fill the link between them`() {
        func count(_ bytes: UInt64, _ rate: Double?, _ roundTrip: Double?) -> Int {
            ChunkPlanner.parallelism(
                chunkBytes: bytes, bytesPerSecond: rate, roundTripSeconds: roundTrip)
        }
        #expect(count(1_000_000, 1_000_000, 0.1) == 1, "a tenth is let go")
        #expect(count(1_000_000, 1_000_000, 0.11) == 2)
        #expect(count(1_000_000, 1_000_000, 1) == 2)
        #expect(count(1_000_000, 1_000_000, 3.05) == 4)
        #expect(count(1_000_000, 1e12, 1) == ChunkPlanner.parallelismMax)
        #expect(count(1_000_000, nil, 1) == 1 && count(1_000_000, 1, nil) == 1)
        #expect(count(0, 1, 1) == 1)
    }
}
