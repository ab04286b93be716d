/// An upload of more than `StoreLimits.smallBytesMax` bytes, whose space was reserved whole. Ends
/// with exactly one of `commit` and `abandon`, whatever `write` answered.
///
///     open ──write…──▶ all written ──flush──▶ record written ──flush──▶ published
///       └──abandon (after the last write in flight)
///
/// Invariant: the reserved space is given back only when no write to it is in flight and no record
/// that names it was ever handed to the kernel.

import Catalog
import Checksums
public import IO
import Loop
import Volumes

public final class LargeUpload {
    public let description: UploadDescription
    /// Bytes taken so far.
    public private(set) var received: UInt64 = 0
    let map: DataMap
    private let store: ObjectStore
    private(set) var checksums: [UInt32] = []
    private var inFlight = 0
    private var waiters: [Ticket] = []
    private var failure: StoreError?
    private var isOpen = true
    /// Bytes of the buffer that comes next which are checksummed.
    private var summed = 0
    /// The unit that is not whole yet.
    private var unit: (checksum: UInt32, count: Int) = (0, 0)

    init(_ description: UploadDescription, store: ObjectStore, extents: [Extent]) {
        self.description = description
        self.store = store
        map = DataMap(extents)
        checksums.reserveCapacity(Int(VolumeLayout.checksumCount(for: description.length)))
    }

    /// Takes the next `count` bytes at the front of `lease`: a multiple of
    /// `StoreLimits.uploadBufferBytesMin` except for the last. The buffer has at least
    /// `StoreLimits.uploadBufferBytesMin` bytes. Returns as soon as another buffer may come; the
    /// lease goes back to its pool by itself, also on failure.
    public func write(_ lease: consuming BufferLease, count: Int) async throws(StoreError) {
        precondition(isOpen, "an upload that has ended takes no more bytes")
        let end = received + UInt64(count)
        precondition(count > 0 && count <= Int(lease.region.count), "more than the buffer holds")
        precondition(end <= description.length, "more than was announced")
        precondition(
            end == description.length || count % StoreLimits.uploadBufferBytesMin == 0,
            "a part of a block")
        if let failure {
            store.memory.giveBack(lease)
            throw failure
        }
        let offset = received
        arrived(lease.region, count: count)
        received = end
        store.state.endReservation(UInt64(count))
        summed = 0
        let source = padded(lease.region, count: count)
        await start(lease.detach(), source, at: offset)
        await waitForWrites(atMost: StoreLimits.uploadWritesMax - 1)
        if let failure { throw failure }
    }

    /// Publishes the object once every byte of it has come. Fails as `SmallUpload.commit` does.
    public func commit(_ durability: Durability) async throws(StoreError) -> PutOutcome {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        await drain()
        if let failure {
            endReservation()
            await store.ledger.giveBack(map.extents)
            throw failure
        }
        precondition(received == description.length, "committed before its last byte")
        return try await store.publish(self, durability)
    }

    /// Gives the space back after the last write in flight has ended.
    public func abandon() async {
        precondition(isOpen, "an upload ends once")
        isOpen = false
        await drain()
        endReservation()
        await store.ledger.giveBack(map.extents)
    }

    /// What has not arrived never will.
    private func endReservation() {
        store.state.endReservation(description.length - received)
    }

    /// Tells that the next `count` bytes for `write` lie at the front of `buffer`, which may go on
    /// to fill: they are checksummed now, while they are in the processor's cache.
    public func arrived(_ buffer: Region, count: Int) {
        while summed < count {
            let step = min(StoreLimits.unitBytes - unit.count, count - summed)
            let part = store.memory.arena.bytes(buffer.part(from: summed, count: step))
            unit = (crc32c(part, continuing: unit.checksum), unit.count + step)
            summed += step
            let isLast = received + UInt64(summed) == description.length
            if unit.count == StoreLimits.unitBytes || isLast {
                checksums.append(unit.checksum)
                unit = (0, 0)
            }
        }
    }

    /// Whole blocks, with zeros behind the object's last byte.
    private func padded(_ region: Region, count: Int) -> Region {
        let blocks = Int(VolumeLayout.blocks(for: UInt64(count)))
        let whole = region.part(from: 0, count: blocks * VolumeLayout.blockSize)
        store.memory.arena.zero(whole.part(from: count, count: Int(whole.count) - count))
        return whole
    }

