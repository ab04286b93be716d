/// What every core may look at: how the volumes are, and what is published but not yet indexed.

import Catalog
import Cryptography
import IO
import Loop
import Synchronization
import Volumes

final class StoreState: Sendable {
    let instance: InstanceID
    let sealKey: [UInt8]
    let catalog: any CatalogStorage
    let faults: StoreFaults
    let report: @Sendable (StoreEvent) -> Void

    private let overlay = Mutex<[NameKey: Unindexed]>([:])
    private let overlayCount = Atomic<Int>(0)
    /// Counts the batches that the catalog took.
    private let batchCount = Atomic<UInt64>(0)
    private let nameHash = NameHash(key: Randomness.integer())
    let health: VolumeHealth
    let suspects: SuspectSpace
    private let whenStopped = Mutex<(@Sendable (VolumeID) -> Void)?>(nil)
    private let retried = Mutex<(reads: RetryCounts, writes: RetryCounts)>((.init(), .init()))
    /// By sequence.
    private let provisional = Mutex<[UInt64: Manifest]>([:])
    /// Sequences that were acknowledged as written and are not yet durable.
    private let unflushed = Mutex<Set<UInt64>>([])
    private let unflushedCount = Atomic<Int>(0)
    /// By sequence: objects of which so many removals failed. A restart may carry one out all the
    /// same.
    private let failedRemovals = Mutex<[UInt64: Int]>([:])
    /// What large uploads have announced and not yet sent.
    let reservations: Mutex<ReservationBudget>
    /// Unfinished uploads, by whom.
    let uploads: Mutex<UploadBudget>
    /// No upload that may be resumed may be longer: of a longer one not all could lie unfinished.
    let uploadBytesMax: UInt64
    let progress: ProgressPolicy
    private let progressStart = Atomic<UInt64>(0)
    /// The SHA-256 of every large object is kept with it.
    let keepsSHA256: Bool
    private let cores = Mutex<[any StoreCore]>([])
    /// By core; as their stores are opened.
    private let assemblers = Mutex<[Int: Assembler]>([:])

    init(_ setup: StoreSetup, faults: StoreFaults) {
        instance = InstanceID(high: setup.instance.high, low: setup.instance.low)
        sealKey = setup.sealKey
        catalog = setup.catalog
        report = setup.report
        reservations = Mutex(ReservationBudget(bytesMax: setup.reservedBytesMax))
        let budget = UploadBudget(
            countMax: setup.uploadsMax, countPerOwnerMax: setup.uploadsPerOwnerMax,
            bytesMax: setup.unfinishedBytesMax, bytesPerOwnerMax: setup.unfinishedBytesPerOwnerMax)
        uploads = Mutex(budget)
        uploadBytesMax = min(
            setup.uploadBytesMax, StoreLimits.objectBytesMax,
            budget.bytesPerUploadMax(blockBytes: UInt64(VolumeLayout.blockSize)))
        progress = setup.progress
        keepsSHA256 = setup.keepsSHA256
        health = VolumeHealth(setup.resilience)
        suspects = SuspectSpace(faults)
        self.faults = faults
    }

    /// No entry of a progress log that recovery knows of is of a higher sequence. Set once, by
    /// recovery.
    var progressSequence: UInt64 {
        get { progressStart.load(ordering: .acquiring) }
        set { progressStart.store(newValue, ordering: .releasing) }
    }

    // MARK: Volumes

    var failedVolumes: [VolumeID] { health.open }

    /// From now on nothing is written to the volume on any core, until it has been tried again, or
    /// until a restart.
    func stopWrites(to volume: VolumeID, because error: StoreError, at now: UInt64) {
        guard health.fail(volume, at: now) else { return }
        report(.volumeFailed(VolumeName(volume), error, isForGood: !health.bringsBack))
        whenStopped.withLock { $0 }?(volume)
    }

    /// To be told of each volume that stops taking writes, on any thread.
    func tellWhenStopped(_ listener: @escaping @Sendable (VolumeID) -> Void) {
        whenStopped.withLock { $0 = listener }
    }

    func count(_ kind: Retries.Kind, _ change: (inout RetryCounts) -> Void) {
        retried.withLock { counts in
            switch kind {
            case .read: change(&counts.reads)
            case .write: change(&counts.writes)
            }
        }
    }

    var retryCounts: (reads: RetryCounts, writes: RetryCounts) { retried.withLock { $0 } }

    // MARK: What is published but not indexed

    /// The newest state of a name, where the catalog does not have it yet.
    enum Unindexed: Sendable {
        case present(CatalogEntry)
        case absent(sequence: UInt64)

        var sequence: UInt64 {
            switch self {
            case .present(let entry): entry.sequence
            case .absent(let sequence): sequence
            }
        }
    }

    var unindexedCount: Int { overlayCount.load(ordering: .relaxed) }

    func key(_ name: [UInt8]) -> NameKey { NameKey(bytes: name, hash: nameHash(name.span)) }

    func unindexed(_ name: NameKey) -> Unindexed? {
        guard unindexedCount > 0 else { return nil }
        return overlay.withLock { $0[name] }
    }

    func publish(_ name: NameKey, _ state: Unindexed) {
        overlay.withLock { names in
            if let present = names[name], present.sequence > state.sequence { return }
            names[name] = state
            overlayCount.store(names.count, ordering: .relaxed)
        }
    }

    /// The catalog has those items now.
    func indexed(_ items: [IndexQueue.Item]) {
        // Counted before the overlay lets go of them: see `NameAbsence`.
        batchCount.wrappingAdd(1, ordering: .sequentiallyConsistent)
        overlay.withLock { names in
            for item in items {
                guard let name = item.name, names[name]?.sequence == item.sequence else { continue }
                names[name] = nil
            }
            overlayCount.store(names.count, ordering: .relaxed)
        }
    }

