// Goal:   uploads of any lengths are one object, byte for byte, without a byte being moved, and
//         nothing but such an object's record is taken for one.
// Method: parts on a model of a disk, joined and read back through the record's segments; every bit
//         of a record flipped; and tables that carry the right seal but say what cannot be.

import Checksums
import Testing

@testable import Volumes

/// Parts that lie somewhere on a disk, in pieces.
private struct PartedObject {
    var disk: [UInt32: [UInt8]] = [:]
    var bytes: [UInt8] = []
    var joined = JoinedParts()
    private var nextBlock: UInt32 = 600

    static let lengths = [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 200_001]

    mutating func append(_ part: [UInt8], _ chance: inout Seeded) {
        var extents: [Extent] = []
        var left = UInt32(VolumeLayout.blocks(for: UInt64(part.count)))
        var start = 0
        while left > 0 {
            let count = UInt32.random(in: 1...left, using: &chance)
            nextBlock += UInt32.random(in: 0...3, using: &chance)
            extents.append(Extent(volume: VolumeID(2), start: nextBlock, count: count))
            for _ in 0..<count {
                let end = min(part.count, start + 4096)
                let rest = chance.bytes(4096 - (end - start))
                disk[nextBlock] = Array(part[start..<end]) + rest
                (start, nextBlock) = (end, nextBlock + 1)
            }
            left -= count
        }
        joined.append(
            length: UInt64(part.count), extents: extents,
            checksums: stride(from: 0, to: part.count, by: 65_536).map {
                crc32c(part.span.rawBytes.extracting($0..<min(part.count, $0 + 65_536)))
            })
        bytes += part
    }

    var draft: Draft {
        var draft = Draft(kind: .largeObject)
        draft.length = joined.length
        draft.extents = joined.extents
        draft.checksums = joined.checksums
        draft.segments = joined.segments
        return draft
    }

    /// The object as a record's table has it, each unit compared with its checksum.
    func read(_ record: Record) -> [UInt8]? {
        var extents = record.extents[...]
        var checksums = record.checksums[...]
        var read: [UInt8] = []
        let whole = ObjectSegment(
            length: record.header.length, extentCount: record.extents.count)
        for segment in record.segments.isEmpty ? [whole] : record.segments {
            let lying = extents.prefix(segment.extentCount).flatMap { extent in
                extent.blocks.flatMap { disk[$0] ?? [] }
            }.prefix(Int(segment.length))
            guard lying.count == Int(segment.length) else { return nil }
            for start in stride(from: 0, to: lying.count, by: 65_536) {
                let unit = Array(lying[start..<min(lying.count, start + 65_536)])
                guard crc32c(unit.span.rawBytes) == checksums.popFirst() else { return nil }
            }
            extents = extents.dropFirst(segment.extentCount)
            read += lying
        }
        return extents.isEmpty && checksums.isEmpty ? read : nil
    }
}

@Suite struct `An object of parts` {
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `has the bytes of all, in their order`(seed: UInt64) throws {
        var chance = Seeded(seed)
        var object = PartedObject()
        let count = Int.random(in: 1...7, using: &chance)
        var lengths: [Int] = []
        for _ in 0..<count {
            let length = PartedObject.lengths.randomElement(using: &chance) ?? 1
            lengths.append(length)
            object.append(chance.bytes(length), &chance)
        }
        if object.bytes.isEmpty { object.append([1], &chance) }
        let draft = object.draft
        let bytes = draft.encoded()
        let record = try decode(bytes, at: draft.address).get()
        #expect(object.read(record) == object.bytes, "\(lengths)")
        #expect(record.segments == object.joined.segments && record.extents == draft.extents)
        #expect(record.header.segmentCount == record.segments.count)
        let isOdd = lengths.filter { $0 > 0 }.dropLast().contains { $0 % 65_536 != 0 }
        #expect(record.segments.isEmpty == !isOdd)
        #expect(bytes[24] == (isOdd ? 2 : 1) && bytes[27] == (isOdd ? 2 : 0))
        let pieces = (0..<draft.blockCount).map { draft.encoded(part: $0..<$0 + 1) }
        #expect(Array(pieces.joined()) == bytes)
    }

