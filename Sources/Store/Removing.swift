/// Deleting: the removal record is durable before anybody is told, and the space returns only
/// when nobody can need it any more.
///
///     claim ─▶ removal record ─▶ flush ─▶ nobody finds it ─▶ answered
///                                              └▶ indexed ─▶ unpinned ─▶ header zeroed ─▶ flush
///                                                   ─▶ extents and the removal's block are free
///
/// Until the catalog has the removal, the header stays: recovery reads from it what to free. While
/// its volume takes no writes, it stays as well: see `CleanupLater`. The removal's block stays
/// while a record of its name that failed may be on a disk: see `DoubtfulRecords`.

import Catalog
import Checksums
import IO
import Loop
import Volumes

extension ObjectStore {
    /// Deletes what `name` names; false if there was nothing. When it returns, the removal is
    /// durable and no look-up on any core finds the object. `time` is seconds since 1970, UTC.
    /// On an error the object may or may not be gone after a restart.
    public func remove(_ name: [UInt8], at time: UInt64) async throws(StoreError) -> Bool {
        if let coldLookups { await touch(name, coldLookups) }
        guard try state.entry(state.key(name), reader) != nil,
            let (claimed, entry) = try await claimRemoval(name)
        else { return false }
        let pinned: Pinned
        let data: [Extent]
        do throws(StoreError) {
            pinned = Pinned(name: name, object: try StoredObject(entry))
            data = try await dataExtents(pinned)
        } catch {
            await ledger.abandoned(name, sequence: claimed.sequence)
            packer.resolve(claimed.place, isUnused: true)
            throw error
        }
        do throws(StoreError) {
            try await remove(pinned, claimed, data, at: time)
        } catch {
            // The removal may be on the disk: it counts if the next start finds it. The place stays
            // unresolved, so the segment stays leased, and is looked at; others need not wait.
            let sequence = pinned.object.sequence
            state.doubt(removalOf: sequence)
            doubt(FailedRecord(name: name, claimed: claimed, removes: sequence))
            await ledger.abandoned(name, sequence: claimed.sequence)
            throw error
        }
        return true
    }

    /// A place for the removal's record, and what it removes; nil if there is nothing.
    private func claimRemoval(
        _ name: [UInt8]
    ) async throws(StoreError) -> (ClaimedPlace, CatalogEntry)? {
        let start = loop.now
        defer { countWait(.commit, since: start) }
        let place = try await packer.place(
            blocks: RecordEncoding.removalBlockCount, isRemoval: true)
        do throws(StoreError) {
            if let (sequence, entry) = try await ledger.claimRemoval(name) {
                return (ClaimedPlace(place: place, sequence: sequence), entry)
            }
        } catch {
            packer.resolve(place, isUnused: true)
            throw error
        }
        packer.resolve(place, isUnused: true)
        return nil
    }

    private func remove(
        _ pinned: Pinned, _ claimed: ClaimedPlace, _ data: [Extent], at time: UInt64
    ) async throws(StoreError) {
        let (name, object) = (pinned.name, pinned.object)
        let place = claimed.place.extent
        let removed = RemovedObject(
            name: name, sequence: object.sequence, record: object.record, data: data,
            removal: place)
        let isEarly = state.faults.contains(.earlyReuse)
        if isEarly { await ledger.releaseEarly(removed) }
        try await writeRemoval(name, claimed, of: object, at: time)

        let removal = CatalogRemoval(
            address: place.address.packed, removedAddress: object.record.address.packed,
            nameHash: Removal.nameHash(name), sequence: claimed.sequence)
        let changes: [CatalogChange] =
            [.remove(name: name, sequence: claimed.sequence), .addRemoval(removal)]
            + data.map { .dropExtent(address: $0.address.packed) }
        let start = loop.now
        let number = await ledger.published(
            name, sequence: claimed.sequence, outcome: .absent(sequence: claimed.sequence),
            changes: changes)
        packer.resolve(claimed.place)
        await state.forget(name, sequence: object.sequence)
        countWait(.commit, since: start)
        forget(name: name, sequence: object.sequence)
        count {
            $0.removals += 1
            $0.bytesDeletedButPinned += object.length
        }
        loop.inBackground { [self] in
            await cleanUp(removed, number: number, isReleased: isEarly)
            count { $0.bytesDeletedButPinned -= object.length }
        }
    }

    /// Where a large object's data lies. A record that cannot be read keeps no object alive: then
    /// its data's space stays taken until a rebuild.
    private func dataExtents(_ pinned: Pinned) async throws(StoreError) -> [Extent] {
        guard pinned.object.kind == .large else { return [] }
        do throws(StoreError) {
            return try await manifest(pinned).extents
        } catch .corrupt(let volume, let offset) {
            let error = StoreError.corrupt(volume: volume, offset: offset)
            state.report(.cleanupPostponed(error, untilRestart: true))
            return []
        }
    }

    private func writeRemoval(
        _ name: [UInt8], _ claimed: ClaimedPlace, of object: StoredObject, at time: UInt64
    ) async throws(StoreError) {
        let place = claimed.place.extent
        let file = try await file(place.volume)
        let mark = state.health.mark
        let buffer = await memory.buffer(VolumeLayout.blockSize)
        defer { memory.giveBack(buffer: buffer) }
        let source = buffer.part(from: 0, count: VolumeLayout.blockSize)
        var bytes = memory.arena.mutableBytes(source)
        let stamp = RecordStamp(
            instance: state.instance, address: place.address, sequence: claimed.sequence,
            object: newObjectID(), modifiedSeconds: time,
            supersedes: RecordReference(
                address: object.record.address, sequence: object.sequence))
        let text = RecordText(name: name.span.rawBytes)
        RecordEncoding.encodeRemoval(into: &bytes, stamp: stamp, text: text, seal: seal)
        try await write(record: source, to: place, in: file, since: mark)
        try await flush(place.volume, since: mark)
    }

    private func cleanUp(_ removed: RemovedObject, number: UInt64, isReleased: Bool) async {
        await ledger.waitUntilIndexed(number)
        await waitUntilUnread(sequence: removed.sequence)
        let mark = state.health.mark
        // Zeros would be written over by a record that comes late.
        let isTried =
            state.health.takesWrites(removed.record.volume)
            && !state.suspects.contains(removed.record, at: loop.now)
        do throws(StoreError) {
            guard isTried else { throw .readOnly }
            try await files.zeroHeader(at: removed.record.address, since: mark)
            try await files.file(removed.record.volume).flush(since: mark)
        } catch {
            return postpone(removed, isReleased: isReleased, isTried: isTried, because: error)
        }
        for extent in removed.data { await dropCached(extent) }
        await ledger.cleaned(removed, isReleased: isReleased)
    }

    /// Cached pages of dead bytes are of no use to anybody.
    func dropCached(_ extent: Extent) async {
        guard let file = files.opened(extent.volume) else { return }
        var done: UInt64 = 0
        while done < extent.byteCount {
            let count = UInt32(min(extent.byteCount - done, 1 << 30))
            _ = await loop.perform(
                .dropCached(
                    file: file.buffered, offset: extent.byteOffset + done, count: count))
            done += UInt64(count)
        }
    }
}

/// How the catalog recognises what a removal removed.
enum Removal {
    /// Tells a dead record from what was later put in its place, together with the sequence.
    static func nameHash(_ name: [UInt8]) -> UInt64 {
        UInt64(name.count) << 32 | UInt64(crc32c(name.span.rawBytes))
    }
}