    /// That state never came to be.
    func withdraw(_ name: [UInt8], sequence: UInt64) {
        let key = key(name)
        overlay.withLock { names in
            guard names[key]?.sequence == sequence else { return }
            names[key] = nil
            overlayCount.store(names.count, ordering: .relaxed)
        }
    }

    /// What a listing must add to, or take from, the catalog's.
    func unindexed(prefix: [UInt8], after: [UInt8]) -> [(name: [UInt8], state: Unindexed)] {
        overlay.withLock { names in
            names.filter {
                $0.key.bytes.starts(with: prefix) && after.lexicographicallyPrecedes($0.key.bytes)
            }.map { (name: $0.key.bytes, state: $0.value) }
        }
    }

    func makeReader() throws(StoreError) -> any CatalogReader {
        do throws(CatalogError) {
            return try catalog.makeReader()
        } catch {
            throw .index("\(error)")
        }
    }

    /// What proves later that the catalog has not changed since: ask before looking a name up.
    func absenceToBe() -> NameAbsence {
        NameAbsence(batchCount: batchCount.load(ordering: .sequentiallyConsistent))
    }

    /// The newest entry of a name: overlay first, because entries leave it only once the catalog
    /// has them. `absence`: an earlier look-up of that name found nothing.
    func entry(
        _ name: NameKey, _ reader: any CatalogReader, _ absence: NameAbsence? = nil
    ) throws(StoreError) -> CatalogEntry? {
        // Read before the overlay is: see `indexed`.
        let isUnchanged = absence.map { $0 == absenceToBe() } ?? false
        switch unindexed(name) {
        case .present(let entry): return entry
        case .absent: return nil
        case nil: break
        }
        if isUnchanged { return nil }
        do throws(CatalogError) {
            return try reader.find(name.bytes.span)
        } catch {
            throw .index("\(error)")
        }
    }

    // MARK: Objects whose record is still to be written

    /// Makes a large object readable, and visible, before its record is on the disk.
    func provide(_ name: [UInt8], _ entry: CatalogEntry, _ manifest: Manifest) {
        provisional.withLock { $0[entry.sequence] = manifest }
        provide(name, entry)
    }

    /// Makes an object visible before it is durable.
    func provide(_ name: [UInt8], _ entry: CatalogEntry) {
        unflushed.withLock { sequences in
            sequences.insert(entry.sequence)
            unflushedCount.store(sequences.count, ordering: .releasing)
        }
        publish(key(name), .present(entry))
    }

    func isProvisional(_ sequence: UInt64) -> Bool {
        guard unflushedCount.load(ordering: .acquiring) > 0 else { return false }
        return unflushed.withLock { $0.contains(sequence) }
    }

    /// A removal of that object may be on the disk, and nobody was told so.
    func doubt(removalOf sequence: UInt64) {
        failedRemovals.withLock { $0[sequence, default: 0] += 1 }
    }

    /// One of them is durably no more.
    func endDoubt(aboutRemovalOf sequence: UInt64) {
        failedRemovals.withLock { failed in
            guard let count = failed[sequence] else { return }
            failed[sequence] = count > 1 ? count - 1 : nil
        }
    }

    func isDoubtful(_ sequence: UInt64) -> Bool {
        failedRemovals.withLock { $0[sequence] != nil }
    }

    func provisionalManifest(_ sequence: UInt64) -> Manifest? {
        provisional.withLock { $0[sequence] }
    }

    /// The object is durable, or was withdrawn.
    func endProvision(_ sequence: UInt64) {
        guard unflushedCount.load(ordering: .acquiring) > 0 else { return }
        provisional.withLock { $0[sequence] = nil }
        unflushed.withLock { sequences in
            sequences.remove(sequence)
            unflushedCount.store(sequences.count, ordering: .releasing)
        }
    }

    // MARK: Cores

    func join(_ core: any StoreCore) { cores.withLock { $0.append(core) } }

    /// Tells every core that an object is no more.
    func forget(_ name: [UInt8], sequence: UInt64) async {
        for core in cores.withLock({ $0 }) { await core.forget(name: name, sequence: sequence) }
    }

    func waitUntilUnpinned(sequence: UInt64) async {
        for core in cores.withLock({ $0 }) { await core.waitUntilUnpinned(sequence: sequence) }
    }

    // MARK: Uploads

    var unfinishedCount: Int { uploads.withLock { $0.all.count } }

    var unfinishedBytes: UInt64 { uploads.withLock { $0.all.bytes } }

    var coreCount: Int { cores.withLock { $0.count } }

    func join(_ assembler: Assembler) {
        assemblers.withLock { $0[assembler.loop.index] = assembler }
    }

    func leave(_ assembler: Assembler) {
        assemblers.withLock { $0[assembler.loop.index] = nil }
    }

    /// Who owns the upload; nil while that core is not ready.
    func owner(of id: UploadID) -> Assembler? {
        let index = id.owner(of: max(coreCount, 1))
        return assemblers.withLock { $0[index] }
    }

    /// Returns when no core has a write or flush of that volume on its way, which takes none.
    func quiesce(_ volume: VolumeID) async {
        for assembler in assemblers.withLock({ Array($0.values) }) {
            await assembler.quiesce(volume)
        }
    }

    /// Ends a chunk that is received on that core, however far it has come.
    func cut(_ id: UploadID, _ writer: UInt64, on index: Int) async {
        let core = cores.withLock { $0.first { $0.index == index } }
        await core?.cut(id, writer: writer)
    }
}
