// A link that is as its stretches say.

/// How a link is for a while.
public struct LinkStretch: Equatable, Sendable {
    public var seconds: Double
    /// What the narrowest place carries; 0 in an outage.
    public var bytesPerSecond: Double
    public var roundTripSeconds: Double
    /// A round trip is longer by up to this share of itself, evenly distributed.
    public var jitterShare: Double
    /// Of segments; TCP sends them again.
    public var lossShare: Double
    /// How often it breaks connections, on the average.
    public var failuresPerSecond: Double
    /// Connections of the stretch before break at its beginning: another address, another network.
    public var breaksConnections: Bool

    public init(
        seconds: Double = .infinity, bytesPerSecond: Double, roundTripSeconds: Double,
        jitterShare: Double = 0.1, lossShare: Double = 0, failuresPerSecond: Double = 0,
        breaksConnections: Bool = false
    ) {
        (self.seconds, self.bytesPerSecond) = (seconds, bytesPerSecond)
        (self.roundTripSeconds, self.jitterShare) = (roundTripSeconds, jitterShare)
        (self.lossShare, self.failuresPerSecond) = (lossShare, failuresPerSecond)
        self.breaksConnections = breaksConnections
    }
}

/// Stretches one behind the other, and from the start again behind the last.
public struct SimulatedLink: Equatable, Sendable {
    public let stretches: [LinkStretch]

    public init(_ stretches: [LinkStretch]) {
        precondition(
            stretches.contains { $0.bytesPerSecond > 0 && $0.seconds > 0 },
            "a link over which nothing ever comes")
        self.stretches = stretches
    }

    /// One that stays as it is.
    public init(_ stretch: LinkStretch) { self.init([stretch]) }

    public var seconds: Double { stretches.reduce(0) { $0 + $1.seconds } }

    /// What it carries on the average of its time.
    public var bytesPerSecond: Double {
        guard stretches.count > 1 else { return stretches[0].bytesPerSecond }
        return stretches.reduce(0) { $0 + $1.seconds * $1.bytesPerSecond } / seconds
    }
}

/// A time on a link, that only goes on.
struct LinkPlace: Sendable {
    private let link: SimulatedLink
    private var index = 0
    /// When the stretch ends.
    private(set) var end: Double

    init(_ link: SimulatedLink) {
        self.link = link
        end = link.stretches[0].seconds
    }

    var stretch: LinkStretch { link.stretches[index] }

    /// The next stretch.
    mutating func advance() {
        index = (index + 1) % link.stretches.count
        end += stretch.seconds
    }

    mutating func advance(to time: Double) { while end <= time { advance() } }
}

/// When a link breaks connections: a Poisson process of the stretches' rates, and the stretches'
/// own breaks. It depends on the seed only, so that all who send over the link meet the same.
struct LinkFailures: Sendable {
    private var place: LinkPlace
    private var draws: Draws
    /// Up to here all is drawn.
    private var drawn = 0.0
    private(set) var next = 0.0

    init(_ link: SimulatedLink, seed: UInt64) {
        place = LinkPlace(link)
        draws = Draws(seed: seed, purpose: 1)
        let fails = link.stretches.contains { $0.failuresPerSecond > 0 || $0.breaksConnections }
        next = fails ? 0 : .infinity
        if fails { draw() }
    }

    /// The first failure behind `time`; never asked for an earlier time than before.
    mutating func first(after time: Double) -> Double {
        while next <= time { draw() }
        return next
    }

    private mutating func draw() {
        var wanted = draws.exponential()
        while true {
            let rate = place.stretch.failuresPerSecond
            let left = place.end - drawn
            if rate > 0, wanted <= rate * left {
                drawn += wanted / rate
                next = drawn
                return
            }
            guard place.end < .infinity else {
                next = .infinity
                return
            }
            wanted -= rate * left
            drawn = place.end
            place.advance()
            if place.stretch.breaksConnections {
                next = drawn
                return
            }
        }
    }
}
