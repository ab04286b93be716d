/// tus 1.0.0: what a request says of its upload. Numbers are plain decimals here, values base64.
public struct TusFields: Equatable, BitwiseCopyable, Sendable {
    /// The only version spoken: for Tus-Resumable and Tus-Version.
    public static let version = "1.0.0"
    /// For Tus-Checksum-Algorithm.
    public static let checksumAlgorithms = "sha1,sha256,crc32c"

    public enum Version: Equatable, BitwiseCopyable, Sendable {
        /// No Tus-Resumable: not a request of this protocol, unless it is OPTIONS.
        case none
        case supported
        /// 412, with Tus-Version.
        case other
    }

    public enum Concatenation: Equatable, BitwiseCopyable, Sendable {
        case none
        /// This upload is a part of one to be put together later.
        case partial
        /// This upload is put together from others: for `ConcatenatedUploads`.
        case final(ByteSlice)
    }

    public let version: Version
    public let length: UInt64?
    /// Upload-Defer-Length: the length follows with a later PATCH. Never together with `length`.
    public let isLengthDeferred: Bool
    public let offset: UInt64?
    /// Upload-Checksum: of this request's content.
    public let checksum: Digest?
    public let concatenation: Concatenation
    /// X-HTTP-Method-Override: what the request is meant to be, whatever its method says.
    public let method: RequestHead.Method?

    /// What was sent with another version is not looked at: it means what that version says.
    public init(
        _ lines: DialectLines, _ head: RequestHead, in bytes: Span<UInt8>, limits: Limits
    ) throws(Refusal) {
        version = try TusFields.version(lines, bytes)
        let method = try lines.single(.methodOverride)
        self.method = method.isPresent ? RequestHead.Method(named: method, in: bytes) : nil
        guard version == .supported else {
            (length, offset, checksum) = (nil, nil, nil)
            isLengthDeferred = false
            concatenation = .none
            return
        }
        length = try TusFields.number(.uploadLength, lines, bytes, .malformedUploadLength)
        offset = try TusFields.number(.uploadOffset, lines, bytes, .malformedUploadOffset)
        isLengthDeferred = try TusFields.isLengthDeferred(lines, bytes)
        if isLengthDeferred && length != nil { throw .lengthAndDeferral }
        checksum = try TusFields.checksum(lines, bytes)
        concatenation = try TusFields.concatenation(lines, head, bytes, limits)
        try TusMetadata.validate(lines, in: bytes, limits: limits)
    }

    private static func version(
        _ lines: DialectLines, _ bytes: Span<UInt8>
    ) throws(Refusal) -> Version {
        let value = try lines.single(.tusResumable)
        guard value.isPresent else { return .none }
        return bytes.extracting(value).equals(version.utf8.span) ? .supported : .other
    }

    private static func number(
        _ field: DialectField, _ lines: DialectLines, _ bytes: Span<UInt8>, _ refusal: Refusal
    ) throws(Refusal) -> UInt64? {
        let value = try lines.single(field)
        guard value.isPresent else { return nil }
        guard let number = Decimal.parse(bytes.extracting(value)) else { throw refusal }
        return number
    }

    private static func isLengthDeferred(
        _ lines: DialectLines, _ bytes: Span<UInt8>
    ) throws(Refusal) -> Bool {
        let value = try lines.single(.uploadDeferLength)
        guard value.isPresent else { return false }
        guard bytes.extracting(value).equals("1".utf8.span) else { throw .malformedDeferLength }
        return true
    }

    /// `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`
    private static func checksum(
        _ lines: DialectLines, _ bytes: Span<UInt8>
    ) throws(Refusal) -> Digest? {
        let value = try lines.single(.uploadChecksum)
        guard value.isPresent else { return nil }
        let nameEnd = Scan.endOfToken(bytes.extracting(first: value.end), from: value.start)
        guard nameEnd > value.start, nameEnd < value.end, bytes[nameEnd] == Ascii.space else {
            throw .malformedChecksum
        }
        let name = bytes.extracting(value.start..<nameEnd)
        guard let algorithm = DigestAlgorithm(tusName: name) else {
            throw .unknownChecksumAlgorithm
        }
        let text = bytes.extracting(nameEnd + 1..<value.end)
        guard let digest = Digest(algorithm, base64: text, .canonical) else {
            throw .malformedChecksum
        }
        return digest
    }

