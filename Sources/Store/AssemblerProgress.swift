/// Progress between two commits of the catalog: durable in the log, known to this memory.

import Catalog
import IO
import Loop
import Volumes

extension Assembler {
    /// Makes durable what has come by an entry in the log. False where the catalog is to be told
    /// instead, and nothing was done.
    func log(_ upload: OpenUpload) async throws(UploadError) -> Bool {
        guard upload.leftover.isEmpty,
            state.progress.logs(upload.progress, unrecorded: unrecorded.count)
        else { return false }
        let pages = upload.state.checksums.dirtyPages.map {
            ProgressEntry.Page(number: $0, checksums: upload.state.checksums.page($0))
        }
        let record = upload.record.encode()
        let blocks = ProgressEntry.blockCount(recordBytes: record.count, pages: pages)
        guard blocks <= ProgressEntry.blocksMax, hasRoom(for: upload, record, pages),
            let (extent, place) = area.place(blocks, for: upload.id.object)
        else { return false }
        let entry = ProgressEntry(
            sequence: place.sequence, confirmed: place.confirmed, upload: upload.id.object,
            record: record, pages: pages)
        let (count, received) = (upload.changeCount, upload.state.received)
        upload.state.clearDirtyChecksums()
        upload.loggedPages.formUnion(pages.map(\.number))
        let hadAll = upload.unrecordedSince == nil
        if hadAll {
            upload.unrecordedSince = loop.now
            unrecorded.insert(upload.id)
        }
        let volumes = upload.unflushed
        upload.unflushed = [:]
        do throws(StoreError) {
            try await write(entry, to: extent, flushing: volumes)
        } catch {
            // What the disk has of it nobody knows; but nobody was told of it either.
            if hadAll { forgetProgress(of: upload) }
            // An entry behind this one would be read behind it: there is to be none before the
            // catalog was told.
            area.abandon()
            upload.fail(error)
            throw .store(error)
        }
        upload.logged = OpenUpload.Logged(entry, after: upload.logged)
        area.confirm(place.sequence)
        store.count { $0.progressEntries += 1 }
        settled(upload, count, received)
        return true
    }

    /// Both the entry and what lies on those volumes are durable when this returns.
    private func write(
        _ entry: ProgressEntry, to extent: Extent, flushing volumes: [VolumeID: VolumeMark]
    ) async throws(StoreError) {
        let file = try await store.file(extent.volume)
        let buffer = await store.memory.buffer(Int(extent.byteCount))
        defer { store.memory.giveBack(buffer: buffer) }
        let source = buffer.part(from: 0, count: Int(extent.byteCount))
        var bytes = store.memory.arena.mutableBytes(source)
        entry.encode(
            into: &bytes, at: extent.address, instance: state.instance, seal: store.seal)
        // Refused before an entry says so: its own flush asks only for what it brings itself.
        for (volume, mark) in volumes where !state.health.isIntact(volume, since: mark) {
            throw .readOnly
        }
        let mark = state.health.mark
        let start = store.loop.now
        let outcome = await file.writeDurably(source, at: extent.byteOffset)
        store.countWait(.flush, since: start)
        if let error = outcome.error { throw error }
        // A volume may have failed and come back meanwhile, also the log's own.
        guard state.health.isIntact(extent.volume, since: min(mark, volumes[extent.volume] ?? mark))
        else { throw .readOnly }
        for (volume, mark) in volumes where volume != extent.volume {
            try await store.flush(volume, since: mark)
        }
    }

    /// Whether the catalog will take, later, what it is not told now.
    private func hasRoom(
        for upload: OpenUpload, _ record: [UInt8], _ pages: [ProgressEntry.Page]
    ) -> Bool {
        var numbers = upload.loggedPages
        for page in pages { numbers.insert(page.number) }
        let page = CatalogChange.putUploadPage(upload.id.catalog, page: 0, value: [])
        let bytes =
            CatalogChange.putUpload(upload.id.catalog, value: record).writtenBytesMax
            + UInt64(numbers.count) * page.writtenBytesMax
        // As if all that are unrecorded, on every core, were as this one.
        let uploads = UInt64((unrecorded.count + 1) * max(state.coreCount, 1))
        return state.catalog.usage.hasRoom(forObjects: state.unindexedCount, and: bytes * uploads)
    }

    // MARK: Keeping up

    /// To be called now and then: tells the catalog of what only the log has had for long enough,
    /// and settles what has come of chunks that take their time.
    func keepUp() {
        guard !isClosing else { return }
        let time = loop.now
        for upload in uploads.values where isWaiting(upload) {
            if upload.settledCount < upload.changeCount {
                if isLate(upload.settledAt, time) { settleInBackground(upload) }
            } else if let since = upload.unrecordedSince, isLate(since, time) {
                recordInBackground(upload)
            }
        }
        if let id = area.pressing, let upload = uploads[UploadID(id)], isWaiting(upload) {
            recordInBackground(upload)
        }
    }

    /// Whether nothing is under way that ends it, or has the catalog know of it: of a catalog that
    /// refuses no more is asked with every second.
    private func isWaiting(_ upload: OpenUpload) -> Bool {
        upload.ending == .none && upload.failure == nil && upload.commitsUnderWay == 0
    }

    private func isLate(_ start: UInt64, _ time: UInt64) -> Bool {
        time >= start + state.progress.nanosecondsMax
    }

    /// What has come of a chunk that is long is settled before its end.
    func settleIfMuch(_ upload: OpenUpload) {
        let missing = upload.state.received.byteCount - upload.durable.byteCount
        if missing >= state.progress.bytesUnrecordedMax { settleInBackground(upload) }
    }

    private func settleInBackground(_ upload: OpenUpload) {
        guard !upload.isSettling else { return }
        inBackground(upload) { [self] in
            // Whoever has asked for it hears of what fails; nobody has.
            _ = try? await settle(upload)
        }
    }

    func recordInBackground(_ upload: OpenUpload) {
        inBackground(upload) { [self] in
            // What fails is tried again.
            try? await recordAll(of: upload)
        }
    }

    /// Has the catalog take what only the log has.
    func recordAll(of upload: OpenUpload) async throws(UploadError) {
        while upload.isSettling || upload.blockWrites > 0 { await upload.wait(on: loop) }
        guard upload.unrecordedSince != nil, upload.ending == .none, upload.failure == nil
        else { return }
        upload.isSettling = true
        defer {
            upload.isSettling = false
            upload.wakeAll(on: loop)
        }
        try await record(upload)
    }

    /// It has ended: the catalog hears so in its own time, and of nothing that came before.
    func forgetProgress(of upload: OpenUpload) {
        upload.unrecordedSince = nil
        upload.logged = nil
        upload.loggedPages = []
        unrecorded.remove(upload.id)
    }
}

extension OpenUpload {
    var progress: ProgressPolicy.Progress {
        ProgressPolicy.Progress(
            isRecorded: isRecorded && commitsUnderWay == 0, hasUnusedSpace: state.hasUnusedSpace,
            bytesUnrecorded: state.received.byteCount - recordedBytes,
            isUnrecorded: unrecordedSince != nil)
    }
}
