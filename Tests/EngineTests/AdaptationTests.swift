// Goal:   planned chunks come near to the best that one length could do, on every link, and far
//         ahead of the tiers where links fail.
// Method: the grid of `millrace-bench adaptation` with a few of its training seeds and lengths.

import Testing

@testable import Engine
@testable import LinkLaboratory

@Suite struct `Chunks over simulated links` {
    private let contest = UploadContest(seeds: 1..<3)
    /// Shortest, longest, and what lies between, about a factor of two apart.
    private static let lengths: [UInt64] = [10_240, 5120, 2500, 1250, 620, 256].map { $0 << 10 }

    @Test(arguments: GridCell.failureTimes)
    func `take little longer than those of the best length`(secondsBetweenFailures: Double) {
        for cell in GridCell.all where cell.secondsBetweenFailures == secondsBetweenFailures {
            let best = Self.lengths.map { contest.seconds(cell.link, .length($0)) }.min() ?? 0
            let adaptive = contest.seconds(cell.link, .planned(.adaptive))
            let predictive = contest.seconds(cell.link, .planned(.predictive))
            #expect(adaptive <= best * 1.1, "\(cell): \(adaptive) s for \(best)")
            #expect(predictive <= adaptive * 1.05, "\(cell): \(predictive) s for \(adaptive)")
        }
    }

    @Test func `are well ahead of the tiers over links that fail`() {
        var (ratios, count) = (0.0, 0.0)
        for cell in GridCell.all where cell.secondsBetweenFailures < .infinity {
            let tiers = contest.tiers(cell.link).map { contest.seconds(cell.link, .length($0)) }
            ratios += (tiers.min() ?? 0) / contest.seconds(cell.link, .planned(.adaptive))
            count += 1
        }
        #expect(ratios / count >= 1.3)
    }

    @Test func `are planned well where the link changes`() {
        for trace in LinkTrace.training {
            // One length for four journeys: for each of them luck has a best one.
            func seconds(_ policy: ChunkPolicy) -> Double {
                (1..<5 as Range<UInt64>).reduce(0) { sum, seed in
                    let one = UploadContest(size: 100 << 20, seeds: seed..<seed + 1)
                    return sum + one.seconds(trace.link(seed: seed), policy)
                }
            }
            let best = Self.lengths.map { seconds(.length($0)) }.min() ?? 0
            for algorithm in [ChunkAlgorithm.adaptive, .predictive] {
                let seconds = seconds(.planned(algorithm))
                #expect(seconds <= best * 1.1, "\(trace.name) \(algorithm): \(seconds), \(best)")
            }
        }
    }
}

@Suite struct `The link simulator` {
    /// Three seconds of a link without a round trip.
    private static let near = LinkStretch(
        seconds: 3, bytesPerSecond: 1e6, roundTripSeconds: 0, jitterShare: 0)

    @Test func `plays the same for the same seed, and something else for another`() {
        for trace in LinkTrace.training + LinkTrace.heldOut {
            #expect(trace.link(seed: 5) == trace.link(seed: 5))
            #expect(trace.link(seed: 5) != trace.link(seed: 6))
            #expect(trace.link(seed: 5).seconds >= 1800)
        }
        let link = LinkTrace.crowd.link(seed: 5)
        let one = UploadContest(size: 50 << 20, seeds: 1..<2)
        let other = UploadContest(size: 50 << 20, seeds: 2..<3)
        #expect(one.seconds(link, .length(1 << 20)) == one.seconds(link, .length(1 << 20)))
        #expect(one.seconds(link, .length(1 << 20)) != other.seconds(link, .length(1 << 20)))
        let names = Set((LinkTrace.training + LinkTrace.heldOut).map(\.name))
        #expect(names.count == 31)
    }

