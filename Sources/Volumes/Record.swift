import Checksums

/// A whole record with its strings and lists, for those who keep it: recovery, indexing, and the
/// manifest of an open large object. Whoever only reads a small object takes `RecordHeader`.
public struct Record: Equatable, Sendable {
    public let header: RecordHeader
    public let name: [UInt8]
    public let owner: [UInt8]
    public let tenant: [UInt8]
    public let mediaType: [UInt8]
    /// Of the object's bytes; empty if the record has none.
    public let sha256: [UInt8]
    /// Where the data of a large object lies, in order; the last may have blocks to spare.
    public let extents: [Extent]
    /// CRC32C of every 64 KiB of a large object, or of each of its segments; empty when not asked
    /// for.
    public let checksums: [UInt32]
    /// Of a large object that was put together from uploads; most have none.
    public let segments: [ObjectSegment]

    /// Reads the record at the start of `bytes` and verifies all of it: the header by its seal, the
    /// data or table by its checksum. Throws every `RecordError`.
    public static func decode(
        _ bytes: RawSpan, at address: BlockAddress, instance: InstanceID, seal: some RecordSeal,
        keepingChecksums: Bool = true
    ) throws(RecordError) -> Record {
        let header = try RecordHeader.decode(bytes, at: address, instance: instance, seal: seal)
        return try decode(bytes, header, keepingChecksums: keepingChecksums)
    }

    /// Reads the header at the start of one block, as `RecordHeader.decode` does, with its strings.
    public static func decodeHeader(
        _ block: RawSpan, at address: BlockAddress, instance: InstanceID, seal: some RecordSeal
    ) throws(RecordError) -> Record {
        let header = try RecordHeader.decode(block, at: address, instance: instance, seal: seal)
        return Record(header: header, block, extents: [], checksums: [])
    }

    static func decode(
        _ bytes: RawSpan, _ header: RecordHeader, keepingChecksums: Bool
    ) throws(RecordError) -> Record {
        guard bytes.byteCount / VolumeLayout.blockSize >= header.blockCount
        else { throw .truncated(needsBlocks: header.blockCount) }
        guard crc32c(bytes.extracting(header.content)) == header.contentChecksum
        else { throw .contentDamaged }
        let table = try header.table(in: bytes)
        return Record(
            header: header, bytes, extents: table.extents,
            checksums: keepingChecksums ? header.checksums(in: bytes) : [],
            segments: table.segments)
    }

    init(
        header: RecordHeader, _ bytes: RawSpan, extents: [Extent], checksums: [UInt32],
        segments: [ObjectSegment] = []
    ) {
        self.header = header
        name = octets(bytes, header.name)
        owner = octets(bytes, header.owner)
        tenant = octets(bytes, header.tenant)
        mediaType = octets(bytes, header.mediaType)
        sha256 = octets(bytes, header.sha256)
        self.extents = extents
        self.checksums = checksums
        self.segments = segments
    }
}

extension RecordHeader {
    /// The extents and segments of a large object, of whose record `bytes` hold the whole.
    func table(
        in bytes: RawSpan
    ) throws(RecordError) -> (extents: [Extent], segments: [ObjectSegment]) {
        var extents: [Extent] = []
        extents.reserveCapacity(extentCount)
        var segments: [ObjectSegment] = []
        // Those of the segment that has not ended.
        var (blocks, count): (UInt64, Int) = (0, 0)
        for index in 0..<extentCount {
            let offset = headerByteCount + index * RecordHeader.extentByteCount
            let extent = try extent(in: bytes, at: offset)
            extents.append(extent)
            (blocks, count) = (blocks + UInt64(extent.count), count + 1)
            let mark = bytes.integer(at: offset + 12, as: UInt32.self)
            guard mark != 0 else { continue }
            guard let spare = SegmentMark.spareBytes(mark), segments.count < segmentCount
            else { throw .contentDamaged }
            let length = blocks * UInt64(VolumeLayout.blockSize) - spare
            segments.append(ObjectSegment(length: length, extentCount: count))
            (blocks, count) = (0, 0)
        }
        guard kind == .largeObject else { return (extents, segments) }
        let isSound =
            segmentCount == 0
            ? blocks >= VolumeLayout.blocks(for: length)
            : count == 0 && segments.count == segmentCount && segments.areSound(length: length)
                && segments.reduce(0) { $0 + $1.checksumCount } == checksumCount
        guard isSound else { throw .contentDamaged }
        return (extents, segments)
    }

    private func extent(in bytes: RawSpan, at offset: Int) throws(RecordError) -> Extent {
        let count = bytes.integer(at: offset + 8, as: UInt32.self)
        guard let address = BlockAddress(packed: bytes.integer(at: offset)), count > 0,
            address.block <= UInt32.max - count
        else { throw .contentDamaged }
        return Extent(volume: address.volume, start: address.block, count: count)
    }

    /// The checksums of a large object, of whose record `bytes` hold the whole.
    func checksums(in bytes: RawSpan) -> [UInt32] {
        var checksums: [UInt32] = []
        checksums.reserveCapacity(checksumCount)
        for index in 0..<checksumCount {
            checksums.append(bytes.integer(at: checksumsStart + index * 4))
        }
        return checksums
    }
}

func octets(_ bytes: RawSpan, _ range: Range<Int>) -> [UInt8] {
    let source = bytes.octets
    var octets: [UInt8] = []
    octets.reserveCapacity(range.count)
    for index in range { octets.append(source[index]) }
    return octets
}
