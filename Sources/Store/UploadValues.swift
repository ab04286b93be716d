/// What callers say and see of uploads that may be resumed. Plain values.

public import Volumes

/// What an upload is to become, said before its bytes.
public struct UploadTerms: Sendable, Equatable {
    /// Under which the object will be published: 1 to `StoreLimits.nameBytesMax` bytes.
    public var name: [UInt8]
    /// The credential that may go on with it; everybody else is told that it does not exist.
    public var owner: [UInt8]
    public var tenant: [UInt8]
    public var mediaType: [UInt8]
    /// Bytes of the whole, if that is known yet.
    public var length: UInt64?
    public var dialect: UploadDialect
    /// Of numbered chunks; 0 where a chunk is whatever comes.
    public var chunkBytes: UInt32
    /// What its client says that the whole will be: else it is not published.
    public var expected = ObjectDigests()
    /// What the client wants to have back: tus' Upload-Metadata, as sent.
    public var metadata: [UInt8]
    /// It is there to be put together with others, and is never published by itself.
    public var isPartial = false
    /// The partial uploads that it is put together from.
    public var parts: [UploadID] = []

    public init(
        name: [UInt8], owner: [UInt8], tenant: [UInt8] = [], mediaType: [UInt8],
        length: UInt64?, dialect: UploadDialect, chunkBytes: UInt32 = 0, metadata: [UInt8] = []
    ) {
        self.name = name
        self.owner = owner
        self.tenant = tenant
        self.mediaType = mediaType
        self.length = length
        self.dialect = dialect
        self.chunkBytes = chunkBytes
        self.metadata = metadata
    }
}

/// How far an upload has come, all of it durable.
public struct UploadStatus: Sendable, Equatable {
    public let id: UploadID
    public let terms: UploadTerms
    /// How much of its beginning has come.
    public let offset: UInt64
    public let received: ExtentMap
    /// Bytes of the whole; nil while nobody has said.
    public let length: UInt64?
    /// Seconds since 1970, UTC.
    public let created: UInt64
    public let lastActivity: UInt64
    public let expires: UInt64
    /// It is published under its name.
    public let isFinished: Bool
    /// What was made of the whole by whoever finished it just now.
    public let digests: ObjectDigests
}

/// Why an upload does not go on.
public enum UploadError: Error, Equatable, Sendable {
    /// There is none, or it is somebody else's: 404.
    case notFound
    /// It was not finished in time: 410.
    case expired
    /// It is finished, and takes no more bytes.
    case finished(UploadStatus)
    /// This chunk cannot be part of it: 400, 409 or 413.
    case refused(ChunkRefusal)
    /// Other digests of the whole were told before: 400.
    case contradictingDigests
    /// All bytes have come, and are not what its client said: 400. The upload is gone.
    case mismatch(ExpectedChecksum)
    /// Another object was published under its name meanwhile: 409. The upload is gone.
    case nameTaken
    /// A newer request goes on with it: this one has to end.
    case preempted
    /// Too many uploads are under way, or have too much space: 429. Once others have ended it may
    /// go on.
    case tooMany(UploadLimit)
    /// Those uploads cannot be put together; they are as they were.
    case notJoinable(JoinRefusal)
    case store(StoreError)
}

extension UploadError {
    /// Less may be had.
    var isWantOfSpace: Bool {
        switch self {
        case .store(.noSpace), .tooMany: true
        case .notFound, .expired, .finished, .refused, .nameTaken, .preempted, .store, .mismatch,
            .contradictingDigests, .notJoinable:
            false
        }
    }
}

/// Why uploads are not put together.
public enum JoinRefusal: Sendable, Equatable {
    /// One is named twice: its space can be in the object only once. 400.
    case isRepeated
    /// One was not created to be a part: 400.
    case isNoPart
    /// Bytes of one are still missing: 400.
    case isUnfinished
    /// They lie in more pieces than an object may: 413.
    case isTooScattered
}

/// Which limit an upload ran into.
public enum UploadLimit: Sendable, Equatable {
    /// Unfinished uploads of one owner.
    case perOwner(Int)
    /// Unfinished uploads of all.
    case total(Int)
    /// Space of one owner's unfinished uploads.
    case bytesPerOwner(UInt64)
    /// Space of all unfinished uploads.
    case bytes(UInt64)
}
