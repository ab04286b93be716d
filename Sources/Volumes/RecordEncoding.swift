import Checksums

#if _endian(big)
    #error("checksum arrays are copied as they are: little-endian processors only")
#endif

/// Writing records into memory that goes to disk as it is: nothing is allocated, and every byte of
/// the record's blocks is defined afterwards.
public enum RecordEncoding {
    /// Bytes of the header that carries `text`: a small object's data starts there.
    public static func headerByteCount(_ text: borrowing RecordText) -> Int {
        headerByteCount(strings: text.byteCount)
    }

    /// Blocks of the record of a small object of `length` bytes.
    public static func blockCount(
        smallObjectOf length: Int, _ text: borrowing RecordText
    ) -> UInt32 {
        precondition(length >= 0 && length <= VolumeLayout.smallObjectBytesMax)
        return blocks(headerByteCount(text) + length)
    }

    /// Blocks of the record of a large object of `length` bytes in `extentCount` extents.
    public static func blockCount(
        largeObjectOf length: UInt64, extentCount: Int, segments: [ObjectSegment] = [],
        _ text: borrowing RecordText
    ) -> UInt32 {
        precondition(length > 0 && length <= VolumeLayout.objectBytesMax)
        precondition(extentCount > 0 && extentCount <= VolumeLayout.extentsPerObjectMax)
        let table = extentCount * RecordHeader.extentByteCount
        let checksums = checksumCount(length, segments) * 4
        return blocks(headerByteCount(text) + table + checksums)
    }

    private static func checksumCount(_ length: UInt64, _ segments: [ObjectSegment]) -> Int {
        guard !segments.isEmpty else { return Int(VolumeLayout.checksumCount(for: length)) }
        return segments.reduce(0) { $0 + $1.checksumCount }
    }

    /// Blocks of a removal.
    public static let removalBlockCount: UInt32 = 1

    /// Completes the record of a small object whose `length` bytes of data, of CRC32C `checksum`,
    /// lie in `target` already, from byte `headerByteCount(text)` on.
    @_lifetime(target: copy target)
    public static func encodeSmallObject(
        into target: inout MutableRawSpan, stamp: RecordStamp, text: borrowing RecordText,
        length: Int, checksum: UInt32, seal: some RecordSeal
    ) {
        let blockCount = blockCount(smallObjectOf: length, text)
        let byteCount = Int(blockCount) * VolumeLayout.blockSize
        precondition(target.byteCount >= byteCount, "the record does not fit")
        target.zero(headerByteCount(text) + length..<byteCount)
        let shape = Shape(
            kind: .smallObject, length: UInt64(length), contentChecksum: checksum,
            blockCount: blockCount, extentCount: 0, checksumCount: 0)
        putHeader(into: &target, shape, stamp, text, seal)
    }

    /// Writes blocks `part` of the record of a large object to the start of `target`; nil is the
    /// whole of it. `checksums` holds the CRC32C of every 64 KiB of data; the extents hold the
    /// data in order and may have blocks to spare, unless there are `segments`: then each has
    /// exactly its own, and checksums of its own.
    @_lifetime(target: copy target)
    public static func encodeLargeObject(
        into target: inout MutableRawSpan, part: Range<UInt32>? = nil, stamp: RecordStamp,
        text: borrowing RecordText, length: UInt64, extents: Span<Extent>,
        checksums: Span<UInt32>, segments: [ObjectSegment] = [], seal: some RecordSeal
    ) {
        let blockCount = blockCount(
            largeObjectOf: length, extentCount: extents.count, segments: segments, text)
        precondition(checksums.count == checksumCount(length, segments))
        precondition(blockTotal(extents) >= VolumeLayout.blocks(for: length), "data has no room")
        precondition(segments.isEmpty || segments.areSound(length: length), "no such object")
        let part = part ?? 0..<blockCount
        precondition(!part.isEmpty && part.upperBound <= blockCount, "the record is shorter")
        let window =
            Int(part.lowerBound) * VolumeLayout.blockSize..<Int(part.upperBound)
            * VolumeLayout.blockSize
        precondition(target.byteCount >= window.count, "the part does not fit")

        let start = headerByteCount(text)
        let marks = segments.marks(extents)
        target.zero(0..<window.count)
        putExtents(into: &target, window, extents, marks, from: start)
        putChecksums(
            into: &target, window, checksums,
            from: start + extents.count * RecordHeader.extentByteCount)
        guard part.lowerBound == 0 else { return }
        let shape = Shape(
            kind: .largeObject, length: length,
            contentChecksum: crc32c(checksums.rawBytes, continuing: checksum(of: extents, marks)),
            blockCount: blockCount, extentCount: extents.count, checksumCount: checksums.count,
            segmentCount: segments.count)
        putHeader(into: &target, shape, stamp, text, seal)
    }

    /// Writes the removal, one block, of the record that `stamp.supersedes` names.
    @_lifetime(target: copy target)
    public static func encodeRemoval(
        into target: inout MutableRawSpan, stamp: RecordStamp, text: borrowing RecordText,
        seal: some RecordSeal
    ) {
        precondition(stamp.supersedes != nil, "a removal of nothing")
        precondition(text.sha256.isEmpty, "a removal has no bytes")
        target.zero(0..<VolumeLayout.blockSize)
        let shape = Shape(
            kind: .removal, length: 0, contentChecksum: 0, blockCount: removalBlockCount,
            extentCount: 0, checksumCount: 0)
        putHeader(into: &target, shape, stamp, text, seal)
    }

    static func headerByteCount(strings: Int) -> Int {
        let mask = RecordHeader.alignment - 1
        return (RecordHeader.fixedByteCount + strings + mask) & ~mask
    }

