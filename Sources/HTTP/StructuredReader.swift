/// Reads structured field values (RFC 9651 §4.2) from left to right; nil or false is a fault in
/// them, behind which nothing more is read.
struct StructuredReader: BitwiseCopyable {
    private static let integerDigitsMax = 15
    private static let decimalDigitsMax = 12
    private static let fractionDigitsMax = 3

    private var position: Int
    private let end: Int

    init(_ text: ByteSlice) {
        position = text.start
        end = text.end
    }

    var isAtEnd: Bool { position == end }

    private func next(in bytes: Span<UInt8>) -> UInt8? { position < end ? bytes[position] : nil }

    mutating func skips(_ byte: UInt8, in bytes: Span<UInt8>) -> Bool {
        guard next(in: bytes) == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpaces(in bytes: Span<UInt8>) {
        while next(in: bytes) == Ascii.space { position += 1 }
    }

    mutating func skipBlanks(in bytes: Span<UInt8>) {
        while let byte = next(in: bytes), Ascii.isBlank(byte) { position += 1 }
    }

    /// Lower-case letters, digits and `_ - . *`; a letter or `*` first.
    mutating func key(in bytes: Span<UInt8>) -> ByteSlice? {
        let start = position
        guard let first = next(in: bytes), isLowercase(first) || first == Ascii.asterisk else {
            return nil
        }
        while let byte = next(in: bytes),
            isLowercase(byte) || Ascii.isDigit(byte) || byte == Ascii.asterisk
                || byte == Ascii.hyphen || byte == Ascii.dot || byte == Ascii.underscore
        {
            position += 1
        }
        return ByteSlice(start, position)
    }

    private func isLowercase(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }

    private func isLetter(_ byte: UInt8) -> Bool { isLowercase(byte | 0x20) }

    /// False if a parameter is malformed. None at all is true.
    mutating func skipsParameters(in bytes: Span<UInt8>) -> Bool {
        while skips(Ascii.semicolon, in: bytes) {
            skipSpaces(in: bytes)
            guard key(in: bytes) != nil else { return false }
            if skips(Ascii.equals, in: bytes), bareItem(in: bytes) == nil { return false }
        }
        return true
    }

    /// An Item or an Inner List, without the parameters behind it.
    mutating func member(in bytes: Span<UInt8>) -> StructuredValue? {
        guard skips(UInt8(ascii: "("), in: bytes) else { return bareItem(in: bytes) }
        while true {
            skipSpaces(in: bytes)
            if skips(Ascii.closingParenthesis, in: bytes) { return .other }
            guard bareItem(in: bytes) != nil, skipsParameters(in: bytes) else { return nil }
            guard let byte = next(in: bytes),
                byte == Ascii.space || byte == Ascii.closingParenthesis
            else { return nil }
        }
    }

    mutating func bareItem(in bytes: Span<UInt8>) -> StructuredValue? {
        guard let first = next(in: bytes) else { return nil }
        switch first {
        case Ascii.hyphen, UInt8(ascii: "0")...UInt8(ascii: "9"): return number(in: bytes)
        case UInt8(ascii: "?"): return boolean(in: bytes)
        case Ascii.colon: return byteSequence(in: bytes)
        case Ascii.quote: return skipsString(in: bytes) ? .other : nil
        case Ascii.percent: return skipsDisplayString(in: bytes) ? .other : nil
        case UInt8(ascii: "@"):
            position += 1
            let seconds = number(in: bytes)
            return seconds == nil || seconds == .other ? nil : .other
        default:
            guard isLetter(first) || first == Ascii.asterisk else { return nil }
            skipToken(in: bytes)
            return .other
        }
    }

    // MARK: Each type

    /// `other` for a Decimal.
    private mutating func number(in bytes: Span<UInt8>) -> StructuredValue? {
        let isNegative = skips(Ascii.hyphen, in: bytes)
        let start = position
        var value: Int64 = 0
        while let byte = next(in: bytes), Ascii.isDigit(byte) {
            guard position - start < StructuredReader.integerDigitsMax else { return nil }
            value = value * 10 + Int64(byte - Ascii.zero)
            position += 1
        }
        let digitCount = position - start
        guard digitCount > 0 else { return nil }
        if skips(Ascii.dot, in: bytes) {
            guard digitCount <= StructuredReader.decimalDigitsMax else { return nil }
            return skipsFraction(in: bytes) ? .other : nil
        }
        if isNegative && value == 0 { return .negativeZero }
        return .integer(isNegative ? -value : value)
    }

    private mutating func skipsFraction(in bytes: Span<UInt8>) -> Bool {
        let start = position
        while let byte = next(in: bytes), Ascii.isDigit(byte) { position += 1 }
        return (1...StructuredReader.fractionDigitsMax).contains(position - start)
    }

    private mutating func boolean(in bytes: Span<UInt8>) -> StructuredValue? {
        position += 1
        if skips(UInt8(ascii: "1"), in: bytes) { return .boolean(true) }
        return skips(UInt8(ascii: "0"), in: bytes) ? .boolean(false) : nil
    }

    private mutating func byteSequence(in bytes: Span<UInt8>) -> StructuredValue? {
        position += 1
        let start = position
        while let byte = next(in: bytes), byte != Ascii.colon { position += 1 }
        let text = ByteSlice(start, position)
        guard skips(Ascii.colon, in: bytes),
            Base64.decodedCount(bytes.extracting(text), .lenient) != nil
        else { return nil }
        return .byteSequence(text)
    }

    /// Printable ASCII in quotes, in which a backslash stands before a quote or a backslash only.
    private mutating func skipsString(in bytes: Span<UInt8>) -> Bool {
        position += 1
        while let byte = next(in: bytes) {
            position += 1
            if byte == Ascii.quote { return true }
            if byte == Ascii.backslash {
                guard skips(Ascii.quote, in: bytes) || skips(Ascii.backslash, in: bytes) else {
                    return false
                }
            } else if byte < Ascii.space || byte >= Ascii.delete {
                return false
            }
        }
        return false
    }

    /// `%"…"`: printable ASCII, in which a percent sign and two lower-case hexadecimal digits stand
    /// for a byte of UTF-8.
    private mutating func skipsDisplayString(in bytes: Span<UInt8>) -> Bool {
        position += 1
        guard skips(Ascii.quote, in: bytes) else { return false }
        var text = UnicodeValidator()
        while let byte = next(in: bytes) {
            position += 1
            if byte == Ascii.quote { return text.isBetweenCharacters }
            guard byte >= Ascii.space && byte < Ascii.delete else { return false }
            var value = byte
            if byte == Ascii.percent {
                guard let high = hexadecimalDigit(in: bytes), let low = hexadecimalDigit(in: bytes)
                else { return false }
                value = high << 4 | low
            }
            guard text.accepts(value) else { return false }
        }
        return false
    }

    private mutating func hexadecimalDigit(in bytes: Span<UInt8>) -> UInt8? {
        guard let byte = next(in: bytes), Ascii.isDigit(byte) || isLowercase(byte) else {
            return nil
        }
        position += 1
        return Ascii.hexadecimalValue(byte)
    }

    private mutating func skipToken(in bytes: Span<UInt8>) {
        while let byte = next(in: bytes),
            Ascii.isToken(byte) || byte == Ascii.colon || byte == Ascii.slash
        {
            position += 1
        }
    }
}
