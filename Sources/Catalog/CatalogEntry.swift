/// What the catalog knows of one published object: where its record lies, and what a look-up needs
/// before it reads the record. The media type and everything else is in the record.
public struct CatalogEntry: Sendable, Equatable {
    /// Where the record starts: the volume's packed address, which means nothing to the catalog.
    public var recordAddress: UInt64
    /// How many 4 KiB blocks to read there.
    public var recordBlocks: UInt32
    /// Which class of volume holds the bytes. The store gives the number its meaning.
    public var kind: UInt8
    /// The object's length in bytes.
    public var length: UInt64
    /// The commit sequence of the record: of two records for one name, the higher one counts.
    public var sequence: UInt64
    /// Seconds since 1970, UTC.
    public var modified: UInt64

    public init(
        recordAddress: UInt64, recordBlocks: UInt32, kind: UInt8, length: UInt64,
        sequence: UInt64, modified: UInt64
    ) {
        self.recordAddress = recordAddress
        self.recordBlocks = recordBlocks
        self.kind = kind
        self.length = length
        self.sequence = sequence
        self.modified = modified
    }
}

extension CatalogEntry {
    /// Little-endian at these offsets; the last 11 bytes are reserved and zero.
    private enum Offset {
        static let recordAddress = 0
        static let length = 8
        static let sequence = 16
        static let modified = 24
        static let recordBlocks = 32
        static let kind = 36
    }

    static let encodedBytes = 48

    var encoded: InlineArray<48, UInt8> {
        var bytes = InlineArray<48, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        target.store(recordAddress, at: Offset.recordAddress)
        target.store(length, at: Offset.length)
        target.store(sequence, at: Offset.sequence)
        target.store(modified, at: Offset.modified)
        target.store(recordBlocks, at: Offset.recordBlocks)
        target.store(kind, at: Offset.kind)
        return bytes
    }

    /// Nil for anything but an entry's exact length.
    init?(encoded bytes: Span<UInt8>) {
        guard bytes.count == CatalogEntry.encodedBytes else { return nil }
        recordAddress = bytes.load(UInt64.self, at: Offset.recordAddress)
        length = bytes.load(UInt64.self, at: Offset.length)
        sequence = bytes.load(UInt64.self, at: Offset.sequence)
        modified = bytes.load(UInt64.self, at: Offset.modified)
        recordBlocks = bytes.load(UInt32.self, at: Offset.recordBlocks)
        kind = bytes.load(UInt8.self, at: Offset.kind)
    }
}
