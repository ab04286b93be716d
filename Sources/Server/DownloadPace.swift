/// How much of a large download is read ahead of its client: it starts small, so that slow clients
/// cannot pin much memory, and grows with what the client has shown to take.

struct DownloadPace {
    /// Multiples of a checksum's unit.
    static let bufferBytesMin = 64 << 10
    static let bufferBytesStart = 256 << 10
    static let bufferBytesMax = 1 << 20
    /// Buffers that are being read or sent.
    static let depthMax = 5
    /// A buffer that is taken faster than this asks for more; slower than four times this, for
    /// less.
    private static let takeNanosecondsGoal: UInt64 = 100_000_000

    private(set) var bufferBytes = DownloadPace.bufferBytesStart
    private(set) var depth = 2

    /// Counts a buffer that the client's socket took within `nanoseconds`.
    mutating func took(nanoseconds: UInt64) {
        if nanoseconds < DownloadPace.takeNanosecondsGoal {
            if bufferBytes < DownloadPace.bufferBytesMax {
                bufferBytes *= 2
            } else {
                depth = min(depth + 1, DownloadPace.depthMax)
            }
        } else if nanoseconds > 4 * DownloadPace.takeNanosecondsGoal {
            if depth > 1 {
                depth = 1
            } else {
                bufferBytes = max(bufferBytes / 2, DownloadPace.bufferBytesMin)
            }
        }
    }
}
