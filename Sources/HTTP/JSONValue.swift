/// JSON (RFC 8259) read into values, by rules that leave no room: what two readers may understand
/// differently is refused.
public enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// Finite.
    case number(Double)
    /// UTF-8, its escapes undone.
    case string([UInt8])
    case array([JSONValue])
    /// In the order sent; no name twice.
    case object([Member])

    public struct Member: Equatable, Sendable {
        public let name: [UInt8]
        public let value: JSONValue
    }

    /// Values within values: the document itself is the first.
    public static let depthMax = 8

    /// The one value that the bytes are, with white space around it; nil if they are not JSON, are
    /// nested deeper than `depthMax`, or have a name twice in one object.
    public init?(parsing bytes: Span<UInt8>) {
        var parser = JSONParser()
        parser.skipBlanks(in: bytes)
        guard let value = parser.value(in: bytes, depth: 1) else { return nil }
        parser.skipBlanks(in: bytes)
        guard parser.position == bytes.count else { return nil }
        self = value
    }

    /// The member of that name; nil if there is none, or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.elementsEqual(name.utf8) }?.value
    }
}

/// Walks a document once. Each function stands at what it reads, and ends behind it.
private struct JSONParser {
    private(set) var position = 0

    private func next(in bytes: Span<UInt8>) -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skips(_ byte: UInt8, in bytes: Span<UInt8>) -> Bool {
        guard next(in: bytes) == byte else { return false }
        position += 1
        return true
    }

    private mutating func skips(_ word: String, in bytes: Span<UInt8>) -> Bool {
        let count = word.utf8.count
        guard bytes.count - position >= count,
            bytes.extracting(position..<position + count).equals(word.utf8.span)
        else { return false }
        position += count
        return true
    }

    mutating func skipBlanks(in bytes: Span<UInt8>) {
        while let byte = next(in: bytes),
            Ascii.isBlank(byte) || byte == Ascii.lineFeed || byte == Ascii.carriageReturn
        {
            position += 1
        }
    }

    mutating func value(in bytes: Span<UInt8>, depth: Int) -> JSONValue? {
        guard depth <= JSONValue.depthMax, let first = next(in: bytes) else { return nil }
        switch first {
        case UInt8(ascii: "{"): return object(in: bytes, depth: depth)
        case UInt8(ascii: "["): return array(in: bytes, depth: depth)
        case Ascii.quote: return string(in: bytes).map { .string($0) }
        case UInt8(ascii: "t"): return skips("true", in: bytes) ? .boolean(true) : nil
        case UInt8(ascii: "f"): return skips("false", in: bytes) ? .boolean(false) : nil
        case UInt8(ascii: "n"): return skips("null", in: bytes) ? .null : nil
        case _: return number(in: bytes).map { .number($0) }
        }
    }

    // MARK: What holds others

    private mutating func object(in bytes: Span<UInt8>, depth: Int) -> JSONValue? {
        position += 1
        var members: [JSONValue.Member] = []
        skipBlanks(in: bytes)
        if skips(UInt8(ascii: "}"), in: bytes) { return .object([]) }
        while true {
            skipBlanks(in: bytes)
            guard next(in: bytes) == Ascii.quote, let name = string(in: bytes),
                !members.contains(where: { $0.name == name })
            else { return nil }
            skipBlanks(in: bytes)
            guard skips(Ascii.colon, in: bytes) else { return nil }
            skipBlanks(in: bytes)
            guard let value = value(in: bytes, depth: depth + 1) else { return nil }
            members.append(JSONValue.Member(name: name, value: value))
            skipBlanks(in: bytes)
            if skips(UInt8(ascii: "}"), in: bytes) { return .object(members) }
            guard skips(Ascii.comma, in: bytes) else { return nil }
        }
    }

    private mutating func array(in bytes: Span<UInt8>, depth: Int) -> JSONValue? {
        position += 1
        var values: [JSONValue] = []
        skipBlanks(in: bytes)
        if skips(UInt8(ascii: "]"), in: bytes) { return .array([]) }
        while true {
            skipBlanks(in: bytes)
            guard let value = value(in: bytes, depth: depth + 1) else { return nil }
            values.append(value)
            skipBlanks(in: bytes)
            if skips(UInt8(ascii: "]"), in: bytes) { return .array(values) }
            guard skips(Ascii.comma, in: bytes) else { return nil }
        }
    }

    // MARK: Numbers

    /// RFC 8259 §6: no plus sign, no leading zero, digits on both sides of a point.
    private mutating func number(in bytes: Span<UInt8>) -> Double? {
        let start = position
        _ = skips(Ascii.hyphen, in: bytes)
        if !skips(Ascii.zero, in: bytes), !skipsDigits(in: bytes) { return nil }
        if skips(Ascii.dot, in: bytes), !skipsDigits(in: bytes) { return nil }
        if let byte = next(in: bytes), byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if !skips(Ascii.plus, in: bytes) { _ = skips(Ascii.hyphen, in: bytes) }
            guard skipsDigits(in: bytes) else { return nil }
        }
        let text = bytes.extracting(start..<position)
        let digits = [UInt8](capacity: text.count) { $0.append(text) }
        guard let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite
        else { return nil }
        return value
    }

    /// One at least.
    private mutating func skipsDigits(in bytes: Span<UInt8>) -> Bool {
        let start = position
        while let byte = next(in: bytes), Ascii.isDigit(byte) { position += 1 }
        return position > start
    }

    // MARK: Strings

    private mutating func string(in bytes: Span<UInt8>) -> [UInt8]? {
        position += 1
        var text: [UInt8] = []
        var validator = UnicodeValidator()
        while let byte = next(in: bytes) {
            position += 1
            switch byte {
            case Ascii.quote: return validator.isBetweenCharacters ? text : nil
            case Ascii.backslash:
                guard validator.isBetweenCharacters, let scalar = escape(in: bytes)
                else { return nil }
                text += Array(String(Character(scalar)).utf8)
            case _:
                guard byte >= Ascii.space, validator.accepts(byte) else { return nil }
                text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(in bytes: Span<UInt8>) -> Unicode.Scalar? {
        guard let byte = next(in: bytes) else { return nil }
        position += 1
        switch byte {
        case Ascii.quote, Ascii.backslash, Ascii.slash: return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return escapedScalar(in: bytes)
        case _: return nil
        }
    }

    /// Half of a pair of surrogates is no character.
    private mutating func escapedScalar(in bytes: Span<UInt8>) -> Unicode.Scalar? {
        guard let first = codeUnit(in: bytes) else { return nil }
        guard 0xd800...0xdbff ~= first else { return Unicode.Scalar(first) }
        guard skips("\\u", in: bytes), let second = codeUnit(in: bytes),
            0xdc00...0xdfff ~= second
        else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    }

    private mutating func codeUnit(in bytes: Span<UInt8>) -> UInt32? {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next(in: bytes), let value = Ascii.hexadecimalValue(byte)
            else { return nil }
            unit = unit << 4 | UInt32(value)
            position += 1
        }
        return unit
    }
}
