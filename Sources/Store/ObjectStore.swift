/// One core's door to the objects. Used only on that core's loop, in the isolation of whoever
/// owns it; reached from nowhere else.

import Catalog
import Checksums
import Cryptography
import IO
public import Loop
import Resilience
import Volumes

public final class ObjectStore {
    let loop: EventLoop
    let memory: CoreMemory
    let state: StoreState
    let ledger: Ledger
    let files: VolumeFiles
    let pages: PageFiller
    let packer: Packer
    let seal: Seal
    let reader: any CatalogReader
    let coldLookups: ColdLookups?

    private var pins: [UInt64: Int] = [:]
    private var unpinned: [UInt64: [Ticket]] = [:]
    /// The most recently used last.
    private var described: [LargeObject] = []
    private var counted = StoreStatistics()
    /// Uploads acknowledged as written that are not durable yet, late clean-ups, and who waits for
    /// their end.
    private var finishing = 0
    private var finished: [Ticket] = []
    /// Names the objects that this core makes: random once, then counted.
    private let objectSeries: UInt64
    private var objectCount: UInt64 = 0
    let assembler: Assembler
    /// Where digests are made.
    let hashing: any SerialExecutor
    /// Deleted objects whose space is still taken: see `CleanupLater`.
    var cleanups: [CleanupLater] = []
    var cleanupJitter: Jitter
    var isCleaningUp = false
    /// Chunks that are received here, by upload and writer.
    var chunks: [ChunkKey: ChunkWriter] = [:]

    /// `memory` is that of `loop`'s core; both belong to the caller's thread. `hashing` is where
    /// digests of uploads may take their time: a `BlockingQueue`.
    public init(
        loop: EventLoop, memory: CoreMemory, shared: StoreShared,
        hashingOn hashing: any SerialExecutor
    ) throws(StoreError) {
        self.loop = loop
        self.hashing = hashing
        self.memory = memory
        state = shared.state
        ledger = shared.ledger
        files = VolumeFiles(
            loop: loop, memory: memory, state: shared.state, directory: shared.directory)
        pages = PageFiller(loop: loop, memory: memory)
        packer = Packer(loop: loop, ledger: shared.ledger, state: shared.state)
        seal = try Seal(key: shared.state.sealKey)
        reader = try shared.state.makeReader()
        coldLookups = shared.coldLookups
        objectSeries = Randomness.integer()
        cleanupJitter = Jitter(seed: state.health.policy.seed ?? Randomness.integer())
        assembler = Assembler(
            loop: loop, state: shared.state, ledger: shared.ledger, reader: reader)
        try assembler.open(Confined(self))
    }

    /// Waits until what was acknowledged as written is durable, gives this core's segment back and
    /// closes its files. Nothing else may be in progress.
    public func close() async {
        while finishing > 0 {
            let ticket = loop.makeTicket()
            finished.append(ticket)
            _ = await loop.answer(ticket)
        }
        await assembler.close()
        await packer.close()
        await pages.close()
        await files.close()
    }

    /// Starts work for which only `close` waits: what is behind an early acknowledgement.
    func finishInBackground(_ work: @escaping () async -> Void) {
        finishing += 1
        loop.inBackground { [self] in
            await work()
            finishing -= 1
            guard finishing == 0 else { return }
            for ticket in finished { loop.wake(ticket) }
            finished = []
        }
    }

    public var statistics: StoreStatistics {
        var statistics = counted
        (statistics.flushes, statistics.flushed) = files.flushCounts
        return statistics
    }

    func count(_ change: (inout StoreStatistics) -> Void) { change(&counted) }

    /// A wait that began at `start`, a value of the loop's clock, has ended.
    func countWait(_ phase: Phase, since start: UInt64) {
        countWait(phase, since: start, until: loop.now)
    }

    func countWait(_ phase: Phase, since start: UInt64, until end: UInt64) {
        let nanoseconds = end - start
        switch phase {
        case .disk: counted.diskWaits.add(nanoseconds)
        case .flush: counted.flushWaits.add(nanoseconds)
        case .commit: counted.commitWaits.add(nanoseconds)
        }
    }

    /// What a request waits for here.
    enum Phase { case disk, flush, commit }

    /// The upload that belongs to a name: see `UploadID.of`.
    public func uploadID(of name: [UInt8]) -> UploadID { seal.uploadID(of: name) }

    func newObjectID() -> ObjectID {
        objectCount += 1
        return ObjectID(high: objectSeries, low: objectCount)
    }

    // MARK: Looking up

    /// The newest object under `name`, pinned on this core until `release`. Suspends only if memory
    /// does not hold the catalog.
    public func find(_ name: [UInt8]) async throws(StoreError) -> Pinned? {
        if let coldLookups { await touch(name, coldLookups) }
        return try findNow(name)
    }

    /// `find` for who has looked the name up a moment ago, or may not suspend.
    func findNow(_ name: [UInt8]) throws(StoreError) -> Pinned? {
        guard let entry = try state.entry(state.key(name), reader) else { return nil }
        return try pin(name, entry)
    }

    /// The same as `find`; and if there is none, what makes publishing one cheaper.
    public func look(up name: [UInt8]) async throws(StoreError) -> Finding {
        if let coldLookups { await touch(name, coldLookups) }
        return try look(upHere: name)
    }

