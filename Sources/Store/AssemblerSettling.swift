/// Making durable what has come of an upload: its bytes are flushed, and either an entry in the
/// progress log or the catalog says so.

import Catalog
import IO
import Loop
import Volumes

extension Assembler {
    /// Returns when all that had come when this was called is durable, and says how far that is.
    func settle(_ upload: OpenUpload) async throws(UploadError) -> UploadStatus {
        let wanted = upload.changeCount
        while upload.settledCount < wanted {
            if let failure = upload.failure { throw .store(failure) }
            // What is ending is not recorded once more.
            if upload.isSettling || upload.blockWrites > 0 || upload.ending == .underWay {
                await upload.wait(on: loop)
            } else {
                // Here, not in what is called: before that begins others may come in.
                upload.isSettling = true
                try await settleNow(upload)
            }
        }
        return upload.status
    }

    /// For who has set `isSettling`.
    private func settleNow(_ upload: OpenUpload) async throws(UploadError) {
        defer {
            upload.isSettling = false
            upload.wakeAll(on: loop)
        }
        if try await !log(upload) { try await record(upload) }
    }

    /// Has the catalog know all that has come by now; for who has set `isSettling`.
    func record(_ upload: OpenUpload) async throws(UploadError) {
        let count = upload.changeCount
        let received = upload.state.received
        let dirty = upload.state.checksums.dirtyPages
        upload.progressSequence = area.lastSequence ?? upload.progressSequence
        let (changes, extents) = changes(recording: upload)
        guard hasRoom(for: changes) else {
            // Nothing was told: all of it is still to be.
            for page in dirty { upload.state.markDirtyChecksums(page) }
            throw .store(.noSpace)
        }
        upload.loggedPages = []
        let freed = upload.state.releaseUnused() + upload.takeLeftover()
        let volumes = upload.unflushed
        upload.unflushed = [:]
        do throws(StoreError) {
            for (volume, mark) in volumes { try await store.flush(volume, since: mark) }
        } catch {
            // What the disk has of it nobody knows.
            upload.fail(error, keeping: freed)
            throw .store(error)
        }
        letGo(freed.reduce(0) { $0 + $1.byteCount }, of: upload)
        upload.recorded = extents
        upload.isRecorded = true
        try await commit(changes, of: upload, freeing: freed)
        settled(upload, count, received)
        upload.recordedBytes = received.byteCount
        upload.unrecordedSince = nil
        upload.logged = nil
        unrecorded.remove(upload.id)
    }

    /// All that had come when its changes counted so many is durable.
    func settled(_ upload: OpenUpload, _ count: UInt64, _ received: ExtentMap) {
        upload.settledCount = max(upload.settledCount, count)
        upload.durable = received
        upload.settledAt = loop.now
    }

    /// Has the catalog take the changes now. Space is free again once it has.
    func commit(
        _ changes: [CatalogChange], of upload: OpenUpload, freeing extents: [Extent]
    ) async throws(UploadError) {
        let sequence = area.lastSequence
        upload.commitsUnderWay += 1
        let number = await ledger.append(changes)
        do throws(StoreError) {
            try await ledger.indexNow(number)
        } catch {
            // It stays in the queue, in its place, and is tried again.
            loop.inBackground { [self] in
                await ledger.waitUntilIndexed(number)
                upload.commitsUnderWay -= 1
                await ledger.giveBack(extents)
                area.recorded(upload.id.object, through: sequence)
            }
            throw .store(error)
        }
        upload.commitsUnderWay -= 1
        await ledger.giveBack(extents)
        area.recorded(upload.id.object, through: sequence)
    }

    /// Whether a catalog that is nearly full would take the changes: one that it refuses keeps all
    /// behind it from being indexed.
    func hasRoom(for changes: [CatalogChange]) -> Bool {
        let bytes = changes.reduce(0) { $0 + $1.writtenBytesMax }
        return state.catalog.usage.hasRoom(forObjects: state.unindexedCount, and: bytes)
    }

    /// What the catalog has to be told so that it has the upload as it is now, and the extents
    /// that it then has.
    private func changes(
        recording upload: OpenUpload
    ) -> (changes: [CatalogChange], extents: Set<Extent>) {
        let extents = Set(upload.state.usedSpace.extents)
        var changes: [CatalogChange] = [
            .putUpload(upload.id.catalog, value: upload.record.encode())
        ]
        let pages = upload.loggedPages.union(upload.state.checksums.dirtyPages)
        for page in pages.sorted() {
            let sums = upload.state.checksums.page(page)
            changes.append(
                .putUploadPage(upload.id.catalog, page: UInt32(page), value: sums.littleEndian))
        }
        upload.state.clearDirtyChecksums()
        return (changes + CatalogChange.extents(from: upload.recorded, to: extents), extents)
    }
}

extension CatalogChange {
    /// Extents grow and shrink at both ends: the old ones go first, for a new one may start where
    /// an old one did.
    static func extents(from old: Set<Extent>, to new: Set<Extent>) -> [CatalogChange] {
        old.subtracting(new).map { .dropExtent(address: $0.address.packed) }
            + new.subtracting(old).map { .addExtent(CatalogExtent(data: $0)) }
    }
}

extension Ledger {
    /// Tells the catalog of something that is no object. Answers the change's number.
    func append(_ changes: [CatalogChange]) -> UInt64 {
        let number = queue.append(changes, watermark: window.watermark, name: nil, sequence: 0)
        wakeIndexer()
        return number
    }
}
