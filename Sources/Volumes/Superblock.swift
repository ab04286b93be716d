import Checksums

/// The first block of every volume: whose it is, which one, and in which format.
///
///     0   8  magic              16   2  volume       40   4  segment size, bytes
///     8   4  format version     18   6  zero         44  4048  zero
///     12  4  class              24  16  instance     4092  4  CRC32C of bytes 0…4091
///
/// Magic, version and checksum keep their places in every format to come, so that a program can
/// tell a newer volume from a damaged one.
public struct Superblock: Equatable, Sendable {
    public static let formatVersion: UInt32 = 1

    public let instance: InstanceID
    public let volume: VolumeID
    public let volumeClass: VolumeClass

    private static let magic: UInt64 = 0x4543_4152_4c4c_494d  // "MILLRACE" in byte order
    private static let checksumOffset = VolumeLayout.blockSize - 4

    public init(instance: InstanceID, volume: VolumeID, volumeClass: VolumeClass) {
        self.instance = instance
        self.volume = volume
        self.volumeClass = volumeClass
    }

    /// Fills the first 4 KiB of `target`.
    public func encode(into target: inout MutableRawSpan) {
        target.zero(0..<VolumeLayout.blockSize)
        target.put(Superblock.magic, at: 0)
        target.put(Superblock.formatVersion, at: 8)
        target.put(UInt32(volumeClass.rawValue), at: 12)
        target.put(volume.number, at: 16)
        target.put(instance.high.bigEndian, at: 24)
        target.put(instance.low.bigEndian, at: 32)
        target.put(UInt32(VolumeLayout.segmentSize), at: 40)
        let checksum = crc32c(target.bytes.extracting(first: Superblock.checksumOffset))
        target.put(checksum, at: Superblock.checksumOffset)
    }

    /// Reads the first 4 KiB of `bytes`. A volume of another instance than `expected` is refused;
    /// with nil any instance will do.
    public static func decode(
        _ bytes: RawSpan, expecting expected: InstanceID?
    ) throws(SuperblockError) -> Superblock {
        precondition(bytes.byteCount >= VolumeLayout.blockSize, "a superblock is one block")
        guard bytes.integer(at: 0) == magic else { throw .notMillrace }
        let covered = bytes.extracting(first: checksumOffset)
        guard bytes.integer(at: checksumOffset) == crc32c(covered) else { throw .damaged }

        let version = bytes.integer(at: 8, as: UInt32.self)
        guard version <= formatVersion else { throw .newerFormat(version) }
        let instance = InstanceID(
            high: UInt64(bigEndian: bytes.integer(at: 24)),
            low: UInt64(bigEndian: bytes.integer(at: 32)))
        let number = bytes.integer(at: 12, as: UInt32.self)
        guard version == formatVersion,
            let volumeClass = UInt8(exactly: number).flatMap(VolumeClass.init(rawValue:)),
            bytes.integer(at: 40) == UInt32(VolumeLayout.segmentSize)
        else { throw .damaged }
        if let expected, instance != expected { throw .foreignInstance(instance) }
        return Superblock(
            instance: instance, volume: VolumeID(bytes.integer(at: 16)), volumeClass: volumeClass)
    }
}

public enum SuperblockError: Error, Equatable, Sendable {
    /// Something else's file: the magic is missing.
    case notMillrace
    /// Ours once: the checksum or a field is wrong.
    case damaged
    /// Written by a newer program, in this format.
    case newerFormat(UInt32)
    /// A whole superblock, of this other instance.
    case foreignInstance(InstanceID)
}
