// Goal:   nothing but our own record, whole and in its place, is ever taken for one.
// Method: flip every bit of headers, move, truncate, replant; and headers that carry the right
//         seal but say the impossible, as a leaked key or our own mistake could make them.

import Checksums
import Testing

@testable import Volumes

@Suite struct `A record that is not right` {
    @Test(arguments: RecordKind.allCases)
    func `is refused with any bit of its header flipped`(kind: RecordKind) {
        var chance = Seeded(77)
        var draft = Draft.random(kind, &chance)
        draft.data = Array(draft.data.prefix(500))
        let whole = draft.encoded()
        var accepted = 0
        for bit in 0..<draft.headerByteCount * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .success = decode(bytes, at: draft.address) { accepted += 1 }
        }
        #expect(accepted == 0)
    }

    @Test(arguments: [RecordKind.smallObject, .largeObject])
    func `is refused with any bit behind its header flipped`(kind: RecordKind) throws {
        var chance = Seeded(78)
        var draft = Draft.random(kind, &chance)
        draft.data = Array(draft.data.prefix(500))
        draft.length = 50 * 65_536
        draft.checksums = Array(draft.checksums.prefix(50))
        draft.extents =
            kind == .smallObject ? [] : [Extent(volume: VolumeID(1), start: 9, count: 800)]
        let whole = draft.encoded()
        let content = try decode(whole, at: draft.address).get().header.content
        var wrong = 0
        for bit in content.lowerBound * 8..<content.upperBound * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if decode(bytes, at: draft.address) != .failure(.contentDamaged) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func `is refused anywhere but in its place`() {
        let draft = Draft(data: [1, 2, 3])
        let bytes = draft.encoded()
        let next = BlockAddress(volume: draft.address.volume, block: draft.address.block + 1)
        let other = BlockAddress(volume: VolumeID(4), block: draft.address.block)
        #expect(decode(bytes, at: next) == .failure(.wrongAddress(draft.address)))
        #expect(decode(bytes, at: other) == .failure(.wrongAddress(draft.address)))
    }

    @Test func `with an address beyond all volumes is damaged`() {
        let draft = Draft()
        var bytes = draft.encoded()
        bytes[63] = 0xff
        #expect(decode(bytes, at: draft.address) == .failure(.damaged))
    }

    @Test func `of another instance is refused`() {
        let draft = Draft(instance: InstanceID(high: 5, low: 6))
        #expect(decode(draft.encoded(), at: draft.address) == .failure(.foreign))
    }

    @Test func `sealed with another key is refused`() {
        let draft = Draft(data: [1, 2, 3])
        let forged = draft.encoded(by: TestSeal(key: 99))
        #expect(decode(forged, at: draft.address) == .failure(.damaged))
    }

    @Test func `of a newer format is refused and named`() {
        let draft = Draft()
        var bytes = draft.encoded()
        bytes[24] = 3
        #expect(decode(bytes, at: draft.address) == .failure(.newerFormat(3)))
    }

    @Test(arguments: [0, 143, 4097, Int(UInt32.max)])
    func `with an impossible header size is damaged`(size: Int) {
        let draft = Draft()
        var bytes = draft.encoded()
        edit(&bytes) { $0.put(UInt32(size), at: 28) }
        #expect(decode(bytes, at: draft.address) == .failure(.damaged))
    }

    @Test func `of zeros or of noise is none at all`() {
        var chance = Seeded(3)
        let address = Draft().address
        for bytes in [[UInt8](repeating: 0, count: 4096), chance.bytes(4096)] {
            #expect(decode(bytes, at: address) == .failure(.notARecord))
            let looks = RecordHeader.looksLikeRecord(bytes.span.rawBytes)
            #expect(!looks)
        }
        let looks = RecordHeader.looksLikeRecord(RawSpan())
        #expect(!looks)
    }

    struct Lie: Sendable, CustomStringConvertible {
        let kind: RecordKind
        let offset: Int
        let value: UInt64
        let width: Int
        var description: String { "\(kind): \(value) in \(width) bytes at \(offset)" }
    }

    /// The right seal over a wrong field: the error is `damaged`, and nothing traps.
    @Test(arguments: [
        Lie(kind: .smallObject, offset: 24, value: 0, width: 2),
        Lie(kind: .smallObject, offset: 24, value: 2, width: 2),
        Lie(kind: .smallObject, offset: 26, value: 0, width: 1),
        Lie(kind: .smallObject, offset: 27, value: 1, width: 1),
        // Flags in format 2: one that nobody knows; a digest behind the end of the header.
        Lie(kind: .smallObject, offset: 24, value: 0x8001_0002, width: 4),
        Lie(kind: .largeObject, offset: 24, value: 0x0102_0002, width: 4),
        Lie(kind: .smallObject, offset: 26, value: 4, width: 1),
        Lie(kind: .smallObject, offset: 27, value: 2, width: 1),
        Lie(kind: .smallObject, offset: 27, value: 0x80, width: 1),
        Lie(kind: .smallObject, offset: 32, value: 9, width: 4),
        Lie(kind: .smallObject, offset: 64, value: 0, width: 8),
        Lie(kind: .smallObject, offset: 88, value: .max, width: 8),
        Lie(kind: .smallObject, offset: 88, value: 65_537, width: 8),
        Lie(kind: .smallObject, offset: 104, value: 1_000_000_000, width: 4),
        Lie(kind: .smallObject, offset: 108, value: 1, width: 4),
        Lie(kind: .smallObject, offset: 112, value: 1, width: 4),
        Lie(kind: .smallObject, offset: 116, value: 1, width: 4),
        Lie(kind: .smallObject, offset: 120, value: 1 << 48, width: 8),
        Lie(kind: .smallObject, offset: 136, value: 0, width: 2),
        Lie(kind: .smallObject, offset: 136, value: 481, width: 2),
        Lie(kind: .smallObject, offset: 138, value: 129, width: 2),
        Lie(kind: .smallObject, offset: 140, value: 65, width: 2),
        Lie(kind: .smallObject, offset: 142, value: 65_535, width: 2),
        Lie(kind: .smallObject, offset: 136, value: 400, width: 2),
        Lie(kind: .largeObject, offset: 88, value: 0, width: 8),
        Lie(kind: .largeObject, offset: 88, value: .max, width: 8),
        Lie(kind: .largeObject, offset: 108, value: 0, width: 4),
        Lie(kind: .largeObject, offset: 108, value: 0xffff_ffff, width: 4),
        Lie(kind: .largeObject, offset: 112, value: 3, width: 4),
        Lie(kind: .largeObject, offset: 32, value: 1_000, width: 4),
        Lie(kind: .removal, offset: 24, value: 0x0103_0002, width: 4),
        Lie(kind: .removal, offset: 88, value: 1, width: 8),
        Lie(kind: .removal, offset: 32, value: 2, width: 4),
        Lie(kind: .removal, offset: 128, value: 0, width: 8),
    ])
    func `but sealed is damaged all the same`(lie: Lie) {
        let draft = sample(lie.kind)
        var bytes = draft.encoded()
        edit(&bytes) { raw in
            for byte in 0..<lie.width {
                raw.put(
                    UInt8(truncatingIfNeeded: lie.value >> UInt64(8 * byte)), at: lie.offset + byte)
            }
        }
        reseal(record: &bytes)
        #expect(decode(bytes, at: draft.address) == .failure(.damaged))
    }

    @Test(
        arguments: [(0, UInt64(1) << 48), (8, 0), (0, 0xffff_ffff), (8, 1), (8, 1 << 63 | 25)]
            as [(Int, UInt64)])
    func `with extents that cannot be is damaged behind its header`(offset: Int, value: UInt64) {
        let draft = sample(.largeObject)
        var bytes = draft.encoded()
        let table = draft.headerByteCount
        edit(&bytes) { raw in
            raw.put(value, at: table + offset)
            let checksum = crc32c(raw.bytes.extracting(table..<table + 16 + 4 * 2))
            raw.put(checksum, at: 36)
        }
        reseal(record: &bytes)
        #expect(decode(bytes, at: draft.address) == .failure(.contentDamaged))
    }

    private func sample(_ kind: RecordKind) -> Draft {
        var draft = Draft(kind: kind)
        // As long as the header can be without another 64 bytes: a digest does not fit.
        draft.name = Array(repeating: 1, count: 48)
        switch kind {
        case .smallObject:
            draft.data = [1, 2, 3]
        case .largeObject:
            draft.length = 100_000
            draft.checksums = [1, 2]
            draft.extents = [Extent(volume: VolumeID(2), start: 512, count: 25)]
        case .removal:
            draft.supersedes = RecordReference(address: draft.address, sequence: 1)
        }
        return draft
    }
}

/// Seals a header that was changed.
func reseal(record bytes: inout [UInt8]) {
    edit(&bytes) { raw in
        let size = Int(raw.bytes.integer(at: 28, as: UInt32.self))
        let tag = TestSeal().tag(raw.bytes.extracting(24..<size))
        raw.put(tag.first, at: 8)
        raw.put(tag.second, at: 16)
    }
}
