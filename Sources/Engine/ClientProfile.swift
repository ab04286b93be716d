/// What is remembered of a client between its visits: how its link was, and what it was advised.

public struct ClientProfile: Equatable, Sendable {
    /// What its transfers have shown.
    public var history = LinkHistory()
    /// What its link was believed to carry to the server when the last upload ended, and how far
    /// it was.
    public var estimate = LinkEstimate()
    public var linkClass = LinkClass.unknown
    /// The share of its transfers that did not fail, those lately first: a tenth of it is the last
    /// one's.
    public var reliability = 1.0
    /// The dialect of its last upload in parts, as upload records number them; 0 for none yet.
    public var dialect: UInt8 = 0
    /// The chunk that it was advised last, in bytes; 0 for none yet.
    public var chunkBytes: UInt64 = 0
    /// Transfers that were counted.
    public var transfers: UInt64 = 0
    /// Of the last of them, by the wall clock: seconds since 1970.
    public var seenSeconds: UInt64 = 0

    public init() {}

    /// Enters a transfer that has ended at `now`, in milliseconds since 1970. Chunks are what
    /// uploads come in: of downloads everything counts but their rate.
    public mutating func enter(_ record: TransferRecord, now: UInt64) {
        let hazard = LinkHazard(failures: record.hasFailed ? 1 : 0, seconds: record.seconds)
        var told = record.estimate
        if record.direction == .download {
            (told.bytesPerSecond, told.roundTrips) = (nil, 0)
        }
        estimate = told.completed(by: estimate)
        history.observe(told, hazard, record.linkClass, now: now)
        reliability += 0.1 * ((record.hasFailed ? 0 : 1) - reliability)
        if record.linkClass != .unknown { linkClass = record.linkClass }
        transfers = transfers == .max ? transfers : transfers + 1
    }
}
