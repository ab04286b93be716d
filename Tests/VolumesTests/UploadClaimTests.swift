// Goal:   what a record says has come since another one is claimed whole, block for block, and
//         nothing that it holds itself.
// Method: random uploads, compared with a model that asks every block.

import Checksums
import Testing

@testable import Volumes

@Suite struct `Claims of an upload record` {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `cover every block that came and is no fragment`(seed: UInt64) throws {
        var chance = Seeded(seed)
        let blockSize = UInt64(VolumeLayout.blockSize)
        var (claimed, wrong) = (0, 0)
        for _ in 0..<60 {
            let draft = UploadDraft.random(&chance)
            let record = draft.record
            let pages = draft.checksums.dirtyPages.map {
                (page: $0, checksums: draft.checksums.page($0))
            }
            let checksums = try #require(record.checksums(from: pages))
            var earlier = record
            earlier.received = ExtentMap()
            for range in record.received.ranges where Bool.random(using: &chance) {
                earlier.received.insert(range.lowerBound..<range.upperBound - range.count64 / 2)
            }
            earlier.fragments = heldBefore(earlier.received, draft.bytes, &chance)
            var found = ExtentMap()
            for claim in record.claims(since: earlier, checksums) {
                claimed += 1
                let range = claim.offset..<claim.offset + UInt64(claim.byteCount)
                found.insert(range)
                let bytes = draft.bytes[Int(range.lowerBound)..<Int(range.upperBound)]
                if crc32c(Array(bytes).span.rawBytes) != claim.checksum { wrong += 1 }
            }
            for block in 0..<VolumeLayout.blocks(for: UInt64(draft.bytes.count)) {
                let range = block * blockSize..<(block + 1) * blockSize
                let isNew =
                    record.received.contains(range)
                    && (!earlier.received.contains(range) || earlier.hasFragment(block))
                let isFragment = record.fragments.contains { $0.block == block }
                if isNew, !isFragment, !found.contains(range) { wrong += 1 }
                if isFragment, found.overlaps(range) { wrong += 1 }
                if !record.received.contains(range), found.overlaps(range) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
        #expect(claimed > 50)
    }

    /// Whole blocks that waited to be written when the record before was made.
    private func heldBefore(
        _ received: ExtentMap, _ bytes: [UInt8], _ chance: inout Seeded
    ) -> [UploadFragment] {
        var held: [UploadFragment] = []
        for block in 0..<VolumeLayout.blocks(for: UInt64(bytes.count)) {
            let start = block * UInt64(VolumeLayout.blockSize)
            let range = start..<start + UInt64(VolumeLayout.blockSize)
            guard received.contains(range), Int.random(in: 0..<4, using: &chance) == 0
            else { continue }
            let part = Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            held.append(UploadFragment(block: block, offset: 0, bytes: part))
        }
        return held
    }

    @Test func `are none when nothing came`() throws {
        let record = UploadRecord(name: [1], dialect: .tus, createdSeconds: 1, expiresSeconds: 2)
        #expect(record.claims(since: record, BlockChecksums()).isEmpty)
    }
}

extension Range<UInt64> {
    fileprivate var count64: UInt64 { upperBound - lowerBound }
}
