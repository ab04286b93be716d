// Goal:   no bytes whatever bring the decoder down, and none but an upload record are taken for
//         one.
// Method: every bit flipped, every length cut; then with the checksum made right again, so that
//         the lies get through to where they are told: by hand, and tens of thousands at random.
//         What is accepted must be exactly what the encoder writes.

import Checksums
import Testing

@testable import Volumes

private func reseal(_ bytes: inout [UInt8]) {
    guard bytes.count >= UploadRecordShape.fixedByteCount else { return }
    let checksum = UploadRecordShape.checksum(bytes.span.rawBytes)
    edit(&bytes) { $0.put(checksum, at: 4) }
}

/// Small, with something of everything: ranges from byte 85 on, the piece from 117, the partial
/// unit from 137, the fragment from 207.
private func sample() -> UploadRecord {
    var record = UploadRecord(name: [7], dialect: .tus, createdSeconds: 1, expiresSeconds: 2)
    record.length = 20_000
    record.received.insert(0..<8192)
    record.received.insert(10_000..<12_000)
    record.space.add(at: 0, [Extent(volume: VolumeID(1), start: 600, count: 2)])
    var partial = PartialUnit(unit: 0)
    partial.put(block: 0, 8)
    partial.put(block: 1, 9)
    record.partialUnits = [partial]
    record.fragments = [
        UploadFragment(block: 2, offset: 1808, bytes: Array(repeating: 3, count: 2000))
    ]
    return record
}

