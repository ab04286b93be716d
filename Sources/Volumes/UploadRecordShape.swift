import Checksums

/// How long the parts of an upload record are, and so where each starts.
///
///      0  2  format                   40  8  generation
///      2  1  dialect                  48  8  sequence of the published object, or 0
///      3  1  flags: 1 partial,        56  4  chunk size, or 0
///            2 length known,          60  2  name, bytes
///            4 expected SHA-256,      62  2  metadata, bytes
///            8 expected CRC32C,       64  1  owner, bytes
///            16 parts, 32 progress    65  1  tenant, bytes
///      4  4  CRC32C of all the rest   66  1  media type, bytes
///      8  8  length, or 0             67  1  zero
///     16  8  created, seconds         68  4  ranges
///     24  8  last activity, seconds   72  4  pieces of space
///     32  8  expires, seconds         76  4  partial units
///                                     80  4  fragments
///
/// From byte 84 on, without gaps: name, owner, tenant, media type, metadata; each if flagged,
/// expected SHA-256 (32) and CRC32C (4), parts (how many 2, then their numbers, high and low half,
/// 8 each), progress sequence (8, not 0); ranges (first byte and the byte behind, 8 each); pieces
/// (first block 8, packed address 8, blocks 4); partial units (unit 4, mask 2, sixteen checksums 4
/// each, 0 for what the mask has not); fragments (block 8, offset 2, bytes 2, the bytes).
/// Little-endian. There is one encoding of a record and no other is accepted: format 1 where no
/// flag from 4 on is set, else format 2.
struct UploadRecordShape: Equatable {
    /// The newest that is read.
    static let formatVersion: UInt16 = 2
    static let fixedByteCount = 84
    static let sha256ByteCount = RecordText.sha256Bytes
    static let crc32cByteCount = 4
    static let progressByteCount = 8
    static let rangeByteCount = 16
    static let pieceByteCount = 20
    static let partialUnitByteCount = 70
    /// Without its bytes.
    static let fragmentByteCount = 12
    static let partialFlag: UInt8 = 1
    static let lengthKnownFlag: UInt8 = 2
    static let sha256Flag: UInt8 = 4
    static let crc32cFlag: UInt8 = 8
    static let partsFlag: UInt8 = 16
    static let progressFlag: UInt8 = 32
    /// Those that only format 2 has.
    static let newerFlags = sha256Flag | crc32cFlag | partsFlag | progressFlag
    static let knownFlags = partialFlag | lengthKnownFlag | newerFlags
    static let partCountByteCount = 2
    static let partByteCount = 16

    let name: Range<Int>
    let owner: Range<Int>
    let tenant: Range<Int>
    let mediaType: Range<Int>
    let metadata: Range<Int>
    /// Empty where none is expected; so are those up to `progress`.
    let expectedSHA256: Range<Int>
    let expectedCRC32C: Range<Int>
    /// How many, and their numbers.
    let parts: Range<Int>
    let progress: Range<Int>
    let rangeCount: Int
    let pieceCount: Int
    let partialUnitCount: Int
    let fragmentCount: Int

    var partCount: Int {
        max(0, parts.count - UploadRecordShape.partCountByteCount) / UploadRecordShape.partByteCount
    }
    var rangesStart: Int { progress.upperBound }
    var piecesStart: Int { rangesStart + rangeCount * UploadRecordShape.rangeByteCount }
    var partialUnitsStart: Int { piecesStart + pieceCount * UploadRecordShape.pieceByteCount }
    var fragmentsStart: Int {
        partialUnitsStart + partialUnitCount * UploadRecordShape.partialUnitByteCount
    }

    init(_ record: UploadRecord) {
        self.init(
            flags: record.flags,
            textCounts: [
                record.name.count, record.owner.count, record.tenant.count,
                record.mediaType.count, record.metadata.count,
            ],
            partCount: record.parts.count,
            rangeCount: record.received.ranges.count, pieceCount: record.space.pieces.count,
            partialUnitCount: record.partialUnits.count, fragmentCount: record.fragments.count)
    }