    /// Asks for the writes; a task of its own gives the buffer back when the last has ended.
    private func start(_ lease: Region, _ source: Region, at offset: UInt64) async {
        var writes: [(file: VolumeFile, ticket: Ticket, count: Int)] = []
        for piece in map.pieces(from: offset, count: Int(source.count)) {
            do throws(StoreError) {
                let file = try await store.files.file(piece.volume)
                let part = source.part(from: piece.skipped, count: piece.count)
                writes.append((file, try file.startWrite(part, at: piece.fileOffset), piece.count))
            } catch {
                failure = error
                break
            }
        }
        inFlight += 1
        store.loop.inBackground { [self] in
            for write in writes {
                do throws(StoreError) {
                    try await write.file.finishWrite(write.ticket, count: write.count)
                } catch {
                    failure = error
                }
            }
            store.memory.giveBack(BufferLease(attaching: lease))
            inFlight -= 1
            let woken = waiters
            waiters = []
            for ticket in woken { store.loop.wake(ticket) }
        }
    }

    private func drain() async { await waitForWrites(atMost: 0) }

    /// Waits until no more than `count` writes are in flight.
    private func waitForWrites(atMost count: Int) async {
        guard inFlight > count else { return }
        let start = store.loop.now
        while inFlight > count {
            let ticket = store.loop.makeTicket()
            waiters.append(ticket)
            _ = await store.loop.answer(ticket)
        }
        store.countWait(.disk, since: start)
    }

    deinit { precondition(!isOpen, "an upload was neither committed nor abandoned") }
}

extension ObjectStore {
    /// Reserves all space of an object longer than `StoreLimits.smallBytesMax`. Fails with
    /// `.noSpace`, `.tooLarge`, `.tooMuchReserved`, `.readOnly`, `.indexBehind`, `.kernel`.
    public func beginLarge(
        _ description: UploadDescription
    ) async throws(StoreError) -> LargeUpload {
        precondition(description.length > StoreLimits.smallBytesMax, "that is a small object")
        guard description.length <= StoreLimits.objectBytesMax else { throw .tooLarge }
        try admit()
        let extents = try await reserve(description.length)
        guard recordBlocks(description, extents) <= StoreLimits.recordBlocksMax else {
            // In so many pieces that the record would not fit.
            await ledger.giveBack(extents)
            state.endReservation(description.length)
            throw .noSpace
        }
        return LargeUpload(description, store: self, extents: extents)
    }

    private func reserve(_ bytes: UInt64) async throws(StoreError) -> [Extent] {
        let start = loop.now
        defer { countWait(.commit, since: start) }
        return try await ledger.reserve(bytes)
    }

    private func recordBlocks(_ description: UploadDescription, _ extents: [Extent]) -> UInt32 {
        description.withText {
            RecordEncoding.blockCount(
                largeObjectOf: description.length, extentCount: extents.count, $0)
        }
    }

