/// What small and large uploads share on their way to publication: place, claim, flush, outcome.

import Catalog
import Checksums
import IO
import Loop
import Volumes

/// A place on disk for a record and the sequence under which it will be published.
struct ClaimedPlace {
    let place: Packer.Place
    let sequence: UInt64
}

/// A record that was written, or is about to be, and is not yet published.
struct RecordWrite {
    let name: [UInt8]
    let claimed: ClaimedPlace
    let object: StoredObject
    /// The extents of a large object's data.
    let data: [Extent]
    /// The upload that it was.
    var upload: RecordedUpload?
    /// Before its write, of one that is not written and flushed in one.
    var mark = VolumeMark.start

    /// What the catalog is to be told once the record is durable.
    var changes: [CatalogChange] {
        let own = object.changes(under: name, data)
        // A plain object's are one array: a sum with nothing would be another.
        return upload.map { $0.changes(sequence: object.sequence) + own } ?? own
    }
}

extension UploadDescription {
    /// The strings as a record takes them.
    func withText<Answer>(_ body: (borrowing RecordText) -> Answer) -> Answer {
        body(
            RecordText(
                name: name.span.rawBytes, owner: owner.span.rawBytes,
                tenant: tenant.span.rawBytes, mediaType: mediaType.span.rawBytes))
    }
}

extension ObjectStore {
    func stamp(
        _ description: UploadDescription, _ extent: Extent, _ sequence: UInt64,
        object: ObjectID? = nil
    ) -> RecordStamp {
        RecordStamp(
            instance: state.instance, address: extent.address, sequence: sequence,
            object: object ?? newObjectID(), modifiedSeconds: description.modified)
    }

    /// A place for a record, before its sequence: a segment's lease says that its records have
    /// higher ones.
    @inline(__always)
    func place(blocks: UInt32) async throws(StoreError) -> Packer.Place {
        if let place = packer.placeNow(blocks: blocks) { return place }
        let start = loop.now
        defer { countWait(.commit, since: start) }
        return try await packer.place(blocks: blocks)
    }

    /// A place and the name, or nil if the name is taken.
    func claimPlace(
        _ description: UploadDescription, blocks: UInt32
    ) async throws(StoreError) -> ClaimedPlace? {
        let place = try await place(blocks: blocks)
        do throws(StoreError) {
            if let sequence = try await claim(description) {
                return ClaimedPlace(place: place, sequence: sequence)
            }
        } catch {
            packer.resolve(place, isUnused: true)
            throw error
        }
        packer.resolve(place, isUnused: true)
        return nil
    }

    /// The sequence under which the object may be published; nil if its name is taken. On the
    /// ledger's own core nobody waits unless somebody else has the name claimed.
    @inline(__always)
    func claim(_ description: UploadDescription) async throws(StoreError) -> UInt64? {
        let (name, absence) = (description.name, description.absence)
        if ledger.loop === loop {
            switch try ledger.claimHere(name, absence) {
            case .granted(let sequence): return sequence
            case .taken: return nil
            case .claimed: break
            }
        }
        let start = loop.now
        defer { countWait(.commit, since: start) }
        return try await ledger.claim(name, absence)
    }

    /// Writes a record to its place, which lies in `file`.
    @inline(__always)
    func write(
        record source: Region, to place: Extent, in file: VolumeFile, since mark: VolumeMark
    ) async throws(StoreError) {
        let start = loop.now
        defer { countWait(.commit, since: start) }
        try await file.write(source, at: place.byteOffset, since: mark)
    }

    /// The same, and makes it durable.
    @inline(__always)
    func writeDurably(
        record source: Region, to place: Extent, in file: VolumeFile
    ) async throws(StoreError) {
        let start = loop.now
        let outcome = await file.writeDurably(source, at: place.byteOffset)
        countWait(.commit, since: start, until: outcome.writtenAt ?? loop.now)
        if let writtenAt = outcome.writtenAt { countWait(.flush, since: writtenAt) }
        if let error = outcome.error { throw error }
    }

    /// Returns when every write to the volume whose end this core has seen, and that began after
    /// `mark`, is durable.
    @inline(__always)
    func flush(_ volume: VolumeID, since mark: VolumeMark) async throws(StoreError) {
        let file = try await file(volume)
        let start = loop.now
        defer { countWait(.flush, since: start) }
        try await file.flush(since: mark)
    }

    /// Tells the ledger that a record is durable.
    @inline(__always)
    private func published(_ record: RecordWrite) async {
        let (name, sequence) = (record.name, record.claimed.sequence)
        let (outcome, changes) = (StoreState.Unindexed.present(record.object.entry), record.changes)
        if ledger.loop === loop {
            ledger.publishedHere(name, sequence: sequence, outcome: outcome, changes: changes)
        } else {
            let start = loop.now
            defer { countWait(.commit, since: start) }
            await ledger.published(name, sequence: sequence, outcome: outcome, changes: changes)
        }
    }

    /// Flushes the record that was written, and publishes it.
    func finish(_ record: RecordWrite) async throws(StoreError) {
        do throws(StoreError) {
            try await flush(record.object.record.volume, since: record.mark)
        } catch {
            await withdraw(record)
            throw error
        }
        await conclude(record)
    }

    /// Publishes a record that is durable.
    @inline(__always)
    func conclude(_ record: RecordWrite) async {
        await published(record)
        state.endProvision(record.claimed.sequence)
        packer.resolve(record.claimed.place)
    }

    /// The record may be on the disk and may be not: nobody is told that it exists, and its blocks
    /// stay taken until it is zeroed, here or by a restart; unless no write of it was ever started
    /// (`isUnused`).
    func withdraw(_ record: RecordWrite, isUnused: Bool = false) async {
        let sequence = record.claimed.sequence
        state.withdraw(record.name, sequence: sequence)
        state.endProvision(sequence)
        await state.forget(record.name, sequence: sequence)
        await ledger.abandoned(record.name, sequence: sequence, leavesRecord: !isUnused)
        // Otherwise the segment stays leased, so that the next start looks for the record and, the
        // catalog having none of it, overwrites its header.
        if isUnused {
            packer.resolve(record.claimed.place, isUnused: true)
        } else {
            // Some may be reading what was visible for a while; then nobody can any more.
            loop.inBackground { [self] in
                await waitUntilUnread(sequence: sequence)
                // What was to be an upload's object has the upload's space, which the catalog has.
                let data = record.upload == nil ? record.data : []
                doubt(
                    FailedRecord(
                        name: record.name, claimed: record.claimed, data: data,
                        upload: record.upload))
            }
        }
    }

    /// Returns when no core reads the object any more, which nobody finds.
    func waitUntilUnread(sequence: UInt64) async {
        await state.waitUntilUnpinned(sequence: sequence)
        await waitUntilUnpinned(sequence: sequence)
    }

    /// How an upload whose name is taken ends; nil if the name is free again.
    func compare(
        _ upload: SmallUpload, _ checksum: UInt32, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome? {
        guard let pinned = try findNow(upload.description.name) else { return nil }
        defer { release(pinned) }
        guard pinned.object.kind == .small, pinned.object.length == upload.description.length
        else { return .existsDifferent(pinned.object) }
        let stored = try await readSmall(pinned, isNested: true)
        let isSame =
            stored.mediaType == upload.description.mediaType
            && stored.checksum == checksum
            && memory.arena.equal(stored.data, upload.dataRegion)
        memory.giveBack(stored.takeLease())
        guard isSame else { return .existsDifferent(pinned.object) }
        if durability == .durable, !(try await settle(pinned)) { return nil }
        return .existsIdentical(pinned.object)
    }
}
