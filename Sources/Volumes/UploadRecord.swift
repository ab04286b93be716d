/// One unfinished upload, or one that has become an object and is kept to say so: all that must
/// outlive the process, apart from the checksums of whole units (`BlockChecksums.page`).
///
/// It is a snapshot: `received`, `fragments` and `partialUnits` are those of one moment, and what
/// they speak of is durable before the record is.
public struct UploadRecord: Equatable, Sendable {
    /// Where the object will be published.
    public let name: [UInt8]
    public let owner: [UInt8]
    public let tenant: [UInt8]
    public var mediaType: [UInt8]
    /// What the client says about the file, as it was sent (tus `Upload-Metadata`).
    public var metadata: [UInt8] = []
    /// What the client says that the whole will be: 32 bytes, if it has.
    public var expectedSHA256: [UInt8]?
    public var expectedCRC32C: UInt32?
    /// In which dialect it was created; it may go on in any other.
    public let dialect: UploadDialect
    /// It is there to be concatenated, and never becomes an object by itself.
    public var isPartial = false
    /// The uploads that it was put together from, in order; they are no more. Only of one that has
    /// become an object: nothing is recorded of it before.
    public var parts: [ObjectID] = []
    /// The sequence of the object that it became; nil while it is open. Its space is the object's
    /// then: such a record has neither space nor fragments.
    public var publishedSequence: UInt64?
    /// How long it will be; nil as long as the client has not said.
    public var length: UInt64?
    /// Seconds since 1970.
    public let createdSeconds: UInt64
    public var lastActivitySeconds: UInt64
    public var expiresSeconds: UInt64
    /// The chunk size that was agreed on; 0 for none.
    public var chunkSize: UInt32 = 0
    /// Rises with every request that takes the upload over from an earlier one.
    public var generation: UInt64 = 0
    /// Entries of a progress log up to this one say no more than the record; 0 where none was made.
    public var progressSequence: UInt64 = 0
    public var received = ExtentMap()
    public var space = SpaceMap()
    /// The blocks that have come in part, in order.
    public var fragments: [UploadFragment] = []
    /// Those of `BlockChecksums`.
    public var partialUnits: [PartialUnit] = []

    public var isFinished: Bool { publishedSequence != nil }

    public init(
        name: [UInt8], owner: [UInt8] = [], tenant: [UInt8] = [], mediaType: [UInt8] = [],
        dialect: UploadDialect, createdSeconds: UInt64, expiresSeconds: UInt64
    ) {
        self.name = name
        self.owner = owner
        self.tenant = tenant
        self.mediaType = mediaType
        self.dialect = dialect
        self.createdSeconds = createdSeconds
        lastActivitySeconds = createdSeconds
        self.expiresSeconds = expiresSeconds
    }
}

/// What the client that created an upload speaks.
public enum UploadDialect: UInt8, Sendable, CaseIterable {
    /// PUT on a signed URL, gone on with after a break.
    case signedPut = 1
    /// The IETF's resumable uploads.
    case resumable = 2
    case tus = 3
    /// Chunks that are counted, not placed by their offset.
    case numbered = 4
    /// A form's POST.
    case multipart = 5
}

/// A block of which some bytes have come, and no write: it is written once, when it is whole.
public struct UploadFragment: Equatable, Sendable {
    /// Counted from the upload's start.
    public var block: UInt64
    /// Where in the block `bytes` start: its first byte that has come.
    public var offset: Int
    /// Up to its last byte that has come. Those between that have not, by `received`, count for
    /// nothing.
    public var bytes: [UInt8]

    public init(block: UInt64, offset: Int, bytes: [UInt8]) {
        (self.block, self.offset, self.bytes) = (block, offset, bytes)
    }
}

/// A part of an upload record, where something is wrong with one.
public enum UploadRecordPart: Sendable, CaseIterable {
    /// Dialect, flags, or what goes together with being finished.
    case kind
    /// Name, owner, tenant or media type.
    case text
    case metadata
    /// The uploads that it was put together from.
    case parts
    case length
    /// The ranges that have come.
    case received
    case space
    case partialUnits
    case fragments
    /// There are bytes behind its end, or its end is missing.
    case byteCount
}

public enum UploadRecordError: Error, Equatable, Sendable {
    /// Written by a newer program, in this format.
    case newerFormat(UInt16)
    /// Too short, or its checksum is wrong.
    case damaged
    /// Whole, but this part says what cannot be.
    case malformed(UploadRecordPart)
}
