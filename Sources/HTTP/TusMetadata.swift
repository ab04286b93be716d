/// tus's Upload-Metadata: pairs of a key and a base64 value, with commas between them, over one
/// line or several.
///
///     filename d29ybGQucGRm,is_confidential
public struct TusMetadata: Sendable {
    public struct Pair: Equatable, BitwiseCopyable, Sendable {
        /// Visible ASCII without comma.
        public let key: ByteSlice
        /// Base64 by `Base64.Rule.canonical`; empty if the value is.
        public let value: ByteSlice
    }

    private var lines: FieldLines
    private var list = ListCursor(.absent)

    public init(_ lines: DialectLines) { self.lines = lines.lines(of: .uploadMetadata) }

    /// The next pair in the order sent; nil behind the last one.
    public mutating func next(in bytes: Span<UInt8>) throws(Refusal) -> Pair? {
        while true {
            if let element = list.next(in: bytes) { return try TusMetadata.pair(element, bytes) }
            guard let line = lines.next(in: bytes) else { return nil }
            list = ListCursor(line)
        }
    }

    private static func pair(_ element: ByteSlice, _ bytes: Span<UInt8>) throws(Refusal) -> Pair {
        var keyEnd = element.start
        while keyEnd < element.end, bytes[keyEnd] > Ascii.space, bytes[keyEnd] < Ascii.delete {
            keyEnd += 1
        }
        let key = ByteSlice(element.start, keyEnd)
        guard key.count > 0 else { throw .malformedMetadata }
        if keyEnd == element.end { return Pair(key: key, value: ByteSlice(keyEnd, keyEnd)) }
        let value = ByteSlice(keyEnd + 1, element.end)
        guard bytes[keyEnd] == Ascii.space, Base64.decodedCount(bytes.extracting(value)) != nil
        else { throw .malformedMetadata }
        return Pair(key: key, value: value)
    }

    /// Refuses what has more pairs or bytes than `limits` allow, a malformed pair, and a key that
    /// is there twice.
    static func validate(
        _ lines: DialectLines, in bytes: Span<UInt8>, limits: Limits
    ) throws(Refusal) {
        guard lines[.uploadMetadata].isPresent else { return }
        var metadata = TusMetadata(lines)
        var pairCount = 0
        var byteCount = 0
        while let pair = try metadata.next(in: bytes) {
            byteCount += Int(pair.key.count) + Int(pair.value.count)
            guard pairCount < limits.metadataPairs, byteCount <= limits.metadataBytes else {
                throw .metadataTooLarge
            }
            var earlier = TusMetadata(lines)
            for _ in 0..<pairCount {
                let key = try earlier.next(in: bytes)?.key ?? .absent
                if bytes.extracting(key).equals(bytes.extracting(pair.key)) {
                    throw .malformedMetadata
                }
            }
            pairCount += 1
        }
    }

    /// The value of a key, still encoded; nil if there is none.
    public static func value(
        of key: String, _ lines: DialectLines, in bytes: Span<UInt8>
    ) throws(Refusal) -> ByteSlice? {
        var metadata = TusMetadata(lines)
        while let pair = try metadata.next(in: bytes) {
            if bytes.extracting(pair.key).equals(key.utf8.span) { return pair.value }
        }
        return nil
    }
}

extension OutputSpan<UInt8> {
    /// Appends the pairs as HEAD repeats them: on one line, with nothing but a comma between them.
    /// That takes no more room than they took in their head.
    public mutating func append(
        _ metadata: TusMetadata, in bytes: Span<UInt8>
    ) throws(Refusal) {
        var metadata = metadata
        var isFirst = true
        while let pair = try metadata.next(in: bytes) {
            if !isFirst { append(Ascii.comma) }
            isFirst = false
            append(bytes.extracting(pair.key))
            if pair.value.count == 0 { continue }
            append(Ascii.space)
            append(bytes.extracting(pair.value))
        }
    }
}
