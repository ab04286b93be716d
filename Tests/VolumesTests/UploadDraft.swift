// Upload records for tests: random ones whose parts agree, and the largest there can be.

import Checksums

@testable import Volumes

private let blockSize = UInt64(VolumeLayout.blockSize)

/// The bytes of an upload, what of them has come, and all that a store would know of it.
struct UploadDraft {
    var record: UploadRecord
    var checksums = BlockChecksums()
    let bytes: [UInt8]

    /// What all of them are uploads of.
    private static let content: [UInt8] = {
        var chance = Seeded(60)
        return chance.bytes(245_000)
    }()

    /// Of up to 60 blocks, with any bytes missing.
    static func random(_ chance: inout Seeded) -> UploadDraft {
        let bytes = Array(content.prefix(.random(in: 1...content.count, using: &chance)))
        var draft = UploadDraft(record: randomRecord(&chance), bytes: bytes)
        draft.record.length = Bool.random(using: &chance) ? UInt64(bytes.count) : nil
        for _ in 0..<Int.random(in: 0...6, using: &chance) {
            draft.record.received.insert(chance.range(below: UInt64(bytes.count)))
        }
        if Int.random(in: 0..<4, using: &chance) == 0 {
            draft.record.received.insert(0..<UInt64(bytes.count))
        }
        draft.layBlocks(&chance)
        draft.record.partialUnits = draft.checksums.partialUnits
        return draft
    }

    private static func randomRecord(_ chance: inout Seeded) -> UploadRecord {
        let kinds = UploadDialect.allCases
        var record = UploadRecord(
            name: chance.bytes(.random(in: 1...480, using: &chance)),
            owner: chance.bytes(.random(in: 0...64, using: &chance)),
            tenant: chance.bytes(.random(in: 0...64, using: &chance)),
            mediaType: chance.bytes(.random(in: 0...128, using: &chance)),
            dialect: kinds[Int.random(in: kinds.indices, using: &chance)],
            createdSeconds: chance.next(), expiresSeconds: chance.next())
        record.metadata = chance.bytes(.random(in: 0...100, using: &chance))
        record.isPartial = Bool.random(using: &chance)
        record.lastActivitySeconds = chance.next()
        record.chunkSize = UInt32(truncatingIfNeeded: chance.next())
        record.generation = chance.next()
        record.progressSequence = Bool.random(using: &chance) ? chance.next() : 0
        if Bool.random(using: &chance) { record.expectedSHA256 = chance.bytes(32) }
        if Bool.random(using: &chance) {
            record.expectedCRC32C = UInt32(truncatingIfNeeded: chance.next())
        }
        return record
    }

    /// Every block that has come whole is written, or now and then still a fragment; every other
    /// of which something has come is a fragment.
    private mutating func layBlocks(_ chance: inout Seeded) {
        for block in 0..<VolumeLayout.blocks(for: UInt64(bytes.count)) {
            let start = block * blockSize
            let present = record.received.present(in: start..<start + blockSize)
            guard let first = present.first, let last = present.last else {
                if Bool.random(using: &chance) { layBlock(block) }
                continue
            }
            let isWhole = first == start..<start + blockSize
            if isWhole, Int.random(in: 0..<8, using: &chance) > 0 {
                layBlock(block)
                let range = Int(start)..<Int(start + blockSize)
                checksums.add(
                    block: block, checksum: crc32c(bytes.span.rawBytes.extracting(range)))
            } else {
                record.fragments.append(
                    UploadFragment(
                        block: block, offset: Int(first.lowerBound - start),
                        bytes: Array(bytes[Int(first.lowerBound)..<Int(last.upperBound)])))
            }
        }
    }

    private mutating func layBlock(_ block: UInt64) {
        let volume = UInt16(block / 7)
        record.space.add(
            at: block, [Extent(volume: VolumeID(volume), start: 512 + UInt32(block), count: 1)])
    }

    /// One that has become an object.
    static func finished() -> UploadRecord {
        var record = UploadRecord(
            name: Array("a/b".utf8), owner: Array("me".utf8), dialect: .tus, createdSeconds: 5,
            expiresSeconds: 9)
        record.length = 10_000
        record.received.insert(0..<10_000)
        record.publishedSequence = 77
        return record
    }

    /// Every part as large as it may be.
    static func largest() -> UploadRecord {
        var record = UploadRecord(
            name: Array(repeating: 1, count: RecordText.nameBytesMax),
            owner: Array(repeating: 2, count: RecordText.ownerBytesMax),
            tenant: Array(repeating: 3, count: RecordText.tenantBytesMax),
            mediaType: Array(repeating: 4, count: RecordText.mediaTypeBytesMax),
            dialect: .numbered, createdSeconds: 1, expiresSeconds: 2)
        record.metadata = Array(repeating: 5, count: UploadRecordLimits.metadataBytesMax)
        record.progressSequence = .max
        record.expectedSHA256 = Array(repeating: 7, count: 32)
        record.expectedCRC32C = .max
        // One unit a range: a written block in all of them, and a whole fragment behind in the
        // first few.
        for unit in 0..<UInt64(UploadRecordLimits.rangesMax) {
            let block = unit * 16 + 3
            let hasFragment = unit < UploadRecordLimits.fragmentsMax
            let blocks = block..<block + (hasFragment ? 2 : 1)
            record.received.insert(blocks.lowerBound * blockSize..<blocks.upperBound * blockSize)
            record.space.add(
                at: block, [Extent(volume: VolumeID(1), start: UInt32(block), count: 1)])
            var partial = PartialUnit(unit: Int(unit))
            partial.put(block: 3, 0xffff_ffff)
            record.partialUnits.append(partial)
            if hasFragment {
                record.fragments.append(
                    UploadFragment(
                        block: block + 1, offset: 0, bytes: Array(repeating: 6, count: 4096)))
            }
        }
        return record
    }
}
