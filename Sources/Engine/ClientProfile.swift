/// What is remembered of a client between its visits: how its link was, and what it was advised.

public struct ClientProfile: Equatable, Sendable {
    /// What its transfers have shown.
    public var history = LinkHistory()
    public var linkClass = LinkClass.unknown
    /// The dialect of its last upload in parts, as upload records number them; 0 for none yet.
    public var dialect: UInt8 = 0
    /// The chunk that it was advised last, in bytes; 0 for none yet.
    public var chunkBytes: UInt64 = 0
    /// Transfers that were counted.
    public var transfers: UInt64 = 0
    /// Of the last of them, by the wall clock: seconds since 1970.
    public var seenSeconds: UInt64 = 0

    public init() {}
}
