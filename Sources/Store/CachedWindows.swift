/// What a core has seen of a large object in the page cache, window by window: which bytes could
/// lately be read without waiting, and which were missed how often.
///
/// That a page is cached does not say that its bytes have come; asking costs a read for every
/// 128 KiB, a seventh of what sendfile itself costs. Bytes that have come stay until the kernel
/// drops the page. It drops pages that nobody has used for long, so what was readable a while ago
/// and is cached now is readable now. Whoever finds a page missing forgets all: what is then read
/// reaches ahead, into the next windows. Wrong it can be only if a page was dropped and is being
/// read again for another core; then one sendfile waits for that read.
struct CachedWindows {
    /// Windows start at multiples of this in the object.
    static let bytes: UInt64 = 2 << 20
    static let nanosecondsMax: UInt64 = 10_000_000_000
    /// Of a window of which only parts are asked for.
    private static let missesToWarm: UInt8 = 2

    /// When each was last known to be readable, in monotonic nanoseconds; 0 is never.
    private var times: [UInt64]
    /// What was known by then counts no more.
    private var forgottenAt: UInt64 = 0
    private var misses: [UInt8]
    private let objectBytes: UInt64

    init(objectBytes: UInt64) {
        self.objectBytes = objectBytes
        let count = Int((objectBytes - 1) / CachedWindows.bytes) + 1
        times = Array(repeating: 0, count: count)
        misses = Array(repeating: 0, count: count)
    }

    /// The window of the object's byte `offset`.
    func window(of offset: UInt64) -> Range<UInt64> {
        let start = offset / CachedWindows.bytes * CachedWindows.bytes
        return start..<min(start + CachedWindows.bytes, objectBytes)
    }

    private func index(_ offset: UInt64) -> Int { Int(offset / CachedWindows.bytes) }

    /// Whether the window of `offset` was readable, all of it, a while ago.
    func isFresh(_ offset: UInt64, now: UInt64) -> Bool {
        let time = times[index(offset)]
        return time > forgottenAt && now &- time <= CachedWindows.nanosecondsMax
    }

    /// The bytes of `range`, which lies in one window, were readable at `now`.
    mutating func found(_ range: Range<UInt64>, now: UInt64) {
        if range == window(of: range.lowerBound) { times[index(range.lowerBound)] = now }
    }

    /// Some byte of `range`, which lies in one window, was not there at `now`. Answers whether the
    /// window should be brought into the page cache: whoever wants all of it has read it before,
    /// as it is verified; parts of it are worth that when they were missed before, so that reading
    /// here and there in large objects drives nothing else out.
    mutating func missed(_ range: Range<UInt64>, now: UInt64) -> Bool {
        forgottenAt = now
        if range == window(of: range.lowerBound) { return true }
        let index = index(range.lowerBound)
        misses[index] += 1
        guard misses[index] >= CachedWindows.missesToWarm else { return false }
        misses[index] = 0
        return true
    }
}