@Suite struct `An upload record that is not right` {
    @Test func `is refused with any bit flipped`() {
        let whole = sample().encode()
        var wrong = 0
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let format = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
            let expected = format > 2 ? UploadRecordError.newerFormat(format) : .damaged
            if decodeUpload(bytes) != .failure(expected) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func `is refused at any other length`() {
        let whole = sample().encode()
        var wrong = 0
        for count in 0..<whole.count {
            var bytes = Array(whole.prefix(count))
            if decodeUpload(bytes) != .failure(.damaged) { wrong += 1 }
            reseal(&bytes)
            let expected: UploadRecordError = count < 84 ? .damaged : .malformed(.byteCount)
            if decodeUpload(bytes) != .failure(expected) { wrong += 1 }
        }
        var longer = whole + [0]
        #expect(decodeUpload(longer) == .failure(.damaged))
        reseal(&longer)
        #expect(decodeUpload(longer) == .failure(.malformed(.byteCount)))
        #expect(wrong == 0)
    }

    struct Lie: Sendable, CustomStringConvertible {
        let offset: Int
        let width: Int
        let value: UInt64
        let part: UploadRecordPart
        init(_ offset: Int, _ width: Int, _ value: UInt64, _ part: UploadRecordPart) {
            (self.offset, self.width, self.value, self.part) = (offset, width, value, part)
        }
        var description: String { "\(value) in \(width) bytes at \(offset): \(part)" }
    }

    @Test(arguments: [
        // Fixed fields and counts.
        Lie(2, 1, 0, .kind), Lie(2, 1, 6, .kind), Lie(3, 1, 6, .kind), Lie(3, 1, 0x80, .kind),
        Lie(0, 2, 2, .kind), Lie(3, 1, 10, .kind), Lie(3, 1, 0, .length),
        Lie(8, 8, .max, .length), Lie(8, 8, 11_999, .received),
        Lie(48, 8, 5, .kind), Lie(67, 1, 1, .kind),
        Lie(60, 2, 0, .text), Lie(60, 2, 481, .text), Lie(60, 2, 65_535, .text),
        Lie(64, 1, 65, .text), Lie(65, 1, 65, .text), Lie(66, 1, 129, .text),
        Lie(62, 2, 4097, .metadata), Lie(68, 4, 4097, .received),
        Lie(68, 4, 0xffff_ffff, .received), Lie(72, 4, 4097, .space),
        Lie(72, 4, 0xffff_ffff, .space), Lie(76, 4, 4097, .partialUnits),
        Lie(76, 4, 0xffff_ffff, .partialUnits), Lie(80, 4, 65, .fragments),
        Lie(80, 4, 0xffff_ffff, .fragments), Lie(76, 4, 4000, .byteCount),
        Lie(80, 4, 0, .byteCount), Lie(80, 4, 2, .byteCount), Lie(217, 2, 2001, .byteCount),
        Lie(217, 2, 1999, .byteCount),
        // Ranges.
        Lie(85, 8, 8192, .received), Lie(85, 8, 9000, .received), Lie(93, 8, 10_000, .received),
        Lie(93, 8, 11_000, .received), Lie(109, 8, .max, .received), Lie(109, 8, 0, .received),
        Lie(109, 8, 12_001, .fragments), Lie(85, 8, 1, .fragments),
        // Space.
        Lie(117, 8, 1, .space), Lie(117, 8, .max, .space), Lie(125, 8, 1 << 48, .space),
        Lie(133, 4, 0, .space), Lie(133, 4, 0xffff_ffff, .space), Lie(133, 4, 1, .space),
        Lie(133, 4, 0x0fff_ffff, .space),
        // Partial units.
        Lie(137, 4, 1 << 22, .partialUnits), Lie(141, 2, 0, .partialUnits),
        Lie(141, 2, 0xffff, .partialUnits), Lie(151, 4, 9, .partialUnits),
        // Fragments.
        Lie(207, 8, 3, .fragments), Lie(207, 8, .max, .fragments), Lie(215, 2, 1807, .fragments),
        Lie(215, 2, 65_535, .fragments),
    ])
    func `but sealed is malformed all the same`(lie: Lie) {
        var bytes = sample().encode()
        edit(&bytes) { raw in
            for byte in 0..<lie.width {
                let value = UInt8(truncatingIfNeeded: lie.value >> UInt64(8 * byte))
                raw.put(value, at: lie.offset + byte)
            }
        }
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.malformed(lie.part)))
    }

    @Test func `with an empty partial unit is malformed`() {
        var bytes = sample().encode()
        edit(&bytes) { $0.zero(141..<207) }
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.malformed(.partialUnits)))
    }

    @Test func `with two pieces that are one is malformed`() {
        var record = sample()
        record.space.add(at: 2, [Extent(volume: VolumeID(1), start: 700, count: 3)])
        var bytes = record.encode()
        edit(&bytes) { $0.put(UInt32(602), at: 145) }
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.malformed(.space)))
    }

    /// Format, flags and count of parts, and what is wrong then.
    @Test(
        arguments: [
            (1, 18, 1, .kind), (2, 2, nil, .kind), (2, 0, nil, .kind), (2, 18, 0, .parts),
            (2, 18, 257, .parts), (2, 18, 2, .byteCount), (2, 19, 1, .parts), (2, 82, 1, .kind),
        ] as [(UInt16, UInt8, UInt16?, UploadRecordPart)])
    func `with parts that it cannot have is malformed`(
        lie: (UInt16, UInt8, UInt16?, UploadRecordPart)
    ) {
        var record = UploadDraft.finished()
        record.parts = [ObjectID(high: 1, low: 2)]
        if lie.2 == nil { record.parts = [] }
        var bytes = record.encode()
        edit(&bytes) { raw in
            raw.put(lie.0, at: 0)
            raw.put(lie.1, at: 3)
            if let count = lie.2 { raw.put(count, at: 89) }
        }
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.malformed(lie.3)))
    }

    @Test func `of an upload that goes on has no parts`() {
        var record = UploadDraft.finished()
        record.parts = [ObjectID(high: 1, low: 2)]
        var bytes = record.encode()
        edit(&bytes) { $0.put(UInt64(0), at: 48) }
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.malformed(.parts)))
        // Nor has it room for how many there are.
        bytes.removeLast(16 + 16 + 1)
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.malformed(.byteCount)))
    }

    @Test func `of format 0 is damaged`() {
        var bytes = sample().encode()
        bytes[0] = 0
        reseal(&bytes)
        #expect(decodeUpload(bytes) == .failure(.damaged))
    }

    @Test func `has no part that its format does not know, or that says nothing`() {
        var record = sample()
        record.progressSequence = 9
        let whole = record.encode()
        var old = whole
        old[0] = 1
        reseal(&old)
        #expect(decodeUpload(old) == .failure(.malformed(.kind)))
        var empty = whole
        edit(&empty) { $0.put(UInt64(0), at: 85) }
        reseal(&empty)
        #expect(decodeUpload(empty) == .failure(.malformed(.kind)))
        var new = sample().encode()
        new[0] = 2
        reseal(&new)
        #expect(decodeUpload(new) == .failure(.malformed(.kind)))
    }

    /// Bytes, runs and lengths changed at random, the checksum right: an error, or a record that
    /// encodes to these very bytes.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `is never more than what the encoder writes`(seed: UInt64) {
        var chance = Seeded(seed)
        var wrong = 0
        var accepted = 0
        var errors: Set<UploadRecordPart> = []
        var drafts = (0..<60).map { _ in smallDraft(&chance).encode() }
        var joined = UploadDraft.finished()
        for count in 1...6 {
            joined.parts = (0..<count).map { ObjectID(high: 1, low: UInt64($0)) }
            drafts.append(joined.encode())
        }
        for _ in 0..<4_000 {
            var bytes = drafts[Int.random(in: drafts.indices, using: &chance)]
            for _ in 0..<Int.random(in: 1...3, using: &chance) { mutate(&bytes, &chance) }
            reseal(&bytes)
            switch decodeUpload(bytes) {
            case .success(let record):
                accepted += 1
                if record.encode() != bytes { wrong += 1 }
            case .failure(.malformed(let part)): errors.insert(part)
            case .failure(.damaged), .failure(.newerFormat): continue
            }
        }
        #expect(wrong == 0)
        #expect(accepted > 100)
        #expect(errors.count == UploadRecordPart.allCases.count, "\(errors)")
    }

    /// Few strings, so that most changes hit the lists.
    private func smallDraft(_ chance: inout Seeded) -> UploadRecord {
        let source = UploadDraft.random(&chance).record
        var record = UploadRecord(
            name: Array(source.name.prefix(3)), dialect: source.dialect, createdSeconds: 1,
            expiresSeconds: 2)
        record.length = source.length
        record.expectedSHA256 = source.expectedSHA256
        record.expectedCRC32C = source.expectedCRC32C
        record.received = source.received
        record.space = source.space
        record.fragments = source.fragments
        record.partialUnits = source.partialUnits
        return record
    }

    private func mutate(_ bytes: inout [UInt8], _ chance: inout Seeded) {
        guard !bytes.isEmpty else { return }
        // Mostly what is in front of the fragments' bytes.
        let place = Int.random(in: 0..<min(bytes.count, 400), using: &chance)
        switch Int.random(in: 0..<8, using: &chance) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: chance.next())
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &chance)
        case 2: bytes[place] = Bool.random(using: &chance) ? 0 : 0xff
        case 3: bytes[place] &+= Bool.random(using: &chance) ? 1 : 0xff
        case 4: bytes.removeSubrange(place..<min(bytes.count, place + 16))
        case 5: bytes.insert(contentsOf: chance.bytes(16), at: place)
        case 6: bytes.removeLast(min(bytes.count, Int.random(in: 1...200, using: &chance)))
        default: bytes[Int.random(in: bytes.indices, using: &chance)] ^= 0x10
        }
    }

    @Test func `of noise is none at all`() {
        var chance = Seeded(9)
        var wrong = 0
        for count in 0..<2_000 {
            var bytes = chance.bytes(count)
            if case .success = decodeUpload(bytes) { wrong += 1 }
            if count > 2 { (bytes[0], bytes[1]) = (1 + bytes[0] % 2, 0) }
            reseal(&bytes)
            if case .success = decodeUpload(bytes) { wrong += 1 }
        }
        #expect(wrong == 0)
    }
}
