// Links that change while a file is on its way: those that the algorithms were tuned on.

/// A kind of journey; each seed makes another one of it.
public struct LinkTrace: Sendable {
    public let name: String
    /// What happens, for the table of results.
    public let story: String
    private let stretches: @Sendable (inout TraceWriter) -> Void

    init(
        _ name: String, _ story: String,
        _ stretches: @escaping @Sendable (inout TraceWriter) -> Void
    ) {
        (self.name, self.story, self.stretches) = (name, story, stretches)
    }

    /// Half an hour and a little more of it, then the same again.
    public func link(seed: UInt64) -> SimulatedLink {
        var writer = TraceWriter(draws: Draws(seed: seed, purpose: 3))
        while writer.seconds < LinkTrace.secondsMin { stretches(&writer) }
        return SimulatedLink(writer.stretches)
    }

    static let secondsMin = 1800.0
    /// A file that takes about that long at the link's mean rate …
    static let transferSeconds = 1200.0

    /// … in whole MiB, within bounds.
    public func size(_ link: SimulatedLink) -> UInt64 {
        let wanted = UInt64(link.bytesPerSecond * LinkTrace.transferSeconds) >> 20
        return min(max(wanted, 100), 4096) << 20
    }
}

/// Writes one stretch behind the other.
struct TraceWriter {
    var draws: Draws
    private(set) var stretches: [LinkStretch] = []
    private(set) var seconds = 0.0

    init(draws: Draws) { self.draws = draws }

    /// - Parameters:
    ///   - rate: megabytes (10⁶) a second.
    ///   - roundTrip: milliseconds.
    ///   - failing: mean seconds between failures.
    mutating func add(
        _ seconds: Double, rate: Double, roundTrip: Double, failing: Double = .infinity,
        loss: Double = 0, breaks: Bool = false
    ) {
        stretches.append(
            LinkStretch(
                seconds: seconds, bytesPerSecond: rate * 1e6, roundTripSeconds: roundTrip / 1000,
                jitterShare: 0.2, lossShare: loss, failuresPerSecond: 1 / failing,
                breaksConnections: breaks))
        self.seconds += seconds
    }

    mutating func outage(_ seconds: Double, breaks: Bool = false) {
        add(seconds, rate: 0, roundTrip: 50, breaks: breaks)
    }

    /// In `count` steps from one rate to another, each the same factor from the one before.
    mutating func slope(
        _ seconds: Double, from: Double, to: Double, count: Int, roundTrip: Double, failing: Double
    ) {
        let factor = Draws.root(to / from, Double(max(count - 1, 1)))
        var rate = from
        for _ in 0..<count {
            add(seconds / Double(count), rate: rate, roundTrip: roundTrip, failing: failing)
            rate *= factor
        }
    }
}

extension LinkTrace {
    public static let training = first + second + measured

    static let first = [train, wirelessToMobile, satellite, evening, fading, line, crowd]

    static let train = LinkTrace(
        "train", "open country, crowded stations, far cells, tunnels of 3 to 25 s"
    ) { trace in
        trace.add(
            trace.draws.between(60, 150), rate: trace.draws.between(2, 4), roundTrip: 60,
            failing: 300)
        for _ in 0..<3 {
            trace.add(
                trace.draws.between(20, 60), rate: trace.draws.between(0.3, 1), roundTrip: 120,
                failing: 40)
            trace.outage(trace.draws.between(3, 25))
        }
        trace.add(trace.draws.between(60, 120), rate: 0.8, roundTrip: 90, failing: 200)
    }

    static let wirelessToMobile = LinkTrace(
        "wifi-lte", "Wi-Fi that fades when one leaves the house, then LTE, and back"
    ) { trace in
        trace.add(trace.draws.between(90, 240), rate: 6, roundTrip: 15, failing: 1200)
        trace.slope(24, from: 6, to: 0.4, count: 8, roundTrip: 40, failing: 15)
        trace.add(
            trace.draws.between(90, 240), rate: trace.draws.between(1, 2.5), roundTrip: 55,
            failing: 150, breaks: true)
        trace.add(2, rate: 1, roundTrip: 30, breaks: true)
    }

    static let satellite = LinkTrace(
        "satellite", "low orbit: another satellite every 15 s, with a gap of 0.1 to 1 s"
    ) { trace in
        trace.add(
            15, rate: trace.draws.between(0.8, 2.5), roundTrip: trace.draws.between(25, 60),
            failing: 400)
        trace.outage(trace.draws.between(0.1, 1), breaks: trace.draws.happens(0.04))
    }

    static let evening = LinkTrace(
        "evening", "broadband that congests over ten minutes and recovers"
    ) { trace in
        trace.slope(400, from: 5, to: 2, count: 20, roundTrip: 25, failing: 1200)
        trace.slope(300, from: 2, to: 0.5, count: 15, roundTrip: 60, failing: 60)
        trace.add(trace.draws.between(120, 240), rate: 0.5, roundTrip: 90, failing: 25)
        trace.slope(300, from: 0.5, to: 5, count: 15, roundTrip: 50, failing: 120)
    }

    static let fading = LinkTrace(
        "fading", "mobile: the rate walks at random every 2 s, and breaks in its depths"
    ) { trace in
        var rate = 1.2
        for _ in 0..<60 {
            rate = min(max(rate * Draws.root(trace.draws.between(0.5, 2), 1.5), 0.15), 5)
            trace.add(
                2, rate: rate, roundTrip: trace.draws.between(50, 150),
                failing: rate < 0.4 ? 20 : 600)
        }
    }

    static let line = LinkTrace(
        "dsl", "a line that grows noisy, loses its sync for half a minute, comes back slower"
    ) { trace in
        trace.add(trace.draws.between(120, 300), rate: 1.2, roundTrip: 25, failing: 2400)
        trace.add(trace.draws.between(40, 120), rate: 1, roundTrip: 30, failing: 20, loss: 0.005)
        trace.outage(trace.draws.between(20, 40), breaks: true)
        trace.add(trace.draws.between(120, 300), rate: 0.7, roundTrip: 25, failing: 2400)
    }

    static let crowd = LinkTrace(
        "crowd", "a full stadium: calm, then everybody sends at once"
    ) { trace in
        trace.add(trace.draws.between(90, 200), rate: 2, roundTrip: 45, failing: 500)
        trace.add(
            trace.draws.between(60, 150), rate: trace.draws.between(0.3, 0.7), roundTrip: 160,
            failing: 12)
    }
}
