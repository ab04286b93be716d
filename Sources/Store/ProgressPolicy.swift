/// When an upload's progress goes into its core's log, and when into the catalog. A commit of the
/// catalog costs several times what an entry does, which becomes durable with the flush of the
/// bytes that it speaks of; but the catalog holds any number of uploads, and the log few.

/// Decides. All limits are those of one core.
struct ProgressPolicy: Sendable, Equatable {
    /// Space for a log is taken, and written once, when the core settles more often than this
    /// within `burstNanoseconds`.
    var settlesBefore = 2
    static let burstNanoseconds: UInt64 = 1_000_000_000
    /// Of the log, in blocks of 4 KiB.
    var logBlocks: UInt32 = 1024
    /// Bytes of one upload that the catalog may not know of, while others know of its log.
    var bytesUnrecordedMax: UInt64 = 64 << 20
    /// How long that may last, in nanoseconds; and how long bytes that have come may lie unsettled
    /// in a chunk that takes its time.
    var nanosecondsMax: UInt64 = 5_000_000_000
    /// Uploads of which the catalog does not know all. They stay in memory.
    var uploadsUnrecordedMax = 256

    /// What an upload is, in the eyes of who decides where its progress goes.
    struct Progress: Equatable {
        /// The catalog knows that it exists, and has all that it was ever told of it: an entry
        /// builds on that.
        var isRecorded: Bool
        /// It holds space that nobody is going to fill: only the catalog can give that back.
        var hasUnusedSpace: Bool
        /// Bytes that came since the catalog was told.
        var bytesUnrecorded: UInt64
        /// The catalog does not know all that was settled before.
        var isUnrecorded: Bool
    }

    /// Whether an entry will do, if there is a log with room for it.
    func logs(_ progress: Progress, unrecorded: Int) -> Bool {
        progress.isRecorded && !progress.hasUnusedSpace
            && progress.bytesUnrecorded < bytesUnrecordedMax
            && (progress.isUnrecorded || unrecorded < uploadsUnrecordedMax)
    }
}

/// How often something has happened within the last burst of it.
struct Burst: Sendable, Equatable {
    private var start: UInt64 = 0
    private var count = 0

    /// It happened once more. Whether that was more often than `limit` times within `nanoseconds`.
    mutating func exceeds(_ limit: Int, within nanoseconds: UInt64, at time: UInt64) -> Bool {
        if count == 0 || time > start + nanoseconds { (start, count) = (time, 0) }
        count += 1
        return count > limit
    }
}
