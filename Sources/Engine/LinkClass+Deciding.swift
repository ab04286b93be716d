// Which kind of link a client has, by what was measured of it and by what it says itself.

extension LinkClass {
    /// The first row that applies; what is not known fulfils no condition.
    ///
    ///     | class     | least round trip | rate                | segments lost       |
    ///     |-----------|------------------|---------------------|---------------------|
    ///     | unknown   | not known        |                     |                     |
    ///     | lan       | under 2 ms       | not under 10 Mbit/s |                     |
    ///     | satellite | 450 ms and more  | not under 1 Mbit/s  |                     |
    ///     | mobile    | 450 ms and more  | under 1 Mbit/s      |                     |
    ///     | mobile    |                  |                     | 2 % and more        |
    ///     | fibre     | under 30 ms      | 100 Mbit/s and more |                     |
    ///     | broadband |                  | 50 Mbit/s and more  |                     |
    ///     | mobile    | 120 ms and more  |                     |                     |
    ///     | mobile    | if the client's hints suggest so       |                     |
    ///     | broadband |                  | known               |                     |
    ///     | unknown   |                  |                     |                     |
    ///
    /// The least round trip is that of the way alone: a queue of the client's own making is not
    /// in it. 450 ms is what light takes to a satellite 36,000 km up, and back, twice; nearer
    /// ones look like any broadband. No network beyond the own house answers within 2 ms, and
    /// behind 450 ms there are the networks of 2G as well, which carry less.
    ///
    /// A rate counts after three round trips, and losses after 512 segments, before which nobody
    /// knows them. Where round trip or rate were not measured, the hint counts, if there is one.
    ///
    ///     | ms   | Mbit/s | lost    | hints             | current   | class     |
    ///     |------|--------|---------|-------------------|-----------|-----------|
    ///     | 0.05 | 8,000  | 0       |                   | unknown   | lan       |
    ///     | 1    | –      | 0       |                   | unknown   | lan       |
    ///     | 1    | 4      | 0       |                   | unknown   | broadband |
    ///     | 8    | 400    | 0       |                   | unknown   | fibre     |
    ///     | 20   | 30     | 0       |                   | unknown   | broadband |
    ///     | 20   | 30     | 0       | suggest mobile    | unknown   | mobile    |
    ///     | 20   | 30     | 0.03    |                   | unknown   | mobile    |
    ///     | 60   | 80     | 0.001   | suggest mobile    | unknown   | broadband |
    ///     | 150  | 10     | 0       |                   | unknown   | mobile    |
    ///     | 180  | 300    | 0       |                   | unknown   | broadband |
    ///     | 600  | 20     | 0.001   |                   | unknown   | satellite |
    ///     | 600  | –      | 0       |                   | unknown   | satellite |
    ///     | 700  | 0.3    | 0       |                   | unknown   | mobile    |
    ///     | –    | –      | –       |                   | lan       | unknown   |
    ///     | –    | –      | –       | 300 ms, 1 Mbit/s  | unknown   | mobile    |
    ///     | –    | –      | –       | 50 ms, 10 Mbit/s  | unknown   | broadband |
    ///     | 50   | –      | 0       |                   | unknown   | unknown   |
    ///     | 2.2  | 900    | 0       |                   | unknown   | fibre     |
    ///     | 2.2  | 900    | 0       |                   | lan       | lan       |
    ///     | 3    | 900    | 0       |                   | lan       | fibre     |
    ///     | 20   | 85     | 0       |                   | fibre     | fibre     |
    ///     | 20   | 70     | 0       |                   | fibre     | broadband |
    ///     | 20   | 30     | 0.018   |                   | mobile    | mobile    |
    ///
    /// - Parameter current: stays as long as it would be given for round trip, rate and losses
    ///   that are up to a quarter more or less. `LinkClassifier` bounds how often it changes.
    public static func classify(
        _ estimate: LinkEstimate, _ hints: LinkHints = LinkHints(), current: LinkClass = .unknown
    ) -> LinkClass {
        let facts = LinkFacts(estimate, hints)
        let decided = facts.linkClass
        guard current != .unknown, decided != .unknown, decided != current else { return decided }
        let factors = [1 / LinkFacts.tolerance, 1, LinkFacts.tolerance]
        for roundTrip in factors {
            for rate in factors {
                for loss in factors {
                    let near = facts.scaled(roundTrip, rate, loss)
                    if near.linkClass == current { return current }
                }
            }
        }
        return decided
    }
}

