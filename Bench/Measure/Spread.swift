/// How far apart objects of one size are in speed, kept without keeping each.
public struct Spread: Equatable, Sendable {
    public private(set) var count = 0
    private var nanosecondsMax: UInt64 = 0
    /// Speeds, in objects a nanosecond, summed up.
    private var speedSum = 0.0

    public init() {}

    /// Takes in an object that took so long.
    public mutating func add(nanoseconds: UInt64) {
        let time = max(nanoseconds, 1)
        count += 1
        nanosecondsMax = max(nanosecondsMax, time)
        speedSum += 1 / Double(time)
    }

    /// The slowest object's speed divided by the mean of all; 1 if all are alike. Nil without any.
    public var slowestToMean: Double? {
        guard count > 0 else { return nil }
        return 1 / Double(nanosecondsMax) / (speedSum / Double(count))
    }
}