    static func blocks(_ byteCount: Int) -> UInt32 {
        UInt32(VolumeLayout.blocks(for: UInt64(byteCount)))
    }
}

// What differs between the kinds, and the bytes that all of it becomes.
extension RecordEncoding {
    private struct Shape {
        let kind: RecordKind
        let length: UInt64
        let contentChecksum: UInt32
        let blockCount: UInt32
        let extentCount: Int
        let checksumCount: Int
        var segmentCount = 0

        var flags: RecordFlags { segmentCount > 0 ? .segments : [] }
    }

    @_lifetime(target: copy target)
    private static func putHeader(
        into target: inout MutableRawSpan, _ shape: Shape, _ stamp: RecordStamp,
        _ text: borrowing RecordText, _ seal: some RecordSeal
    ) {
        let headerByteCount = headerByteCount(text)
        target.zero(0..<headerByteCount)
        target.put(RecordHeader.magic, at: 0)
        var flags = shape.flags
        if !text.sha256.isEmpty { flags.insert(.sha256) }
        target.put(flags.format, at: 24)
        target.put(shape.kind.rawValue, at: 26)
        target.put(flags.rawValue, at: 27)
        target.put(UInt32(headerByteCount), at: 28)
        target.put(shape.blockCount, at: 32)
        target.put(shape.contentChecksum, at: 36)
        target.put(shape.length, at: 88)
        target.put(UInt32(shape.extentCount), at: 108)
        target.put(UInt32(shape.checksumCount), at: 112)
        target.put(UInt32(shape.segmentCount), at: 116)
        putStamp(into: &target, stamp)
        putText(into: &target, text)
        let tag = seal.tag(target.bytes.extracting(RecordHeader.sealedFrom..<headerByteCount))
        target.put(tag.first, at: 8)
        target.put(tag.second, at: 16)
    }

    @_lifetime(target: copy target)
    private static func putStamp(into target: inout MutableRawSpan, _ stamp: RecordStamp) {
        target.put(stamp.instance.high.bigEndian, at: 40)
        target.put(stamp.instance.low.bigEndian, at: 48)
        target.put(stamp.address.packed, at: 56)
        target.put(stamp.sequence, at: 64)
        target.put(stamp.object.high.bigEndian, at: 72)
        target.put(stamp.object.low.bigEndian, at: 80)
        target.put(stamp.modifiedSeconds, at: 96)
        target.put(stamp.modifiedNanoseconds, at: 104)
        target.put(stamp.supersedes?.address.packed ?? 0, at: 120)
        target.put(stamp.supersedes?.sequence ?? 0, at: 128)
    }

    @_lifetime(target: copy target)
    private static func putText(into target: inout MutableRawSpan, _ text: borrowing RecordText) {
        target.put(UInt16(text.name.byteCount), at: 136)
        target.put(UInt16(text.mediaType.byteCount), at: 138)
        target.put(UInt16(text.owner.byteCount), at: 140)
        target.put(UInt16(text.tenant.byteCount), at: 142)
        var offset = RecordHeader.fixedByteCount
        target.put(text.name, at: offset)
        offset += text.name.byteCount
        target.put(text.owner, at: offset)
        offset += text.owner.byteCount
        target.put(text.tenant, at: offset)
        offset += text.tenant.byteCount
        target.put(text.mediaType, at: offset)
        offset += text.mediaType.byteCount
        target.put(text.sha256, at: offset)
    }
}

// The table of a large object. Headers end at multiples of 64, extents take 16 bytes and checksums
// four: no entry ever straddles two blocks, so any window of blocks holds whole entries.
extension RecordEncoding {
    @_lifetime(target: copy target)
    private static func putExtents(
        into target: inout MutableRawSpan, _ window: Range<Int>, _ extents: Span<Extent>,
        _ marks: [UInt32], from start: Int
    ) {
        let size = RecordHeader.extentByteCount
        let indices = entries(of: size, from: start, count: extents.count, in: window)
        for index in indices {
            let offset = start + index * size - window.lowerBound
            target.put(extents[index].address.packed, at: offset)
            target.put(extents[index].count, at: offset + 8)
            target.put(marks.isEmpty ? 0 : marks[index], at: offset + 12)
        }
    }

    @_lifetime(target: copy target)
    private static func putChecksums(
        into target: inout MutableRawSpan, _ window: Range<Int>, _ checksums: Span<UInt32>,
        from start: Int
    ) {
        let indices = entries(of: 4, from: start, count: checksums.count, in: window)
        guard let first = indices.first else { return }
        target.put(
            checksums.extracting(indices).rawBytes, at: start + first * 4 - window.lowerBound)
    }

    /// Which of `count` entries of `size` bytes, the first at byte `start`, lie in `window`.
    private static func entries(
        of size: Int, from start: Int, count: Int, in window: Range<Int>
    ) -> Range<Int> {
        let lower = min(count, max(0, window.lowerBound - start) / size)
        let upper = min(count, max(0, window.upperBound - start) / size)
        return lower..<upper
    }

    private static func checksum(of extents: Span<Extent>, _ marks: [UInt32]) -> UInt32 {
        var checksum: UInt32 = 0
        for index in extents.indices {
            let extent = extents[index]
            let mark = marks.isEmpty ? 0 : UInt64(marks[index])
            let entry: InlineArray<2, UInt64> = [
                extent.address.packed, UInt64(extent.count) | mark << 32,
            ]
            checksum = crc32c(entry.span.rawBytes, continuing: checksum)
        }
        return checksum
    }

    private static func blockTotal(_ extents: Span<Extent>) -> UInt64 {
        var total: UInt64 = 0
        for index in extents.indices { total += UInt64(extents[index].count) }
        return total
    }
}
