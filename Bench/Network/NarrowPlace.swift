/// Where a link is narrow: packets leave it one after the other, as fast as its rate lets, and wait
/// in front of it, in a buffer as long as the link, or are lost.

struct NarrowPlace: Sendable {
    private let nanosecondsPerByte: Double
    /// What waits when the buffer is full takes so long to leave.
    private let delayMax: Double
    /// When the last packet that entered will have left.
    private var freeAt = 0.0

    init(_ link: LinkCharacter) {
        nanosecondsPerByte = 8e3 / link.megabitsPerSecond
        delayMax = Double(link.bufferBytes) * nanosecondsPerByte
    }

    /// When a packet that enters now will have left; nil: there is no room for it.
    mutating func pass(_ byteCount: Int, now: UInt64) -> UInt64? {
        let start = max(freeAt, Double(now))
        guard start - Double(now) <= delayMax else { return nil }
        freeAt = start + Double(byteCount) * nanosecondsPerByte
        return UInt64(freeAt)
    }
}
