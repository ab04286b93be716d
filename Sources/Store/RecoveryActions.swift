/// What recovery does about what it found: zeroing, and telling the catalog.

import Catalog
import Checksums
import IO
import Loop
import Volumes

extension Recovery {
    func apply(
        _ plan: ReplayPlan, leases: [CatalogLease], removals: [CatalogRemoval], applied: UInt64
    ) async throws(StoreError) {
        // Removals that the catalog knows of: their subjects go first, so that what replaced them
        // may be accounted for afterwards.
        var changes: [CatalogChange] = []
        var headers: [BlockAddress] = []
        for removal in removals {
            let subject = try await subject(of: removal, beside: plan.live)
            if let subject { headers.append(subject) }
        }
        try await zero(headers)

        headers = []
        var cleaned: [CatalogChange] = []
        for effect in plan.effects {
            let record: Record
            switch effect {
            case .put(let put):
                // It failed, and a later one has its name: it owns none of the data it speaks of.
                guard try !isOutdated(put) else {
                    headers.append(put.header.stamp.address)
                    continue
                }
                record = put
                changes += changesOfUploads(publishedBy: put)
                changes += try await putChanges(put)
            case .remove(let removal):
                record = removal
                let sequence = removal.header.stamp.sequence
                changes.append(.remove(name: removal.name, sequence: sequence))
            }
            guard let ended = try await ended(by: record) else { continue }
            changes += ended.found
            cleaned += ended.done
            headers.append(ended.header)
        }
        changes += changesOfDeadUploads()
        try await commit(changes, applied: applied)

        headers += plan.headersToZero.map(\.address)
        headers += try deadHeaders(plan)
        try await zero(headers)
        // Not before all that they outlive is durably no more.
        cleaned += removals.map { .dropRemoval(address: $0.address) }
        cleaned += leases.map { .dropLease(volume: $0.volume, segment: $0.segment) }
        try await commit(cleaned, applied: plan.sequenceMax)
    }

    /// In one transaction if they fit; a crash in between leaves what the next start finds again.
    private func commit(_ changes: [CatalogChange], applied: UInt64) async throws(StoreError) {
        var rest = changes[...]
        repeat {
            let batch = rest.firstBatch
            rest = rest.dropFirst(batch.count)
            // Only the last one may say that all is done.
            let error = await indexer.apply(Array(batch), applied: rest.isEmpty ? applied : 0)
            if let error { throw .index("\(error)") }
        } while !rest.isEmpty
    }

    // MARK: What to tell the catalog

    /// Whether the catalog has something newer under its name.
    func isOutdated(_ record: Record) throws(StoreError) -> Bool {
        let entry = try ask { reader throws(CatalogError) in try reader.find(record.name.span) }
        return entry.map { $0.sequence > record.header.stamp.sequence } ?? false
    }

    private func putChanges(_ record: Record) async throws(StoreError) -> [CatalogChange] {
        let header = record.header
        let object = StoredObject(
            length: header.length, sequence: header.stamp.sequence,
            modified: header.stamp.modifiedSeconds,
            kind: header.kind == .smallObject ? .small : .large, record: header.extent)
        if header.kind == .largeObject { try await verifyData(record, object) }
        return object.changes(under: record.name, record.extents)
    }

    /// What the catalog has under this record's name and should not any more.
    private struct Ended {
        let header: BlockAddress
        /// To be told before the header is zeroed, which ends all knowledge of the data's place.
        let found: [CatalogChange]
        let done: [CatalogChange]
    }

    private func ended(by record: Record) async throws(StoreError) -> Ended? {
        let sequence = record.header.stamp.sequence
        let entry = try ask { reader throws(CatalogError) in try reader.find(record.name.span) }
        guard let entry, entry.sequence < sequence,
            let address = BlockAddress(packed: entry.recordAddress)
        else { return nil }
        var data: [Extent] = []
        if let old = try await self.record(at: address),
            old.header.stamp.sequence == entry.sequence
        {
            data = old.extents
        }
        // Stands for the removal record, which need not have been found, until the header is zero.
        let removal = CatalogRemoval(
            address: address.packed, removedAddress: address.packed,
            nameHash: Removal.nameHash(record.name), sequence: sequence)
        return Ended(
            header: address,
            found: data.map { .dropExtent(address: $0.address.packed) } + [.addRemoval(removal)],
            done: [.dropRemoval(address: address.packed)])
    }

