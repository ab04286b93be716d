/// Between an upload in memory and its record in the catalog.

import Catalog
import Checksums
import Loop
import Volumes

extension OpenUpload {
    /// What is kept of it once it is published, for those who ask how it ended.
    func endRecord(at time: UInt64) -> UploadRecord {
        var record = terminal
        record.expiresSeconds = min(expires, time + StoreLimits.finishedUploadSeconds)
        return record
    }

    /// Without what `received` and the rest say.
    private var terminal: UploadRecord {
        var record = UploadRecord(
            name: terms.name, owner: terms.owner, tenant: terms.tenant, mediaType: terms.mediaType,
            dialect: terms.dialect, createdSeconds: created, expiresSeconds: expires)
        record.metadata = terms.metadata
        record.isPartial = terms.isPartial
        record.parts = terms.parts.map(\.object)
        record.length = state.length
        record.lastActivitySeconds = lastActivity
        record.chunkSize = terms.chunkBytes
        record.generation = state.generation
        record.progressSequence = progressSequence
        return record
    }

    /// As it is now.
    var record: UploadRecord {
        var record = terminal
        record.expectedSHA256 = terms.expected.sha256
        record.expectedCRC32C = terms.expected.crc32c
        record.received = state.received
        record.space = state.usedSpace
        record.fragments = state.fragments.sorted { $0.key < $1.key }.map { block, fragment in
            UploadFragment(block: block, fragment.bytes, received: state.received)
        }
        record.partialUnits = state.checksums.partialUnits
        return record
    }
}

extension UploadFragment {
    /// What of a block's bytes has come, from the first to the last.
    fileprivate init(block: UInt64, _ bytes: [UInt8], received: ExtentMap) {
        let start = block * UInt64(VolumeLayout.blockSize)
        let present = received.present(in: start..<start + UInt64(VolumeLayout.blockSize))
        guard let first = present.first, let last = present.last else {
            preconditionFailure("a fragment of which nothing has come")
        }
        let range = Int(first.lowerBound - start)..<Int(last.upperBound - start)
        self.init(block: block, offset: range.lowerBound, bytes: Array(bytes[range]))
    }

    fileprivate var block4096: [UInt8] {
        var whole = [UInt8](repeating: 0, count: VolumeLayout.blockSize)
        whole.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        return whole
    }
}

extension UploadTerms {
    init(_ record: UploadRecord) {
        self.init(
            name: record.name, owner: record.owner, tenant: record.tenant,
            mediaType: record.mediaType, length: record.length, dialect: record.dialect,
            chunkBytes: record.chunkSize, metadata: record.metadata)
        expected = ObjectDigests(
            sha256: record.expectedSHA256, crc32c: record.expectedCRC32C)
        isPartial = record.isPartial
        parts = record.parts.map { UploadID($0) }
    }
}

extension Assembler {
    /// The upload as the catalog has it; nil if it has none.
    func read(_ id: UploadID, _ logged: OpenUpload.Logged?) throws(StoreError) -> OpenUpload? {
        let value: [UInt8]?
        let stored: [CatalogUploadPage]
        do throws(CatalogError) {
            value = try reader.upload(id.catalog)
            stored = try reader.uploadPages(id.catalog)
        } catch {
            throw .index("\(error)")
        }
        guard let value else { return nil }
        var logged = logged
        var record: UploadRecord
        let recorded: UploadRecord
        do throws(UploadRecordError) {
            recorded = try UploadRecord.decode(value.span.rawBytes)
            record = recorded
            // As recovery does: what the catalog has may say more by now.
            if let last = logged, last.sequence > recorded.progressSequence {
                record = try UploadRecord.decode(last.record.span.rawBytes)
            } else {
                logged = nil
            }
        } catch {
            throw .index("an upload's record makes no sense: \(error)")
        }
        let upload = OpenUpload(
            id, UploadTerms(record), try state(of: record, stored, logged?.pages ?? [:]),
            created: record.createdSeconds, lastActivity: record.lastActivitySeconds,
            expires: record.expiresSeconds, outcome: UploadOutcome(record), isRecorded: true)
        upload.recorded = Set(recorded.space.extents)
        upload.durable = upload.state.received
        upload.recordedBytes = recorded.received.byteCount
        upload.logged = logged
        upload.loggedPages = Set((logged?.pages ?? [:]).keys)
        upload.progressSequence = recorded.progressSequence
        upload.settledAt = loop.now
        return upload
    }

    private func state(
        of record: UploadRecord, _ stored: [CatalogUploadPage], _ logged: [Int: [UInt32]]
    ) throws(StoreError) -> UploadState {
        guard !record.isFinished else {
            return UploadState(
                length: record.length, bytesMax: state.uploadBytesMax,
                generation: record.generation)
        }
        var known = logged
        for page in stored where logged[Int(page.page)] == nil {
            known[Int(page.page)] = [UInt32](littleEndian: page.value)
        }
        let pages = known.sorted { $0.key < $1.key }.map { (page: $0.key, checksums: $0.value) }
        guard let checksums = record.checksums(from: pages) else {
            throw .index("an upload's checksums are not those of its record")
        }
        var fragments: [UInt64: [UInt8]] = [:]
        for fragment in record.fragments { fragments[fragment.block] = fragment.block4096 }
        return UploadState(
            length: record.length, bytesMax: state.uploadBytesMax,
            generation: record.generation, received: record.received, space: record.space,
            checksums: checksums, fragments: fragments)
    }
}

extension UploadOutcome {
    init(_ record: UploadRecord) {
        self = record.publishedSequence.map { .published(sequence: $0) } ?? .unfinished
    }
}

extension [UInt32] {
    /// As the catalog keeps them.
    var littleEndian: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * count)
        for number in self {
            bytes.append(UInt8(truncatingIfNeeded: number))
            bytes.append(UInt8(truncatingIfNeeded: number >> 8))
            bytes.append(UInt8(truncatingIfNeeded: number >> 16))
            bytes.append(UInt8(truncatingIfNeeded: number >> 24))
        }
        return bytes
    }

    init(littleEndian bytes: [UInt8]) {
        self = []
        reserveCapacity(bytes.count / 4)
        let raw = bytes.span.rawBytes
        for index in 0..<bytes.count / 4 { append(raw.integer(at: 4 * index)) }
    }
}
