/// How large an upload's next buffer is, and whether the upload is too slow to go on: it starts
/// small, so that slow clients cannot pin much memory, and grows with what it has shown.

struct UploadPace {
    /// Multiples of a checksum's unit.
    static let bufferBytesMin = 64 << 10
    static let bufferBytesStart = 256 << 10
    static let bufferBytesMax = 1 << 20
    /// A buffer that fills faster than this asks for a larger one; slower than four times this,
    /// for a smaller one.
    private static let fillNanosecondsGoal: UInt64 = 250_000_000
    private static let graceNanoseconds: UInt64 = 30_000_000_000

    private(set) var bufferBytes = UploadPace.bufferBytesStart
    private let startedAt: UInt64
    private let bytesPerSecondMin: Int
    private var lastAt: UInt64
    private var bytesReceived: UInt64 = 0

    init(startedAt: UInt64, bytesPerSecondMin: Int) {
        self.startedAt = startedAt
        self.bytesPerSecondMin = bytesPerSecondMin
        lastAt = startedAt
    }

    /// Counts a filled buffer. False: the upload is below the minimum rate after its grace time.
    mutating func took(_ count: Int, now: UInt64) -> Bool {
        bytesReceived += UInt64(count)
        let taken = now - lastAt
        lastAt = now
        if taken < UploadPace.fillNanosecondsGoal {
            bufferBytes = min(bufferBytes * 2, UploadPace.bufferBytesMax)
        } else if taken > 4 * UploadPace.fillNanosecondsGoal {
            bufferBytes = max(bufferBytes / 2, UploadPace.bufferBytesMin)
        }
        let elapsed = now - startedAt
        guard elapsed > UploadPace.graceNanoseconds else { return true }
        return bytesReceived / (elapsed / 1_000_000_000) >= UInt64(bytesPerSecondMin)
    }
}
