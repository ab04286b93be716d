import Checksums

/// The first bytes of a record, authenticated: enough to read its data, without an allocation.
///
///      0   8  magic                   72  16  object                 136  2  name, bytes
///      8  16  seal over bytes 24…     88   8  length of the object   138  2  media type, bytes
///     24   2  format                  96   8  modified, seconds      140  2  owner, bytes
///     26   1  kind                   104   4  modified, nanoseconds  142  2  tenant, bytes
///     27   1  flags                  108   4  extents                144     name, owner, tenant,
///     28   4  header, bytes          112   4  checksums                      media type, SHA-256
///     32   4  record, blocks         116   4  segments, or 0                 if flagged; zeros to
///     36   4  content checksum       120   8  supersedes: address            a multiple of 64
///     40  16  instance               128   8  supersedes: sequence
///     56   8  own address                     (0: nothing)
///     64   8  sequence
///
/// Flag 1: a SHA-256 of the object's bytes, 32 bytes, lies behind the media type. Flag 2: the table
/// marks segments. A record without flags has format 1, one with flags format 2.
///
/// Behind the header of a small object lies its data; behind that of a large one the table: 16
/// bytes an extent (packed address 8, count 4, mark 4), then four bytes a checksum. The mark is 0,
/// or bit 31 where a segment ends with the extent, with the bytes of its last block that are not
/// the object's in bits 0…11. The content checksum is that of the data or of the table. The rest
/// of the last block is zero. A header never exceeds its first block, so one block tells whose
/// record it is and how far it goes.
public struct RecordHeader: Equatable, Sendable {
    /// The newest that is read.
    public static let formatVersion: UInt16 = 2

    public let kind: RecordKind
    public let stamp: RecordStamp
    /// Bytes of the object; 0 for a removal.
    public let length: UInt64
    /// CRC32C of the data (small object) or of the table (large object); 0 for a removal.
    public let contentChecksum: UInt32
    /// Bytes of the header: data or table start here.
    public let headerByteCount: Int
    /// Blocks of the whole record.
    public let blockCount: UInt32
    public let extentCount: Int
    public let checksumCount: Int
    /// 0 if the object's bytes are one run: see `ObjectSegment`.
    public let segmentCount: Int
    /// Where the strings lie in the record.
    public let name: Range<Int>
    public let owner: Range<Int>
    public let tenant: Range<Int>
    public let mediaType: Range<Int>
    /// Empty if the record has none.
    public let sha256: Range<Int>

    static let magic: UInt64 = 0x0d52_4345_524c_4c4d  // "MLLRECR\r" in byte order
    static let sealedFrom = 24
    static let fixedByteCount = 144
    static let alignment = 64
    static let extentByteCount = 16

    /// The record's own blocks.
    public var extent: Extent {
        Extent(volume: stamp.address.volume, start: stamp.address.block, count: blockCount)
    }

    public var reference: RecordReference {
        RecordReference(address: stamp.address, sequence: stamp.sequence)
    }

    /// Where the content that `contentChecksum` covers lies in the record: a small object's data,
    /// a large one's table; empty for a removal.
    public var content: Range<Int> {
        switch kind {
        case .smallObject: headerByteCount..<headerByteCount + Int(length)
        case .largeObject: headerByteCount..<checksumsStart + checksumCount * 4
        case .removal: headerByteCount..<headerByteCount
        }
    }

    var checksumsStart: Int { headerByteCount + extentCount * RecordHeader.extentByteCount }

    /// Whether a record might start here: for scans, which ask it of every block.
    @inline(__always)
    public static func looksLikeRecord(_ block: RawSpan) -> Bool {
        block.byteCount >= 8 && block.integer(at: 0) == magic
    }

    /// Reads the header at the start of `bytes`, which need hold no more than one block, believed
    /// only when the instance, the address and the seal are right. Throws every `RecordError`
    /// but `contentDamaged`, and `truncated` only when there is less than one block.
    public static func decode(
        _ bytes: RawSpan, at address: BlockAddress, instance: InstanceID, seal: some RecordSeal
    ) throws(RecordError) -> RecordHeader {
        guard bytes.byteCount >= VolumeLayout.blockSize else { throw .truncated(needsBlocks: 1) }
        guard looksLikeRecord(bytes) else { throw .notARecord }
        let format = bytes.integer(at: 24, as: UInt16.self)
        guard format <= formatVersion else { throw .newerFormat(format) }
        let headerByteCount = bytes.integer(at: 28, as: UInt32.self)
        guard headerByteCount >= fixedByteCount, headerByteCount <= VolumeLayout.blockSize
        else { throw .damaged }
        guard instance == RecordHeader.instance(in: bytes) else { throw .foreign }
        let ownAddress = bytes.integer(at: 56, as: UInt64.self)
        guard ownAddress == address.packed else {
            guard let other = BlockAddress(packed: ownAddress) else { throw .damaged }
            throw .wrongAddress(other)
        }
        let tag = SealTag(first: bytes.integer(at: 8), second: bytes.integer(at: 16))
        guard seal.tag(bytes.extracting(sealedFrom..<Int(headerByteCount))) == tag
        else { throw .damaged }

        let header = RecordHeader(authenticated: bytes, address: address, instance: instance)
        guard let header, header.isConsistent else { throw .damaged }
        return header
    }

    private static func instance(in bytes: RawSpan) -> InstanceID {
        InstanceID(
            high: UInt64(bigEndian: bytes.integer(at: 40)),
            low: UInt64(bigEndian: bytes.integer(at: 48)))
    }

