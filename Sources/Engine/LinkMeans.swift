/// What the links of the transfers that ended lately were like, by class and direction: means in
/// which a transfer counts half as much with every five minutes that pass.

public struct LinkMeans: Sendable {
    /// Sums of one class and direction; each by its own weight, for not every transfer has all.
    private struct Sums: Sendable {
        var at: UInt64 = 0
        var speed = 0.0, speedWeight = 0.0
        var latency = 0.0, latencyWeight = 0.0
        var successes = 0.0, transfers = 0.0

        mutating func age(to now: UInt64) {
            defer { at = max(at, now) }
            guard now > at else { return }
            let halves = Double(now - at) / LinkMeans.halfLifeNanoseconds
            let whole = halves.rounded(.down)
            // Straight from one power of two to the next.
            let power = Double(sign: .plus, exponent: -Int(min(whole, 1000)), significand: 1)
            let factor = power * (1 - (halves - whole) / 2)
            speed *= factor
            speedWeight *= factor
            latency *= factor
            latencyWeight *= factor
            successes *= factor
            transfers *= factor
        }
    }

    /// What is told; nil where nothing is known, or what was known has faded.
    public struct Row: Equatable, Sendable {
        public var bytesPerSecond: Double?
        public var latencySeconds: Double?
        /// The share of transfers that did not fail.
        public var reliability: Double?
    }

    private static let halfLifeNanoseconds = 300e9
    /// A single transfer of some 50 minutes ago.
    private static let weightMin = 0.001
    private static let count = LinkClass.allCases.count * LinkDirection.allCases.count

    private var sums = [Sums](repeating: Sums(), count: LinkMeans.count)

    public init() {}

    private static func index(_ linkClass: LinkClass, _ direction: LinkDirection) -> Int {
        Int(linkClass.rawValue) * 2 + (direction == .upload ? 0 : 1)
    }

    public mutating func add(_ record: TransferRecord, now: UInt64) {
        let index = LinkMeans.index(record.linkClass, record.direction)
        sums[index].age(to: now)
        if let rate = record.estimate.bytesPerSecond, rate.isFinite, rate >= 0 {
            sums[index].speed += rate
            sums[index].speedWeight += 1
        }
        if let roundTrip = record.estimate.roundTripNanoseconds {
            sums[index].latency += Double(roundTrip) / 1e9
            sums[index].latencyWeight += 1
        }
        sums[index].successes += record.hasFailed ? 0 : 1
        sums[index].transfers += 1
    }

    /// Another core's beside these.
    public mutating func merge(_ other: LinkMeans) {
        for index in sums.indices {
            var more = other.sums[index]
            let now = max(more.at, sums[index].at)
            more.age(to: now)
            sums[index].age(to: now)
            sums[index].speed += more.speed
            sums[index].speedWeight += more.speedWeight
            sums[index].latency += more.latency
            sums[index].latencyWeight += more.latencyWeight
            sums[index].successes += more.successes
            sums[index].transfers += more.transfers
        }
    }

    public func row(_ linkClass: LinkClass, _ direction: LinkDirection, now: UInt64) -> Row {
        var sums = sums[LinkMeans.index(linkClass, direction)]
        sums.age(to: now)
        func mean(_ sum: Double, _ weight: Double) -> Double? {
            weight < LinkMeans.weightMin ? nil : sum / weight
        }
        return Row(
            bytesPerSecond: mean(sums.speed, sums.speedWeight),
            latencySeconds: mean(sums.latency, sums.latencyWeight),
            reliability: mean(sums.successes, sums.transfers))
    }
}
