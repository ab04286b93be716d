/// What a request wants to write of an upload, what it was allowed, and what of it has come: the
/// values that go between the core that receives a chunk and the core that owns the upload.

/// A run of bytes that a request is about to send.
public struct ChunkClaim: Equatable, Sendable {
    public let offset: UInt64
    /// Behind the last byte; nil if the request does not say how many come.
    public let end: UInt64?
    /// The bytes go on where the upload's beginning ends; else they may lie anywhere.
    public let isSequential: Bool
    /// How long the whole upload is, if the request tells.
    public let length: UInt64?
    /// As many bytes one request may bring; asked of those that do not say how many come.
    public let byteCountMax: UInt64?

    public init(
        offset: UInt64, end: UInt64?, isSequential: Bool, length: UInt64? = nil,
        byteCountMax: UInt64? = nil
    ) {
        precondition(end.map { $0 >= offset } ?? true, "a chunk that ends before it begins")
        self.offset = offset
        self.end = end
        self.isSequential = isSequential
        self.length = length
        self.byteCountMax = byteCountMax
    }

    /// The bytes that nobody else may write meanwhile.
    public var range: Range<UInt64> { offset..<(end ?? .max) }
}

/// Bytes of one block that do not fill it, on their way to the upload's owner.
public struct BlockPart: Equatable, Sendable {
    /// Counted from the upload's start.
    public let offset: UInt64
    public let bytes: [UInt8]

    public init(offset: UInt64, bytes: [UInt8]) {
        precondition(!bytes.isEmpty, "a part without bytes")
        precondition(
            offset / UInt64(VolumeLayout.blockSize)
                == (offset + UInt64(bytes.count) - 1) / UInt64(VolumeLayout.blockSize),
            "a part of two blocks")
        self.offset = offset
        self.bytes = bytes
    }

    public var range: Range<UInt64> { offset..<offset + UInt64(bytes.count) }
    public var block: UInt64 { offset / UInt64(VolumeLayout.blockSize) }
}

/// What has come of a chunk since the last report.
public struct ChunkReport: Equatable, Sendable {
    /// Checksum of one 64 KiB unit or one 4 KiB block that is on the volume.
    public struct Sum: Equatable, Sendable {
        public let number: UInt64
        public let checksum: UInt32

        public init(number: UInt64, checksum: UInt32) {
            (self.number, self.checksum) = (number, checksum)
        }
    }

    /// Whole blocks that lie on the volume: the writes have ended, and are not flushed.
    public var written: [Range<UInt64>] = []
    public var units: [Sum] = []
    public var blocks: [Sum] = []
    public var parts: [BlockPart] = []

    public init() {}

    public var isEmpty: Bool { written.isEmpty && parts.isEmpty }

    /// Adds what came after it.
    public mutating func append(_ next: ChunkReport) {
        written += next.written
        units += next.units
        blocks += next.blocks
        parts += next.parts
    }
}

/// Why a chunk is not taken.
public enum ChunkRefusal: Error, Equatable, Sendable {
    /// The upload goes on elsewhere.
    case wrongOffset(expected: UInt64)
    /// The upload ends before the chunk does, or has a limit there.
    case tooLong(limit: UInt64)
    /// More than one request may bring.
    case tooMuchAtOnce(limit: UInt64)
    /// Another length was declared before, or more bytes have come.
    case inconsistentLength
    /// Other bytes have come for the same place.
    case differs(at: UInt64)
    /// In more pieces than an upload may have.
    case tooScattered
}