    /// Unfinished writes, and finished ones that were given up: nobody was told of them.
    private func deadHeaders(_ plan: ReplayPlan) throws(StoreError) -> [BlockAddress] {
        var headers: [BlockAddress] = []
        for record in plan.torn + plan.damaged {
            if try isIndexed(record) {
                report(record)
            } else {
                headers.append(record.header.stamp.address)
            }
        }
        for record in plan.settled where try !isIndexed(record) {
            headers.append(record.header.stamp.address)
        }
        return headers
    }

    private func isIndexed(_ record: Record) throws(StoreError) -> Bool {
        let entry = try ask { reader throws(CatalogError) in try reader.find(record.name.span) }
        return entry?.sequence == record.header.stamp.sequence
    }

    private func report(_ record: Record) {
        let address = record.header.stamp.address
        state.report(
            .corrupt(
                name: record.name,
                .corrupt(volume: VolumeName(address.volume), offset: address.byteOffset)))
    }

    // MARK: Disk

    /// The record that starts there, if one does. Reads no block that is not the record's: what is
    /// wrong beside it is no concern of whoever asks.
    private func record(at address: BlockAddress) async throws(StoreError) -> Record? {
        guard let extent = try await header(at: address)?.header.extent,
            extent.count <= StoreLimits.recordBlocksMax,
            extent.end <= sizes[address.volume] ?? 0
        else { return nil }
        return try await wholeRecord(extent, keepingChecksums: false)
    }

    /// What the first block of the record says that starts there, if one does: all that a removal
    /// has.
    func header(at address: BlockAddress) async throws(StoreError) -> Record? {
        guard let size = sizes[address.volume], address.block < size else { return nil }
        let file = try await files.file(address.volume)
        let buffer = await files.memory.buffer(VolumeLayout.blockSize)
        defer { files.memory.giveBack(buffer: buffer) }
        let block = buffer.part(from: 0, count: VolumeLayout.blockSize)
        try await file.read(block, at: address.byteOffset)
        let bytes = files.memory.arena.bytes(block)
        do throws(RecordError) {
            return try Record.decodeHeader(
                bytes, at: address, instance: state.instance, seal: seal)
        } catch {
            return nil
        }
    }

    /// Overwrites headers and flushes their volumes.
    private func zero(_ headers: [BlockAddress]) async throws(StoreError) {
        let mark = state.health.mark
        for header in headers { try await files.zeroHeader(at: header, since: mark) }
        for volume in Set(headers.map(\.volume)) {
            try await files.file(volume).flush(since: mark)
        }
    }

    /// Reports a replayed object whose data is not what its record says. It stays, unreadable: an
    /// operator should see it, and nothing of ours destroys a record that bears our seal.
    private func verifyData(_ record: Record, _ object: StoredObject) async throws(StoreError) {
        guard let whole = try await wholeRecord(record.header.extent, keepingChecksums: true)
        else { return }
        let manifest = Manifest(
            mediaType: [], checksum: 0, extents: whole.extents, checksums: whole.checksums,
            segments: whole.segments)
        for segment in manifest.segments(length: object.length) {
            guard try await isRight(segment) else { return report(record) }
        }
    }

    private func isRight(_ segment: LargeSegment) async throws(StoreError) -> Bool {
        let buffer = await files.memory.buffer(StoreLimits.unitBytes)
        defer { files.memory.giveBack(buffer: buffer) }
        for (unit, checksum) in segment.checksums.enumerated() {
            let offset = UInt64(unit) * UInt64(StoreLimits.unitBytes)
            let count = Int(min(UInt64(StoreLimits.unitBytes), segment.length - offset))
            let blocks = Int(VolumeLayout.blocks(for: UInt64(count))) * VolumeLayout.blockSize
            for piece in segment.map.pieces(from: offset, count: blocks) {
                let part = buffer.part(from: piece.skipped, count: piece.count)
                try await files.file(piece.volume).read(part, at: piece.fileOffset)
            }
            let bytes = files.memory.arena.bytes(buffer.part(from: 0, count: count))
            if crc32c(bytes) != checksum { return false }
        }
        return true
    }

    private func wholeRecord(
        _ extent: Extent, keepingChecksums: Bool
    ) async throws(StoreError) -> Record? {
        let buffer = await files.memory.buffer(Int(extent.byteCount))
        defer { files.memory.giveBack(buffer: buffer) }
        let target = buffer.part(from: 0, count: Int(extent.byteCount))
        try await files.file(extent.volume).read(target, at: extent.byteOffset)
        do throws(RecordError) {
            return try Record.decode(
                files.memory.arena.bytes(target), at: extent.address, instance: state.instance,
                seal: seal, keepingChecksums: keepingChecksums)
        } catch {
            return nil
        }
    }
}
