/// The owner of one core's uploads: it alone decides what of them has come and who may go on,
/// whichever core receives the bytes.
///
///     create ──▶ begin ──▶ report … ──▶ end ──┬─ bytes are missing: settled, to be resumed
///                  ▲ a newer one cuts it short └─ all are there: published
///
/// For who comes from another core every `await` here may let others in, also that of a function
/// of this actor: what is decided is done before the next one.
///
/// `settle` makes durable what has come: by an entry in the progress log, flushed together with
/// the data, or by a record in the catalog, after it. Offsets that clients hear come from there, so
/// they are never ahead of the disk, nor go back.

import Catalog
import Checksums
import IO
import Loop
import Synchronization
import Volumes

actor Assembler {
    nonisolated let loop: EventLoop
    nonisolated let state: StoreState
    let ledger: Ledger
    let reader: any CatalogReader
    /// Set while the store is open; both live on this loop.
    private var attached: Confined<ObjectStore>?
    var uploads: [UploadID: OpenUpload] = [:]
    let area: ProgressArea
    /// Of these the log has what the catalog has not.
    var unrecorded: Set<UploadID> = []
    private(set) var isClosing = false
    private var isEndingExpired = false
    private let backgroundEnds = WaitQueue()
    /// What was begun for nobody's request and goes on.
    private var backgroundCount = 0
    /// All that the catalog has, this core's: enough to end them in time.
    private(set) var known: [UploadID: Known] = [:]

    struct Known: Sendable {
        var expires: UInt64
        let owner: [UInt8]
        var isUnfinished: Bool
        /// The space that it has, or is about to get, while it is unfinished.
        var bytesHeld: UInt64 = 0
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(loop: EventLoop, state: StoreState, ledger: Ledger, reader: any CatalogReader) {
        self.loop = loop
        self.state = state
        self.ledger = ledger
        self.reader = reader
        area = ProgressArea(loop: loop, state: state, ledger: ledger)
    }

    /// Takes in what the catalog has. Called once, on this loop.
    nonisolated func open(_ store: Confined<ObjectStore>) throws(StoreError) {
        let result = assumeIsolated { assembler in
            assembler.attached = store
            return Result { () throws(StoreError) in try assembler.recall() }
        }
        try result.get()
        state.join(self)
    }

    /// Nothing is under way on any core but what is done here now and then.
    func close() async {
        isClosing = true
        await waitForBackground()
        // All at once: they share commits. What fails now recovery finds in the log.
        for upload in uploads.values where upload.unrecordedSince != nil {
            recordInBackground(upload)
        }
        await waitForBackground()
        await area.close()
        state.leave(self)
        attached = nil
    }

    private func waitForBackground() async {
        while isEndingExpired || backgroundCount > 0 { await backgroundEnds.wait(on: loop) }
    }

    /// Work on an upload that nobody waits for but `close`.
    func inBackground(_ upload: OpenUpload, _ work: @escaping () async -> Void) {
        upload.users += 1
        backgroundCount += 1
        loop.inBackground { [self] in
            await work()
            leave(upload)
            backgroundCount -= 1
            backgroundEnds.wakeAll(on: loop)
        }
    }

    /// Returns when this core has no write or flush of that volume on its way.
    func quiesce(_ volume: VolumeID) async {
        // A store that is closed has none.
        guard let files = attached?.value.files else { return }
        await files.opened(volume)?.quiesce()
    }

    var store: ObjectStore {
        guard let attached else { preconditionFailure("an upload after the store was closed") }
        return attached.value
    }

    // MARK: What is known

    func remember(_ upload: OpenUpload) {
        let isUnfinished = upload.outcome == .unfinished
        let before = known[upload.id]
        if let before, before.isUnfinished, !isUnfinished {
            state.uploads.withLock { $0.end(before.owner, holding: before.bytesHeld) }
        }
        known[upload.id] = Known(
            expires: upload.expires, owner: upload.terms.owner, isUnfinished: isUnfinished,
            bytesHeld: isUnfinished ? before?.bytesHeld ?? 0 : 0)
    }

    /// Counts space that an upload is about to get, unless that is too much for unfinished ones.
    func hold(_ bytes: UInt64, for upload: OpenUpload) throws(UploadError) {
        guard bytes > 0 else { return }
        let owner = upload.terms.owner
        if let limit = state.uploads.withLock({ $0.take(bytes, for: owner) }) {
            throw .tooMany(limit)
        }
        known[upload.id]?.bytesHeld += bytes
    }

    /// It has that much less, or did not get it.
    func letGo(_ bytes: UInt64, of upload: OpenUpload) {
        state.uploads.withLock { $0.giveBack(bytes, of: upload.terms.owner) }
        known[upload.id]?.bytesHeld -= bytes
    }

    /// Nothing is left of an upload.
    func forget(_ id: UploadID) {
        guard let before = known.removeValue(forKey: id) else { return }
        guard before.isUnfinished else { return }
        state.uploads.withLock { $0.end(before.owner, holding: before.bytesHeld) }
    }

    /// Takes in what the catalog has of this core's uploads, at a start.
    private func recall() throws(StoreError) {
        let coreCount = max(state.coreCount, 1)
        var failure: StoreError?
        var found: [(UploadID, Known)] = []
        do throws(CatalogError) {
            try reader.forEachUpload { key, value in
                let id = UploadID(key)
                guard id.owner(of: coreCount) == loop.index else { return }
                do throws(UploadRecordError) {
                    let record = try UploadRecord.decode(value.span.rawBytes)
                    found.append((id, Known(record)))
                } catch {
                    failure = .index("an upload's record makes no sense: \(error)")
                }
            }
        } catch {
            throw .index("\(error)")
        }
        if let failure { throw failure }
        for (id, upload) in found {
            known[id] = upload
            guard upload.isUnfinished else { continue }
            state.uploads.withLock { $0.recall(upload.owner, holding: upload.bytesHeld) }
        }
    }

    /// Ends what was not finished in time, and forgets what ended long enough ago.
    func endExpired() async {
        guard !isEndingExpired, !isClosing else { return }
        isEndingExpired = true
        let time = loop.wallSeconds
        for (id, upload) in known.filter({ $0.value.expires <= time }) where !isClosing {
            await expire(id, upload.owner)
        }
        isEndingExpired = false
        backgroundEnds.wakeAll(on: loop)
    }

    // MARK: One upload

    /// The upload, for as long as `leave` has not been called. Says nothing to others than its
    /// owner. `toEnd`: only to give it up, which one may that failed.
    func enter(
        _ id: UploadID, _ owner: [UInt8], toEnd: Bool = false
    ) throws(UploadError) -> OpenUpload {
        let upload = try load(id)
        guard upload.terms.owner == owner else {
            drop(upload)
            throw .notFound
        }
        if let failure = upload.failure, !toEnd || upload.mayBePublished {
            throw .store(failure)
        }
        upload.users += 1
        return upload
    }

    /// Nobody is at an upload any more that is settled: the catalog has it.
    func leave(_ upload: OpenUpload) {
        upload.users -= 1
        drop(upload)
    }

    private func drop(_ upload: OpenUpload) {
        guard upload.users == 0, upload.state.writers.isEmpty, upload.failure == nil,
            upload.settledCount == upload.changeCount, upload.unrecordedSince == nil,
            uploads[upload.id] === upload
        else { return }
        uploads[upload.id] = nil
    }

    private func load(_ id: UploadID) throws(UploadError) -> OpenUpload {
        let present = uploads[id]
        if let present, !isToBeReloaded(present) { return present }
        guard known[id] != nil else { throw .notFound }
        do throws(StoreError) {
            guard let upload = try read(id, present?.logged)
            else { throw UploadMissing.error }
            uploads[id] = upload
            if let present {
                upload.replace(present)
                if upload.logged == nil { unrecorded.remove(id) }
                // The catalog is told soon, by whoever settles it, that no entry of a log counts.
                if hasRemains(upload) { upload.changeCount += 1 }
            }
            return upload
        } catch {
            throw .store(error)
        }
    }

    /// Whether the catalog says how it is, as what is in memory does not since a volume failed:
    /// once that takes writes again.
    private func isToBeReloaded(_ upload: OpenUpload) -> Bool {
        upload.failure != nil && upload.isReloadable && upload.isLeft
            && state.failedVolumes.isEmpty
    }

    /// Whether something is left of a life that failed, which the catalog has to end.
    func hasRemains(_ upload: OpenUpload) -> Bool {
        !upload.leftover.isEmpty || area.hasLeft(upload.id.object)
    }

    /// The record of the object that the upload was to become, or a part of, is durably no more.
    func endDoubt(about id: UploadID) { uploads[id]?.endDoubt() }

    /// Refuses what is nowhere any more. Who may have waited asks.
    func checkPresent(_ upload: OpenUpload, toEnd: Bool = false) throws(UploadError) {
        if let failure = upload.failure, !toEnd || upload.mayBePublished {
            throw .store(failure)
        }
        // Another one may have its number by now.
        guard uploads[upload.id] === upload, known[upload.id] != nil else { throw .notFound }
    }

    /// Refuses what has ended, or whose time is over.
    func checkUnfinished(_ upload: OpenUpload) throws(UploadError) {
        switch upload.outcome {
        case .published: throw .finished(upload.status)
        case .unfinished: break
        }
        guard upload.expires > loop.wallSeconds else { throw .expired }
        guard upload.ending == .none else { throw .notFound }
    }

    // MARK: Creating

    /// Begins an upload; it is durable when this returns.
    func create(
        _ id: UploadID, _ terms: UploadTerms, secondsToLive: UInt64
    ) async throws(UploadError) -> UploadStatus {
        while known[id] != nil { try await makeWay(id, terms.owner) }
        let upload = try begin(id, terms, secondsToLive: secondsToLive)
        defer { leave(upload) }
        return try await settle(upload)
    }

    /// Ends the upload that has the number already; unless it is somebody else's. Another one may
    /// have it when this returns.
    func makeWay(_ id: UploadID, _ owner: [UInt8]) async throws(UploadError) {
        guard let present = known[id] else { return }
        guard present.owner == owner else { throw .nameTaken }
        do throws(UploadError) { try await abort(id, owner) } catch .notFound {
            // It has ended on its own account.
        }
    }

    /// A new upload that only this memory knows of yet: `create` without the record. `bytes`: the
    /// space that it is to have from the start.
    func begin(
        _ id: UploadID, _ terms: UploadTerms, secondsToLive: UInt64, holding bytes: UInt64 = 0
    ) throws(UploadError) -> OpenUpload {
        do throws(StoreError) { try store.admit() } catch { throw .store(error) }
        if let limit = state.uploads.withLock({ $0.begin(terms.owner, holding: bytes) }) {
            throw .tooMany(limit)
        }
        let upload = OpenUpload(
            id, terms, UploadState(length: terms.length, bytesMax: state.uploadBytesMax),
            created: loop.wallSeconds, lastActivity: loop.wallSeconds,
            expires: loop.wallSeconds + secondsToLive, outcome: .unfinished, isRecorded: false)
        upload.settledAt = loop.now
        upload.changeCount = 1
        upload.users = 1
        uploads[id] = upload
        known[id] = Known(
            expires: upload.expires, owner: terms.owner, isUnfinished: true, bytesHeld: bytes)
        return upload
    }
}

/// The catalog lost what it was told of an upload.
private enum UploadMissing {
    static let error = StoreError.index("an upload that was recorded is not there")
}

extension Assembler.Known {
    init(_ record: UploadRecord) {
        // A form that a crash has cut cannot be gone on with.
        expires = record.dialect == .multipart ? 0 : record.expiresSeconds
        owner = record.owner
        isUnfinished = !record.isFinished
        bytesHeld = record.isFinished ? 0 : record.space.byteCount
    }
}
