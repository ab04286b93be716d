/// Publishing a large object whose bytes lie on the volumes: data, flush, record, flush.

import Catalog
import Checksums
import IO
import Loop
import Volumes

/// What a large object will consist of.
struct LargeData {
    let description: UploadDescription
    let map: DataMap
    let checksums: [UInt32]
    /// Of all its bytes, if it was made; 32 bytes.
    var sha256: [UInt8]?
    /// Of one that is put together from uploads of any length.
    var segments: [ObjectSegment] = []
    /// Names the object for life.
    let object: ObjectID
    /// The upload that it was, if the catalog knows of its space; else that is given back when the
    /// object is not published.
    var upload: RecordedUpload?
    /// Before the first write of its bytes that may not be flushed yet.
    let mark: VolumeMark

    var manifest: Manifest {
        Manifest(
            mediaType: description.mediaType, sha256: sha256,
            checksum: crc32c(checksums.span.rawBytes), extents: map.extents,
            checksums: checksums, segments: segments)
    }
}

/// How far the publication of an upload has come. One that fails leaves it as it was; with bytes
/// that are lost; or it may be an object.
enum PublicationStage { case claiming, flushing, recording }

/// What the catalog has of an upload, and what it is to have once that is an object.
///
/// A class, so that the publication of objects that were none carries one word of it.
final class RecordedUpload {
    let id: UploadID
    let extents: Set<Extent>
    let record: UploadRecord
    /// The uploads that it was put together from, which end with it.
    let parts: [RecordedPart]
    /// How far its publication came, for who asks why it failed.
    fileprivate(set) var stage = PublicationStage.claiming

    init(id: UploadID, extents: Set<Extent>, record: UploadRecord, parts: [RecordedPart] = []) {
        self.id = id
        self.extents = extents
        self.record = record
        self.parts = parts
    }

    /// What the catalog is to be told before it is told of the object of that sequence.
    func changes(sequence: UInt64) -> [CatalogChange] {
        var ended = record
        ended.publishedSequence = sequence
        return parts.flatMap(\.endingChanges)
            + extents.map { .dropExtent(address: $0.address.packed) }
            + [
                .dropUpload(id.catalog),
                .putUpload(id.catalog, value: ended.encode()),
            ]
    }
}

extension LargeData {
    /// Blocks of its record.
    var recordBlocks: UInt32 {
        withText {
            RecordEncoding.blockCount(
                largeObjectOf: description.length, extentCount: map.extents.count,
                segments: segments, $0)
        }
    }

    /// Its bytes, to be read like an object's: nobody finds them by a record.
    var unpublished: LargeObject {
        LargeObject(unpublished: manifest, length: description.length)
    }

    /// The strings as the record takes them.
    fileprivate func withText<Answer>(_ body: (borrowing RecordText) -> Answer) -> Answer {
        let sha256 = sha256 ?? []
        return body(
            RecordText(
                name: description.name.span.rawBytes, owner: description.owner.span.rawBytes,
                tenant: description.tenant.span.rawBytes,
                mediaType: description.mediaType.span.rawBytes, sha256: sha256.span.rawBytes))
    }
}

/// What the catalog has of an upload of which nothing is to be left.
struct RecordedPart: Sendable {
    let id: UploadID
    let extents: Set<Extent>

    var endingChanges: [CatalogChange] {
        extents.map { .dropExtent(address: $0.address.packed) } + [.dropUpload(id.catalog)]
    }
}

extension ObjectStore {
    /// Of the record of a large object, whose digest may turn out to be one more.
    func recordBlocksMax(_ description: UploadDescription, _ extents: [Extent]) -> UInt32 {
        1
            + description.withText {
                RecordEncoding.blockCount(
                    largeObjectOf: description.length, extentCount: extents.count, $0)
            }
    }

    /// The space of what is not published; unless the catalog knows whose it is.
    private func giveBack(_ data: LargeData) async {
        if data.upload == nil { await ledger.giveBack(data.map.extents) }
    }

