// Goal:   an entry of a progress log comes back as it was, and nothing else is taken for one.
// Method: random entries there and back; every bit of one flipped, every length cut; the same bytes
//         elsewhere, of another instance, under another key.

import Checksums
import Testing

@testable import Volumes

private let place = BlockAddress(volume: VolumeID(0x8001), block: 700)

private func encode(
    _ entry: ProgressEntry, at address: BlockAddress = place, instance: InstanceID = ours
) -> [UInt8] {
    // Whatever was there before does not show.
    var bytes = [UInt8](
        repeating: 0xaa, count: Int(entry.blockCount) * VolumeLayout.blockSize)
    edit(&bytes) { entry.encode(into: &$0, at: address, instance: instance, seal: TestSeal()) }
    return bytes
}

private func look(
    _ bytes: [UInt8], at address: BlockAddress = place, instance: InstanceID = ours,
    key: UInt64 = TestSeal().key
) -> ProgressEntry.Look {
    ProgressEntry.look(
        at: bytes.span.rawBytes, address, instance: instance, seal: TestSeal(key: key))
}

private func randomEntry(_ chance: inout Seeded) -> ProgressEntry {
    let pages = (0..<Int.random(in: 0...3, using: &chance)).map { number in
        ProgressEntry.Page(
            number: number * 7,
            checksums: (0..<Int.random(in: 0...1024, using: &chance)).map { _ in
                UInt32(truncatingIfNeeded: chance.next())
            })
    }
    return ProgressEntry(
        sequence: chance.next(), confirmed: chance.next(),
        upload: ObjectID(high: chance.next(), low: chance.next()),
        record: chance.bytes(.random(in: 0...9000, using: &chance)), pages: pages)
}

@Suite struct `An entry of a progress log` {
    @Test func `comes back as it was`() {
        var chance = Seeded(1)
        for _ in 0..<200 {
            let entry = randomEntry(&chance)
            let bytes = encode(entry)
            #expect(look(bytes) == .entry(entry))
            // More behind it does not matter: there may be the next one.
            #expect(look(bytes + chance.bytes(4096)) == .entry(entry))
        }
    }

    @Test func `never changes its format unnoticed`() {
        let entry = ProgressEntry(
            sequence: 0x0102, confirmed: 0x0101, upload: ObjectID(high: 5, low: 6),
            record: [0x61, 0x62], pages: [.init(number: 3, checksums: [0x0a0b_0c0d])])
        let bytes = encode(entry)
        #expect(bytes.count == 4096)
        #expect(Array(bytes[0..<8]) == Array("MLLPROG\r".utf8))
        #expect(bytes[24..<28] == [1, 0, 0, 0])
        #expect(bytes[32..<34] == [1, 1] && bytes[64..<66] == [2, 1])
        #expect(bytes[56..<64] == [0xbc, 2, 0, 0, 1, 0x80, 0, 0])
        #expect(bytes[79] == 5 && bytes[87] == 6)
        #expect(bytes[88..<96] == [2, 0, 0, 0, 12, 0, 0, 0])
        #expect(
            bytes[96..<110] == [
                0x61, 0x62, 3, 0, 0, 0, 1, 0, 0, 0, 0x0d, 0x0c, 0x0b, 0x0a,
            ])
        #expect(bytes[110...].allSatisfy { $0 == 0 })
    }

    @Test func `counts its blocks`() {
        func blocks(_ record: Int, _ checksums: Int?) -> UInt32 {
            ProgressEntry.blockCount(
                recordBytes: record,
                pages: checksums.map {
                    [.init(number: 0, checksums: Array(repeating: 0, count: $0))]
                } ?? [])
        }
        #expect(blocks(0, nil) == 1)
        #expect(blocks(4000, nil) == 1)
        #expect(blocks(4001, nil) == 2)
        #expect(blocks(3992, 0) == 1)
        #expect(blocks(3992, 1) == 2)
    }

    @Test func `is nothing with any bit of it flipped`() {
        var chance = Seeded(2)
        let entry = ProgressEntry(
            sequence: 7, confirmed: 6, upload: ObjectID(high: 1, low: 2), record: chance.bytes(90),
            pages: [.init(number: 0, checksums: [1, 2, 3])])
        let whole = encode(entry)
        var wrong = 0
        for bit in 0..<(96 + 90 + 20) * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if look(bytes) != .nothing { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func `is nothing where it was not written whole`() {
        var chance = Seeded(3)
        let entry = ProgressEntry(
            sequence: 7, confirmed: 6, upload: ObjectID(high: 1, low: 2),
            record: chance.bytes(9000), pages: [])
        let whole = encode(entry)
        #expect(whole.count == 3 * 4096)
        #expect(look(Array(whole.prefix(8192))) == .nothing)
        for block in 0..<3 {
            var torn = whole
            for byte in block * 4096..<(block + 1) * 4096 { torn[byte] = 0 }
            #expect(look(torn) == .nothing, "without block \(block)")
        }
        #expect(look([]) == .nothing)
        #expect(look(Array(repeating: 0, count: 4096)) == .nothing)
    }

    @Test func `is nothing elsewhere, or of somebody else`() {
        var chance = Seeded(4)
        let bytes = encode(randomEntry(&chance))
        let other = BlockAddress(volume: place.volume, block: place.block + 1)
        #expect(look(bytes, at: other) == .nothing)
        #expect(look(bytes, instance: InstanceID(high: 1, low: 2)) == .nothing)
        #expect(look(bytes, key: 5) == .nothing)
    }

    /// With the right seal, which only a newer program of ours makes.
    @Test func `of a newer format says so`() {
        var chance = Seeded(5)
        var bytes = encode(randomEntry(&chance))
        bytes[24] = 2
        let tag = TestSeal().tag(bytes.span.rawBytes.extracting(24..<96))
        edit(&bytes) {
            $0.put(tag.first, at: 8)
            $0.put(tag.second, at: 16)
        }
        #expect(look(bytes) == .newerFormat(2))
    }

    private static let lies: [(offset: Int, value: UInt32)] = [
        (92, 0xffff_ffff), (92, 19), (88, 0xffff_ffff), (104, 1025), (104, 4),
    ]

    /// With the right seal and checksum, but lists that make no sense: no bytes are read that are
    /// not there.
    @Test(arguments: lies)
    func `whose lists are longer than itself is nothing`(lie: (offset: Int, value: UInt32)) {
        var bytes = encode(
            ProgressEntry(
                sequence: 7, confirmed: 6, upload: ObjectID(high: 1, low: 2),
                record: [1, 2, 3, 4], pages: [.init(number: 0, checksums: [1, 2, 3])]))
        edit(&bytes) { $0.put(lie.value, at: lie.offset) }
        let end = lie.offset == 92 && lie.value == 19 ? 96 + 4 + 19 : 96 + 4 + 20
        let sum = crc32c(bytes.span.rawBytes.extracting(96..<end))
        edit(&bytes) { $0.put(sum, at: 28) }
        let tag = TestSeal().tag(bytes.span.rawBytes.extracting(24..<96))
        edit(&bytes) {
            $0.put(tag.first, at: 8)
            $0.put(tag.second, at: 16)
        }
        #expect(look(bytes) == .nothing)
    }
}
