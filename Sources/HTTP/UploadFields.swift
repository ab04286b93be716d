/// The IETF's resumable uploads (draft-ietf-httpbis-resumable-upload, interop version 8): what a
/// request says of its upload, and how limits are announced.
///
/// The draft has a malformed field ignored (§4.1): `nil` is that, too. But an upload whose
/// Upload-Complete is ignored would publish a part as the whole, so what was malformed is told, and
/// a server that can do without such clients refuses them.
public struct UploadFields: Equatable, BitwiseCopyable, Sendable {
    /// Sent with 104, and by clients that want 104.
    public static let interopVersion: UInt64 = 8

    /// Upload-Complete: whether this request's content is the end of the representation.
    public let isComplete: Bool?
    /// Upload-Offset: where this request's content starts.
    public let offset: UInt64?
    /// Upload-Length: of the whole representation.
    public let length: UInt64?
    /// The client speaks the version that this server does: only then it is sent 104.
    public let speaksThisVersion: Bool
    /// The first of the fields above that was sent, but malformed.
    public let fault: Refusal?

    public init(_ lines: DialectLines, in bytes: Span<UInt8>) {
        var fault: Refusal?
        isComplete = UploadFields.boolean(.uploadComplete, lines, bytes)
        offset = UploadFields.count(.uploadOffset, lines, bytes)
        length = UploadFields.count(.uploadLength, lines, bytes)
        if length == nil, lines[.uploadLength].isPresent { fault = .malformedUploadLength }
        if offset == nil, lines[.uploadOffset].isPresent { fault = .malformedUploadOffset }
        if isComplete == nil, lines[.uploadComplete].isPresent { fault = .malformedUploadComplete }
        speaksThisVersion =
            UploadFields.count(.interopVersion, lines, bytes) == UploadFields.interopVersion
        self.fault = fault
    }

    /// The length of the whole representation as far as this request tells it (§4.1.3): by
    /// Upload-Length, and by where the content ends if that is the end of the representation.
    /// Both must agree.
    public func wholeLength(contentLength: UInt64?) throws(Refusal) -> UInt64? {
        guard isComplete == true, let contentLength else { return length }
        let (end, isTooLarge) = (offset ?? 0).addingReportingOverflow(contentLength)
        if isTooLarge || length.map({ $0 != end }) ?? false { throw .inconsistentUploadLength }
        return end
    }

    private static func boolean(
        _ field: DialectField, _ lines: DialectLines, _ bytes: Span<UInt8>
    ) -> Bool? {
        guard case .boolean(let value) = lines.item(field, in: bytes) else { return nil }
        return value
    }

    private static func count(
        _ field: DialectField, _ lines: DialectLines, _ bytes: Span<UInt8>
    ) -> UInt64? { lines.item(field, in: bytes)?.count }
}

/// What Upload-Limit announces (§4.1.4); nil for what has no limit.
public struct UploadLimit: Equatable, BitwiseCopyable, Sendable {
    /// Bytes of the whole representation.
    public var maxSize: UInt64?
    public var minSize: UInt64?
    /// Bytes of one request's content.
    public var maxAppendSize: UInt64?
    public var minAppendSize: UInt64?
    /// Seconds from this answer on until the upload is forgotten.
    public var maxAge: UInt64?

    public init() {}
}

extension OutputSpan<UInt8> {
    /// `Upload-Limit: max-size=…, …`; nothing if there is no limit. What a structured field has no
    /// Integer for becomes its largest one.
    public mutating func appendUploadLimit(_ limit: UploadLimit) {
        var isFirst = true
        appendLimit("max-size=", limit.maxSize, &isFirst)
        appendLimit("min-size=", limit.minSize, &isFirst)
        appendLimit("max-append-size=", limit.maxAppendSize, &isFirst)
        appendLimit("min-append-size=", limit.minAppendSize, &isFirst)
        appendLimit("max-age=", limit.maxAge, &isFirst)
        if !isFirst { append("\r\n") }
    }

    private mutating func appendLimit(_ key: String, _ value: UInt64?, _ isFirst: inout Bool) {
        guard let value else { return }
        append(isFirst ? "Upload-Limit: " : ", ")
        isFirst = false
        append(key)
        append(decimal: min(value, StructuredValue.integerMax))
    }

    /// `Upload-Complete: ?1` or `?0`.
    public mutating func appendUploadComplete(_ isComplete: Bool) {
        append(isComplete ? "Upload-Complete: ?1\r\n" : "Upload-Complete: ?0\r\n")
    }
}
