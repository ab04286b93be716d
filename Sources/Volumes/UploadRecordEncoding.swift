// An upload record as the bytes that the catalog keeps. `UploadRecordShape` draws them.

import Checksums

extension UploadRecord {
    public var encodedByteCount: Int {
        fragments.reduce(UploadRecordShape(self).fragmentsStart) {
            $0 + UploadRecordShape.fragmentByteCount + $1.bytes.count
        }
    }

    /// The record as bytes, never more than `UploadRecordLimits.encodedBytesMax`. It must fit.
    public func encode() -> [UInt8] {
        if let excess { preconditionFailure("an upload record with more \(excess) than fits") }
        if let flaw { preconditionFailure("an upload record whose \(flaw) contradicts the rest") }
        let shape = UploadRecordShape(self)
        var bytes = [UInt8](repeating: 0, count: encodedByteCount)
        var span = bytes.mutableSpan
        var target = span.mutableRawBytes
        putFixed(into: &target)
        shape.put(into: &target)
        target.put(name.span.rawBytes, at: shape.name.lowerBound)
        target.put(owner.span.rawBytes, at: shape.owner.lowerBound)
        target.put(tenant.span.rawBytes, at: shape.tenant.lowerBound)
        target.put(mediaType.span.rawBytes, at: shape.mediaType.lowerBound)
        target.put(metadata.span.rawBytes, at: shape.metadata.lowerBound)
        putExpected(into: &target, shape)
        putParts(into: &target, at: shape.parts.lowerBound)
        if progressSequence > 0 { target.put(progressSequence, at: shape.progress.lowerBound) }
        putRanges(into: &target, at: shape.rangesStart)
        putPieces(into: &target, at: shape.piecesStart)
        putPartialUnits(into: &target, at: shape.partialUnitsStart)
        putFragments(into: &target, at: shape.fragmentsStart)
        target.put(UploadRecordShape.checksum(target.bytes), at: 4)
        return bytes
    }

    var flags: UInt8 {
        (isPartial ? UploadRecordShape.partialFlag : 0)
            | (length != nil ? UploadRecordShape.lengthKnownFlag : 0)
            | (expectedSHA256 != nil ? UploadRecordShape.sha256Flag : 0)
            | (expectedCRC32C != nil ? UploadRecordShape.crc32cFlag : 0)
            | (parts.isEmpty ? 0 : UploadRecordShape.partsFlag)
            | (progressSequence > 0 ? UploadRecordShape.progressFlag : 0)
    }

    @_lifetime(target: copy target)
    private func putFixed(into target: inout MutableRawSpan) {
        target.put(UploadRecordShape.format(flags), at: 0)
        target.put(dialect.rawValue, at: 2)
        target.put(flags, at: 3)
        target.put(length ?? 0, at: 8)
        target.put(createdSeconds, at: 16)
        target.put(lastActivitySeconds, at: 24)
        target.put(expiresSeconds, at: 32)
        target.put(generation, at: 40)
        target.put(publishedSequence ?? 0, at: 48)
        target.put(chunkSize, at: 56)
    }

    @_lifetime(target: copy target)
    private func putExpected(into target: inout MutableRawSpan, _ shape: UploadRecordShape) {
        if let expectedSHA256 {
            let place = shape.expectedSHA256
            precondition(expectedSHA256.count == place.count, "a SHA-256 has 32 bytes")
            target.put(expectedSHA256.span.rawBytes, at: shape.expectedSHA256.lowerBound)
        }
        if let expectedCRC32C { target.put(expectedCRC32C, at: shape.expectedCRC32C.lowerBound) }
    }

    @_lifetime(target: copy target)
    private func putParts(into target: inout MutableRawSpan, at start: Int) {
        guard !parts.isEmpty else { return }
        target.put(UInt16(parts.count), at: start)
        var offset = start + UploadRecordShape.partCountByteCount
        for part in parts {
            target.put(part.high, at: offset)
            target.put(part.low, at: offset + 8)
            offset += UploadRecordShape.partByteCount
        }
    }

    @_lifetime(target: copy target)
    private func putRanges(into target: inout MutableRawSpan, at start: Int) {
        var offset = start
        for range in received.ranges {
            target.put(range.lowerBound, at: offset)
            target.put(range.upperBound, at: offset + 8)
            offset += UploadRecordShape.rangeByteCount
        }
    }

    @_lifetime(target: copy target)
    private func putPieces(into target: inout MutableRawSpan, at start: Int) {
        var offset = start
        for piece in space.pieces {
            target.put(piece.firstBlock, at: offset)
            target.put(piece.extent.address.packed, at: offset + 8)
            target.put(piece.extent.count, at: offset + 16)
            offset += UploadRecordShape.pieceByteCount
        }
    }

    @_lifetime(target: copy target)
    private func putPartialUnits(into target: inout MutableRawSpan, at start: Int) {
        var offset = start
        for partial in partialUnits {
            target.put(UInt32(partial.unit), at: offset)
            target.put(partial.mask, at: offset + 4)
            for block in 0..<PartialUnit.blockCount {
                target.put(partial.checksums[block], at: offset + 6 + block * 4)
            }
            offset += UploadRecordShape.partialUnitByteCount
        }
    }

    @_lifetime(target: copy target)
    private func putFragments(into target: inout MutableRawSpan, at start: Int) {
        var offset = start
        for fragment in fragments {
            target.put(fragment.block, at: offset)
            target.put(UInt16(fragment.offset), at: offset + 8)
            target.put(UInt16(fragment.bytes.count), at: offset + 10)
            offset += UploadRecordShape.fragmentByteCount
            target.put(fragment.bytes.span.rawBytes, at: offset)
            offset += fragment.bytes.count
        }
    }
}
