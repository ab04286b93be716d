// Links and chunks: what a sample, a transfer's end and a plan cost.

import Engine

extension Microbench {
    static let planning: [Microbench] = [
        linkSample, profileEnter, plan(.fixed), plan(.adaptive), plan(.predictive),
    ]

    private static let dayStart: UInt64 = 1_790_000_000_000

    /// An upload's, of a connection that loses a segment now and then.
    private static let linkSample = Microbench(
        "link-sample", "LinkEstimator.observe of a sample of 100 ms"
    ) { _ in
        let estimator = Owned(LinkEstimator())
        // What has come goes on from one run to the next.
        let sample = Owned(LinkSample(now: 1_000_000_000))
        return Work { count in
            estimator.change { estimator in
                sample.change { sample in
                    for index in 0..<count {
                        sample.now += 100_000_000
                        sample.bytesReceived = (sample.bytesReceived ?? 0) + 1_250_000
                        sample.segmentsReceived = (sample.segmentsReceived ?? 0) &+ 863
                        sample.segmentsOutOfOrder =
                            (sample.segmentsOutOfOrder ?? 0) &+ (index & 7 == 0 ? 170 : 0)
                        sample.receivedSegmentBytes = 1448
                        sample.receiverRoundTripMicroseconds = 20_000 + UInt32(index & 1023)
                        estimator.observe(sample, .upload)
                    }
                    keep(Int(estimator.estimate.roundTrips))
                }
            }
        }
    }

    private static func record(_ number: Int) -> TransferRecord {
        var estimate = LinkEstimate()
        estimate.bytesPerSecond = 1_000_000 + Double(number % 7) * 100_000
        estimate.roundTripNanoseconds = 40_000_000 + UInt64(number % 5) * 1_000_000
        estimate.roundTrips = 20
        return TransferRecord(
            .upload, linkClass: .broadband, estimate: estimate, bytes: 4 << 20, seconds: 4,
            hasFailed: number % 16 == 15)
    }

    private static let profileEnter = Microbench(
        "profile-enter", "ClientProfile.enter of a transfer that has ended"
    ) { _ in
        let profile = Owned(ClientProfile())
        let records = (0..<16).map(record)
        let clock = Owned(dayStart)
        return Work { count in
            profile.change { profile in
                clock.change { now in
                    for index in 0..<count {
                        now += 5_000
                        profile.enter(records[index & 15], now: now)
                    }
                    keep(Int(profile.transfers))
                }
            }
        }
    }

    /// As the core asks for it: of a client that is remembered, amid an upload.
    private static func plan(_ algorithm: ChunkAlgorithm) -> Microbench {
        Microbench(
            "plan-\(algorithm.rawValue)",
            "ChunkPlanner.plan, and how often the link fails, out of a history"
        ) { _ in
            var profile = ClientProfile()
            for number in 0..<32 {
                profile.enter(record(number), now: dayStart + UInt64(number) * 5_000)
            }
            let (history, end) = (profile.history, dayStart + 160_000)
            var facts = TransferFacts(
                size: 100 << 20, bytesPerSecond: 1_200_000, roundTripNanoseconds: 40_000_000)
            facts.reliability = profile.reliability
            (facts.roundTrips, facts.linkClass) = (20, .broadband)
            facts.history = history
            let known = facts
            return Work { count in
                var facts = known
                for index in 0..<count {
                    let now = end + UInt64(index & 63) * 100
                    facts.failuresPerSecond = history.hazard(at: now)
                        .failuresPerSecond(facts.linkClass)
                    (facts.now, facts.bytesLeft) = (now, UInt64(index & 63 + 1) << 20)
                    keep(Int(ChunkPlanner.plan(algorithm, facts).chunkBytes))
                }
            }
        }
    }
}