    /// `look(up:)` without a suspension; nil where it might need one.
    public func lookNow(up name: [UInt8]) throws(StoreError) -> Finding? {
        coldLookups == nil ? try look(upHere: name) : nil
    }

    private func look(upHere name: [UInt8]) throws(StoreError) -> Finding {
        let absence = state.absenceToBe()
        guard let entry = try state.entry(state.key(name), reader) else { return .absent(absence) }
        return .present(try pin(name, entry))
    }

    /// Waits until memory holds what a look-up of `name` reads.
    func touch(_ name: [UInt8], _ lookups: ColdLookups) async {
        let start = loop.now
        await lookups.touch(name)
        countWait(.disk, since: start)
    }

    private func pin(_ name: [UInt8], _ entry: CatalogEntry) throws(StoreError) -> Pinned {
        let object = try StoredObject(entry)
        pins[object.sequence, default: 0] += 1
        return Pinned(name: name, object: object)
    }

    /// The volume as this core opened it.
    @inline(__always)
    func file(_ id: VolumeID) async throws(StoreError) -> VolumeFile {
        if let file = files.opened(id) { return file }
        return try await files.file(id)
    }

    /// Ends what `find` promised; once for each time.
    public func release(_ pinned: Pinned) {
        let sequence = pinned.object.sequence
        guard let count = pins[sequence] else {
            preconditionFailure("an object was released that nobody had pinned")
        }
        pins[sequence] = count > 1 ? count - 1 : nil
        guard count == 1, let waiters = unpinned.removeValue(forKey: sequence) else { return }
        for ticket in waiters { loop.wake(ticket) }
    }

    /// Whether a look-up would still find that very object. Ask before caching its bytes; a removal
    /// that comes later reaches the cache through `StoreCore.forget`.
    public func isCurrent(_ pinned: Pinned) throws(StoreError) -> Bool {
        try state.entry(state.key(pinned.name), reader)?.sequence == pinned.object.sequence
    }

    /// Waits until an object that was acknowledged as written is durable, or is no more: whoever
    /// relies on it for a `durable` answer asks. False if a look-up would no longer find it. Fails
    /// with `.readOnly` if its removal failed, which a restart may carry out all the same.
    public func settle(_ pinned: Pinned) async throws(StoreError) -> Bool {
        if state.isDoubtful(pinned.object.sequence) { throw .readOnly }
        if state.isProvisional(pinned.object.sequence) {
            let start = loop.now
            repeat {
                await loop.sleep(until: loop.now + 1_000_000)
            } while state.isProvisional(pinned.object.sequence)
            countWait(.flush, since: start)
        }
        return try isCurrent(pinned)
    }

    // MARK: Listing

    /// Names that start with `prefix` and are greater than `after`, in the order of their bytes; at
    /// most `limit` and `StoreLimits.listingMax` of them.
    public func list(
        prefix: [UInt8], after: [UInt8]?, limit: Int
    ) async throws(StoreError) -> [ListedObject] {
        if let coldLookups {
            let start = loop.now
            await coldLookups.touch(prefix: prefix, after: after)
            countWait(.disk, since: start)
        }
        let limit = max(0, min(limit, StoreLimits.listingMax))
        var changed: [[UInt8]: StoreState.Unindexed] = [:]
        for (name, state) in state.unindexed(prefix: prefix, after: after ?? []) {
            changed[name] = state
        }
        var listed: [ListedObject] = []
        var position = after
        var isAtEnd = false
        // Removed names leave gaps, so one page of the catalog may not be enough.
        while listed.count < limit, !isAtEnd {
            let page = try page(prefix: prefix, after: position)
            isAtEnd = page.count < StoreLimits.listingMax
            position = page.last?.name ?? position
            for line in page where changed[line.name] == nil {
                listed.append(
                    ListedObject(name: line.name, object: try StoredObject(line.entry)))
            }
        }
        let end = isAtEnd ? nil : position
        for (name, state) in changed {
            guard case .present(let entry) = state else { continue }
            // What lies behind the last page read belongs to a later call.
            if let end, end.lexicographicallyPrecedes(name) { continue }
            listed.append(ListedObject(name: name, object: try StoredObject(entry)))
        }
        listed.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return Array(listed.prefix(limit))
    }

    private func page(
        prefix: [UInt8], after: [UInt8]?
    ) throws(StoreError) -> [CatalogListing] {
        do throws(CatalogError) {
            return try reader.list(prefix: prefix, after: after, limit: StoreLimits.listingMax)
        } catch {
            throw .index("\(error)")
        }
    }

    // MARK: What `StoreCore` forwards

    /// Drops what this core remembers of the object.
    public func forget(name: [UInt8], sequence: UInt64) {
        described.removeAll { $0.object.sequence == sequence }
    }

    public func waitUntilUnpinned(sequence: UInt64) async {
        while pins[sequence] != nil {
            let ticket = loop.makeTicket()
            unpinned[sequence, default: []].append(ticket)
            _ = await loop.answer(ticket)
        }
    }

    // MARK: Descriptions

    func remembered(_ sequence: UInt64) -> LargeObject? {
        guard let index = described.lastIndex(where: { $0.object.sequence == sequence })
        else { return nil }
        if index < described.count - 1 { described.append(described.remove(at: index)) }
        return described[described.count - 1]
    }

    func remember(_ large: LargeObject) {
        if described.count == StoreLimits.describedMax { described.removeFirst() }
        described.append(large)
    }
}
