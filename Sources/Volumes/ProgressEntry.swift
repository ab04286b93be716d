import Checksums

/// How far one unfinished upload had come at one moment, as its core's progress log has it: its
/// record, and the pages of checksums that are others than in the entry before.
///
///      0   8  magic                      40  16  instance
///      8  16  seal over bytes 24…95      56   8  own address
///     24   2  format                     64   8  sequence
///     26   2  zero                       72  16  upload
///     28   4  CRC32C of all behind       88   4  record, bytes
///     32   8  confirmed sequence         92   4  pages, bytes
///
/// From byte 96 on: the record as `UploadRecord.encode` has it; the pages, each its number, how
/// many checksums (4 each), and those. The rest of the last block is zero. Little-endian, but for
/// instance and upload.
///
/// An entry is the whole of what is to be known: those before it are only asked for their pages.
public struct ProgressEntry: Equatable, Sendable {
    public struct Page: Equatable, Sendable {
        public let number: Int
        public let checksums: [UInt32]

        public init(number: Int, checksums: [UInt32]) {
            (self.number, self.checksums) = (number, checksums)
        }
    }

    public let sequence: UInt64
    /// All entries of this log up to here were durable when this one was written, and so is what
    /// they speak of.
    public let confirmed: UInt64
    public let upload: ObjectID
    /// An encoded `UploadRecord`.
    public let record: [UInt8]
    public let pages: [Page]

    public init(
        sequence: UInt64, confirmed: UInt64, upload: ObjectID, record: [UInt8], pages: [Page]
    ) {
        (self.sequence, self.confirmed, self.upload) = (sequence, confirmed, upload)
        (self.record, self.pages) = (record, pages)
    }

    static let formatVersion: UInt16 = 1
    static let magic: UInt64 = 0x0d47_4f52_504c_4c4d  // "MLLPROG\r" in byte order
    static let headerByteCount = 96
    private static let sealed = 24..<headerByteCount

    /// Blocks of the longest entry. What says more goes into the catalog.
    public static let blocksMax: UInt32 = 16

    /// Blocks of the entry with a record of `recordBytes` bytes and such pages.
    public static func blockCount(recordBytes: Int, pages: [Page]) -> UInt32 {
        let bytes = headerByteCount + recordBytes + byteCount(of: pages)
        return UInt32(VolumeLayout.blocks(for: UInt64(bytes)))
    }

    private static func byteCount(of pages: [Page]) -> Int {
        pages.reduce(0) { $0 + 8 + 4 * $1.checksums.count }
    }

    public var blockCount: UInt32 {
        ProgressEntry.blockCount(recordBytes: record.count, pages: pages)
    }

    // MARK: Bytes

    /// Fills the first `blockCount` blocks of `target`.
    @_lifetime(target: copy target)
    public func encode(
        into target: inout MutableRawSpan, at address: BlockAddress, instance: InstanceID,
        seal: some RecordSeal
    ) {
        let pageBytes = ProgressEntry.byteCount(of: pages)
        let end = ProgressEntry.headerByteCount + record.count + pageBytes
        target.zero(0..<Int(blockCount) * VolumeLayout.blockSize)
        target.put(ProgressEntry.magic, at: 0)
        target.put(ProgressEntry.formatVersion, at: 24)
        target.put(confirmed, at: 32)
        target.put(instance.high.bigEndian, at: 40)
        target.put(instance.low.bigEndian, at: 48)
        target.put(address.packed, at: 56)
        target.put(sequence, at: 64)
        target.put(upload.high.bigEndian, at: 72)
        target.put(upload.low.bigEndian, at: 80)
        target.put(UInt32(record.count), at: 88)
        target.put(UInt32(pageBytes), at: 92)
        target.put(record.span.rawBytes, at: ProgressEntry.headerByteCount)
        var offset = ProgressEntry.headerByteCount + record.count
        for page in pages {
            target.put(UInt32(page.number), at: offset)
            target.put(UInt32(page.checksums.count), at: offset + 4)
            target.put(page.checksums.span.rawBytes, at: offset + 8)
            offset += 8 + 4 * page.checksums.count
        }
        let checksum = crc32c(target.bytes.extracting(ProgressEntry.headerByteCount..<end))
        target.put(checksum, at: 28)
        let tag = seal.tag(target.bytes.extracting(ProgressEntry.sealed))
        target.put(tag.first, at: 8)
        target.put(tag.second, at: 16)
    }

    public enum Look: Equatable, Sendable {
        /// No entry of ours starts here, or not all of it was written.
        case nothing
        case entry(ProgressEntry)
        /// Ours by its magic, in a format that this program does not know.
        case newerFormat(UInt16)
    }

    /// What starts at the front of `bytes`, which hold `blocksMax` blocks, or all up to the log's
    /// end.
    public static func look(
        at bytes: RawSpan, _ address: BlockAddress, instance: InstanceID, seal: some RecordSeal
    ) -> Look {
        guard bytes.byteCount >= VolumeLayout.blockSize, bytes.integer(at: 0) == magic
        else { return .nothing }
        let tag = SealTag(first: bytes.integer(at: 8), second: bytes.integer(at: 16))
        guard seal.tag(bytes.extracting(sealed)) == tag else { return .nothing }
        let format = bytes.integer(at: 24, as: UInt16.self)
        guard format <= formatVersion else { return .newerFormat(format) }
        let recordBytes = Int(bytes.integer(at: 88, as: UInt32.self))
        let pageBytes = Int(bytes.integer(at: 92, as: UInt32.self))
        let end = headerByteCount + recordBytes + pageBytes
        guard format == formatVersion,
            bytes.integer(at: 40) == instance.high.bigEndian,
            bytes.integer(at: 48) == instance.low.bigEndian,
            bytes.integer(at: 56) == address.packed, end <= bytes.byteCount,
            bytes.integer(at: 28) == crc32c(bytes.extracting(headerByteCount..<end)),
            let pages = pages(bytes.extracting(headerByteCount + recordBytes..<end))
        else { return .nothing }
        return .entry(
            ProgressEntry(
                sequence: bytes.integer(at: 64), confirmed: bytes.integer(at: 32),
                upload: ObjectID(
                    high: UInt64(bigEndian: bytes.integer(at: 72)),
                    low: UInt64(bigEndian: bytes.integer(at: 80))),
                record: octets(bytes, headerByteCount..<headerByteCount + recordBytes),
                pages: pages))
    }

    private static func pages(_ bytes: RawSpan) -> [Page]? {
        var pages: [Page] = []
        var offset = 0
        while offset < bytes.byteCount {
            guard bytes.byteCount - offset >= 8 else { return nil }
            let count = Int(bytes.integer(at: offset + 4, as: UInt32.self))
            let start = offset + 8
            guard count <= ChecksumPage.unitCount, bytes.byteCount - start >= 4 * count
            else { return nil }
            let checksums = (0..<count).map { bytes.integer(at: start + 4 * $0, as: UInt32.self) }
            pages.append(
                Page(
                    number: Int(bytes.integer(at: offset, as: UInt32.self)), checksums: checksums))
            offset = start + 4 * count
        }
        return pages
    }
}
