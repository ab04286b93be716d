// Bytes back to an upload record: every input has an answer, and only what `encode` would have
// written is a record.

import Checksums

extension UploadRecord {
    /// Throws every `UploadRecordError`.
    public static func decode(_ bytes: RawSpan) throws(UploadRecordError) -> UploadRecord {
        guard bytes.byteCount >= 2 else { throw .damaged }
        let format = bytes.integer(at: 0, as: UInt16.self)
        guard format <= UploadRecordShape.formatVersion else { throw .newerFormat(format) }
        guard format > 0, bytes.byteCount >= UploadRecordShape.fixedByteCount,
            bytes.integer(at: 4) == UploadRecordShape.checksum(bytes)
        else { throw .damaged }

        let shape = try UploadRecordShape(reading: bytes)
        var record = try UploadRecord(fixed: bytes, shape)
        record.received = try ranges(in: bytes, shape)
        record.space = try space(in: bytes, shape)
        record.partialUnits = try partialUnits(in: bytes, shape)
        record.fragments = try fragments(in: bytes, shape)
        if let flaw = record.flaw { throw .malformed(flaw) }
        return record
    }

    private init(fixed bytes: RawSpan, _ shape: UploadRecordShape) throws(UploadRecordError) {
        let flags = bytes.integer(at: 3, as: UInt8.self)
        guard let dialect = UploadDialect(rawValue: bytes.integer(at: 2)),
            flags & ~UploadRecordShape.knownFlags == 0,
            bytes.integer(at: 0) == UploadRecordShape.format(flags)
        else { throw .malformed(.kind) }
        self.init(
            name: octets(bytes, shape.name), owner: octets(bytes, shape.owner),
            tenant: octets(bytes, shape.tenant), mediaType: octets(bytes, shape.mediaType),
            dialect: dialect, createdSeconds: bytes.integer(at: 16),
            expiresSeconds: bytes.integer(at: 32))
        metadata = octets(bytes, shape.metadata)
        if !shape.expectedSHA256.isEmpty { expectedSHA256 = octets(bytes, shape.expectedSHA256) }
        if !shape.expectedCRC32C.isEmpty {
            expectedCRC32C = bytes.integer(at: shape.expectedCRC32C.lowerBound)
        }
        parts = UploadRecord.parts(in: bytes, shape)
        isPartial = flags & UploadRecordShape.partialFlag != 0
        lastActivitySeconds = bytes.integer(at: 24)
        generation = bytes.integer(at: 40)
        let sequence = bytes.integer(at: 48, as: UInt64.self)
        publishedSequence = sequence == 0 ? nil : sequence
        chunkSize = bytes.integer(at: 56)
        if flags & UploadRecordShape.progressFlag != 0 {
            progressSequence = bytes.integer(at: shape.progress.lowerBound)
            guard progressSequence > 0 else { throw .malformed(.kind) }
        }
        let declared = bytes.integer(at: 8, as: UInt64.self)
        if flags & UploadRecordShape.lengthKnownFlag != 0 {
            length = declared
        } else if declared != 0 {
            throw .malformed(.length)
        }
    }

    private static func parts(in bytes: RawSpan, _ shape: UploadRecordShape) -> [ObjectID] {
        let start = shape.parts.lowerBound + UploadRecordShape.partCountByteCount
        return (0..<shape.partCount).map { index in
            let offset = start + index * UploadRecordShape.partByteCount
            return ObjectID(high: bytes.integer(at: offset), low: bytes.integer(at: offset + 8))
        }
    }

    private static func ranges(
        in bytes: RawSpan, _ shape: UploadRecordShape
    ) throws(UploadRecordError) -> ExtentMap {
        var ranges: [Range<UInt64>] = []
        ranges.reserveCapacity(shape.rangeCount)
        for index in 0..<shape.rangeCount {
            let offset = shape.rangesStart + index * UploadRecordShape.rangeByteCount
            let lower = bytes.integer(at: offset, as: UInt64.self)
            let upper = bytes.integer(at: offset + 8, as: UInt64.self)
            guard lower < upper else { throw .malformed(.received) }
            ranges.append(lower..<upper)
        }
        guard let received = ExtentMap(ranges: ranges) else { throw .malformed(.received) }
        return received
    }

    private static func space(
        in bytes: RawSpan, _ shape: UploadRecordShape
    ) throws(UploadRecordError) -> SpaceMap {
        var pieces: [SpaceMap.Piece] = []
        pieces.reserveCapacity(shape.pieceCount)
        for index in 0..<shape.pieceCount {
            let offset = shape.piecesStart + index * UploadRecordShape.pieceByteCount
            let firstBlock = bytes.integer(at: offset, as: UInt64.self)
            let count = bytes.integer(at: offset + 16, as: UInt32.self)
            guard let address = BlockAddress(packed: bytes.integer(at: offset + 8)), count > 0,
                address.block <= UInt32.max - count, firstBlock <= UInt64.max - UInt64(count)
            else { throw .malformed(.space) }
            let extent = Extent(volume: address.volume, start: address.block, count: count)
            pieces.append(SpaceMap.Piece(firstBlock: firstBlock, extent: extent))
        }
        guard let space = SpaceMap(pieces: pieces) else { throw .malformed(.space) }
        return space
    }

    private static func partialUnits(
        in bytes: RawSpan, _ shape: UploadRecordShape
    ) throws(UploadRecordError) -> [PartialUnit] {
        var units: [PartialUnit] = []
        units.reserveCapacity(shape.partialUnitCount)
        for index in 0..<shape.partialUnitCount {
            let offset = shape.partialUnitsStart + index * UploadRecordShape.partialUnitByteCount
            let mask = bytes.integer(at: offset + 4, as: UInt16.self)
            var unit = PartialUnit(unit: Int(bytes.integer(at: offset, as: UInt32.self)))
            for block in 0..<PartialUnit.blockCount {
                let checksum = bytes.integer(at: offset + 6 + block * 4, as: UInt32.self)
                if mask >> UInt16(block) & 1 == 1 {
                    unit.put(block: block, checksum)
                } else if checksum != 0 {
                    throw .malformed(.partialUnits)
                }
            }
            units.append(unit)
        }
        return units
    }

    private static func fragments(
        in bytes: RawSpan, _ shape: UploadRecordShape
    ) throws(UploadRecordError) -> [UploadFragment] {
        var fragments: [UploadFragment] = []
        var offset = shape.fragmentsStart
        for _ in 0..<shape.fragmentCount {
            let start = offset + UploadRecordShape.fragmentByteCount
            guard start <= bytes.byteCount else { throw .malformed(.byteCount) }
            let end = start + Int(bytes.integer(at: offset + 10, as: UInt16.self))
            guard end <= bytes.byteCount else { throw .malformed(.byteCount) }
            fragments.append(
                UploadFragment(
                    block: bytes.integer(at: offset),
                    offset: Int(bytes.integer(at: offset + 8, as: UInt16.self)),
                    bytes: octets(bytes, start..<end)))
            offset = end
        }
        guard offset == bytes.byteCount else { throw .malformed(.byteCount) }
        return fragments
    }
}
