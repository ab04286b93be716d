// Goal:   either end knows what a link loses, and neither says so too early; a few losses, or many
//         at once, make no link mobile, and a link that always loses segments is one before long.
// Method: counts written out by hand, and simulated flows, whose losses are known.

import LinkLaboratory
import Testing

@testable import Engine

/// A flow looked at as the product looks at transfers.
private struct WatchedFlow {
    var estimator = LinkEstimator()
    var classifier = LinkClassifier()
    /// Segments that had come, or been sent, when something was first known; and round trips.
    var known: (segments: UInt32, roundTrips: Double)?
    var mobileSince: UInt32?
    private var flow: PacketFlow
    private let stretch: LinkStretch
    private let direction: LinkDirection
    private var next = 0.0

    init(
        _ link: (megabits: Double, milliseconds: Double), loss: Double, _ direction: LinkDirection,
        seed: UInt64
    ) {
        stretch = LinkStretch(
            bytesPerSecond: link.megabits * 125_000, roundTripSeconds: link.milliseconds / 1000,
            lossShare: loss)
        flow = PacketFlow(stretch, seed: seed)
        self.direction = direction
    }

    mutating func run(segments wanted: UInt32) {
        let event: PacketFlow.Event = direction == .upload ? .arrived : .acknowledged
        var segments: UInt32 = 0
        while segments < wanted {
            guard flow.advance() == event, flow.now >= next else { continue }
            next = flow.now + min(max(flow.now / 4, 0.01), 0.1)
            let sample = direction == .upload ? flow.receiverSample : flow.senderSample
            segments = (direction == .upload ? sample.segmentsReceived : sample.segmentsSent) ?? 0
            estimator.observe(sample, direction)
            _ = classifier.observe(estimator.estimate, LinkHints(), now: sample.now)
            if known == nil, estimator.estimate.lossShare != nil {
                known = (segments, flow.now / stretch.roundTripSeconds)
            }
            if mobileSince == nil, classifier.current == .mobile { mobileSince = segments }
        }
    }
}

@Suite struct `What a link loses` {
    private static let links = [(2.0, 30.0), (8, 40), (20, 60), (40, 30)]

    @Test(arguments: LinkDirection.allCases)
    func `is not said of a few segments`(direction: LinkDirection) {
        var estimator = LinkEstimator()
        var classifier = LinkClassifier()
        for step in 0...60 as ClosedRange<UInt32> {
            // Ten segments in each 20 ms; of the second ten one is lost.
            var sample = LinkSample(now: 1_000_000_000 + UInt64(step) * 20_000_000)
            sample.roundTripMicroseconds = 20_000
            sample.deliveryBytesPerSecond = 700_000
            (sample.bytesReceived, sample.bytesAcknowledged) = (
                UInt64(step) * 14_000, UInt64(step) * 14_000
            )
            (sample.segmentsReceived, sample.segmentsSent) = (step * 10, step * 10)
            sample.segmentsOutOfOrder = step < 2 ? 0 : 9
            sample.segmentsResent = step < 2 ? 0 : 1
            estimator.observe(sample, direction)
            _ = classifier.observe(estimator.estimate, LinkHints(), now: sample.now)
            #expect((estimator.estimate.lossShare != nil) == (step * 10 >= 512), "\(step)")
            #expect(classifier.current == (step < 4 ? .unknown : .broadband), "\(step)")
        }
        let share = estimator.estimate.lossShare ?? 0
        #expect(share > 0.5 / 600 && share < 1.5 / 600, "\(share)")
    }

    @Test func `is not said of one wide round trip`() {
        var losses = LossCount()
        for count in 1...15 {
            losses.count(50, of: 1000, roundTrips: 1)
            #expect(losses.shareBySender == nil && losses.shareByReceiver == nil, "\(count)")
        }
        losses.count(50, of: 1000, roundTrips: 1)
        #expect(losses.shareBySender == 0.05)
    }