extension LinkEstimate {
    /// What is known of a link by both ways together. Its class is not that of a way: a link that
    /// brings more than it takes is one link.
    public func combined(with other: LinkEstimate) -> LinkEstimate {
        let both = [self, other]
        var all = LinkEstimate()
        all.roundTripNanoseconds = both.compactMap(\.roundTripNanoseconds).min()
        all.lossShare = both.compactMap(\.lossShare).max()
        all.roundTrips = max(roundTrips, other.roundTrips)
        all.bytesPerSecond = both.filter { $0.roundTrips >= LinkFacts.roundTripsMin }
            .compactMap(\.bytesPerSecond).max()
        return all
    }
}

/// What a class is decided by.
private struct LinkFacts {
    static let tolerance = 1.25
    static let roundTripsMin = 3.0

    private var milliseconds: Double?
    private var megabits: Double?
    private var lossShare: Double
    private let suggestsMobile: Bool

    init(_ estimate: LinkEstimate, _ hints: LinkHints) {
        let roundTrip = estimate.roundTripNanoseconds ?? hints.roundTripNanoseconds
        milliseconds = roundTrip.map { Double($0) / 1e6 }
        let isMeasured = estimate.roundTrips >= LinkFacts.roundTripsMin
        let rate = isMeasured ? estimate.bytesPerSecond : nil
        megabits = (rate ?? hints.bytesPerSecond).map { $0 * 8 / 1e6 }
        lossShare = estimate.lossShare ?? 0
        suggestsMobile = hints.suggestsMobile
    }

    func scaled(_ roundTrip: Double, _ rate: Double, _ loss: Double) -> LinkFacts {
        var scaled = self
        scaled.milliseconds = milliseconds.map { $0 * roundTrip }
        scaled.megabits = megabits.map { $0 * rate }
        scaled.lossShare = lossShare * loss
        return scaled
    }

    var linkClass: LinkClass {
        guard let milliseconds else { return .unknown }
        if milliseconds < 2, megabits ?? .infinity >= 10 { return .lan }
        if milliseconds >= 450 { return megabits ?? .infinity >= 1 ? .satellite : .mobile }
        if lossShare >= 0.02 { return .mobile }
        if let megabits {
            if milliseconds < 30, megabits >= 100 { return .fibre }
            if megabits >= 50 { return .broadband }
        }
        if milliseconds >= 120 || suggestsMobile { return .mobile }
        return megabits == nil ? .unknown : .broadband
    }
}

/// The class of one connection's link as it goes: however estimates and hints flap, it changes at
/// most once in ten seconds, but for the first time that one is found, and for the moment when it
/// becomes known how much the link loses: what was found before that was found without.
public struct LinkClassifier: Sendable {
    static let restNanoseconds: UInt64 = 10_000_000_000

    public private(set) var current = LinkClass.unknown
    private var changedAt: UInt64 = 0
    private var knowsLosses = false

    public init() {}

    /// True if the class is another one than before. What nothing is known of any more keeps its
    /// class.
    public mutating func observe(
        _ estimate: LinkEstimate, _ hints: LinkHints, now: UInt64
    ) -> Bool {
        let isNews = estimate.lossShare != nil && !knowsLosses
        knowsLosses = knowsLosses || isNews
        let decided = LinkClass.classify(
            estimate, hints, current: isNews ? .unknown : current)
        guard decided != current, decided != .unknown else { return false }
        // A clock that went back starts the rest anew.
        let isResting = now >= changedAt && now - changedAt < LinkClassifier.restNanoseconds
        guard current == .unknown || isNews || !isResting else { return false }
        (current, changedAt) = (decided, now)
        return true
    }
}
