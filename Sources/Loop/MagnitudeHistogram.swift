/// How large something was, each time: counted by powers of four, added up. For sizes in bytes and
/// rates in bytes per second, which differ by more than anybody needs to know them exactly.
///
///     bucket      0       1        2              11         12
///     up to     least   4·least  16·least     4,194,304·least  more

public struct MagnitudeHistogram: Equatable, Sendable {
    /// Buckets with a bound. With a least one of 4 KiB the last is 16 GiB, more than an object has.
    public static let boundCount = 12

    /// The first bucket's bound.
    public let leastBound: UInt64
    /// By bucket; the last is for what is more than every bound.
    private var counts = InlineArray<13, UInt64>(repeating: 0)
    public private(set) var sum: UInt64 = 0

    /// `leastBound` is a power of two, at most 2³².
    public init(leastBound: UInt64) {
        precondition(leastBound.nonzeroBitCount == 1 && leastBound <= 1 << 32)
        self.leastBound = leastBound
    }

    /// The largest value that is counted in `bucket`; nil for the last, which has no bound.
    public func bound(of bucket: Int) -> UInt64? {
        bucket < MagnitudeHistogram.boundCount ? leastBound << UInt64(2 * bucket) : nil
    }

    public mutating func add(_ value: UInt64) {
        // By how many bits it is longer than the first bound: exactly a bound belongs to it.
        let whole = (max(value, 1) - 1) >> UInt64(leastBound.trailingZeroBitCount)
        let bits = UInt64.bitWidth - whole.leadingZeroBitCount
        counts[min((bits + 1) / 2, MagnitudeHistogram.boundCount)] &+= 1
        sum &+= value
    }

    /// How many were counted in `bucket`, from 0 to `boundCount`.
    public func count(in bucket: Int) -> UInt64 { counts[bucket] }

    public static func == (one: MagnitudeHistogram, other: MagnitudeHistogram) -> Bool {
        one.leastBound == other.leastBound && one.sum == other.sum
            && one.counts.indices.allSatisfy { one.counts[$0] == other.counts[$0] }
    }
}
