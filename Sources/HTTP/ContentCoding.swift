/// Content codings that an object may lie in beside itself, and which of them a request accepts
/// (RFC 9110 §12.5.3).

public enum ContentCoding: CaseIterable, BitwiseCopyable, Sendable {
    // In the order in which they are preferred where the client does not mind: the shortest first.
    case brotli, zstandard, gzip

    /// As Content-Encoding has it (RFC 7932, 8878, 1952).
    public var token: String {
        switch self {
        case .brotli: "br"
        case .zstandard: "zstd"
        case .gzip: "gzip"
        }
    }

    /// What the names of files have behind that of the original.
    public var suffix: String {
        switch self {
        case .brotli: ".br"
        case .zstandard: ".zst"
        case .gzip: ".gz"
        }
    }
}

/// What Accept-Encoding says, in thousandths: of each coding that is known here, and of none.
public struct AcceptedCodings: Equatable, BitwiseCopyable, Sendable {
    private var qualities = InlineArray<3, UInt16>(repeating: 0)
    /// What the bytes as they are count. Not named they are always acceptable, and liked less than
    /// what is named.
    private var identity: UInt16 = 0

    public static func == (left: AcceptedCodings, right: AcceptedCodings) -> Bool {
        left.identity == right.identity
            && left.qualities.indices.allSatisfy { left.qualities[$0] == right.qualities[$0] }
    }

    /// Without the field, with an empty one or with one that is malformed: none.
    public init(_ head: RequestHead, in bytes: Span<UInt8>) {
        var named = InlineArray<4, UInt16?>(repeating: nil)
        var rest: UInt16?
        var fields = FieldCursor(head)
        while let value = fields.next(named: "accept-encoding", in: bytes) {
            var list = ListCursor(value)
            while let element = list.next(in: bytes) {
                guard let (coding, quality) = AcceptedCodings.element(bytes.extracting(element))
                else { return }
                switch coding {
                case .known(let index): named[index] = max(named[index] ?? 0, quality)
                case .any: rest = quality
                case .other: break
                }
            }
        }
        for index in qualities.indices { qualities[index] = named[index] ?? rest ?? 0 }
        identity = named[AcceptedCodings.identityIndex] ?? rest ?? 0
    }

    /// Those that are accepted, and not liked less than the bytes as they are; the best first.
    public var inOrder: [ContentCoding] {
        let accepted = ContentCoding.allCases.indices.filter {
            qualities[$0] > 0 && qualities[$0] >= identity
        }
        // A sort need not keep the order of equals.
        return accepted.sorted {
            qualities[$0] != qualities[$1] ? qualities[$0] > qualities[$1] : $0 < $1
        }.map { ContentCoding.allCases[$0] }
    }

    private static let identityIndex = 3

    private enum Name { case known(Int), any, other }

    /// `token` or `token;q=0.5`, blanks around the semicolon.
    private static func element(_ text: Span<UInt8>) -> (Name, UInt16)? {
        let end = Scan.endOfToken(text, from: 0)
        guard end > 0, let quality = quality(text.extracting(droppingFirst: end)) else {
            return nil
        }
        let token = text.extracting(0..<end)
        if token.equals("*".utf8.span) { return (.any, quality) }
        if token.equalsLowercase("identity") { return (.known(identityIndex), quality) }
        // x-gzip is the same (RFC 9110 §8.4.1.3).
        if token.equalsLowercase("x-gzip") { return (.known(2), quality) }
        let index = ContentCoding.allCases.firstIndex { token.equalsLowercase($0.token) }
        return (index.map { .known($0) } ?? .other, quality)
    }

    /// What follows the token: a weight (RFC 9110 §12.4.2), or nothing, which is 1.
    private static func quality(_ text: Span<UInt8>) -> UInt16? {
        var position = 0
        func skipBlanks() {
            while position < text.count, Ascii.isBlank(text[position]) { position += 1 }
        }
        skipBlanks()
        guard position < text.count else { return 1000 }
        guard text[position] == Ascii.semicolon else { return nil }
        position += 1
        skipBlanks()
        guard position + 2 < text.count, text[position] | 0x20 == UInt8(ascii: "q"),
            text[position + 1] == Ascii.equals
        else { return nil }
        return thousandths(text.extracting(droppingFirst: position + 2))
    }

    /// `0`, `0.5`, `1.000`: at most three digits behind the point, and no more than 1.
    private static func thousandths(_ text: Span<UInt8>) -> UInt16? {
        guard text.count > 0, text.count <= 5, text[0] & 0xfe == Ascii.zero,
            text.count == 1 || text[1] == Ascii.dot
        else { return nil }
        var value = UInt16(text[0] & 1) * 1000
        var weight: UInt16 = 100
        for index in text.indices.dropFirst(2) {
            guard Ascii.isDigit(text[index]) else { return nil }
            value += UInt16(text[index] - Ascii.zero) * weight
            weight /= 10
        }
        return value <= 1000 ? value : nil
    }
}

extension MediaType {
    /// Whether bytes of that type are text, or as good as text: what a coding makes much shorter.
    public static func isTextual(_ value: Span<UInt8>) -> Bool {
        let type = withoutParameters(value)
        if type.count > 5, type.extracting(0..<5).equalsLowercase("text/") { return true }
        let ends = ["+json", "+xml"]
        if ends.contains(where: { type.endsLowercase($0) }) { return true }
        return [
            "application/json", "application/javascript", "application/xml", "application/wasm",
            "application/manifest", "application/x-javascript", "application/sql",
            "application/rtf", "application/toml", "application/yaml", "application/x-sh",
            "image/bmp", "image/x-icon", "font/ttf", "font/otf",
        ].contains { type.equalsLowercase($0) }
    }
}

extension Span<UInt8> {
    fileprivate func endsLowercase(_ end: String) -> Bool {
        let byteCount = end.utf8.count
        return count >= byteCount
            && extracting(droppingFirst: count - byteCount)
                .equalsLowercase(end)
    }
}
