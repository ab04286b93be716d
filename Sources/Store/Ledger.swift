/// The single owner of space, names and the order of commits, on core 0's loop.
///
/// Every core asks it for segments and extents, claims names before it writes records, and tells
/// it what became of them. It keeps the queue of what the catalog is still to be told.
///
/// Invariant: a name has at most one claim, a sequence is resolved once, and a change enters the
/// queue only when the record that it speaks of is durable.

import Catalog
import IO
import Loop
import Volumes

actor Ledger {
    let state: StoreState
    nonisolated let loop: EventLoop
    let files: Confined<VolumeFiles>
    let capacityBlocks: UInt64

    var extents: ExtentAllocator
    var segments: SegmentAllocator
    var smallCount: UInt16
    var largeCount: UInt16
    var growing: [Ticket]?

    var window: CommitWindow
    private var claims: [NameKey: [Ticket]] = [:]
    private let reader: any CatalogReader

    var spare: SegmentLease?
    /// When the spare was begun to be prepared.
    var spareMark = VolumeMark.start
    var spareError: StoreError?
    var isPreparing = false
    var spareWaiters: [Ticket] = []

    var queue = IndexQueue()
    let indexer: Indexer
    var indexWaiters: [Ticket] = []
    var isIndexing = false
    var indexFailed = false
    private var doubts = DoubtfulRecords()
    var idleIndexer: Ticket?
    var isClosing = false
    /// Volumes that are being brought back.
    var restoring = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ opened: OpenedVolumes, state: StoreState, loop: EventLoop, indexer: Indexer) {
        self.state = state
        self.loop = loop
        self.indexer = indexer
        files = opened.files
        reader = opened.reader
        extents = opened.extents
        segments = opened.segments
        capacityBlocks = opened.capacityBlocks
        smallCount = opened.smallCount
        largeCount = opened.largeCount
        window = CommitWindow(last: opened.sequence)
    }

    // MARK: Names

    enum Claim: Sendable {
        /// The name is free, and the caller's to publish under this sequence.
        case granted(sequence: UInt64)
        /// An object has it.
        case taken
        /// Somebody is about to publish or to remove under it.
        case claimed
    }

    /// Waits for whoever has the name claimed, then decides: the sequence to publish under, or nil
    /// if the name is taken. `absence` saves a look into the catalog.
    func claim(
        _ name: [UInt8], _ absence: NameAbsence?
    ) async throws(StoreError) -> UInt64? {
        while true {
            switch try claimNow(name, absence) {
            case .granted(let sequence): return sequence
            case .taken: return nil
            case .claimed: await waitUntilUnclaimed(name)
            }
        }
    }

    func claimNow(_ name: [UInt8], _ absence: NameAbsence?) throws(StoreError) -> Claim {
        let key = state.key(name)
        if claims[key] != nil { return .claimed }
        guard try state.entry(key, reader, absence) == nil else { return .taken }
        let waiting = state.unindexedCount + window.openCount
        guard state.catalog.usage.hasRoom(forObjects: waiting + 1) else { throw .noSpace }
        return .granted(sequence: try assign(key))
    }

    /// `claimNow` for code on this ledger's own loop, which needs no hop to get here.
    nonisolated func claimHere(
        _ name: [UInt8], _ absence: NameAbsence?
    ) throws(StoreError) -> Claim {
        let claim = assumeIsolated { ledger in
            Result { () throws(StoreError) in try ledger.claimNow(name, absence) }
        }
        return try claim.get()
    }

    /// The object to be removed and the removal's sequence; nil if there is none.
    func claimRemoval(
        _ name: [UInt8]
    ) async throws(StoreError) -> (sequence: UInt64, entry: CatalogEntry)? {
        let key = state.key(name)
        // Asked again behind every wait: others may come in between.
        while claims[key] != nil { await waitUntilUnclaimed(name) }
        guard let entry = try state.entry(key, reader) else { return nil }
        return (try assign(key), entry)
    }

    private func waitUntilUnclaimed(_ name: [UInt8]) async {
        let key = state.key(name)
        while claims[key] != nil {
            let ticket = loop.makeTicket()
            claims[key]?.append(ticket)
            _ = await loop.answer(ticket)
        }
    }

    private func assign(_ name: NameKey) throws(StoreError) -> UInt64 {
        guard let sequence = window.assign() else { throw .indexBehind }
        claims[name] = []
        return sequence
    }

    /// The record of that sequence is durable: the name shows `outcome`, the catalog will.
    /// Answers the change's number for `waitUntilIndexed`.
    @discardableResult
    func published(
        _ name: [UInt8], sequence: UInt64, outcome: StoreState.Unindexed,
        changes: [CatalogChange]
    ) -> UInt64 {
        window.complete(sequence)
        let key = state.key(name)
        state.publish(key, outcome)
        let number = queue.append(
            changes, watermark: window.watermark, name: key, sequence: sequence)
        unclaim(key)
        wakeIndexer()
        return number
    }

    /// `published` for code on this ledger's own loop.
    nonisolated func publishedHere(
        _ name: [UInt8], sequence: UInt64, outcome: StoreState.Unindexed,
        changes: [CatalogChange]
    ) {
        assumeIsolated { ledger in
            _ = ledger.published(name, sequence: sequence, outcome: outcome, changes: changes)
        }
    }

    /// No record of that sequence was acknowledged, nor will be. If one is on the disk after all,
    /// it is in a segment that stays leased until it was zeroed: a start finds it there, and
    /// overwrites an object's header, because the catalog does not have it, but carries out a
    /// removal. `leavesRecord`: one of an object may be.
    func abandoned(_ name: [UInt8], sequence: UInt64, leavesRecord: Bool = false) {
        window.abandon(sequence)
        let key = state.key(name)
        if leavesRecord { doubts.failed(key, sequence: sequence) }
        unclaim(key)
    }

    /// The record of that sequence, which had failed, is durably zeroed: what only it spoke of is
    /// free.
    func settled(_ name: [UInt8], sequence: UInt64, freeing data: [Extent]) {
        if let removal = doubts.settled(state.key(name), sequence: sequence) { drop(removal) }
        giveBack(data)
    }

    /// Whether an object of that name, of which nobody was told, may be on the disk.
    func isInDoubt(_ name: [UInt8]) -> Bool { doubts.hasFailed(state.key(name)) }

    private func unclaim(_ name: NameKey) {
        guard let waiters = claims.removeValue(forKey: name) else {
            preconditionFailure("a name was resolved that nobody had claimed")
        }
        for ticket in waiters { loop.wake(ticket) }
    }

    // MARK: Deleted objects

    /// The dead record's header is durably zeroed and nobody reads the object: its space may be
    /// used again; and that of the record that removed it, unless that has to outlive another one.
    func cleaned(_ removed: RemovedObject, isReleased: Bool) {
        if !isReleased {
            giveBack(record: removed.record)
            // A block of it may have been written twice: first as what failed and may come late.
            giveBack(removed.data)
        }
        if state.faults.contains(.forgetsRemovals) { return drop(removed) }
        if let done = doubts.removed(state.key(removed.name), removed) { drop(done) }
    }

    /// Nothing is left but the removal, which nobody needs.
    private func drop(_ removed: RemovedObject) {
        giveBack(record: removed.removal)
        queue.append(
            [.dropRemoval(address: removed.removal.address.packed)],
            watermark: window.watermark, name: nil, sequence: 0)
        wakeIndexer()
    }

    /// The mistake of `StoreFaults.earlyReuse`.
    func releaseEarly(_ removed: RemovedObject) {
        segments.release(removed.record)
        extents.release(removed.data)
    }

    // MARK: Numbers

    var space: (small: SpaceStatistics, large: SpaceStatistics) {
        endQuarantine()
        return (segments.statistics, extents.statistics)
    }
}

/// What a removal frees, once nobody needs it.
struct RemovedObject: Sendable {
    let name: [UInt8]
    let sequence: UInt64
    /// The dead object's record.
    let record: Extent
    /// The extents of a large object's data.
    let data: [Extent]
    /// The removal record.
    let removal: Extent
}

/// What opening found and a ledger starts from.
struct OpenedVolumes: Sendable {
    let files: Confined<VolumeFiles>
    let reader: any CatalogReader
    let extents: ExtentAllocator
    let segments: SegmentAllocator
    /// Volumes of each class.
    let smallCount: UInt16
    let largeCount: UInt16
    let capacityBlocks: UInt64
    /// No sequence that was ever used is higher.
    let sequence: UInt64
}
