// Goal:   what is written is what is read, in any shape that the limits allow.
// Method: random drafts from printed seeds; the layout's promises are checked on their own.

import Checksums
import Testing

@testable import Volumes

@Suite struct `A record` {
    @Test(arguments: RecordKind.allCases, 1...40 as ClosedRange<UInt64>)
    func `comes back as it was written`(kind: RecordKind, seed: UInt64) throws {
        var chance = Seeded(seed)
        let draft = Draft.random(kind, &chance)
        let bytes = draft.encoded()
        let record = try decode(bytes, at: draft.address).get()

        #expect(record.header.kind == kind)
        #expect(record.header.stamp == draft.stamp)
        #expect(record.name == draft.name)
        #expect(record.owner == draft.owner)
        #expect(record.tenant == draft.tenant)
        #expect(record.mediaType == draft.mediaType)
        #expect(record.sha256 == draft.sha256)
        #expect(bytes[24..<26] == (draft.sha256.isEmpty ? [1, 0] : [2, 0]))
        #expect(record.extents == draft.extents)
        #expect(record.checksums == draft.checksums)
        #expect(record.header.blockCount == draft.blockCount)
        #expect(record.occupied.count == 1 + draft.extents.count)
        switch kind {
        case .smallObject:
            #expect(record.header.length == UInt64(draft.data.count))
            #expect(Array(bytes[record.header.content]) == draft.data)
        case .largeObject:
            #expect(record.header.length == draft.length)
        case .removal:
            #expect(record.header.length == 0 && record.header.content.isEmpty)
        }
        #expect(bytes[record.header.content.upperBound...].allSatisfy { $0 == 0 })
    }

    @Test func `of 4 KiB of data takes 8 KiB, whatever it is called`() {
        let longest = Draft(
            name: filler(480), owner: filler(64), tenant: filler(64), mediaType: filler(128),
            data: filler(4096))
        #expect(longest.blockCount == 2)
        #expect(Draft(data: filler(4096)).blockCount == 2)
        #expect(longest.headerByteCount <= 1024)
    }

    /// What earlier programs read stays as it was, byte for byte.
    @Test func `has its digest behind its strings, and is of format 1 without`() {
        var draft = Draft(mediaType: [7], data: [9])
        let plain = draft.encoded()
        #expect(plain[24..<28] == [1, 0, 1, 0] && plain[28] == 192)
        #expect(plain[151..<153] == [7, 0])
        draft.sha256 = Array(100..<132)
        let bytes = draft.encoded()
        #expect(bytes[24..<28] == [2, 0, 1, 1] && bytes[28] == 192)
        #expect(Array(bytes[151..<184]) == [7] + draft.sha256)
        #expect(bytes[40..<151] == plain[40..<151] && bytes[184..<192].allSatisfy { $0 == 0 })
    }

    @Test func `of nothing takes one block`() throws {
        let draft = Draft()
        #expect(draft.blockCount == 1)
        let record = try decode(draft.encoded(), at: draft.address).get()
        #expect(record.header.length == 0)
        #expect(record.header.contentChecksum == 0)
    }

    @Test func `of a large object is the same in parts as in one piece`() {
        var chance = Seeded(5)
        var draft = Draft.random(.largeObject, &chance)
        draft.length = 3 << 30
        draft.checksums = (0..<49_152).map { UInt32($0) &* 2_654_435_761 }
        draft.extents = (0..<700).map {
            Extent(volume: VolumeID(1), start: UInt32($0) * 2_000, count: 1_200)
        }
        let whole = draft.encoded()
        for length in [1, 2, 3, 7, draft.blockCount] as [UInt32] {
            var joined: [UInt8] = []
            for start in stride(from: 0, to: draft.blockCount, by: Int(length)) {
                let part = start..<min(start + length, draft.blockCount)
                joined += draft.encoded(part: part)
            }
            #expect(joined == whole)
        }
    }

    @Test func `is told from a light look at its first block`() throws {
        let draft = Draft(data: filler(60_000))
        let bytes = draft.encoded()
        let first = bytes.span.rawBytes.extracting(first: 4096)
        let header = try RecordHeader.decode(
            first, at: draft.address, instance: ours, seal: TestSeal())
        #expect(header.content == draft.headerByteCount..<draft.headerByteCount + 60_000)
        #expect(header.contentChecksum == crc32c(draft.data.span.rawBytes))
        #expect(Array(bytes[header.name]) == draft.name)
        #expect(header.extent.count == 15)
        #expect(header.reference.sequence == draft.sequence)
    }

