/// Where in its core's progress log the next entry goes: a ring of blocks, written over only where
/// the catalog has learnt what stood there.
///
///     recorded │ oldest … entries that only the log has … newest │ next ─▶
///
/// Invariant: no two entries that are needed share a block; sequences only rise.
public struct ProgressLog: Sendable {
    public struct Place: Equatable, Sendable {
        /// Counted from the log's start.
        public let block: UInt32
        public let sequence: UInt64
        /// For the entry: see `ProgressEntry.confirmed`.
        public let confirmed: UInt64
    }

    private struct Entry {
        let upload: ObjectID
        let sequence: UInt64
        let firstBlock: UInt32
        var isConfirmed = false
        var isRecorded = false
    }

    public let blockCount: UInt32
    /// The last one that was given out.
    public private(set) var lastSequence: UInt64
    private var confirmed: UInt64
    private var next: UInt32 = 0
    /// By sequence, up to the first that is still needed.
    private var entries: [Entry] = []

    /// An empty log of so many blocks, whose sequences begin behind `sequence`.
    public init(blockCount: UInt32, after sequence: UInt64) {
        precondition(blockCount >= ProgressEntry.blocksMax, "no entry might fit")
        self.blockCount = blockCount
        lastSequence = sequence
        confirmed = sequence
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// The upload whose oldest entry stands in the way of all that follow.
    public var oldest: ObjectID? { entries.first?.upload }

    /// Whether the catalog does not cover an entry of the upload.
    public func needs(_ upload: ObjectID) -> Bool {
        entries.contains { $0.upload == upload && !$0.isRecorded }
    }

    /// Whether little room is left: the oldest should be recorded soon.
    public var isFilling: Bool { room < blockCount / 2 }

    /// A place for an entry of `count` blocks; nil where the next one would reach what is needed.
    public mutating func place(_ count: UInt32, for upload: ObjectID) -> Place? {
        precondition(count > 0 && count <= ProgressEntry.blocksMax, "no entry is that long")
        guard let start = start(for: count) else { return nil }
        next = start + count
        lastSequence += 1
        entries.append(
            Entry(upload: upload, sequence: lastSequence, firstBlock: start))
        return Place(block: start, sequence: lastSequence, confirmed: confirmed)
    }

    private func start(for count: UInt32) -> UInt32? {
        guard let oldest = entries.first?.firstBlock else {
            return next + count <= blockCount ? next : 0
        }
        if oldest >= next { return next + count <= oldest ? next : nil }
        if next + count <= blockCount { return next }
        return count <= oldest ? 0 : nil
    }

    private var room: UInt32 {
        guard let oldest = entries.first?.firstBlock else { return blockCount }
        return oldest >= next ? oldest - next : blockCount - next + oldest
    }

    /// That entry, and what it speaks of, is durable.
    public mutating func confirm(_ sequence: UInt64) {
        guard let index = entries.firstIndex(where: { $0.sequence == sequence }) else { return }
        entries[index].isConfirmed = true
        advance()
    }

    /// The catalog has what this upload's entries up to that one say, or needs it no more.
    public mutating func recorded(_ upload: ObjectID, through sequence: UInt64) {
        for index in entries.indices
        where entries[index].upload == upload && entries[index].sequence <= sequence {
            entries[index].isRecorded = true
        }
        while let first = entries.first, first.isRecorded { entries.removeFirst() }
        advance()
    }

    /// What is recorded was durable before: it stands in nobody's way.
    private mutating func advance() {
        let pending = entries.first { !$0.isConfirmed && !$0.isRecorded }
        confirmed = max(confirmed, pending.map { $0.sequence - 1 } ?? lastSequence)
    }
}