    @Test func `is not what a queue loses that overflows once`() {
        var losses = LossCount()
        // A download's window opens: it ends by 150 losses in three round trips.
        for segments in [10, 20, 40, 80, 160, 320] {
            losses.count(0, of: Double(segments), roundTrips: 1)
        }
        for _ in 0..<3 { losses.count(50, of: 160, roundTrips: 1) }
        for _ in 0..<200 {
            losses.count(0, of: 160, roundTrips: 1)
            #expect(losses.shareBySender ?? 0 < 0.01)
        }
    }

    @Test(arguments: LinkDirection.allCases, [0.001, 0.005, 0.01, 0.04])
    func `is found by either end`(direction: LinkDirection, loss: Double) {
        for link in Self.links {
            // Where four and more are lost in each round trip a receiver knows of four.
            let window = 2 * link.0 * link.1 / 8 * 1000 / 1448
            guard direction == .download || loss * window < 2.5 else { continue }
            var (sum, count) = (0.0, 0.0)
            for seed in 1...20 as ClosedRange<UInt64> {
                var flow = WatchedFlow(link, loss: loss, direction, seed: seed)
                flow.run(segments: 8000)
                sum += flow.estimator.estimate.lossShare ?? 0
                count += 1
            }
            // Some 160 losses at a tenth of a percent: their number is known to an eighth.
            #expect(abs(sum / count / loss - 1) < 0.2, "\(link): \(sum / count)")
        }
    }

    @Test(arguments: LinkDirection.allCases, [0.001, 0.005])
    func `now and then makes no link mobile`(direction: LinkDirection, loss: Double) {
        for link in Self.links {
            for seed in 1...20 as ClosedRange<UInt64> {
                var flow = WatchedFlow(link, loss: loss, direction, seed: seed)
                flow.run(segments: 8000)
                #expect(flow.classifier.current == .broadband, "\(link), \(seed)")
                #expect(flow.mobileSince == nil, "\(link), \(seed): \(flow.mobileSince ?? 0)")
            }
        }
    }

    /// Twice what is `mobile`. Of uploads over the narrower links: see above.
    @Test(arguments: LinkDirection.allCases)
    func `all the time makes a link mobile as soon as it is known`(direction: LinkDirection) {
        for link in direction == .upload ? Array(Self.links.prefix(2)) : Self.links {
            var late = 0
            for seed in 1...40 as ClosedRange<UInt64> {
                var flow = WatchedFlow(link, loss: 0.04, direction, seed: seed)
                flow.run(segments: 4000)
                guard let known = flow.known else {
                    Issue.record("\(link), \(seed): nothing is known")
                    continue
                }
                // The queue on the way doubles each round trip, and samples come a little later.
                #expect(known.segments < 600 || known.roundTrips < 48, "\(link): \(known)")
                if flow.mobileSince != known.segments { late += 1 }
                #expect(flow.mobileSince == nil || flow.classifier.current == .mobile)
            }
            // Seven in 1,000, by the count of 512.
            #expect(late <= 1, "\(link)")
        }
    }

    @Test func `ends the rest of a class that was found without`() {
        var classifier = LinkClassifier()
        var estimate = LinkEstimate()
        estimate.roundTripNanoseconds = 30_000_000
        (estimate.bytesPerSecond, estimate.roundTrips) = (1e6, 5)
        let second: UInt64 = 1_000_000_000
        // What is lost, when, and which class follows.
        let steps: [(Double?, UInt64, LinkClass)] = [
            (nil, 100, .broadband), (0.05, 101, .mobile), (0, 102, .mobile), (nil, 103, .mobile),
            (0, 110, .mobile), (0, 111, .broadband), (0.05, 112, .broadband), (0.05, 121, .mobile),
        ]
        for (loss, time, linkClass) in steps {
            estimate.lossShare = loss
            _ = classifier.observe(estimate, LinkHints(), now: time * second)
            #expect(classifier.current == linkClass, "at \(time)")
        }
    }
}
