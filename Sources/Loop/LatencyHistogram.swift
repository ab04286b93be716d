/// How long something took, each time: counted by powers of two, added up in nanoseconds.
///
/// Counting costs a few instructions and no memory; what is made of the counts is for others.
///
///     bucket    0        1          2                23         24
///     up to    8 µs    16 µs      32 µs    …       67.1 s     longer

public struct LatencyHistogram: Equatable, Sendable {
    /// The first bucket's bound, in nanoseconds. Times are differences of `EventLoop.now`, and a
    /// turn that does anything is hardly shorter.
    private static let leastBound: UInt64 = 8_000
    /// Buckets with a bound. The last one's is longer than any timeout of a server's defaults.
    public static let boundCount = 24

    /// By bucket; the last is for what is longer than every bound.
    private var counts = InlineArray<25, UInt64>(repeating: 0)
    public private(set) var nanosecondsSum: UInt64 = 0

    public init() {}

    /// The longest time, in nanoseconds, that is counted in `bucket`; nil for the last, which has
    /// no bound.
    public static func bound(of bucket: Int) -> UInt64? {
        bucket < boundCount ? leastBound << UInt64(bucket) : nil
    }

    public mutating func add(_ nanoseconds: UInt64) {
        // How often `leastBound` must be doubled: what is exactly a bound belongs to it.
        let whole = (max(nanoseconds, 1) - 1) / LatencyHistogram.leastBound
        let bucket = min(UInt64.bitWidth - whole.leadingZeroBitCount, LatencyHistogram.boundCount)
        counts[bucket] &+= 1
        nanosecondsSum &+= nanoseconds
    }

    public mutating func merge(_ other: LatencyHistogram) {
        for bucket in counts.indices { counts[bucket] &+= other.counts[bucket] }
        nanosecondsSum &+= other.nanosecondsSum
    }

    /// How many were counted in `bucket`, from 0 to `boundCount`.
    public func count(in bucket: Int) -> UInt64 { counts[bucket] }

    public static func == (one: LatencyHistogram, other: LatencyHistogram) -> Bool {
        one.nanosecondsSum == other.nanosecondsSum
            && one.counts.indices.allSatisfy { one.counts[$0] == other.counts[$0] }
    }
}
