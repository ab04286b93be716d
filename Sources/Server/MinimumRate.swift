/// Whether an upload's body comes fast enough to go on.

struct MinimumRate {
    private static let graceNanoseconds: UInt64 = 30_000_000_000

    private let startedAt: UInt64
    private let bytesPerSecond: Int
    private var bytesReceived: UInt64 = 0

    init(startedAt: UInt64, bytesPerSecond: Int) {
        (self.startedAt, self.bytesPerSecond) = (startedAt, bytesPerSecond)
    }

    /// Counts what has come. False: it is below the minimum rate after its grace time.
    mutating func received(_ count: Int, now: UInt64) -> Bool {
        bytesReceived += UInt64(count)
        let elapsed = now - startedAt
        guard elapsed > MinimumRate.graceNanoseconds else { return true }
        return bytesReceived / (elapsed / 1_000_000_000) >= UInt64(bytesPerSecond)
    }
}
