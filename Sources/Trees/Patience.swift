/// How long a file waits for a store that is too busy to take it, and how often it asks again.

public struct Patience: Sendable {
    /// As long as nothing at all goes on: a volume that failed is tried again within a minute, and
    /// may fail once more.
    static let millisecondsMax: UInt64 = 130_000
    static let pauseMillisecondsMin: UInt64 = 50
    static let pauseMillisecondsMax: UInt64 = 2000

    private var waited: UInt64 = 0
    private var pause = Patience.pauseMillisecondsMin
    private var progress: UInt64?

    public init() {}

    /// Milliseconds to wait before the next try; nil if that has no more sense.
    ///
    /// - Parameter progress: anything that grows while other files of the run go on: then it is
    ///   worth waiting, however long.
    public mutating func next(progress now: UInt64) -> UInt64? {
        if now != progress {
            progress = now
            waited = 0
        }
        guard waited < Patience.millisecondsMax else { return nil }
        defer { pause = min(2 * pause, Patience.pauseMillisecondsMax) }
        waited += pause
        return pause
    }
}
