/// Reading objects: nothing leaves here whose checksum was not compared first.

import Checksums
public import IO
import Loop
import Volumes

extension ObjectStore {
    /// Reads and verifies an object whose kind is `.small`.
    public func readSmall(_ pinned: Pinned) async throws(StoreError) -> SmallObject {
        try await readSmall(pinned, isNested: false)
    }

    /// `isNested`: the caller holds a buffer already, and gives this one back without waiting.
    func readSmall(_ pinned: Pinned, isNested: Bool) async throws(StoreError) -> SmallObject {
        precondition(pinned.object.kind == .small, "a large object has a description")
        let lease = try await readRecord(pinned.object.record, isNested: isNested)
        do throws(StoreError) {
            let bytes = memory.arena.bytes(lease.region)
            let header = try verify(bytes, pinned)
            guard crc32c(bytes.extracting(header.content)) == header.contentChecksum
            else { throw corrupt(pinned) }
            count { $0.bytesRead += header.length }
            let data = lease.region.part(from: header.content.lowerBound, count: Int(header.length))
            let mediaType = bytes.octets.extracting(header.mediaType)
            return SmallObject(
                mediaType: (0..<mediaType.count).map { mediaType[$0] },
                checksum: header.contentChecksum, data: data, lease: lease)
        } catch {
            memory.giveBack(lease)
            throw error
        }
    }

    /// Reads the record of an object whose kind is `.large`, or remembers it.
    public func describe(_ pinned: Pinned) async throws(StoreError) -> LargeObject {
        precondition(pinned.object.kind == .large, "a small object is read whole")
        if let large = remembered(pinned.object.sequence) { return large }
        let manifest = try await manifest(pinned)
        for extent in manifest.extents { _ = try await files.file(extent.volume) }
        if let large = remembered(pinned.object.sequence) { return large }
        let large = LargeObject(pinned.object, manifest)
        remember(large)
        return large
    }

    func manifest(_ pinned: Pinned) async throws(StoreError) -> Manifest {
        if let manifest = state.provisionalManifest(pinned.object.sequence) { return manifest }
        let buffer = try await readRecord(pinned.object.record, isNested: true).detach()
        defer { memory.giveBack(buffer: buffer) }
        let bytes = memory.arena.bytes(buffer)
        _ = try verify(bytes, pinned)
        do throws(RecordError) {
            let record = try Record.decode(
                bytes, at: pinned.object.record.address, instance: state.instance, seal: seal)
            return Manifest(
                mediaType: record.mediaType, sha256: record.sha256.isEmpty ? nil : record.sha256,
                checksum: crc32c(record.checksums.span.rawBytes), extents: record.extents,
                checksums: record.checksums, segments: record.segments)
        } catch {
            throw corrupt(pinned)
        }
    }

    private func readRecord(
        _ extent: Extent, isNested: Bool
    ) async throws(StoreError) -> BufferLease {
        let file = try await files.file(extent.volume)
        let count = Int(extent.byteCount)
        let lease = isNested ? await memory.leaseNested(count) : await memory.lease(count)
        do throws(StoreError) {
            let target = lease.region.part(from: 0, count: Int(extent.byteCount))
            let start = loop.now
            defer { countWait(.disk, since: start) }
            try await file.read(target, at: extent.byteOffset)
            return lease
        } catch {
            memory.giveBack(lease)
            throw error
        }
    }

    /// The header at the front of `bytes`, if it is the one that the look-up promised.
    private func verify(
        _ bytes: RawSpan, _ pinned: Pinned
    ) throws(StoreError) -> RecordHeader {
        let header: RecordHeader
        do throws(RecordError) {
            header = try RecordHeader.decode(
                bytes, at: pinned.object.record.address, instance: state.instance, seal: seal)
        } catch {
            throw corrupt(pinned)
        }
        let name = bytes.octets.extracting(header.name)
        guard header.stamp.sequence == pinned.object.sequence,
            header.length == pinned.object.length,
            header.blockCount == pinned.object.record.count,
            header.kind == (pinned.object.kind == .small ? .smallObject : .largeObject),
            name.count == pinned.name.count,
            name.indices.allSatisfy({ name[$0] == pinned.name[$0] })
        else { throw corrupt(pinned) }
        return header
    }

    private func corrupt(_ pinned: Pinned) -> StoreError {
        let record = pinned.object.record
        return corrupt(pinned.name, VolumeName(record.volume), offset: record.byteOffset)
    }

    func corrupt(_ name: [UInt8], _ volume: VolumeName, offset: UInt64) -> StoreError {
        count { $0.corruptions += 1 }
        let error = StoreError.corrupt(volume: volume, offset: offset)
        state.report(.corrupt(name: name, error))
        return error
    }

    // MARK: Comparing

    /// Whether a small object's bytes are those in `received`, and nothing else.
    public func matches(_ pinned: Pinned, received: Region) async throws(StoreError) -> Bool {
        guard UInt64(received.count) == pinned.object.length else { return false }
        let stored = try await readSmall(pinned, isNested: true)
        let isEqual = memory.arena.equal(stored.data, received)
        memory.giveBack(stored.takeLease())
        return isEqual
    }

    /// Whether the large object's bytes from `offset` on are those in `received`. The caller
    /// compares lengths and media types.
    public func matches(
        _ large: LargeObject, offset: UInt64, received: Region
    ) async throws(StoreError) -> Bool {
        let end = offset + UInt64(received.count)
        guard end <= large.object.length else { return false }
        let lease = await memory.leaseNested(4 * StoreLimits.unitBytes)
        var isEqual = true
        var position = offset
        do throws(StoreError) {
            while isEqual, position < end {
                let piece = large.piece(from: position, before: end)
                let part = received.part(
                    from: Int(position - offset), count: piece.range.count)
                isEqual = try await matches(piece, received: part, readingInto: lease.region)
                position += UInt64(piece.range.count)
            }
        } catch {
            memory.giveBack(lease)
            throw error
        }
        memory.giveBack(lease)
        return isEqual
    }

    private func matches(
        _ piece: LargePiece, received: Region, readingInto buffer: Region
    ) async throws(StoreError) -> Bool {
        var done = 0
        while done < Int(received.count) {
            let position = piece.range.lowerBound + UInt64(done)
            let skipped = Int(position % UInt64(StoreLimits.unitBytes))
            let count = try await read(
                piece.segment, offset: position - UInt64(skipped), into: buffer)
            let part = min(count - skipped, Int(received.count) - done)
            guard
                memory.arena.equal(
                    buffer.part(from: skipped, count: part), received.part(from: done, count: part))
            else { return false }
            done += part
        }
        return true
    }
}
