/// What the HTTP front is told at start; immutable.

public import Engine
public import HTTP
public import Store

public struct FrontSettings: Sendable {
    public var limits = HTTP.Limits()
    /// Decoded; starts and ends with a slash.
    public var basePath: [UInt8] = [UInt8(ascii: "/")]
    /// Sign upload URLs: at least one.
    public var secrets: [UploadCredential]
    public var adminToken: [UInt8]
    /// 403, or 401 for those who prefer it.
    public var badSignatureStatus = Status.forbidden
    public var uploadBytesMax: UInt64 = StoreLimits.objectBytesMax
    /// How long an unfinished upload is kept for its client to come back.
    public var uploadSecondsToLive: UInt64 = 24 * 3600
    /// Bearer tokens that may upload, beside the admin's.
    public var tokens: [UploadCredential] = []
    /// The key of JSON Web Tokens that may upload; nil for none.
    public var jwtSecret: [UInt8]?
    /// Whom such a token has to be for; nil where it may not say.
    public var jwtAudience: [UInt8]?
    public var durability = Store.Durability.durable

    /// Every byte of a large object is compared each time it is read, not only the first time since
    /// start: nothing leaves from the page cache.
    public var verifiesAlways = false

    public var buffers = BufferLimits()

    /// From when on new requests are refused, so that those taken stay fast.
    public var admission = AdmissionLimits()

    /// Between which lengths clients are told how long their chunks should be.
    public var chunks = ChunkLimits()

    /// Clients are advised by what is known of their links; else numbered chunks have `fixed`'s
    /// length for a link of which nothing is known, and nobody else is told.
    public var plansChunks = true
    public var chunkAlgorithm = ChunkAlgorithm.adaptive
    /// Nil: nobody is remembered.
    public var profiles: ClientProfiles?

    /// Content of one request of the IETF's resumable uploads; nil for as much as an upload has.
    public var appendBytesMax: UInt64?

    /// Large sends out of leased buffers may leave without a copy: those are registered with the
    /// ring, and the kernel tells when it copies all the same.
    public var sendsZeroCopy = false

    /// The kernel is asked what it knows of the links of large transfers.
    public var estimatesLinks = true
    /// Those links have a class.
    public var detectsLinkClass = true
    /// Sockets and buffers follow it.
    public var adaptsQuality = true
    public var tuningChoices = LinkTuning.Choices()
    /// Parts of objects are sent to who asks for them.
    public var sendsRanges = true
    /// An object that lies beside another as what that is when coded is sent in its place.
    public var sendsPrecompressed = false
    /// What was said already; of the whole process.
    public let complaints = Complaints()

    /// Takes one line for the operator: errors that are ours, with the request's number.
    public var log: @Sendable (String) -> Void = { _ in }
    /// The same for what goes on all the same, and is told once.
    public var remark: @Sendable (String) -> Void = { _ in }

    public var connectionsMax = 16384
    public var headTimeoutSeconds: UInt32 = 10
    public var idleTimeoutSeconds: UInt32 = 60
    /// No byte of a body for that long ends the upload.
    public var bodyTimeoutSeconds: UInt32 = 30
    public var bodyBytesPerSecondMin = 1024
    /// A client that takes nothing for that long is gone.
    public var sendTimeoutSeconds: UInt32 = 60
    /// How long we read on behind our last byte.
    public var lingerSeconds: UInt32 = 3
    /// An unwanted body up to this length is read, so that the connection can be kept.
    public var drainBytesMax: UInt64 = 256 << 10

    public init(secrets: [UploadCredential], adminToken: [UInt8]) {
        precondition(!secrets.isEmpty, "nobody could sign an upload")
        self.secrets = secrets
        self.adminToken = adminToken
    }

    /// With one secret, as most servers have.
    public init(secret: [UInt8], adminToken: [UInt8]) {
        self.init(
            secrets: [UploadCredential(owner: "secret", secret: secret)], adminToken: adminToken)
    }
}
