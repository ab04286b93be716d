/// The rate of one direction of one connection: which intervals are evidence, and of what.

struct RateTrack: Equatable, Sendable {
    /// What was seen at one time.
    private struct Look: Equatable {
        var now: UInt64
        var bytes: UInt64
        var segments: UInt32?
        var troubled: UInt32?
        /// Of a full segment, as the kernel has it.
        var segmentBytes: UInt32?
        /// As round trips are just now.
        var roundTripMicroseconds: UInt32?
    }

    /// What had been seen when the interval began that goes on.
    private var start: Look?
    private var best = WindowedExtreme(.greatest)
    /// Round trips that were evidence: the filter's time, which stands still while nobody sends.
    private var time = 0.0
    /// The rate when it last grew by more than a quarter, and the evidence since.
    private var plateau = 0.0
    private(set) var roundTrips = 0.0
    /// Intervals in a row in which next to nothing came.
    private var silences = 0
    /// Of a segment, by the last interval in which all came in order.
    private var bytesPerSegment = 0.0
    /// The last segments came out of order: what is in order may leap yet.
    private var wasTroubled = false
    private(set) var losses = LossCount()

    /// Less than this share of the best rate in one interval is a pause, not yet a slower link …
    static let silenceShare = 0.125
    /// … unless it goes on.
    static let silencesMax = 2
    /// What is in order grew by this much more than the segments that came can have brought.
    static let leap = 1.5

    var bytesPerSecond: Double? { best.value }

    // MARK: Uploads

    /// - Parameter isBeginning: a transfer begins with it, and nobody need have sent before.
    mutating func received(_ sample: LinkSample, roundTrip: Double, isBeginning: Bool) {
        guard let bytes = sample.bytesReceived else { return }
        let next = Look(
            now: sample.now, bytes: bytes, segments: sample.segmentsReceived,
            troubled: sample.segmentsOutOfOrder, segmentBytes: sample.receivedSegmentBytes,
            roundTripMicroseconds: sample.receiverRoundTripMicroseconds)
        let interval = close(next, roundTrip: roundTrip, isBeginning: isBeginning)
        guard let interval, !isBeginning else { return }
        let isBounded = sample.receiveWindowBytes.map {
            Double($0) < interval.rate * roundTrip / 1e9
        }
        // What is nearer than an interval can be would have a window of one or two of them, in each
        // of which a segment may be lost.
        count(
            interval, roundTrip: max(roundTrip, LinkEstimator.intervalMin),
            isBounded: isBounded ?? false)
    }

    // MARK: Downloads

    mutating func delivered(_ sample: LinkSample, roundTrip: Double, isBeginning: Bool) {
        let next = Look(
            now: sample.now, bytes: sample.bytesAcknowledged ?? 0, segments: sample.segmentsSent,
            troubled: sample.segmentsResent, roundTripMicroseconds: sample.roundTripMicroseconds)
        let closed = close(next, roundTrip: roundTrip, isBeginning: isBeginning)
        guard var interval = closed else { return }
        if let told = sample.deliveryBytesPerSecond {
            // Nothing acknowledged meanwhile: the kernel repeats itself.
            guard sample.bytesAcknowledged == nil || interval.bytes > 0 else { return }
            // The kernel's is the rate of the last round trip, however long ago we asked, and
            // whoever rested since.
            interval.rate = Double(told)
            interval.nanoseconds = min(
                interval.nanoseconds, max(roundTrip, LinkEstimator.intervalMin))
        } else if sample.bytesAcknowledged == nil || isBeginning {
            return
        }
        count(interval, roundTrip: roundTrip, isBounded: sample.isAppLimited)
    }

    // MARK: Both

    private struct Interval {
        var bytes: Double
        var nanoseconds: Double
        var rate: Double
    }

    /// What came since the interval began, if it has lasted a round trip. What cannot be (time or
    /// counters that go back, an hour of nothing) begins another one and is no evidence.
    ///
    /// A beginning ends it, however short it is. Its time has a rest in it, then; its segments came
    /// within a round trip, or there would have been an end of it before.
    private mutating func close(
        _ next: Look, roundTrip: Double, isBeginning: Bool
    ) -> Interval? {
        guard let start, next.now > start.now, next.bytes >= start.bytes,
            next.now - start.now <= LinkEstimator.intervalMax
        else {
            if let start, next.now == start.now, next.bytes >= start.bytes { return nil }
            self.start = next
            return nil
        }
        let nanoseconds = Double(next.now - start.now)
        guard isBeginning || nanoseconds >= max(roundTrip, LinkEstimator.intervalMin) else {
            return nil
        }
        self.start = next
        let current = max(roundTrip, Double(next.roundTripMicroseconds ?? 0) * 1000)
        let bytes = arrived(
            from: start, to: next, roundTrips: isBeginning ? 1 : nanoseconds / current)
        return Interval(bytes: bytes, nanoseconds: nanoseconds, rate: bytes * 1e9 / nanoseconds)
    }

    /// A lost segment holds back all behind it: bytes in order stand still for a round trip, then
    /// leap. So while segments come out of order they are counted themselves.
    private mutating func arrived(from start: Look, to next: Look, roundTrips: Double) -> Double {
        let inOrder = Double(next.bytes - start.bytes)
        guard let segments = RateTrack.risen(from: start.segments, to: next.segments),
            let troubled = RateTrack.risen(from: start.troubled, to: next.troubled), segments > 0
        else { return inOrder }
        losses.count(troubled, of: segments, roundTrips: roundTrips)
        let usual = segments * RateTrack.bytesPerSegment(next)
        let isClean =
            troubled == 0 && !wasTroubled && inOrder <= usual * RateTrack.leap
        wasTroubled = troubled > 0
        if isClean {
            bytesPerSegment = inOrder / segments
            return inOrder
        }
        return bytesPerSegment > 0 ? segments * bytesPerSegment : usual
    }

    /// Of the whole connection. Its bytes in order are not all that has come while a window's worth
    /// waits behind a gap, as it always does over a link that loses segments. How long a full one
    /// is is known all the same; and no more can wait than came out of order, should a sender not
    /// fill them.
    private static func bytesPerSegment(_ seen: Look) -> Double {
        let (bytes, segments) = (Double(seen.bytes), Double(max(seen.segments ?? 1, 1)))
        let most = bytes / max(segments - Double(seen.troubled ?? 0), 1)
        return min(max(Double(seen.segmentBytes ?? 0), bytes / segments), most)
    }

    /// Counters of 32 bits wrap; one that seems to have gone up by half of all it can hold went
    /// back.
    private static func risen(from old: UInt32?, to new: UInt32?) -> Double? {
        guard let old, let new else { return nil }
        let risen = new &- old
        return risen < 1 << 31 ? Double(risen) : nil
    }

    private mutating func count(_ interval: Interval, roundTrip: Double, isBounded: Bool) {
        let rate = interval.rate
        guard rate <= LinkEstimator.bytesPerSecondMax else { return }
        let known = best.value ?? 0
        if isBounded, rate <= known { return }
        if rate < known * RateTrack.silenceShare, silences < RateTrack.silencesMax {
            silences += 1
            return
        }
        silences = 0
        guard rate > 0 else { return }
        let passed = min(interval.nanoseconds / roundTrip, LinkEstimator.rateWindowRoundTrips)
        time += passed
        best.observe(rate, at: time, window: LinkEstimator.rateWindowRoundTrips)
        if rate > plateau * LinkEstimator.growth {
            (plateau, roundTrips) = (rate, 0)
        } else {
            roundTrips = min(roundTrips + passed, 1e6)
        }
    }
}
