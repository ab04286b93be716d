// Goal:   what a transfer is sampled for is enough for its link to be known as soon, and as well,
//         as the estimator says.
// Method: simulated flows over all links of the grid, both directions, sampled when a watched
//         transfer is: at its beginning, and when enough time has passed by then.

import LinkLaboratory
import Testing

@testable import Engine

@Suite struct `The samples of a transfer` {
    private static let links = GridCell.rates.flatMap { rate in
        GridCell.roundTrips.map { (rate, $0) }
    }

    @Test(arguments: LinkDirection.allCases, [(0.0, 0.0), (0.1, 0.001)])
    func `tell of every link in time`(
        direction: LinkDirection, weather: (jitter: Double, loss: Double)
    ) throws {
        for (rate, roundTrip) in Self.links {
            let stretch = LinkStretch(
                bytesPerSecond: rate * 125_000, roundTripSeconds: roundTrip / 1000,
                jitterShare: weather.jitter, lossShare: weather.loss)
            let truth = stretch.bytesPerSecond * (1 - stretch.lossShare)
            var flow = PacketFlow(stretch, seed: 1)
            var watch = try #require(TransferWatch(direction, bytes: nil, now: 0))
            var estimator = LinkEstimator()
            let unit = max(
                stretch.roundTripSeconds, 10 * flow.segmentBytes / stretch.bytesPerSecond, 0.004)
            var (full, known, isFirst) = (Double?.none, Double?.none, true)
            let wanted: PacketFlow.Event = direction == .upload ? .arrived : .acknowledged
            while flow.now < 40 * unit {
                guard flow.advance() == wanted else { continue }
                full = full ?? flow.fullSince
                guard watch.moved(1, now: UInt64(flow.now * 1e9)) || isFirst else { continue }
                isFirst = false
                let sample = direction == .upload ? flow.receiverSample : flow.senderSample
                estimator.observe(sample, direction)
                let estimate = estimator.estimate
                guard estimate.roundTrips >= 3 else { continue }
                let error = ((estimate.bytesPerSecond ?? 0) / truth - 1).magnitude
                let isLong = estimate.roundTrips >= 10
                if let full, known == nil { known = flow.now - full }
                #expect(
                    error <= (isLong ? 0.1 : 0.25), "\(rate) Mbit/s, \(roundTrip) ms: \(error)")
            }
            // A class needs three round trips; of a near link that is as many samples.
            #expect(
                known ?? .infinity <= max(12 * unit, 0.1),
                "\(rate) Mbit/s, \(roundTrip) ms: \(known ?? .infinity) s")
        }
    }
}
