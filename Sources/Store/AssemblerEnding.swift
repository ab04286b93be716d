/// How an upload ends: published, given up, or out of time.

import Catalog
import Checksums
import IO
import Loop
import Volumes

extension Assembler {
    /// Publishes an upload of which every byte has come, and whose end is under way.
    func complete(_ upload: OpenUpload) async throws(UploadError) -> UploadStatus {
        precondition(upload.ending == .underWay, "somebody else may end it as well")
        while upload.isSettling || upload.blockWrites > 0 { await upload.wait(on: loop) }
        await writeLeftBlocks(of: upload)
        if upload.failure == nil { try await verify(upload) }
        let outcome: PutOutcome
        var stage = PublicationStage.claiming
        do throws(StoreError) {
            if let failure = upload.failure { throw failure }
            outcome = try await publish(upload, &stage)
        } catch {
            if error.leavesDoubt { upload.fail(error, at: stage) }
            if upload.outcome == .unfinished { upload.ending = .none }
            upload.wakeAll(on: loop)
            throw .store(error)
        }
        switch outcome {
        case .created, .existsIdentical: return upload.status
        case .existsDifferent:
            try await giveUp(upload)
            throw .nameTaken
        }
    }

    /// A record made in between may have every byte, the last of them still in a block that waits.
    /// What fails is the upload's failure.
    func writeLeftBlocks(of upload: OpenUpload) async {
        do throws(UploadError) { try await write(blocksToWrite(of: upload), of: upload) } catch {
            precondition(upload.failure != nil, "a block was not written, and nobody knows why")
        }
    }

    /// `stage` is how far that came.
    private func publish(
        _ upload: OpenUpload, _ stage: inout PublicationStage
    ) async throws(StoreError) -> PutOutcome {
        guard let length = upload.state.length,
            let checksums = upload.state.checksums.finish(length: length)
        else { preconditionFailure("an upload was completed before its last byte") }
        let description = UploadDescription(
            name: upload.terms.name, length: length, mediaType: upload.terms.mediaType,
            owner: upload.terms.owner, tenant: upload.terms.tenant, modified: loop.wallSeconds)
        if length <= UInt64(StoreLimits.smallBytesMax) {
            let outcome = try await publishSmall(upload, description, checksums)
            try await finished(upload, outcome, keeping: nil)
            return outcome
        }
        var space = upload.state.space
        _ = space.remove(VolumeLayout.blocks(for: length)..<UInt64.max)
        let recorded =
            upload.isRecorded
            ? RecordedUpload(
                id: upload.id, extents: upload.recorded,
                record: upload.endRecord(at: loop.wallSeconds)) : nil
        let data = LargeData(
            description: description, map: DataMap(space.extents), checksums: checksums,
            sha256: upload.digests.sha256, object: upload.id.object,
            upload: recorded, mark: upload.unflushed.values.min() ?? state.health.mark)
        // Of one that the catalog never heard of the space is gone, too, however it fails.
        defer { stage = recorded?.stage ?? .recording }
        let outcome = try await store.publish(data, .durable)
        try await finished(upload, outcome, keeping: space)
        return outcome
    }

    /// An object that is packed with its record: its bytes are read back, once. If that fails the
    /// upload is as it was, for it shares no space with a record that may be on the disk.
    private func publishSmall(
        _ upload: OpenUpload, _ description: UploadDescription, _ checksums: [UInt32]
    ) async throws(StoreError) -> PutOutcome {
        let small = try await store.beginSmall(description)
        let count = Int(description.length)
        do throws(StoreError) {
            if count > 0 {
                try await fill(small.dataRegion, from: upload.state.space.extents, checksums[0])
            }
        } catch {
            small.abandon()
            throw error
        }
        return try await small.commit(.durable)
    }

    /// The bytes at the front of `extents`, of one unit at most.
    func fill(
        _ target: Region, from extents: [Extent], _ checksum: UInt32
    ) async throws(StoreError) {
        let map = DataMap(extents)
        let buffer = await store.memory.buffer(StoreLimits.smallBytesMax)
        defer { store.memory.giveBack(buffer: buffer) }
        let blocks = Int(VolumeLayout.blocks(for: UInt64(target.count)))
        for piece in map.pieces(from: 0, count: blocks * VolumeLayout.blockSize) {
            let part = buffer.part(from: piece.skipped, count: piece.count)
            try await store.file(piece.volume).read(part, at: piece.fileOffset)
        }
        store.memory.arena.copy(buffer.part(from: 0, count: Int(target.count)), to: target)
        guard crc32c(store.memory.arena.bytes(target)) == checksum else {
            let extent = map.extents[0]
            throw .corrupt(volume: VolumeName(extent.volume), offset: extent.byteOffset)
        }
    }

