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

    /// What the catalog is to be told once the record is durable.
    var changes: [CatalogChange] {
        [.put(name: name, entry: object.entry)] + data.map { .addExtent(CatalogExtent(data: $0)) }
    }
}

extension UploadDescription {
    /// The strings as a record takes them.
    func withText<Answer>(_ body: (borrowing RecordText) -> Answer) -> Answer {
        body(
            RecordText(
                name: name.span.rawBytes, owner: owner.span.rawBytes,
                mediaType: mediaType.span.rawBytes))
    }
}

extension ObjectStore {
    func stamp(
        _ description: UploadDescription, _ extent: Extent, _ sequence: UInt64
    ) -> RecordStamp {
        RecordStamp(
            instance: state.instance, address: extent.address, sequence: sequence,
            object: newObjectID(), modifiedSeconds: description.modified)
    }

    /// A place and the name, or nil if the name is taken. The place comes first: a segment's lease
    /// says that its records have higher sequences.
    func claimPlace(_ name: [UInt8], blocks: UInt32) async throws(StoreError) -> ClaimedPlace? {
        let place = try await packer.place(blocks: blocks)
        do throws(StoreError) {
            switch try await ledger.claim(name) {
            case .granted(let sequence): return ClaimedPlace(place: place, sequence: sequence)
            case .exists: break
            }
        } catch {
            await packer.resolve(place, isUnused: true)
            throw error
        }
        await packer.resolve(place, isUnused: true)
        return nil
    }

    /// Flushes the record that was written, and publishes it.
    func finish(_ record: RecordWrite) async throws(StoreError) {
        do throws(StoreError) {
            try await files.file(record.object.record.volume).flush()
        } catch {
            await withdraw(record)
            throw error
        }
        let sequence = record.claimed.sequence
        await ledger.published(
            record.name, sequence: sequence, outcome: .present(record.object.entry),
            changes: record.changes)
        state.endProvision(sequence)
        await packer.resolve(record.claimed.place)
    }

    /// The record may be on the disk and may be not: nobody is told that it exists, and its blocks
    /// stay taken until a restart has looked; unless no write of it was ever started (`isUnused`).
    func withdraw(_ record: RecordWrite, isUnused: Bool = false) async {
        let sequence = record.claimed.sequence
        state.withdraw(record.name, sequence: sequence)
        state.endProvision(sequence)
        await state.forget(record.name, sequence: sequence)
        await ledger.abandoned(record.name, sequence: sequence)
        // Otherwise the segment stays leased, so that the next start looks for the record and, the
        // catalog having none of it, overwrites its header.
        if isUnused { await packer.resolve(record.claimed.place, isUnused: true) }
    }

    /// How an upload whose name is taken ends; nil if the name is free again.
    func compare(
        _ upload: SmallUpload, _ checksum: UInt32, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome? {
        guard let pinned = try find(upload.description.name) else { return nil }
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
