/// Counts of durations in log-linear buckets, after HdrHistogram (Tene): every power of two is cut
/// into 128 buckets of the same width.
///
///     value      0 … 127    128 … 255   256 … 511   512 … 1023  …
///     width        1            1           2            4      …
///
/// A bucket is at most 1/128 of its values wide, so that what is read back is less than 0.8 % off;
/// below 256 it is exact. Values are nanoseconds here, but nothing depends on that.
public struct Histogram: Equatable, Sendable {
    private static let bitCount = 7
    private static let perOctave = 1 << bitCount
    /// Enough for every 64-bit value.
    private static let bucketCount = (UInt64.bitWidth - bitCount + 1) * perOctave

    private var counts: [UInt64] = Array(repeating: 0, count: bucketCount)
    /// Values counted.
    public private(set) var count: UInt64 = 0
    /// Nil until something was counted; exact, not rounded to a bucket.
    public private(set) var least: UInt64?
    public private(set) var greatest: UInt64?

    public init() {}

    public mutating func add(_ value: UInt64) {
        counts[Histogram.index(of: value)] += 1
        count += 1
        least = min(least ?? value, value)
        greatest = max(greatest ?? value, value)
    }

    /// As if everything that `other` counted had been added here.
    public mutating func merge(_ other: Histogram) {
        guard let low = other.least, let high = other.greatest else { return }
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        least = min(least ?? low, low)
        greatest = max(greatest ?? high, high)
    }

    /// The least value that at least `percent` of all values do not exceed, rounded up to its
    /// bucket's end; nil if nothing was counted.
    public func percentile(_ percent: Double) -> UInt64? {
        precondition(percent > 0 && percent <= 100, "a percentile is above 0 and at most 100")
        guard let greatest else { return nil }
        let rank = min(count, max(1, UInt64((percent / 100 * Double(count)).rounded(.up))))
        var seen: UInt64 = 0
        for index in counts.indices {
            seen += counts[index]
            // The last value of the last bucket in use is known better than its bucket's end.
            if seen >= rank { return min(Histogram.end(of: index), greatest) }
        }
        preconditionFailure("a rank beyond what was counted")
    }

    /// A bucket that holds something: the greatest value it may hold, and how many it does.
    public struct Bucket: Equatable, Sendable, Codable {
        public let upTo: UInt64
        public let count: UInt64
    }

    /// The buckets that are not empty, in order.
    public var buckets: [Bucket] {
        counts.indices.compactMap { index in
            counts[index] > 0 ? Bucket(upTo: Histogram.end(of: index), count: counts[index]) : nil
        }
    }

    static func index(of value: UInt64) -> Int {
        let width = UInt64.bitWidth - value.leadingZeroBitCount
        // Values of fewer bits than a bucket's number has, and the first octave, count by one.
        guard width > bitCount + 1 else { return Int(value) }
        let shift = width - bitCount - 1
        return shift * perOctave + Int(value >> UInt64(shift))
    }

    /// The greatest value of a bucket.
    static func end(of index: Int) -> UInt64 {
        guard index >= 2 * perOctave else { return UInt64(index) }
        let shift = index / perOctave - 1
        let start = UInt64(index - shift * perOctave) << UInt64(shift)
        return start + (1 << UInt64(shift) - 1)
    }
}
