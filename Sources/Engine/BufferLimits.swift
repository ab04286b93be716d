/// The sizes of buffer between which a server may choose: powers of two from 32 KiB to 1 MiB.

public struct BufferLimits: Equatable, Sendable {
    public static let sizes = [32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20]

    public let smallest: Int
    public let largest: Int
    /// False: every buffer is of the largest size, unless memory is short.
    public let isAdaptive: Bool
    /// How long what was learnt stays as it is.
    public let intervalNanoseconds: UInt64

    /// `smallest` and `largest` are of `sizes`, in order.
    public init(
        smallest: Int = 32 << 10, largest: Int = 1 << 20, isAdaptive: Bool = true,
        intervalNanoseconds: UInt64 = 300_000_000_000
    ) {
        precondition(BufferLimits.sizes.contains(smallest) && BufferLimits.sizes.contains(largest))
        precondition(smallest <= largest, "the smallest is not larger than the largest")
        (self.smallest, self.largest) = (smallest, largest)
        (self.isAdaptive, self.intervalNanoseconds) = (isAdaptive, intervalNanoseconds)
    }

    /// The same for who cannot do with less than `bytes`, one of `sizes`.
    func atLeast(_ bytes: Int) -> BufferLimits {
        BufferLimits(
            smallest: max(smallest, bytes), largest: max(largest, bytes), isAdaptive: isAdaptive,
            intervalNanoseconds: intervalNanoseconds)
    }

    /// The same for who has no use for more than `bytes`. Who is not adaptive has what he wants.
    func atMost(_ bytes: Int) -> BufferLimits {
        guard isAdaptive, bytes < largest else { return self }
        return BufferLimits(
            smallest: smallest, largest: fitting(bytes), isAdaptive: isAdaptive,
            intervalNanoseconds: intervalNanoseconds)
    }

    /// The largest of the sizes that `bytes` can hold, or the smallest.
    func fitting(_ bytes: Int) -> Int {
        var size = largest
        while size > smallest, size > bytes { size /= 2 }
        return size
    }
}