    /// Reads the counts of a record that has its fixed bytes and the right checksum.
    init(reading bytes: RawSpan) throws(UploadRecordError) {
        let textCounts: InlineArray<5, Int> = [
            Int(bytes.integer(at: 60, as: UInt16.self)),
            Int(bytes.integer(at: 64, as: UInt8.self)),
            Int(bytes.integer(at: 65, as: UInt8.self)),
            Int(bytes.integer(at: 66, as: UInt8.self)),
            Int(bytes.integer(at: 62, as: UInt16.self)),
        ]
        let flags = bytes.integer(at: 3, as: UInt8.self)
        var partCount = 0
        if flags & UploadRecordShape.partsFlag != 0 {
            var start = UploadRecordShape.fixedByteCount
            for index in textCounts.indices { start += textCounts[index] }
            if flags & UploadRecordShape.sha256Flag != 0 {
                start += UploadRecordShape.sha256ByteCount
            }
            if flags & UploadRecordShape.crc32cFlag != 0 {
                start += UploadRecordShape.crc32cByteCount
            }
            guard start + UploadRecordShape.partCountByteCount <= bytes.byteCount
            else { throw .malformed(.byteCount) }
            partCount = Int(bytes.integer(at: start, as: UInt16.self))
            guard partCount > 0 else { throw .malformed(.parts) }
        }
        self.init(
            flags: flags, textCounts: textCounts, partCount: partCount,
            rangeCount: Int(bytes.integer(at: 68, as: UInt32.self)),
            pieceCount: Int(bytes.integer(at: 72, as: UInt32.self)),
            partialUnitCount: Int(bytes.integer(at: 76, as: UInt32.self)),
            fragmentCount: Int(bytes.integer(at: 80, as: UInt32.self)))
        if let excess { throw .malformed(excess) }
        guard bytes.integer(at: 67, as: UInt8.self) == 0 else { throw .malformed(.kind) }
        guard fragmentsStart <= bytes.byteCount else { throw .malformed(.byteCount) }
    }

    @_lifetime(target: copy target)
    func put(into target: inout MutableRawSpan) {
        target.put(UInt16(name.count), at: 60)
        target.put(UInt16(metadata.count), at: 62)
        target.put(UInt8(owner.count), at: 64)
        target.put(UInt8(tenant.count), at: 65)
        target.put(UInt8(mediaType.count), at: 66)
        target.put(UInt32(rangeCount), at: 68)
        target.put(UInt32(pieceCount), at: 72)
        target.put(UInt32(partialUnitCount), at: 76)
        target.put(UInt32(fragmentCount), at: 80)
    }

    /// The one format that a record with these flags has.
    static func format(_ flags: UInt8) -> UInt16 { flags & newerFlags == 0 ? 1 : 2 }

    /// CRC32C of all of a record but the checksum itself.
    static func checksum(_ bytes: RawSpan) -> UInt32 {
        crc32c(bytes.extracting(droppingFirst: 8), continuing: crc32c(bytes.extracting(first: 4)))
    }

    /// Counts of name, owner, tenant, media type and metadata.
    private init(
        flags: UInt8, textCounts: InlineArray<5, Int>, partCount: Int, rangeCount: Int,
        pieceCount: Int, partialUnitCount: Int, fragmentCount: Int
    ) {
        let start = UploadRecordShape.fixedByteCount
        name = start..<start + textCounts[0]
        owner = name.upperBound..<name.upperBound + textCounts[1]
        tenant = owner.upperBound..<owner.upperBound + textCounts[2]
        mediaType = tenant.upperBound..<tenant.upperBound + textCounts[3]
        metadata = mediaType.upperBound..<mediaType.upperBound + textCounts[4]
        func flagged(_ flag: UInt8, _ byteCount: Int, behind part: Range<Int>) -> Range<Int> {
            part.upperBound..<part.upperBound + (flags & flag == 0 ? 0 : byteCount)
        }
        typealias Shape = UploadRecordShape
        expectedSHA256 = flagged(Shape.sha256Flag, Shape.sha256ByteCount, behind: metadata)
        expectedCRC32C = flagged(Shape.crc32cFlag, Shape.crc32cByteCount, behind: expectedSHA256)
        let partsByteCount = Shape.partCountByteCount + partCount * Shape.partByteCount
        parts = flagged(Shape.partsFlag, partsByteCount, behind: expectedCRC32C)
        progress = flagged(Shape.progressFlag, Shape.progressByteCount, behind: parts)
        self.rangeCount = rangeCount
        self.pieceCount = pieceCount
        self.partialUnitCount = partialUnitCount
        self.fragmentCount = fragmentCount
    }

    /// The first part that is longer than a record may hold.
    var excess: UploadRecordPart? {
        guard !name.isEmpty, name.count <= RecordText.nameBytesMax,
            owner.count <= RecordText.ownerBytesMax, tenant.count <= RecordText.tenantBytesMax,
            mediaType.count <= RecordText.mediaTypeBytesMax
        else { return .text }
        if metadata.count > UploadRecordLimits.metadataBytesMax { return .metadata }
        if partCount > UploadRecordLimits.partsMax { return .parts }
        if rangeCount > UploadRecordLimits.rangesMax { return .received }
        if pieceCount > UploadRecordLimits.piecesMax { return .space }
        if partialUnitCount > UploadRecordLimits.partialUnitsMax { return .partialUnits }
        return fragmentCount > UploadRecordLimits.fragmentsMax ? .fragments : nil
    }
}