    @Test func `that end with a unit is an object as any other`() {
        var chance = Seeded(4)
        var object = PartedObject()
        for length in [65_536, 0, 131_072, 5] { object.append(chance.bytes(length), &chance) }
        var plain = object.draft
        #expect(plain.segments.isEmpty)
        let parted = plain.encoded()
        plain.segments = []
        #expect(parted == plain.encoded() && parted[24] == 1)
    }

    @Test func `never changes its format unnoticed`() throws {
        var draft = Draft(kind: .largeObject)
        draft.length = 4097 + 65_537
        draft.extents = [
            Extent(volume: VolumeID(1), start: 7, count: 1),
            Extent(volume: VolumeID(1), start: 9, count: 1),
            Extent(volume: VolumeID(2), start: 600, count: 17),
        ]
        draft.segments = [
            ObjectSegment(length: 4097, extentCount: 2),
            ObjectSegment(length: 65_537, extentCount: 1),
        ]
        draft.checksums = [0x01010101, 0x02020202, 0x03030303]
        let bytes = draft.encoded()
        #expect(bytes[24...27] == [2, 0, 2, 2] && bytes[108] == 3 && bytes[112] == 3)
        #expect(bytes[116...119] == [2, 0, 0, 0])
        let table = draft.headerByteCount
        #expect(bytes[table + 12..<table + 16] == [0, 0, 0, 0])
        #expect(bytes[table + 28..<table + 32] == [0xff, 0x0f, 0, 0x80])
        #expect(bytes[table + 44..<table + 48] == [0xff, 0x0f, 0, 0x80])
        #expect(bytes[table + 48..<table + 60] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
        #expect(try decode(bytes, at: draft.address).get().segments == draft.segments)
    }

    @Test func `traps where its segments are not its own`() async {
        await #expect(processExitsWith: .failure) {
            _ = twoSegments { $0.segments[0] = ObjectSegment(length: 4098, extentCount: 1) }
        }
        await #expect(processExitsWith: .failure) {
            _ = twoSegments { $0.segments.removeLast() }
        }
        await #expect(processExitsWith: .failure) {
            _ = twoSegments { $0.extents.append(Extent(volume: VolumeID(1), start: 1, count: 1)) }
        }
        await #expect(processExitsWith: .failure) {
            _ = twoSegments { $0.checksums.removeLast() }
        }
        await #expect(processExitsWith: .failure) {
            var joined = JoinedParts()
            let extents = [Extent(volume: VolumeID(1), start: 1, count: 2)]
            joined.append(length: 4096, extents: extents, checksums: [1])
        }
    }
}

/// 4097 and 8192 bytes, after a change.
private func twoSegments(_ change: (inout Draft) -> Void = { _ in }) -> (Draft, [UInt8]) {
    var draft = Draft(kind: .largeObject)
    draft.length = 4097 + 8192
    draft.extents = [
        Extent(volume: VolumeID(1), start: 600, count: 2),
        Extent(volume: VolumeID(1), start: 700, count: 2),
    ]
    draft.segments = [
        ObjectSegment(length: 4097, extentCount: 1), ObjectSegment(length: 8192, extentCount: 1),
    ]
    draft.checksums = [5, 6]
    change(&draft)
    return (draft, draft.encoded())
}