    fileprivate func publish(
        _ upload: LargeUpload, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome {
        let extents = upload.map.extents
        let blocks = recordBlocks(upload.description, extents)
        while true {
            let claimed: ClaimedPlace?
            let outcome: PutOutcome?
            do throws(StoreError) {
                claimed = try await claimPlace(upload.description, blocks: blocks)
                outcome = claimed == nil ? try await compare(upload, durability) : nil
            } catch {
                await ledger.giveBack(extents)
                throw error
            }
            if let claimed { return try await acknowledge(upload, claimed, durability) }
            if let outcome {
                await ledger.giveBack(extents)
                return outcome
            }
        }
    }

    private func acknowledge(
        _ upload: LargeUpload, _ claimed: ClaimedPlace, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome {
        let description = upload.description
        let object = StoredObject(
            length: description.length, sequence: claimed.sequence,
            modified: description.modified, kind: .large, record: claimed.place.extent)
        let record = RecordWrite(
            name: description.name, claimed: claimed, object: object, data: upload.map.extents)
        count {
            $0.puts += 1
            $0.bytesWritten += description.length
        }
        if durability == .written || state.faults.contains(.earlyAcknowledgement) {
            let checksums = upload.checksums
            let manifest = Manifest(
                mediaType: description.mediaType, checksum: crc32c(checksums.span.rawBytes),
                extents: upload.map.extents, checksums: checksums)
            state.provide(description.name, object.entry, manifest)
            finishInBackground { [self] in try? await finish(upload, record) }
        } else {
            try await finish(upload, record)
        }
        return .created(object)
    }

    /// Data, flush, record, flush: in this order, each after the other has ended.
    private func finish(
        _ upload: LargeUpload, _ record: RecordWrite
    ) async throws(StoreError) {
        let isRecordFirst = state.faults.contains(.recordBeforeData)
        if !isRecordFirst {
            do throws(StoreError) {
                try await flushData(upload)
            } catch {
                await withdraw(record, isUnused: true)
                await ledger.giveBack(record.data)
                throw error
            }
        }
        do throws(StoreError) {
            try await writeRecord(upload, record)
        } catch {
            await withdraw(record)
            throw error
        }
        if isRecordFirst { try await flush(record.object.record.volume) }
        if isRecordFirst { try await flushData(upload) }
        try await finish(record)
    }

    private func flushData(_ upload: LargeUpload) async throws(StoreError) {
        var volumes: [VolumeID] = []
        for extent in upload.map.extents where !volumes.contains(extent.volume) {
            volumes.append(extent.volume)
        }
        for volume in volumes { try await flush(volume) }
    }

    private func writeRecord(
        _ upload: LargeUpload, _ record: RecordWrite
    ) async throws(StoreError) {
        let extent = record.object.record
        let file = try await file(extent.volume)
        let buffer = await memory.buffer(Int(extent.byteCount))
        defer { memory.giveBack(buffer: buffer) }
        let source = buffer.part(from: 0, count: Int(extent.byteCount))
        encode(upload, stamp(upload.description, extent, record.object.sequence), into: source)
        try await write(record: source, to: extent, in: file)
    }

    private func encode(_ upload: LargeUpload, _ stamp: RecordStamp, into region: Region) {
        let description = upload.description
        let (extents, checksums) = (upload.map.extents, upload.checksums)
        let text = RecordText(
            name: description.name.span.rawBytes, owner: description.owner.span.rawBytes,
            mediaType: description.mediaType.span.rawBytes)
        var bytes = memory.arena.mutableBytes(region)
        RecordEncoding.encodeLargeObject(
            into: &bytes, stamp: stamp, text: text, length: description.length,
            extents: extents.span, checksums: checksums.span, seal: seal)
    }

    /// How an upload whose name is taken ends; nil if the name is free again.
    private func compare(
        _ upload: LargeUpload, _ durability: Durability
    ) async throws(StoreError) -> PutOutcome? {
        guard let pinned = try findNow(upload.description.name) else { return nil }
        defer { release(pinned) }
        guard pinned.object.kind == .large, pinned.object.length == upload.description.length
        else { return .existsDifferent(pinned.object) }
        let stored = try await describe(pinned)
        guard stored.mediaType == upload.description.mediaType,
            stored.checksums == upload.checksums,
            try await holdsSameBytes(stored, upload)
        else { return .existsDifferent(pinned.object) }
        if durability == .durable, !(try await settle(pinned)) { return nil }
        return .existsIdentical(pinned.object)
    }

    private func holdsSameBytes(
        _ stored: LargeObject, _ upload: LargeUpload
    ) async throws(StoreError) -> Bool {
        let object = StoredObject(
            length: upload.description.length, sequence: 0, modified: 0, kind: .large,
            record: stored.object.record)
        let manifest = Manifest(
            mediaType: [], checksum: 0, extents: upload.map.extents, checksums: upload.checksums)
        let received = LargeObject(object, manifest)
        let buffer = await memory.lease(
            preferring: StoreLimits.transferBytesMax / 2, minimum: StoreLimits.unitBytes
        ).detach()
        defer { memory.giveBack(buffer: buffer) }
        var offset: UInt64 = 0
        while offset < object.length {
            let count = try await read(received, offset: offset, into: buffer)
            let bytes = buffer.part(from: 0, count: count)
            guard try await matches(stored, offset: offset, received: bytes) else { return false }
            offset += UInt64(count)
        }
        return true
    }
}