    @Test func `lets who knows the future end a chunk before an outage`() {
        let good = LinkStretch(
            seconds: 10, bytesPerSecond: 1e6, roundTripSeconds: 0.05, jitterShare: 0)
        var broken = good
        (broken.seconds, broken.bytesPerSecond) = (20, 0)
        let link = SimulatedLink([good, broken])
        let foresight = Foresight(link, lengths: [1, 2, 4, 8].map { $0 << 20 })
        for step in 0..<88 {
            for begin in [Double(step) / 10, 30 + Double(step) / 10] {
                let end = begin + Double(foresight.bytes(at: begin)) / 1e6 + 0.05
                // It thinks in steps of 0.1 s.
                #expect(end.truncatingRemainder(dividingBy: 30) <= 10.2, "\(begin): \(end)")
            }
        }
    }

    @Test func `has a bound that is ahead of plans made without it`() {
        func seconds(_ policy: ChunkPolicy) -> Double {
            (1..<7 as Range<UInt64>).reduce(0) { sum, seed in
                let contest = UploadContest(size: 100 << 20, seeds: seed..<seed + 1)
                return sum + contest.seconds(LinkTrace.cabin.link(seed: seed), policy)
            }
        }
        let (foreseen, adaptive) = (seconds(.foreseen), seconds(.planned(.adaptive)))
        #expect(foreseen < adaptive, "\(foreseen) \(adaptive)")
    }

    /// 10 MB/s, 100 ms, no failures: what can be worked out by hand.
    @Test func `takes as long as bytes, answers and an opening window take`() {
        let link = SimulatedLink(
            LinkStretch(bytesPerSecond: 1e7, roundTripSeconds: 0.1, jitterShare: 0))
        let one = UploadContest(size: 100_000_000, seeds: 1..<2)
        // The window opens from 14,480 bytes: 7 round trips until it holds the link's 1,000,000,
        // in which 127 windows are sent.
        let opening = 0.7 - 127 * 14_480 / 1e7
        #expect(
            (one.seconds(link, .length(10_000_000)) - (10 + 10 * 0.1 + opening)).magnitude < 1e-6)
        #expect(
            (one.seconds(link, .length(50_000_000)) - (10 + 2 * 0.1 + opening)).magnitude < 1e-6)
    }

    @Test func `loses a chunk whole, and a second and a round trip with it`() {
        let stretch = LinkStretch(
            seconds: 3, bytesPerSecond: 1e6, roundTripSeconds: 0, jitterShare: 0)
        var broken = stretch
        (broken.seconds, broken.breaksConnections) = (1000, true)
        let link = SimulatedLink([stretch, broken])
        let one = UploadContest(size: 8_000_000, seeds: 1..<2)
        // Chunks of 2 s: the second is lost at 3 s, and begins again at 4.
        #expect((one.seconds(link, .length(2_000_000)) - (4 + 6)).magnitude < 1e-6)
    }

    @Test func `gives up after a day if no chunk ever comes through`() {
        var broken = Self.near
        broken.breaksConnections = true
        let one = UploadContest(size: 8_000_000, seeds: 1..<2)
        let seconds = one.seconds(SimulatedLink([broken]), .length(4_000_000))
        #expect(seconds >= 86_400 && seconds < 86_410)
        #expect(one.seconds(SimulatedLink([broken]), .length(1_000_000)) < 30)
    }

    @Test func `waits out short outages and gives up on long ones`() {
        func seconds(_ outage: Double) -> Double {
            let good = LinkStretch(
                seconds: 3, bytesPerSecond: 1e6, roundTripSeconds: 0, jitterShare: 0)
            var (none, rest) = (good, good)
            (none.seconds, none.bytesPerSecond, rest.seconds) = (outage, 0, 1000)
            let one = UploadContest(size: 8_000_000, seeds: 1..<2)
            return one.seconds(SimulatedLink([good, none, rest]), .length(2_000_000))
        }
        #expect((seconds(5) - 13).magnitude < 1e-6)
        // Given up at 13 and again at 24: the link is back at 23, so it begins anew at 24.
        #expect(seconds(20) > 23 + 6 - 1e-6)
    }
}
