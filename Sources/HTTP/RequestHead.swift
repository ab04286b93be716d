/// What a request head says: plain data, positions instead of bytes, no reference to its buffer.
///
/// The slices point into the span that was parsed; `FieldCursor` finds the fields without a slot.
public struct RequestHead: BitwiseCopyable, Sendable {
    public enum Method: UInt8, BitwiseCopyable, Sendable {
        case get, head, put, post, patch, delete, options, other

        /// By a name of at most seven characters as `Span.word` reads it: case counts.
        @inline(__always)
        init(word name: UInt64) {
            switch name {
            case word("G", "E", "T"): self = .get
            case word("P", "U", "T"): self = .put
            case word("H", "E", "A", "D"): self = .head
            case word("P", "O", "S", "T"): self = .post
            case word("P", "A", "T", "C", "H"): self = .patch
            case word("D", "E", "L", "E", "T", "E"): self = .delete
            case word("O", "P", "T", "I", "O", "N", "S"): self = .options
            default: self = .other
            }
        }
    }

    public internal(set) var method: Method = .other

    /// The y of HTTP/1.y: 0 or 1.
    public internal(set) var minorVersion: UInt8 = 1

    /// What RFC 9112 §9.3 says of this request alone; a refusal or a drain still closes.
    public internal(set) var keepAlive = false

    public internal(set) var isChunked = false

    /// `OPTIONS *`: about the server, not about a path.
    public internal(set) var isAsterisk = false

    /// `Expect: 100-continue`, in HTTP/1.1 only (RFC 9110 §10.1.1).
    public internal(set) var expectsContinue = false

    /// An expectation other than 100-continue: 417.
    public internal(set) var hasUnknownExpectation = false

    /// Content-Digest or Repr-Digest was sent. `DialectLines` has what it says, as it has that of
    /// the next two: whoever finds none of them here need not look.
    public internal(set) var hasDigest = false
    public internal(set) var wantsReprDigest = false
    public internal(set) var hasUploadComplete = false

    /// If-Match or If-None-Match on several lines: the slots have the first, `Conditions` all.
    var hasRepeatedConditionList = false
    var hasContentLength = false
    var contentLengthValue: UInt64 = 0

    /// As sent; `path` and `query` are parts of it, in the absolute form too.
    public internal(set) var target = ByteSlice.absent

    /// Still percent-encoded, from its first slash on. Empty if an absolute form has no path.
    public internal(set) var path = ByteSlice.absent

    /// Still percent-encoded, without the question mark; absent if there is none.
    public internal(set) var query = ByteSlice.absent

    /// All field lines, without the empty line behind them.
    public internal(set) var fields = ByteSlice.absent

    /// Authority of an absolute-form target if there is one (RFC 9112 §3.2.2), else Host.
    public internal(set) var host = ByteSlice.absent
    public internal(set) var contentType = ByteSlice.absent
    public internal(set) var contentRange = ByteSlice.absent
    public internal(set) var authorization = ByteSlice.absent
    public internal(set) var range = ByteSlice.absent
    public internal(set) var ifMatch = ByteSlice.absent
    public internal(set) var ifNoneMatch = ByteSlice.absent
    public internal(set) var ifModifiedSince = ByteSlice.absent
    public internal(set) var ifUnmodifiedSince = ByteSlice.absent
    public internal(set) var ifRange = ByteSlice.absent

    /// `Millrace-Durability`: how far this upload must have come before it is acknowledged.
    public internal(set) var durability = ByteSlice.absent

    public init() {}

    public var contentLength: UInt64? { hasContentLength ? contentLengthValue : nil }

    public var framing: BodyFraming {
        if isChunked { return .chunked }
        return hasContentLength ? .length(contentLengthValue) : .none
    }
}

/// How the end of a request's content is known (RFC 9112 §6.3).
public enum BodyFraming: Equatable, BitwiseCopyable, Sendable {
    /// Neither field was sent: there is no content.
    case none
    /// Bytes that follow the head; may be 0.
    case length(UInt64)
    /// `ChunkedDecoder` finds the end.
    case chunked
}
