/// Progress logs at a start: what they have of unfinished uploads, and the catalog has not, is told
/// to the catalog before anything else; then it is as if no log had ever been.

import Catalog
import Checksums
import IO
import Loop
import Volumes

extension Recovery {
    /// Of each upload the entries are believed in their order, up to the first that speaks of bytes
    /// that are not there: the power went before they were flushed, and nobody was told.
    func replayProgress(_ leases: [CatalogLease]) async throws(StoreError) {
        var entries: [ObjectID: [ProgressEntry]] = [:]
        var confirmed: [ObjectID: UInt64] = [:]
        var last = uploads.values.map(\.progressSequence).max() ?? 0
        for extent in leases.compactMap(\.progressLog) {
            let found = try await scanProgress(extent)
            let sure = found.map(\.confirmed).max() ?? 0
            for entry in found {
                entries[entry.upload, default: []].append(entry)
                // All that its record does not cover are in one log: see `ProgressArea`.
                confirmed[entry.upload] = max(confirmed[entry.upload] ?? 0, sure)
                last = max(last, entry.sequence)
            }
        }
        state.progressSequence = last
        var changes: [CatalogChange] = []
        for (id, found) in entries.sorted(by: {
            UploadID($0.key).catalog < UploadID($1.key).catalog
        }) {
            guard let record = uploads[id] else { continue }
            let entries = found.sorted { $0.sequence < $1.sequence }
                .filter { $0.sequence > record.progressSequence }
            let news = try await replay(
                entries, of: id, after: record, confirmed: confirmed[id] ?? 0)
            if bytes(of: changes) + bytes(of: news) > CatalogLimits.commitBytesMax {
                try await tell(changes)
                changes = []
            }
            changes += news
        }
        try await tell(changes)
    }

    private func bytes(of changes: [CatalogChange]) -> UInt64 {
        changes.reduce(0) { $0 + $1.writtenBytesMax }
    }

    /// In one transaction: what belongs to one upload is never told in part.
    private func tell(_ changes: [CatalogChange]) async throws(StoreError) {
        guard !changes.isEmpty else { return }
        if let error = await indexer.apply(changes, applied: 0) { throw .index("\(error)") }
    }

    private func scanProgress(_ extent: Extent) async throws(StoreError) -> [ProgressEntry] {
        guard let size = sizes[extent.volume], extent.end <= size else { return [] }
        let file = try await files.file(extent.volume)
        let buffer = await files.memory.buffer(StoreLimits.transferBytesMax)
        defer { files.memory.giveBack(buffer: buffer) }
        let windowBlocks = UInt32(Int(buffer.count) / VolumeLayout.blockSize)
        var found: [ProgressEntry] = []
        var block = extent.start
        while block < extent.end {
            let first = block
            let count = min(windowBlocks, extent.end - first)
            let window = buffer.part(from: 0, count: Int(count) * VolumeLayout.blockSize)
            let start = BlockAddress(volume: extent.volume, block: first)
            try await file.read(window, at: start.byteOffset)
            // An entry that might reach beyond the window is looked at in the next one.
            let end = first + count
            let most = end == extent.end ? end : end - ProgressEntry.blocksMax + 1
            while block < most {
                let rest = window.part(
                    from: Int(block - first) * VolumeLayout.blockSize,
                    count: Int(end - block) * VolumeLayout.blockSize)
                block += try look(at: rest, block, of: extent.volume, &found)
            }
        }
        return found
    }

    /// Answers how many blocks further to look.
    private func look(
        at region: Region, _ block: UInt32, of volume: VolumeID, _ found: inout [ProgressEntry]
    ) throws(StoreError) -> UInt32 {
        let address = BlockAddress(volume: volume, block: block)
        switch ProgressEntry.look(
            at: files.memory.arena.bytes(region), address, instance: state.instance, seal: seal)
        {
        case .nothing: return 1
        case .newerFormat(let format):
            throw .newerFormat(path: VolumeName(volume).path, version: UInt32(format))
        case .entry(let entry):
            found.append(entry)
            return entry.blockCount
        }
    }

    // MARK: One upload

    /// Answers what the catalog is to be told: nothing, if no entry says more than it has.
    private func replay(
        _ entries: [ProgressEntry], of id: ObjectID, after record: UploadRecord, confirmed: UInt64
    ) async throws(StoreError) -> [CatalogChange] {
        guard !entries.isEmpty else { return [] }
        var pages: [Int: [UInt32]] = [:]
        let stored = try ask { reader throws(CatalogError) in
            try reader.uploadPages(UploadID(id).catalog)
        }
        for page in stored { pages[Int(page.page)] = [UInt32](littleEndian: page.value) }
        var accepted = record
        var dirty: Set<Int> = []
        for entry in entries {
            guard var next = try? UploadRecord.decode(entry.record.span.rawBytes),
                !next.isFinished, next.name == record.name, next.owner == record.owner
            else { break }
            var merged = pages
            for page in entry.pages { merged[page.number] = page.checksums }
            let sorted = merged.sorted { $0.key < $1.key }.map {
                (page: $0.key, checksums: $0.value)
            }
            guard let checksums = next.checksums(from: sorted) else { break }
            if entry.sequence > confirmed {
                let claims = next.claims(since: accepted, checksums)
                guard try await hold(claims, next.space) else { break }
            }
            next.progressSequence = entry.sequence
            (accepted, pages) = (next, merged)
            dirty.formUnion(entry.pages.map(\.number))
        }
        guard accepted.progressSequence > record.progressSequence else { return [] }
        uploads[id] = accepted
        return changes(
            to: accepted, from: record, of: id, pages.filter { dirty.contains($0.key) })
    }

    /// The record and the space that it speaks of.
    private func changes(
        to record: UploadRecord, from old: UploadRecord, of id: ObjectID, _ pages: [Int: [UInt32]]
    ) -> [CatalogChange] {
        let upload = UploadID(id).catalog
        var changes = CatalogChange.extents(
            from: Set(old.space.extents), to: Set(record.space.extents))
        changes.append(.putUpload(upload, value: record.encode()))
        for (page, sums) in pages.sorted(by: { $0.key < $1.key }) {
            changes.append(.putUploadPage(upload, page: UInt32(page), value: sums.littleEndian))
        }
        return changes
    }

    /// Whether those bytes lie where `space` says.
    private func hold(
        _ claims: [UploadClaim], _ space: SpaceMap
    ) async throws(StoreError) -> Bool {
        let buffer = await files.memory.buffer(StoreLimits.unitBytes)
        defer { files.memory.giveBack(buffer: buffer) }
        for claim in claims {
            for piece in space.writes(at: claim.offset, count: claim.byteCount) {
                let end = piece.fileOffset + UInt64(piece.count)
                guard let size = sizes[piece.volume],
                    end <= UInt64(size) * UInt64(VolumeLayout.blockSize)
                else { return false }
                let part = buffer.part(from: piece.skipped, count: piece.count)
                try await files.file(piece.volume).read(part, at: piece.fileOffset)
            }
            let bytes = files.memory.arena.bytes(buffer.part(from: 0, count: claim.byteCount))
            guard crc32c(bytes) == claim.checksum else { return false }
        }
        return true
    }
}
