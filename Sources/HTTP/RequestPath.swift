/// From a request's path to an object's name: decoded once, held to the rules that make a name
/// mean one thing to everyone, the configured base taken off.
///
/// A name is UTF-8, has no empty, `.` or `..` segment, no control character, no backslash, and no
/// slash that was not a slash on the wire. The name of `/` and of the base itself is empty.
public struct RequestPath: Equatable, BitwiseCopyable, Sendable {
    /// True if the path started with the base, which is then not part of the name.
    public let isUnderBase: Bool

    /// Set if the name's first segment is one that the server keeps for itself.
    public let reserved: ReservedSegment?

    /// Appends the name to `name`, which is empty and has room for `limits.nameBytes`.
    ///
    /// - Parameters:
    ///   - path: `RequestHead.path`: percent-encoded, from its slash on; empty means `/`.
    ///   - base: decoded, starts and ends with a slash; `/` alone for none. A path that is not
    ///     under it keeps all of its segments: operations such as `/health` are never under it.
    public static func decode(
        _ path: Span<UInt8>, base: Span<UInt8>, limits: Limits, into name: inout OutputSpan<UInt8>
    ) throws(Refusal) -> RequestPath {
        precondition(name.isEmpty && name.freeCapacity >= limits.nameBytes, "no room for a name")
        precondition(base.count > 0, "a base starts with a slash")
        precondition(base[0] == Ascii.slash && base[base.count - 1] == Ascii.slash)
        guard path.count == 0 || path[0] == Ascii.slash else { throw .malformedPath }

        var segment = PathSegment()
        var matched = 1  // Bytes of the base seen so far; its first slash is the path's.
        var isMatching = true
        var position = 1
        while position < path.count {
            let byte = try PercentDecoding.next(in: path, at: &position)
            try segment.take(byte, limits.segmentBytes)
            if isMatching && matched < base.count && byte.value == base[matched] {
                matched += 1
                continue
            }
            if isMatching && matched < base.count {
                try append(base.extracting(1..<matched), to: &name, limits)
            }
            isMatching = isMatching && matched == base.count
            try append(byte.value, to: &name, limits)
        }
        let isUnderBase = isMatching && matched == base.count
        if isMatching && !isUnderBase {
            try append(base.extracting(1..<matched), to: &name, limits)
        }
        if name.isEmpty {
            try segment.finishText()
            return RequestPath(isUnderBase: isUnderBase, reserved: nil)
        }
        try segment.finish()
        if name.span[0] == Ascii.dot { throw .hiddenSegment }
        return RequestPath(isUnderBase: isUnderBase, reserved: ReservedSegment(of: name.span))
    }

    /// The same, with the name in an array of its own.
    public static func decode(
        _ path: Span<UInt8>, base: Span<UInt8>, limits: Limits
    ) throws(Refusal) -> (path: RequestPath, name: [UInt8]) {
        var decoded = RequestPath(isUnderBase: false, reserved: nil)
        let name = try [UInt8](capacity: limits.nameBytes) { (output) throws(Refusal) in
            decoded = try decode(path, base: base, limits: limits, into: &output)
        }
        return (decoded, name)
    }

    private static func append(
        _ byte: UInt8, to name: inout OutputSpan<UInt8>, _ limits: Limits
    ) throws(Refusal) {
        guard name.count < limits.nameBytes else { throw .pathTooLong }
        name.append(byte)
    }

    private static func append(
        _ bytes: Span<UInt8>, to name: inout OutputSpan<UInt8>, _ limits: Limits
    ) throws(Refusal) {
        for index in bytes.indices { try append(bytes[index], to: &name, limits) }
    }
}

/// The segment of a path that is being read, and the rules it is held to.
struct PathSegment {
    private var byteCount = 0
    private var isOnlyDots = true
    private var text = UnicodeValidator()

    mutating func take(_ byte: PercentDecoding.Byte, _ segmentBytes: Int) throws(Refusal) {
        if byte.value == Ascii.slash {
            if byte.isEscaped { throw .forbiddenCharacter }
            try finish()
            self = PathSegment()
            return
        }
        if Ascii.isControl(byte.value) || byte.value == Ascii.backslash {
            throw .forbiddenCharacter
        }
        guard text.accepts(byte.value) else { throw .invalidUnicode }
        guard byteCount < segmentBytes else { throw .segmentTooLong }
        byteCount += 1
        isOnlyDots = isOnlyDots && byte.value == Ascii.dot
    }

    func finishText() throws(Refusal) {
        guard text.isBetweenCharacters else { throw .invalidUnicode }
    }

    func finish() throws(Refusal) {
        try finishText()
        if byteCount == 0 { throw .emptySegment }
        if isOnlyDots && byteCount <= 2 { throw .dotSegment }
    }
}

/// The first segments of a path that are the server's own, never an object's.
public enum ReservedSegment: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case health, ready, metrics, admin, upload, files, chunkedUpload, uploadStatus, download, u

    public var text: String {
        switch self {
        case .health: "health"
        case .ready: "ready"
        case .metrics: "metrics"
        case .admin: "admin"
        case .upload: "upload"
        case .files: "files"
        case .chunkedUpload: "chunked-upload"
        case .uploadStatus: "upload-status"
        case .download: "download"
        case .u: "u"
        }
    }

    /// nil unless the first segment of the name is exactly, case included, a reserved one.
    public init?(of name: Span<UInt8>) {
        var end = 0
        while end < name.count, name[end] != Ascii.slash { end += 1 }
        guard end > 0, let reserved = ReservedSegment.starting(with: name[0], byteCount: end),
            name.extracting(0..<end).equals(reserved.text.utf8.span)
        else { return nil }
        self = reserved
    }

    /// The only one it can be, by its first letter and its length.
    private static func starting(with letter: UInt8, byteCount: Int) -> ReservedSegment? {
        switch (Unicode.Scalar(letter), byteCount) {
        case ("h", 6): .health
        case ("r", 5): .ready
        case ("m", 7): .metrics
        case ("a", 5): .admin
        case ("u", 6): .upload
        case ("f", 5): .files
        case ("c", 14): .chunkedUpload
        case ("u", 13): .uploadStatus
        case ("d", 8): .download
        case ("u", 1): .u
        default: nil
        }
    }
}
