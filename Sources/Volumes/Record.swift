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
    /// CRC32C of every 64 KiB of a large object; empty when not asked for.
    public let checksums: [UInt32]

    /// Reads the record at the start of `bytes` and verifies all of it: the header by its seal, the
    /// data or table by its checksum. Throws every `RecordError`.
    public static func decode(
        _ bytes: RawSpan, at address: BlockAddress, instance: InstanceID, seal: some RecordSeal,
        keepingChecksums: Bool = true
    ) throws(RecordError) -> Record {
        let header = try RecordHeader.decode(bytes, at: address, instance: instance, seal: seal)
        return try decode(bytes, header, keepingChecksums: keepingChecksums)
    }

    static func decode(
        _ bytes: RawSpan, _ header: RecordHeader, keepingChecksums: Bool
    ) throws(RecordError) -> Record {
        guard bytes.byteCount / VolumeLayout.blockSize >= header.blockCount
        else { throw .truncated(needsBlocks: header.blockCount) }
        guard crc32c(bytes.extracting(header.content)) == header.contentChecksum
        else { throw .contentDamaged }
        return Record(
            header: header, bytes, extents: try header.extents(in: bytes),
            checksums: keepingChecksums ? header.checksums(in: bytes) : [])
    }

    init(header: RecordHeader, _ bytes: RawSpan, extents: [Extent], checksums: [UInt32]) {
        self.header = header
        name = octets(bytes, header.name)
        owner = octets(bytes, header.owner)
        tenant = octets(bytes, header.tenant)
        mediaType = octets(bytes, header.mediaType)
        sha256 = octets(bytes, header.sha256)
        self.extents = extents
        self.checksums = checksums
    }
}

extension RecordHeader {
    /// The extents of a large object, of whose record `bytes` hold the whole.
    func extents(in bytes: RawSpan) throws(RecordError) -> [Extent] {
        var extents: [Extent] = []
        extents.reserveCapacity(extentCount)
        var blocks: UInt64 = 0
        for index in 0..<extentCount {
            let offset = headerByteCount + index * RecordHeader.extentByteCount
            let count = bytes.integer(at: offset + 8, as: UInt32.self)
            guard let address = BlockAddress(packed: bytes.integer(at: offset)), count > 0,
                address.block <= UInt32.max - count
            else { throw .contentDamaged }
            extents.append(Extent(volume: address.volume, start: address.block, count: count))
            blocks += UInt64(count)
        }
        guard kind != .largeObject || blocks >= VolumeLayout.blocks(for: length)
        else { throw .contentDamaged }
        return extents
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