    @Test func `without its checksums still verifies them`() throws {
        var chance = Seeded(9)
        let draft = Draft.random(.largeObject, &chance)
        var bytes = draft.encoded()
        let light = try Record.decode(
            bytes.span.rawBytes, at: draft.address, instance: ours, seal: TestSeal(),
            keepingChecksums: false)
        #expect(light.checksums.isEmpty && light.extents == draft.extents)
        bytes[draft.headerByteCount + draft.extents.count * 16] ^= 1
        #expect(decode(bytes, at: draft.address) == .failure(.contentDamaged))
    }

    @Test(arguments: [0, 1, 4095]) func `is not read from less than a block`(count: Int) {
        let draft = Draft(data: filler(10))
        let bytes = Array(draft.encoded()[..<count])
        #expect(decode(bytes, at: draft.address) == .failure(.truncated(needsBlocks: 1)))
    }

    @Test func `says how many blocks it needs`() {
        let draft = Draft(data: filler(60_000))
        let whole = draft.encoded()
        for blocks in 1..<15 {
            let bytes = Array(whole[..<(blocks * 4096)])
            #expect(decode(bytes, at: draft.address) == .failure(.truncated(needsBlocks: 15)))
        }
        #expect(decode(whole, at: draft.address) != .failure(.truncated(needsBlocks: 15)))
    }

    @Test func `of the largest object fills a quarter of a segment and no more`() {
        let text = RecordText(name: [UInt8(1)].span.rawBytes)
        let blocks = RecordEncoding.blockCount(
            largeObjectOf: VolumeLayout.objectBytesMax,
            extentCount: VolumeLayout.extentsPerObjectMax, text)
        #expect(blocks <= VolumeLayout.segmentBlocks / 4 + 257)
    }

    private func filler(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 1) }
    }
}

@Suite struct `Writing a record` {
    @Test func `traps when it is too long for its place`() async {
        await #expect(processExitsWith: .failure) {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let draft = Draft(data: [UInt8](repeating: 1, count: 4096))
            edit(&bytes) {
                RecordEncoding.encodeSmallObject(
                    into: &$0, stamp: draft.stamp, text: draft.text, length: 4096, checksum: 0,
                    seal: TestSeal())
            }
        }
    }

    @Test func `traps on a name beyond its limit`() async {
        await #expect(processExitsWith: .failure) {
            _ = Draft(name: [UInt8](repeating: 1, count: 481)).blockCount
        }
    }

    @Test func `traps on extents that cannot hold the data`() async {
        await #expect(processExitsWith: .failure) {
            var draft = Draft(kind: .largeObject, length: 8193, checksums: [1])
            draft.extents = [Extent(volume: VolumeID(1), start: 512, count: 2)]
            _ = draft.encoded()
        }
    }

    @Test func `traps on a digest of another length, and on one of a removal`() async {
        await #expect(processExitsWith: .failure) { _ = Draft(sha256: [1]).encoded() }
        await #expect(processExitsWith: .failure) {
            let other = RecordReference(address: Draft().address, sequence: 1)
            _ = Draft(
                kind: .removal, supersedes: other, sha256: [UInt8](repeating: 1, count: 32)
            ).encoded()
        }
    }

    @Test func `traps on a removal of nothing`() async {
        await #expect(processExitsWith: .failure) { _ = Draft(kind: .removal).encoded() }
    }

    @Test func `traps on a sequence of zero`() async {
        await #expect(processExitsWith: .failure) { _ = Draft(sequence: 0).encoded() }
    }
}

@Suite struct `A block address` {
    @Test func `packs into 48 bits and back`() {
        let address = BlockAddress(volume: VolumeID(.max), block: .max)
        #expect(address.packed == 0xffff_ffff_ffff)
        #expect(BlockAddress(packed: address.packed) == address)
        #expect(BlockAddress(packed: 1 << 48) == nil)
        #expect(address.byteOffset == 0xffff_ffff * 4096)
    }
}
