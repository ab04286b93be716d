/// Which share of segments a link loses, of the last few thousand: what is counted of one direction
/// of one connection, and from when on that says something.

internal import Glibc

/// A sender knows what it sent again. A receiver sees only that segments come out of order, as all
/// do behind one that is missing: the third tells the sender, who sends the missing one again, and
/// that comes a round trip later. So of uploads it is counted how much comes amid gaps:
///
///     open = 1 − e^(−share · crowd)      share = −ln(1 − open) / crowd
///
/// with *open* the share of segments that came out of order, and *crowd* how many come in a round
/// trip, and two: gaps open as often as segments are lost, at random, each for as long (the busy
/// time of infinitely many servers, M/D/∞). Over 40 Mbit/s and 30 ms a tenth of a percent lost has
/// a sixth of all segments out of order. Where more than four are lost in each round trip a gap is
/// always open, and nobody can tell how many more: then the share is that of four.
///
/// Nothing is said of fewer than 512 segments. By the binomial distribution a link that loses 4 %,
/// twice what makes a link `mobile`, has by then lost its 2 % in 993 of 1,000 connections; one that
/// loses 1 % will ever seem to lose 2 % in 34 of 1,000, and one of half a percent in 2 of 10,000.
/// (Counted from the first ten on that is every second one, and every fourth.)
///
/// That is so of segments that are lost each for itself. Where a queue overflows, many are lost in
/// a few round trips, and then none for long: before eight round trips had losses, each of these
/// counts as one loss, as a loss event does in RFC 5348 (section 5.2). Nothing is said before there
/// were sixteen, of which eight can have had one. Gaps are that way by themselves: of many segments
/// that are lost at once there is one.
struct LossCount: Equatable, Sendable {
    static let segmentsMin = 512.0
    static let roundTripsMin = 16.0
    static let eventsMin = 8.0
    /// Segments that came behind a missing one before the sender takes it for lost, but the first.
    static let crowdMore = 2.0
    /// What is older counts half as much each time that both are exceeded.
    static let segmentsMax = 8192.0
    static let roundTripsMax = 128.0

    private var segments = 0.0
    /// Sent again, or out of order.
    private var troubled = 0.0
    private var roundTrips = 0.0
    /// Round trips with a loss in them.
    private var events = 0.0
    /// By each segment, how many came in its round trip.
    private var crowds = 0.0

    /// - Parameter roundTrips: that the segments were spread over, as long as they took then, with
    ///   the queues on the way.
    mutating func count(_ troubled: Double, of segments: Double, roundTrips: Double) {
        guard segments > 0, roundTrips > 0 else { return }
        // In one in which nothing came nothing was seen.
        let roundTrips = min(roundTrips, segments)
        self.segments += segments
        self.troubled += troubled
        self.roundTrips += roundTrips
        events += min(troubled, max(roundTrips, 1))
        crowds += segments * segments / roundTrips
        guard self.segments > LossCount.segmentsMax, self.roundTrips > LossCount.roundTripsMax
        else { return }
        self.segments /= 2
        self.troubled /= 2
        self.roundTrips /= 2
        events /= 2
        crowds /= 2
    }

    private var isEnough: Bool {
        segments >= LossCount.segmentsMin && roundTrips >= LossCount.roundTripsMin
    }

    /// By what was sent again; nil before that says something.
    var shareBySender: Double? {
        guard isEnough else { return nil }
        return min((events < LossCount.eventsMin ? events : troubled) / segments, 1)
    }

    /// By what came out of order; nil before that says something. Of a gap that has not closed yet
    /// nobody knows that it never does: in one more round trip it might.
    var shareByReceiver: Double? {
        guard isEnough else { return nil }
        let open = min(troubled / segments, roundTrips / (roundTrips + 1))
        return min(-log(1 - open) / (crowds / segments + LossCount.crowdMore), 1)
    }
}