    /// Publishes it under its name. Fails as `SmallUpload.commit` does.
    func publish(
        _ data: LargeData, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome {
        let blocks = data.recordBlocks
        while true {
            let claimed: ClaimedPlace?
            let outcome: PutOutcome?
            do throws(StoreError) {
                claimed = try await claimPlace(data.description, blocks: blocks)
                outcome = claimed == nil ? try await compare(data, durability) : nil
            } catch {
                await giveBack(data)
                throw error
            }
            if let claimed { return try await acknowledge(data, claimed, durability) }
            if let outcome {
                await giveBack(data)
                return outcome
            }
        }
    }

    private func acknowledge(
        _ data: LargeData, _ claimed: ClaimedPlace, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome {
        let description = data.description
        let object = StoredObject(
            length: description.length, sequence: claimed.sequence,
            modified: description.modified, kind: .large, record: claimed.place.extent)
        let record = RecordWrite(
            name: description.name, claimed: claimed, object: object, data: data.map.extents,
            upload: data.upload, mark: state.health.mark)
        count {
            $0.puts += 1
            $0.bytesWritten += description.length
        }
        if durability == .written || state.faults.contains(.earlyAcknowledgement) {
            state.provide(description.name, object.entry, data.manifest)
            finishInBackground { [self] in try? await finish(data, record) }
        } else {
            try await finish(data, record)
        }
        return .created(object)
    }

    /// Data, flush, record, flush: in this order, each after the other has ended.
    private func finish(
        _ data: LargeData, _ record: RecordWrite
    ) async throws(StoreError) {
        let isRecordFirst = state.faults.contains(.recordBeforeData)
        if !isRecordFirst {
            data.upload?.stage = .flushing
            do throws(StoreError) {
                try await flushData(data)
            } catch {
                await withdraw(record, isUnused: true)
                // Some may be reading what was visible for a while; the part of it on a volume that
                // works would go to others beneath them.
                await waitUntilUnread(sequence: record.claimed.sequence)
                await giveBack(data)
                throw error
            }
        }
        data.upload?.stage = .recording
        do throws(StoreError) {
            try await writeRecord(data, record)
        } catch {
            await withdraw(record)
            throw error
        }
        if isRecordFirst { try await flush(record.object.record.volume, since: record.mark) }
        if isRecordFirst { try await flushData(data) }
        try await finish(record)
    }

    private func flushData(_ data: LargeData) async throws(StoreError) {
        var volumes: [VolumeID] = []
        for extent in data.map.extents where !volumes.contains(extent.volume) {
            volumes.append(extent.volume)
        }
        for volume in volumes { try await flush(volume, since: data.mark) }
    }

    private func writeRecord(
        _ data: LargeData, _ record: RecordWrite
    ) async throws(StoreError) {
        let extent = record.object.record
        let file = try await file(extent.volume)
        let buffer = await memory.buffer(Int(extent.byteCount))
        defer { memory.giveBack(buffer: buffer) }
        let source = buffer.part(from: 0, count: Int(extent.byteCount))
        let stamp = stamp(
            data.description, extent, record.object.sequence, object: data.object)
        encode(data, stamp, into: source)
        try await write(record: source, to: extent, in: file, since: record.mark)
    }

    private func encode(_ data: LargeData, _ stamp: RecordStamp, into region: Region) {
        let (extents, checksums) = (data.map.extents, data.checksums)
        data.withText { text in
            var bytes = memory.arena.mutableBytes(region)
            RecordEncoding.encodeLargeObject(
                into: &bytes, stamp: stamp, text: text, length: data.description.length,
                extents: extents.span, checksums: checksums.span,
                segments: data.segments, seal: seal)
        }
    }

    /// How an upload whose name is taken ends; nil if the name is free again.
    private func compare(
        _ data: LargeData, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome? {
        guard let pinned = try findNow(data.description.name) else { return nil }
        defer { release(pinned) }
        guard pinned.object.kind == .large, pinned.object.length == data.description.length
        else { return .existsDifferent(pinned.object) }
        let stored = try await describe(pinned)
        guard stored.mediaType == data.description.mediaType,
            try await holdsSameBytes(stored, data)
        else { return .existsDifferent(pinned.object) }
        if durability == .durable, !(try await settle(pinned)) { return nil }
        return .existsIdentical(pinned.object)
    }

    private func holdsSameBytes(
        _ stored: LargeObject, _ data: LargeData
    ) async throws(StoreError) -> Bool {
        let received = data.unpublished
        guard stored.mayHoldBytes(of: received) else { return false }
        let buffer = await memory.lease(
            preferring: StoreLimits.transferBytesMax / 2, minimum: StoreLimits.unitBytes
        ).detach()
        defer { memory.giveBack(buffer: buffer) }
        for segment in received.segments {
            var offset: UInt64 = 0
            while offset < segment.length {
                let count = try await read(segment, offset: offset, into: buffer)
                let bytes = buffer.part(from: 0, count: count)
                guard try await matches(stored, offset: segment.start + offset, received: bytes)
                else { return false }
                offset += UInt64(count)
            }
        }
        return true
    }
}

extension LargeObject {
    /// Whether the checksums allow it. Those of objects whose segments differ are sums of other
    /// bytes, and say nothing.
    fileprivate func mayHoldBytes(of other: LargeObject) -> Bool {
        guard segments.map(\.length) == other.segments.map(\.length) else { return true }
        return zip(segments, other.segments).allSatisfy { $0.checksums == $1.checksums }
    }
}
