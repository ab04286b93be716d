/// Media types of objects: which a client may give, which is guessed for a name, and which a
/// browser would run.
public enum MediaType {
    /// What RFC 2046 §4.5.1 calls a type nobody knows.
    public static let unknown = "application/octet-stream"
    /// Most names tell no type: those that have none share this.
    private static let unknownBytes = Array(unknown.utf8)

    /// Content to append to an upload: draft-ietf-httpbis-resumable-upload §6.
    public static let partialUpload = "application/partial-upload"
    /// The same in tus 1.0.
    public static let offsetStream = "application/offset+octet-stream"
    /// RFC 7578.
    public static let formData = "multipart/form-data"
    /// RFC 8259.
    public static let json = "application/json"
    /// RFC 9457.
    public static let problem = "application/problem+json"

    /// The type guessed for a name, and the other spelling that a signature may have been made
    /// over.
    public struct Guess: Equatable, Sendable {
        public let type: String
        /// The same with a charset, for text; nil for the others.
        public let alternative: String?

        /// `type`, as it is stored.
        public var bytes: [UInt8] {
            type == MediaType.unknown ? MediaType.unknownBytes : Array(type.utf8)
        }

        /// Whether an upload that says no type passes with a signature over this one.
        public func covers(_ signed: String) -> Bool { signed == type || signed == alternative }
    }

    /// Guesses from what follows the last dot of the last segment, in any case.
    public static func guess(name: Span<UInt8>) -> Guess {
        let type = MediaTypeTable.type(ofExtension: fileExtension(name)) ?? unknown
        let isPlainText = type == "text/plain"
        return Guess(type: type, alternative: isPlainText ? "text/plain; charset=utf-8" : nil)
    }

    /// Holds a client's Content-Type, which is stored and sent back, to `type/subtype` and visible
    /// ASCII behind it.
    public static func validate(_ value: Span<UInt8>, limits: Limits) throws(Refusal) {
        guard value.count <= limits.contentTypeBytes else { throw .contentTypeTooLong }
        let slash = Scan.endOfToken(value, from: 0)
        guard slash > 0, slash < value.count, value[slash] == Ascii.slash else {
            throw .malformedContentType
        }
        let end = Scan.endOfToken(value, from: slash + 1)
        guard end > slash + 1 else { throw .malformedContentType }
        var position = end
        while position < value.count, Ascii.isBlank(value[position]) { position += 1 }
        guard position == value.count || value[position] == Ascii.semicolon else {
            throw .malformedContentType
        }
        for index in position..<value.count {
            let isVisible = value[index] > Ascii.space && value[index] < Ascii.delete
            guard isVisible || Ascii.isBlank(value[index]) else { throw .malformedContentType }
        }
    }

    /// The type without its parameters: the second spelling that a signature may have been made
    /// over.
    @_lifetime(copy value)
    public static func withoutParameters(_ value: Span<UInt8>) -> Span<UInt8> {
        var end = 0
        while end < value.count, value[end] != Ascii.semicolon { end += 1 }
        while end > 0, Ascii.isBlank(value[end - 1]) { end -= 1 }
        return value.extracting(0..<end)
    }

    /// Whether a Content-Type says this type, given in lower case, with whatever parameters.
    public static func isType(_ type: String, _ value: Span<UInt8>) -> Bool {
        withoutParameters(value).equalsLowercase(type)
    }

    /// True if a browser would run what is in it (HTML, XHTML, SVG, any XML, scripts, and
    /// multipart, whose parts have types of their own): to be sent as an attachment. Errs on that
    /// side; Office documents, whose types mention XML, are downloads anyway.
    public static func isActive(_ value: Span<UInt8>) -> Bool {
        let type = withoutParameters(value)
        return contains(type, "html") || contains(type, "xml") || contains(type, "svg")
            || contains(type, "script") || contains(type, "multipart/")
            || contains(type, "xsl") || contains(type, "flash")
    }

    private static func contains(_ text: Span<UInt8>, _ part: String) -> Bool {
        let byteCount = part.utf8.count
        var start = 0
        while start + byteCount <= text.count {
            if text.extracting(start..<start + byteCount).equalsLowercase(part) { return true }
            start += 1
        }
        return false
    }

    @_lifetime(copy name)
    private static func fileExtension(_ name: Span<UInt8>) -> Span<UInt8> {
        var start = name.count
        while start > 0, name[start - 1] != Ascii.slash {
            start -= 1
            if name[start] == Ascii.dot { return name.extracting(droppingFirst: start + 1) }
        }
        return name.extracting(0..<0)
    }
}