    private init?(authenticated bytes: RawSpan, address: BlockAddress, instance: InstanceID) {
        let sequence = bytes.integer(at: 64, as: UInt64.self)
        let nanoseconds = bytes.integer(at: 104, as: UInt32.self)
        segmentCount = Int(bytes.integer(at: 116, as: UInt32.self))
        guard let flags = RecordFlags(byte: bytes.integer(at: 27)),
            bytes.integer(at: 24) == flags.format,
            (segmentCount > 0) == flags.contains(.segments),
            let kind = RecordKind(rawValue: bytes.integer(at: 26)),
            sequence > 0, nanoseconds < 1_000_000_000,
            let other = BlockAddress(packed: bytes.integer(at: 120))
        else { return nil }

        self.kind = kind
        let otherSequence = bytes.integer(at: 128, as: UInt64.self)
        stamp = RecordStamp(
            instance: instance, address: address, sequence: sequence,
            object: ObjectID(
                high: UInt64(bigEndian: bytes.integer(at: 72)),
                low: UInt64(bigEndian: bytes.integer(at: 80))),
            modifiedSeconds: bytes.integer(at: 96), modifiedNanoseconds: nanoseconds,
            supersedes: otherSequence == 0
                ? nil : RecordReference(address: other, sequence: otherSequence))
        length = bytes.integer(at: 88)
        contentChecksum = bytes.integer(at: 36)
        headerByteCount = Int(bytes.integer(at: 28, as: UInt32.self))
        blockCount = bytes.integer(at: 32)
        extentCount = Int(bytes.integer(at: 108, as: UInt32.self))
        checksumCount = Int(bytes.integer(at: 112, as: UInt32.self))

        let start = RecordHeader.fixedByteCount
        name = start..<start + Int(bytes.integer(at: 136, as: UInt16.self))
        owner = name.upperBound..<name.upperBound + Int(bytes.integer(at: 140, as: UInt16.self))
        tenant = owner.upperBound..<owner.upperBound + Int(bytes.integer(at: 142, as: UInt16.self))
        mediaType =
            tenant.upperBound..<tenant.upperBound + Int(bytes.integer(at: 138, as: UInt16.self))
        let sha256Bytes = flags.contains(.sha256) ? RecordText.sha256Bytes : 0
        sha256 = mediaType.upperBound..<mediaType.upperBound + sha256Bytes
    }

    /// Whether sizes and counts are those that `RecordEncoding` would have written. What carries
    /// the right seal is; this keeps a leaked key or our own mistake from reaching past the bytes.
    private var isConsistent: Bool {
        guard !name.isEmpty, name.count <= RecordText.nameBytesMax,
            owner.count <= RecordText.ownerBytesMax, tenant.count <= RecordText.tenantBytesMax,
            mediaType.count <= RecordText.mediaTypeBytesMax,
            headerByteCount == RecordEncoding.headerByteCount(strings: textByteCount)
        else { return false }
        switch kind {
        case .smallObject:
            return length <= VolumeLayout.smallObjectBytesMax
                && extentCount == 0 && checksumCount == 0 && segmentCount == 0
                && blockCount == RecordEncoding.blocks(headerByteCount + Int(length))
        case .largeObject:
            return length > 0 && length <= VolumeLayout.objectBytesMax
                && extentCount > 0 && extentCount <= VolumeLayout.extentsPerObjectMax
                && areSegmentsPossible
                && blockCount == RecordEncoding.blocks(content.upperBound)
        case .removal:
            return length == 0 && extentCount == 0 && checksumCount == 0 && blockCount == 1
                && segmentCount == 0 && stamp.supersedes != nil && sha256.isEmpty
        }
    }

    /// As far as can be said without the table: every segment but the last has a unit that is not
    /// whole, which adds one checksum at most.
    private var areSegmentsPossible: Bool {
        let unitCount = Int(VolumeLayout.checksumCount(for: length))
        if segmentCount == 0 { return checksumCount == unitCount }
        return segmentCount >= 2 && segmentCount <= extentCount
            && checksumCount >= unitCount && checksumCount < unitCount + segmentCount
    }

    private var textByteCount: Int { sha256.upperBound - name.lowerBound }
}

/// What a record has beyond what every record has, and so its format.
struct RecordFlags: OptionSet {
    let rawValue: UInt8

    /// The digest of the object's bytes lies behind the media type.
    static let sha256 = RecordFlags(rawValue: 1)
    /// The table marks where segments end.
    static let segments = RecordFlags(rawValue: 2)

    /// Nil if one is set that nobody knows here.
    init?(byte: UInt8) {
        guard byte & ~(RecordFlags.sha256.union(.segments)).rawValue == 0 else { return nil }
        self.init(rawValue: byte)
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    var format: UInt16 { isEmpty ? 1 : 2 }
}

public enum RecordError: Error, Equatable, Sendable {
    /// No record starts here.
    case notARecord
    /// A record in a format of a newer program. Unauthenticated.
    case newerFormat(UInt16)
    /// Another instance wrote it. Unauthenticated.
    case foreign
    /// It says that it lies elsewhere: a copy, or a forgery. Unauthenticated.
    case wrongAddress(BlockAddress)
    /// The seal is wrong: torn, rotten or forged.
    case damaged
    /// Ours, but longer than the bytes given: it takes so many blocks.
    case truncated(needsBlocks: UInt32)
    /// The header is ours, the data or table behind it is not what it speaks of: a write that was
    /// not finished, or rot.
    case contentDamaged
}