@Suite struct `A record of parts that is not right` {
    @Test func `is refused with any bit flipped`() {
        let (draft, whole) = twoSegments()
        var wrong = 0
        let end = draft.headerByteCount + 2 * 16 + 2 * 4
        for bit in 0..<end * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .success = decode(bytes, at: draft.address) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    /// Offset, width and value of a field of the header.
    @Test(
        arguments: [
            (24, 2, 1), (27, 1, 0), (27, 1, 4), (27, 1, 6), (116, 4, 0), (116, 4, 1), (116, 4, 3),
            (116, 4, 0xffff_ffff), (112, 4, 0), (112, 4, 3), (88, 8, 4097 + 8192 + 131_072),
        ] as [(Int, Int, UInt64)])
    func `but sealed is damaged all the same`(lie: (Int, Int, UInt64)) {
        let (draft, whole) = twoSegments()
        var bytes = whole
        edit(&bytes) { put(lie.2, width: lie.1, at: lie.0, in: &$0) }
        reseal(record: &bytes)
        #expect(decode(bytes, at: draft.address) == .failure(.damaged))
    }

    /// The last four bytes of both extents, and the object's length if it is another one.
    @Test(
        arguments: [
            // No end, none at the end, one that goes on, one too many for its blocks.
            (0, 0, nil), (0x8000_0fff, 0, nil), (0, 0x8000_0fff, nil),
            // Bits that no mark has.
            (0x8000_1fff, 0x8000_0000, nil), (0xc000_0fff, 0x8000_0000, nil),
            (0x0000_0fff, 0x8000_0000, nil), (1, 0x8000_0000, nil),
            // Other lengths than the object's.
            (0x8000_0ffe, 0x8000_0000, nil), (0x8000_0fff, 0x8000_0001, nil),
            (0x8000_0fff, 0x8000_0000, 4097 + 8191),
        ] as [(UInt32, UInt32, UInt64?)])
    func `with marks that cannot be is damaged behind its header`(
        lie: (UInt32, UInt32, UInt64?)
    ) {
        let (draft, whole) = twoSegments()
        #expect(resealed(whole, draft, 0x8000_0fff, 0x8000_0000, nil) == whole)
        let bytes = resealed(whole, draft, lie.0, lie.1, lie.2)
        #expect(decode(bytes, at: draft.address) == .failure(.contentDamaged))
    }

    /// Then both would be one.
    @Test func `whose segment ends with a unit is damaged`() {
        var (draft, _) = twoSegments()
        draft.length = 65_535 + 4096
        draft.extents = [
            Extent(volume: VolumeID(1), start: 600, count: 16),
            Extent(volume: VolumeID(1), start: 700, count: 1),
        ]
        draft.segments = [
            ObjectSegment(length: 65_535, extentCount: 1),
            ObjectSegment(length: 4096, extentCount: 1),
        ]
        let bytes = resealed(draft.encoded(), draft, 0x8000_0000, 0x8000_0001, nil)
        #expect(decode(bytes, at: draft.address) == .failure(.contentDamaged))
    }

    private func resealed(
        _ whole: [UInt8], _ draft: Draft, _ first: UInt32, _ second: UInt32, _ length: UInt64?
    ) -> [UInt8] {
        var bytes = whole
        let table = draft.headerByteCount
        edit(&bytes) { raw in
            raw.put(first, at: table + 12)
            raw.put(second, at: table + 28)
            if let length { raw.put(length, at: 88) }
            raw.put(crc32c(raw.bytes.extracting(table..<table + 2 * 16 + 2 * 4)), at: 36)
        }
        reseal(record: &bytes)
        return bytes
    }

    private func put(
        _ value: UInt64, width: Int, at offset: Int, in raw: inout MutableRawSpan
    ) {
        for byte in 0..<width {
            raw.put(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)), at: offset + byte)
        }
    }

    /// Marks, counts and lengths at random under the right seal: refused, or exactly what the
    /// encoder writes.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `is never more than what the encoder writes`(seed: UInt64) {
        var chance = Seeded(seed)
        var (accepted, wrong) = (0, 0)
        for _ in 0..<500 {
            var object = PartedObject()
            for _ in 0..<3 {
                object.append(chance.bytes(.random(in: 1...5000, using: &chance)), &chance)
            }
            var draft = object.draft
            var bytes = draft.encoded()
            let table = draft.headerByteCount
            edit(&bytes) { raw in
                let index = Int.random(in: 0..<draft.extents.count, using: &chance)
                let offset = table + index * 16 + 12
                let mark = raw.bytes.integer(at: offset, as: UInt32.self)
                let spare = UInt32.random(in: 0..<4096, using: &chance)
                let marks = [0, 0x8000_0000 | spare, UInt32(truncatingIfNeeded: chance.next())]
                raw.put(marks.randomElement(using: &chance) ?? 0, at: offset)
                switch Int.random(in: 0..<4, using: &chance) {
                case 0: raw.put(UInt32.random(in: 0...4, using: &chance), at: 116)
                case 1: raw.put(draft.length &- UInt64(spare), at: 88)
                // As long as it is then.
                default: raw.put(draft.length + UInt64(mark & 0xfff) - UInt64(spare), at: 88)
                }
                let end = table + draft.extents.count * 16 + draft.checksums.count * 4
                raw.put(crc32c(raw.bytes.extracting(table..<end)), at: 36)
            }
            reseal(record: &bytes)
            guard case .success(let record) = decode(bytes, at: draft.address) else { continue }
            accepted += 1
            draft.length = record.header.length
            draft.segments = record.segments
            if draft.encoded() != bytes { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(accepted > 20)
    }
}