    /// The upload is published, unless another object has its name. `kept` is the new object's, if
    /// it is one that takes over the upload's space; what else there is of it is free again. Unless
    /// the object's record says what it was, the catalog has to: else it would be unfinished once
    /// more after a power cut.
    private func finished(
        _ upload: OpenUpload, _ outcome: PutOutcome, keeping kept: SpaceMap?
    ) async throws(StoreError) {
        var rest = upload.state.space
        var isTold = false
        let sequence: UInt64
        switch outcome {
        case .existsDifferent: return
        case .existsIdentical(let object): sequence = object.sequence
        case .created(let object):
            sequence = object.sequence
            if let kept {
                for piece in kept.pieces { _ = rest.remove(piece.blocks) }
                // Together with the object, if it had heard of the upload.
                isTold = upload.isRecorded
            }
        }
        let changes = isTold ? [] : endingChanges(of: upload, sequence)
        upload.outcome = .published(sequence: sequence)
        upload.ending = .ended
        upload.expires = upload.endRecord(at: loop.wallSeconds).expiresSeconds
        remember(upload)
        upload.state = UploadState(
            length: upload.state.length, bytesMax: upload.state.bytesMax,
            generation: upload.state.generation)
        upload.recorded = []
        upload.isRecorded = true
        upload.settledCount = upload.changeCount
        forgetProgress(of: upload)
        upload.wakeAll(on: loop)
        let number = await ledger.append(changes)
        forgetWhenIndexed(upload, number, freeing: rest.extents + upload.takeLeftover())
        if !isTold { try await ledger.indexNow(number) }
    }

    /// Keeps it in memory until the catalog says the same.
    func forgetWhenIndexed(
        _ upload: OpenUpload, _ number: UInt64, freeing extents: [Extent]
    ) {
        upload.users += 1
        let sequence = area.lastSequence
        loop.inBackground { [self] in
            await ledger.waitUntilIndexed(number)
            await ledger.giveBack(extents)
            area.recorded(upload.id.object, through: sequence)
            leave(upload)
        }
    }

    /// What the catalog is to be told when nothing is left of an upload but that it was finished.
    private func endingChanges(
        of upload: OpenUpload, _ sequence: UInt64
    ) -> [CatalogChange] {
        RecordedUpload(
            id: upload.id, extents: upload.recorded,
            record: upload.endRecord(at: loop.wallSeconds)
        ).changes(sequence: sequence)
    }

    // MARK: Giving up

    /// Ends an upload without a trace but in its clients: everything it held is free again.
    func abort(_ id: UploadID, _ owner: [UInt8]) async throws(UploadError) {
        let upload = try enter(id, owner, toEnd: true)
        defer { leave(upload) }
        try await end(upload)
    }

    /// The same for who is at it. One that was packed with a record which failed may be an object
    /// after a restart: until that is settled, nobody is told that it is gone.
    func end(_ upload: OpenUpload) async throws(UploadError) {
        try await stopWriters(upload)
        // Behind that: it may just have been published, and have failed.
        if upload.state.hasEveryByte, await ledger.isInDoubt(upload.terms.name) {
            upload.ending = .none
            upload.wakeAll(on: loop)
            throw .store(.readOnly)
        }
        try await giveUp(upload)
    }

    private func stopWriters(_ upload: OpenUpload) async throws(UploadError) {
        while upload.ending == .underWay { await upload.wait(on: loop) }
        try checkPresent(upload, toEnd: true)
        upload.ending = .underWay
        await cut(upload, upload.state.writers.map(\.number))
        while upload.isSettling || upload.blockWrites > 0 { await upload.wait(on: loop) }
    }

    func giveUp(_ upload: OpenUpload) async throws(UploadError) {
        let extents = upload.state.space.extents + upload.takeLeftover()
        let changes =
            CatalogChange.extents(from: upload.recorded, to: [])
            + [.dropUpload(upload.id.catalog)]
        forget(upload.id)
        upload.ending = .ended
        upload.state = UploadState(length: nil, bytesMax: upload.state.bytesMax)
        upload.recorded = []
        upload.settledCount = upload.changeCount
        forgetProgress(of: upload)
        upload.wakeAll(on: loop)
        uploads[upload.id] = nil
        guard upload.isRecorded else { return await ledger.giveBack(extents) }
        try await commit(changes, of: upload, freeing: extents)
    }

    // MARK: Time

    func expire(_ id: UploadID, _ owner: [UInt8]) async {
        guard let upload = try? enter(id, owner, toEnd: true) else { return }
        defer { leave(upload) }
        // Somebody is at it, or was a moment ago: its time is not over yet. Asked is what is known,
        // not the record: a form that a crash cut short is over at once.
        guard upload.users == 1, upload.state.writers.isEmpty,
            let expires = known[id]?.expires, expires <= loop.wallSeconds
        else { return }
        do throws(UploadError) { try await end(upload) } catch {
            // Its end waits in the index's queue, or is tried again at the next look.
        }
    }
}

extension StoreError {
    /// Whether what was being published may be on the disk all the same.
    var leavesDoubt: Bool {
        switch self {
        case .noSpace, .indexBehind, .tooMuchReserved, .tooLarge, .noDigest: false
        case .readOnly, .corrupt, .unreadable, .kernel, .index, .noDirectAccess, .newerFormat,
            .otherInstance, .notAVolume, .volumeTooLarge:
            true
        }
    }
}
