// What lies on disk, and what decides where: checksums, records, space, flushes.

import Checksums
import Cryptography
import IO
import Volumes

extension Microbench {
    static let storage: [Microbench] = [
        checksum("4k", 4 << 10), checksum("64k", 64 << 10), checksum("1m", 1 << 20),
        digest(.sha1, "sha1-64k"), digest(.sha256, "sha256-64k"),
        recordEncode, recordDecode, extentsReserve, segmentAllocate, flushEpochs,
    ]

    private static func checksum(_ name: String, _ byteCount: Int) -> Microbench {
        Microbench("crc32c-\(name)", "CRC32C of \(byteCount) bytes in the cache") { _ in
            let arena = try makeArena(1 << 20)
            let region = Region(offset: 0, count: UInt32(byteCount))
            arena.zero(region)
            return Work { count in
                var checksum: UInt32 = 0
                for _ in 0..<count {
                    checksum = crc32c(arena.bytes(region), continuing: checksum)
                    keep(Int(checksum))
                }
            }
        }
    }

    private static func digest(_ algorithm: DigestAlgorithm, _ name: String) -> Microbench {
        Microbench(name, "\(algorithm) of 64 KiB in the cache") { _ in
            let arena = try makeArena(1 << 20)
            let region = Region(offset: 0, count: 64 << 10)
            arena.zero(region)
            let digest = Owned(try Digest(algorithm))
            return Work { count in
                digest.change { digest in
                    for _ in 0..<count { digest.update(arena.bytes(region)) }
                }
            }
        }
    }

    private static let recordEncode = Microbench(
        "record-encode", "CRC32C and sealed header of an object of 4 KiB"
    ) { _ in
        let record = try SampleRecord()
        return Work { count in for _ in 0..<count { record.encode() } }
    }

    private static let recordDecode = Microbench(
        "record-decode", "seal, name and CRC32C of an object of 4 KiB verified"
    ) { _ in
        let record = try SampleRecord()
        record.encode()
        return Work { count in
            for _ in 0..<count {
                guard let decoded = record.decode() else {
                    preconditionFailure("a record is not what was written")
                }
                keep(decoded.name.count)
            }
        }
    }

    private static let extentsReserve = Microbench(
        "extents-reserve", "1 MiB reserved and released, 2,000 free runs of 1 MiB or more"
    ) { _ in
        let space = UInt64(64) << 30
        var filled = ExtentAllocator(
            limits: GrowthLimits(volumeBytesMax: space, capacityBytes: space))
        filled.addVolume(VolumeID(0), blockCount: UInt32(space / UInt64(VolumeLayout.blockSize)))
        var kept: [[Extent]] = []
        for number in 0..<4_000 {
            kept.append(try filled.reserve(bytes: UInt64(1 + number % 5) << 20))
        }
        for number in stride(from: 0, to: kept.count, by: 2) { filled.release(kept[number]) }
        let allocator = Owned(filled)
        return Work { count in
            allocator.change { allocator in
                for _ in 0..<count {
                    guard let extents = try? allocator.reserve(bytes: 1 << 20) else {
                        preconditionFailure("there is room")
                    }
                    keep(extents.count)
                    allocator.release(extents)
                }
            }
        }
    }

    private static let segmentAllocate = Microbench(
        "segment-allocate", "8 KiB of a leased segment, every other 8 KiB of it in use, and back"
    ) { _ in
        var allocator = SegmentAllocator(
            limits: GrowthLimits(volumeBytesMax: 64 << 20, capacityBytes: 64 << 20))
        allocator.addVolume(VolumeID(0), blockCount: VolumeLayout.segmentBlocks)
        var leased = try allocator.lease()
        var taken: [Extent] = []
        while let place = leased.allocate(blocks: 2) {
            taken.append(Extent(volume: place.volume, start: place.block, count: 2))
        }
        for index in stride(from: 0, to: taken.count, by: 2) { leased.giveBack(taken[index]) }
        let lease = Owned(leased)
        return Work { count in
            lease.change { lease in
                for _ in 0..<count {
                    guard let place = lease.allocate(blocks: 2) else {
                        preconditionFailure("there is room")
                    }
                    keep(Int(place.block))
                    lease.giveBack(Extent(volume: place.volume, start: place.block, count: 2))
                }
            }
        }
    }

    private static let flushEpochs = Microbench(
        "flush-epochs", "64 writes join a flush, which starts and ends; their fates"
    ) { _ in
        let epochs = Owned(FlushEpochs())
        return Work { count in
            epochs.change { epochs in
                for _ in 0..<count {
                    var last = epochs.wrote()
                    for _ in 1..<64 { last = epochs.wrote() }
                    keep(Int(epochs.startFlush()?.number ?? 0))
                    guard case .durable(let end) = epochs.flushEnded(succeeded: true) else {
                        preconditionFailure("the flush has succeeded")
                    }
                    precondition(epochs.fate(of: last) == .durable, "\(end) was not the last")
                }
            }
        }
    }
}

/// A small object's record of 4 KiB, and the memory it lies in.
private final class SampleRecord {
    private static let instance = InstanceID(high: 1, low: 2)
    private static let dataCount = 4096
    private let arena: Arena
    private let region = Region(offset: 0, count: 8192)
    private let name = Array("photos/2026/11/23/cat.jpg".utf8)
    private let type = Array("image/jpeg".utf8)
    private let seal: SampleSeal
    private let address = BlockAddress(volume: VolumeID(0), block: 4096)

    init() throws {
        arena = try makeArena(1 << 20)
        arena.zero(region)
        seal = try SampleSeal()
    }

    func encode() {
        let (name, type) = (name, type)
        let text = RecordText(name: name.span.rawBytes, mediaType: type.span.rawBytes)
        let start = RecordEncoding.headerByteCount(text)
        let data = region.part(from: start, count: SampleRecord.dataCount)
        let stamp = RecordStamp(
            instance: SampleRecord.instance, address: address, sequence: 7,
            object: ObjectID(high: 3, low: 4), modifiedSeconds: 1_790_000_000)
        var target = arena.mutableBytes(region)
        RecordEncoding.encodeSmallObject(
            into: &target, stamp: stamp, text: text, length: SampleRecord.dataCount,
            checksum: crc32c(arena.bytes(data)), seal: seal)
    }

    func decode() -> Record? {
        try? Record.decode(
            arena.bytes(region), at: address, instance: SampleRecord.instance, seal: seal)
    }
}

/// As the store's.
private final class SampleSeal: RecordSeal {
    private var authenticator: MessageAuthenticator

    init() throws {
        let key: [UInt8] = [1, 2, 3]
        authenticator = try MessageAuthenticator(key: key.span)
    }

    func tag(_ bytes: RawSpan) -> SealTag {
        let tag = authenticator.tag(of: bytes.octets)
        let sealed = tag.bytes.span.rawBytes
        return SealTag(first: sealed.integer(at: 0), second: sealed.integer(at: 8))
    }
}
