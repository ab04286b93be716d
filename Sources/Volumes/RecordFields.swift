// What a record says, apart from the data: the parts that are given to write one.

/// What a record stands for. Records live in small volumes only.
public enum RecordKind: UInt8, Sendable, CaseIterable {
    /// An object of at most 64 KiB, whose data follows the header.
    case smallObject = 1
    /// An object in extents of large volumes: the header is followed by their list and by one
    /// checksum for every 64 KiB.
    case largeObject = 2
    /// The end of the object that `supersedes` names.
    case removal = 3
}

/// One record, past mistaking: its place alone could have been reused.
public struct RecordReference: Hashable, Sendable {
    public let address: BlockAddress
    public let sequence: UInt64

    public init(address: BlockAddress, sequence: UInt64) {
        (self.address, self.sequence) = (address, sequence)
    }
}

/// What every record says about itself.
public struct RecordStamp: Equatable, Sendable {
    public let instance: InstanceID
    /// Where the record itself lies; a copy anywhere else is refused.
    public let address: BlockAddress
    /// Its place in the order of commits, from 1.
    public let sequence: UInt64
    public let object: ObjectID
    /// Seconds since 1970, and nanoseconds below one second.
    public let modifiedSeconds: UInt64
    public let modifiedNanoseconds: UInt32
    /// The record of the same name that this one ends. Its header must be durably overwritten
    /// before this record's own blocks are: else it would come back to life.
    public let supersedes: RecordReference?

    public init(
        instance: InstanceID, address: BlockAddress, sequence: UInt64, object: ObjectID,
        modifiedSeconds: UInt64, modifiedNanoseconds: UInt32 = 0,
        supersedes: RecordReference? = nil
    ) {
        precondition(sequence > 0, "sequences start at 1")
        precondition(modifiedNanoseconds < 1_000_000_000, "a second has that many")
        self.instance = instance
        self.address = address
        self.sequence = sequence
        self.object = object
        self.modifiedSeconds = modifiedSeconds
        self.modifiedNanoseconds = modifiedNanoseconds
        self.supersedes = supersedes
    }
}

/// The borrowed strings of a record, as bytes in no particular encoding, and its digest.
public struct RecordText: ~Escapable {
    public static let nameBytesMax = 480
    public static let ownerBytesMax = 64
    public static let tenantBytesMax = 64
    public static let mediaTypeBytesMax = 128
    public static let sha256Bytes = 32

    public let name: RawSpan
    public let owner: RawSpan
    public let tenant: RawSpan
    public let mediaType: RawSpan
    /// Of the object's bytes; empty if nobody has made it.
    public let sha256: RawSpan

    /// Whoever lets the world choose these checks the limits first; the name is never empty.
    @_lifetime(copy name, copy owner, copy tenant, copy mediaType, copy sha256)
    public init(
        name: RawSpan, owner: RawSpan = RawSpan(), tenant: RawSpan = RawSpan(),
        mediaType: RawSpan = RawSpan(), sha256: RawSpan = RawSpan()
    ) {
        precondition(!name.isEmpty && name.byteCount <= RecordText.nameBytesMax)
        precondition(owner.byteCount <= RecordText.ownerBytesMax)
        precondition(tenant.byteCount <= RecordText.tenantBytesMax)
        precondition(mediaType.byteCount <= RecordText.mediaTypeBytesMax)
        precondition(sha256.isEmpty || sha256.byteCount == RecordText.sha256Bytes)
        self.name = name
        self.owner = owner
        self.tenant = tenant
        self.mediaType = mediaType
        self.sha256 = sha256
    }

    var byteCount: Int {
        name.byteCount + owner.byteCount + tenant.byteCount + mediaType.byteCount
            + sha256.byteCount
    }
}
