/// What one transfer's link can make use of: how large its buffers are, and how many are filled
/// ahead. It starts small, so that slow clients cannot hold much memory, and grows with what the
/// client has shown to move.

public struct TransferPace: Sendable {
    private let limits: BufferLimits
    private let depthMax: Int
    /// A buffer that moves faster than this asks for more; slower than four times this, for less.
    private let goalNanoseconds: UInt64

    public private(set) var bufferBytes: Int
    /// Buffers that are being filled or emptied at once.
    public private(set) var depth: Int

    static let startBytes = 256 << 10

    /// `shown`: what an earlier transfer on the same connection had come to, in bytes, or 0.
    init(
        _ limits: BufferLimits, depth: ClosedRange<Int>, goalNanoseconds: UInt64, shown: Int = 0
    ) {
        self.limits = limits
        self.goalNanoseconds = goalNanoseconds
        (self.depth, depthMax) = (depth.lowerBound, depth.upperBound)
        let start = shown > 0 ? shown : TransferPace.startBytes
        bufferBytes = limits.isAdaptive ? limits.fitting(start) : limits.largest
    }

    /// Counts a buffer that the client's end of the link filled or took within `nanoseconds`. Size
    /// grows before depth, and depth falls before size.
    public mutating func moved(nanoseconds: UInt64) {
        if nanoseconds < goalNanoseconds {
            if limits.isAdaptive, bufferBytes < limits.largest {
                bufferBytes *= 2
            } else {
                depth = min(depth + 1, depthMax)
            }
        } else if nanoseconds > 4 * goalNanoseconds {
            if depth > 1 {
                depth = 1
            } else if limits.isAdaptive {
                bufferBytes = max(bufferBytes / 2, limits.smallest)
            }
        }
    }
}
