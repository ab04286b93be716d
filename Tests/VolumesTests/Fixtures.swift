// What the tests of this module share: seeded chance, a seal, and records as plain arrays.

import BenchMeasure
import Checksums

@testable import Volumes

/// The same numbers from the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
    private var numbers: SplitMix64

    init(_ seed: UInt64) { numbers = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { numbers.next() }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

/// Not a MAC, but a function of the key in which every bit of every byte counts.
struct TestSeal: RecordSeal {
    var key: UInt64 = 0x1234_5678_9abc_def1

    func tag(_ bytes: RawSpan) -> SealTag {
        var first = key
        var second = ~key
        let octets = bytes.octets
        for index in octets.indices {
            first = (first ^ UInt64(octets[index])) &* 0x0000_0100_0000_01b3
            second = (second &+ UInt64(octets[index]) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        }
        return SealTag(first: first, second: second)
    }
}

let ours = InstanceID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)

/// A record before it is bytes.
struct Draft {
    var kind = RecordKind.smallObject
    var address = BlockAddress(volume: VolumeID(3), block: 1_000)
    var sequence: UInt64 = 1
    var instance = ours
    var supersedes: RecordReference?
    var seconds: UInt64 = 1_700_000_000
    var name: [UInt8] = Array("a/b.jpg".utf8)
    var owner: [UInt8] = []
    var tenant: [UInt8] = []
    var mediaType: [UInt8] = []
    var sha256: [UInt8] = []
    /// The data of a small object.
    var data: [UInt8] = []
    /// The shape of a large one.
    var length: UInt64 = 0
    var extents: [Extent] = []
    var checksums: [UInt32] = []
    var segments: [ObjectSegment] = []

    var stamp: RecordStamp {
        RecordStamp(
            instance: instance, address: address, sequence: sequence,
            object: ObjectID(high: sequence &* 7, low: ~sequence), modifiedSeconds: seconds,
            modifiedNanoseconds: UInt32(seconds % 1_000_000_000), supersedes: supersedes)
    }

    var headerByteCount: Int { RecordEncoding.headerByteCount(text) }

    var text: RecordText {
        RecordText(
            name: name.span.rawBytes, owner: owner.span.rawBytes, tenant: tenant.span.rawBytes,
            mediaType: mediaType.span.rawBytes, sha256: sha256.span.rawBytes)
    }

    var blockCount: UInt32 {
        switch kind {
        case .smallObject: RecordEncoding.blockCount(smallObjectOf: data.count, text)
        case .largeObject:
            RecordEncoding.blockCount(
                largeObjectOf: length, extentCount: extents.count, segments: segments, text)
        case .removal: RecordEncoding.removalBlockCount
        }
    }

    /// The record as it goes to disk, in memory that held something else before.
    func encoded(by seal: TestSeal = TestSeal(), part: Range<UInt32>? = nil) -> [UInt8] {
        let blocks = part?.count ?? Int(blockCount)
        var bytes = [UInt8](repeating: 0x5a, count: blocks * VolumeLayout.blockSize)
        edit(&bytes) { raw in
            switch kind {
            case .smallObject:
                raw.put(data.span.rawBytes, at: headerByteCount)
                RecordEncoding.encodeSmallObject(
                    into: &raw, stamp: stamp, text: text, length: data.count,
                    checksum: crc32c(data.span.rawBytes), seal: seal)
            case .largeObject:
                RecordEncoding.encodeLargeObject(
                    into: &raw, part: part, stamp: stamp, text: text, length: length,
                    extents: extents.span, checksums: checksums.span, segments: segments,
                    seal: seal)
            case .removal:
                RecordEncoding.encodeRemoval(into: &raw, stamp: stamp, text: text, seal: seal)
            }
        }
        return bytes
    }

    static func random(_ kind: RecordKind, _ chance: inout Seeded) -> Draft {
        var draft = Draft(kind: kind)
        draft.address = BlockAddress(
            volume: VolumeID(.random(in: 0...UInt16.max, using: &chance)),
            block: .random(in: 0...UInt32.max, using: &chance))
        draft.sequence = .random(in: 1...UInt64.max, using: &chance)
        draft.seconds = .random(in: 0...UInt64.max, using: &chance)
        draft.name = chance.bytes(.random(in: 1...480, using: &chance))
        draft.owner = chance.bytes(.random(in: 0...64, using: &chance))
        draft.tenant = chance.bytes(.random(in: 0...64, using: &chance))
        draft.mediaType = chance.bytes(.random(in: 0...128, using: &chance))
        if kind != .removal, Bool.random(using: &chance) { draft.sha256 = chance.bytes(32) }
        if kind == .removal || Bool.random(using: &chance) {
            let address = BlockAddress(volume: VolumeID(9), block: UInt32(chance.next() >> 33))
            draft.supersedes = RecordReference(address: address, sequence: chance.next() | 1)
        }
        switch kind {
        case .smallObject:
            draft.data = chance.bytes(.random(in: 0...65_536, using: &chance))
        case .largeObject:
            draft.fillExtents(&chance)
        case .removal:
            break
        }
        return draft
    }

    private mutating func fillExtents(_ chance: inout Seeded) {
        length = .random(in: 1...(1 << 30), using: &chance)
        let blocks = UInt32(VolumeLayout.blocks(for: length))
        let pieces = UInt32.random(in: 1...min(blocks, 700), using: &chance)
        var left = blocks
        for piece in (1...pieces).reversed() {
            let count = piece == 1 ? left : UInt32.random(in: 1...left - piece + 1, using: &chance)
            extents.append(
                Extent(
                    volume: VolumeID(UInt16(piece)), start: UInt32(chance.next() >> 34),
                    count: count))
            left -= count
        }
        let checksumCount = Int(VolumeLayout.checksumCount(for: length))
        checksums = (0..<checksumCount).map { _ in UInt32(truncatingIfNeeded: chance.next()) }
    }
}

func edit(_ bytes: inout [UInt8], _ body: (inout MutableRawSpan) -> Void) {
    var span = bytes.mutableSpan
    var raw = span.mutableRawBytes
    body(&raw)
}

func decode(
    _ bytes: [UInt8], at address: BlockAddress, instance: InstanceID = ours,
    seal: TestSeal = TestSeal()
) -> Result<Record, RecordError> {
    do throws(RecordError) {
        return .success(
            try Record.decode(bytes.span.rawBytes, at: address, instance: instance, seal: seal))
    } catch {
        return .failure(error)
    }
}