    /// `partial`, or `final;` and URLs with spaces between them.
    private static func concatenation(
        _ lines: DialectLines, _ head: RequestHead, _ bytes: Span<UInt8>, _ limits: Limits
    ) throws(Refusal) -> Concatenation {
        let value = try lines.single(.uploadConcat)
        guard value.isPresent else { return .none }
        let text = bytes.extracting(value)
        if text.equals("partial".utf8.span) { return .partial }
        let start = "final;".utf8.span
        guard text.count > start.count, text.extracting(first: start.count).equals(start) else {
            throw .malformedConcatenation
        }
        let list = ByteSlice(value.start + start.count, value.end)
        var uploads = ConcatenatedUploads(list, host: head.host)
        var count = 0
        while try uploads.next(in: bytes) != nil {
            count += 1
            if count > limits.concatenatedUploads { throw .tooManyConcatenated }
        }
        if count == 0 { throw .malformedConcatenation }
        return .final(list)
    }
}

/// Walks the uploads that a final one is put together from.
public struct ConcatenatedUploads: BitwiseCopyable, Sendable {
    private var position: Int
    private let end: Int
    private let host: ByteSlice

    /// - Parameters:
    ///   - list: what `TusFields.Concatenation.final` has.
    ///   - host: `RequestHead.host`: who sends an absolute URL has it from there.
    public init(_ list: ByteSlice, host: ByteSlice) {
        position = list.start
        end = list.end
        self.host = host
    }

    /// The path of the next upload, still percent-encoded, without query; nil behind the last one.
    /// A URL of another host is refused.
    public mutating func next(in bytes: Span<UInt8>) throws(Refusal) -> ByteSlice? {
        while position < end, bytes[position] == Ascii.space { position += 1 }
        let start = position
        while position < end, bytes[position] != Ascii.space { position += 1 }
        guard start < position else { return nil }
        let url = ByteSlice(start, position)
        var pathStart = start
        if bytes[start] != Ascii.slash {
            pathStart = try endOfAuthority(url, bytes)
        } else if url.count > 1, bytes[start + 1] == Ascii.slash {
            throw .malformedConcatenation
        }
        let rest = bytes.extracting(first: position)
        let pathEnd = Scan.endOfTarget(rest, from: pathStart, orAt: UInt8(ascii: "?"))
        if pathEnd < position {
            let isQuery = bytes[pathEnd] == UInt8(ascii: "?")
            let queryEnd = Scan.endOfTarget(rest, from: pathEnd + 1, orAt: UInt8(ascii: "#"))
            guard isQuery, queryEnd == position else { throw .malformedConcatenation }
        }
        guard pathEnd > pathStart + 1 else { throw .malformedConcatenation }
        return ByteSlice(pathStart, pathEnd)
    }

    /// Where the path starts behind `http://host` or `https://host`: a proxy may have taken the TLS
    /// off, and kept the host.
    private func endOfAuthority(_ url: ByteSlice, _ bytes: Span<UInt8>) throws(Refusal) -> Int {
        guard let hostStart = TargetParser.endOfScheme(bytes, url) else {
            throw .malformedConcatenation
        }
        var hostEnd = hostStart
        while hostEnd < url.end, bytes[hostEnd] != Ascii.slash { hostEnd += 1 }
        guard hostEnd > hostStart, hostEnd < url.end else { throw .malformedConcatenation }
        let authority = bytes.extracting(hostStart..<hostEnd)
        guard authority.equalsIgnoringCase(bytes.extracting(host)) else { throw .foreignUpload }
        return hostEnd
    }
}

extension RequestHead.Method {
    fileprivate init(named name: ByteSlice, in bytes: Span<UInt8>) {
        let byteCount = Int(name.count)
        self =
            byteCount <= 7
            ? RequestHead.Method(word: bytes.word(at: name.start, byteCount: byteCount)) : .other
    }
}
