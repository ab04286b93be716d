import Checksums

/// How long the parts of an upload record are, and so where each starts.
///
///      0  2  format                   40  8  generation
///      2  1  dialect                  48  8  sequence of the published object, or 0
///      3  1  flags: 1 partial,        56  4  chunk size, or 0
///            2 length known,          60  2  name, bytes
///            16 parts
///      4  4  CRC32C of all the rest   62  2  metadata, bytes
///      8  8  length, or 0             64  1  owner, bytes
///     16  8  created, seconds         65  1  tenant, bytes
///     24  8  last activity, seconds   66  1  media type, bytes
///     32  8  expires, seconds         67  1  zero
///                                     68  4  ranges, 72  4  pieces of space,
///                                     76  4  partial units, 80  4  fragments
///
/// From byte 84 on, without gaps: name, owner, tenant, media type, metadata; with flag 16 the parts
/// (how many 2, then their numbers, high and low half, 8 each); ranges (first byte and the byte
/// behind, 8 each); pieces (first block 8, packed address 8, blocks 4); partial units
/// (unit 4, mask 2, sixteen checksums 4 each, 0 for what the mask has not); fragments (block 8,
/// offset 2, bytes 2, the bytes). Little-endian. There is one encoding of a record and no other is
/// accepted: it has format 1 with flags 1 and 2 only, format 2 with any other.
struct UploadRecordShape: Equatable {
    /// The newest that is read.
    static let formatVersion: UInt16 = 2
    static let fixedByteCount = 84
    static let rangeByteCount = 16
    static let pieceByteCount = 20
    static let partialUnitByteCount = 70
    /// Without its bytes.
    static let fragmentByteCount = 12
    static let partialFlag: UInt8 = 1
    static let lengthKnownFlag: UInt8 = 2
    static let partsFlag: UInt8 = 16
    static let partCountByteCount = 2
    static let partByteCount = 16

    /// That of a record with those flags.
    static func format(of flags: UInt8) -> UInt16 {
        flags & ~(partialFlag | lengthKnownFlag) == 0 ? 1 : 2
    }

    let name: Range<Int>
    let owner: Range<Int>
    let tenant: Range<Int>
    let mediaType: Range<Int>
    let metadata: Range<Int>
    /// How many, and their numbers; empty without flag 16.
    let parts: Range<Int>
    let rangeCount: Int
    let pieceCount: Int
    let partialUnitCount: Int
    let fragmentCount: Int

    var partCount: Int {
        max(0, parts.count - UploadRecordShape.partCountByteCount) / UploadRecordShape.partByteCount
    }
    var rangesStart: Int { parts.upperBound }
    var piecesStart: Int { rangesStart + rangeCount * UploadRecordShape.rangeByteCount }
    var partialUnitsStart: Int { piecesStart + pieceCount * UploadRecordShape.pieceByteCount }
    var fragmentsStart: Int {
        partialUnitsStart + partialUnitCount * UploadRecordShape.partialUnitByteCount
    }

    init(_ record: UploadRecord) {
        self.init(
            textCounts: [
                record.name.count, record.owner.count, record.tenant.count,
                record.mediaType.count, record.metadata.count,
            ],
            partCount: record.parts.isEmpty ? nil : record.parts.count,
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
        var partCount: Int?
        if bytes.integer(at: 3, as: UInt8.self) & UploadRecordShape.partsFlag != 0 {
            var start = UploadRecordShape.fixedByteCount
            for index in textCounts.indices { start += textCounts[index] }
            guard start + UploadRecordShape.partCountByteCount <= bytes.byteCount
            else { throw .malformed(.byteCount) }
            let count = Int(bytes.integer(at: start, as: UInt16.self))
            guard count > 0 else { throw .malformed(.parts) }
            partCount = count
        }
        self.init(
            textCounts: textCounts, partCount: partCount,
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

    /// CRC32C of all of a record but the checksum itself.
    static func checksum(_ bytes: RawSpan) -> UInt32 {
        crc32c(bytes.extracting(droppingFirst: 8), continuing: crc32c(bytes.extracting(first: 4)))
    }

    /// Counts of name, owner, tenant, media type and metadata; nil for no list of parts.
    private init(
        textCounts: InlineArray<5, Int>, partCount: Int?, rangeCount: Int, pieceCount: Int,
        partialUnitCount: Int, fragmentCount: Int
    ) {
        let start = UploadRecordShape.fixedByteCount
        name = start..<start + textCounts[0]
        owner = name.upperBound..<name.upperBound + textCounts[1]
        tenant = owner.upperBound..<owner.upperBound + textCounts[2]
        mediaType = tenant.upperBound..<tenant.upperBound + textCounts[3]
        metadata = mediaType.upperBound..<mediaType.upperBound + textCounts[4]
        let partsByteCount = partCount.map {
            UploadRecordShape.partCountByteCount + $0 * UploadRecordShape.partByteCount
        }
        parts = metadata.upperBound..<metadata.upperBound + (partsByteCount ?? 0)
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
