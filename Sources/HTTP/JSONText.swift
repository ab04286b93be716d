/// JSON (RFC 8259) as answers need it, written from left to right: no tree is built before.
///
///     json.object { json in
///         json.key("missing")
///         json.array { json in json.range(0...3) }
///     }
///
/// What is written is valid JSON in UTF-8 whatever the values are. Keys without value, values
/// without key, and a second value behind the first trap.
public struct JSONText: Sendable {
    public private(set) var bytes: [UInt8] = []

    private enum Place {
        case first, further, behindKey
    }
    private var place = Place.first
    private var isInObject = false
    private var depth = 0

    public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    // MARK: Structure

    public mutating func object(_ members: (inout JSONText) -> Void) {
        nested(UInt8(ascii: "{"), UInt8(ascii: "}"), isObject: true, members)
    }

    public mutating func array(_ elements: (inout JSONText) -> Void) {
        nested(UInt8(ascii: "["), UInt8(ascii: "]"), isObject: false, elements)
    }

    private mutating func nested(
        _ opening: UInt8, _ closing: UInt8, isObject: Bool, _ content: (inout JSONText) -> Void
    ) {
        beginValue()
        let isOuterObject = isInObject
        bytes.append(opening)
        isInObject = isObject
        place = .first
        depth += 1
        content(&self)
        depth -= 1
        precondition(place != .behindKey, "a key has a value")
        bytes.append(closing)
        isInObject = isOuterObject
        place = .further
    }

    /// The key of the value that is written next.
    public mutating func key(_ name: String) {
        precondition(isInObject && place != .behindKey, "a key stands in an object, before a value")
        if place == .further { bytes.append(Ascii.comma) }
        appendQuoted(name.utf8.span)
        bytes.append(Ascii.colon)
        place = .behindKey
    }

    private mutating func beginValue() {
        precondition(!isInObject || place == .behindKey, "a value in an object has a key")
        precondition(depth > 0 || place == .first, "a text is one value")
        if place == .further { bytes.append(Ascii.comma) }
        place = .further
    }

    // MARK: Values

    public mutating func string(_ text: String) { string(text.utf8.span) }

    /// Bytes that are no UTF-8 become U+FFFD, one each.
    public mutating func string(_ text: Span<UInt8>) {
        beginValue()
        appendQuoted(text)
    }

    public mutating func integer(_ number: UInt64) {
        beginValue()
        append(decimal: number)
    }

    public mutating func integer(_ number: Int64) {
        beginValue()
        if number < 0 { bytes.append(Ascii.hyphen) }
        append(decimal: number.magnitude)
    }

    /// Thousandths as a number with three decimals: `1.500`.
    public mutating func decimal(thousandths: UInt64) {
        beginValue()
        append(decimal: thousandths / 1000)
        bytes.append(Ascii.dot)
        for divisor: UInt64 in [100, 10, 1] {
            bytes.append(Ascii.zero + UInt8(truncatingIfNeeded: thousandths / divisor % 10))
        }
    }

    /// `[first,last]`, both of them in the range.
    public mutating func range(_ range: ClosedRange<UInt64>) {
        array { json in
            json.integer(range.lowerBound)
            json.integer(range.upperBound)
        }
    }

    /// Seconds since 1970 as RFC 3339 has them: `"2026-11-27T12:30:00Z"`.
    public mutating func timestamp(_ seconds: UInt64) {
        beginValue()
        let (days, second) = min(Int64(clamping: seconds), HTTPDate.secondsMax)
            .quotientAndRemainder(dividingBy: 86_400)
        let date = CivilDate(daysSince1970: days)
        bytes.append(Ascii.quote)
        append(twoDigits: [date.year / 100])
        append(twoDigits: [date.year % 100, date.month, date.day], between: Ascii.hyphen)
        bytes.append(UInt8(ascii: "T"))
        append(
            twoDigits: [second / 3600, second / 60 % 60, second % 60], between: Ascii.colon)
        append("Z\"")
    }

    private mutating func append(twoDigits numbers: [Int64], between separator: UInt8 = 0) {
        for (index, number) in numbers.enumerated() {
            if index > 0 { bytes.append(separator) }
            bytes.append(Ascii.zero + UInt8(truncatingIfNeeded: number / 10))
            bytes.append(Ascii.zero + UInt8(truncatingIfNeeded: number % 10))
        }
    }

    public mutating func boolean(_ value: Bool) {
        beginValue()
        append(value ? "true" : "false")
    }

    public mutating func null() {
        beginValue()
        append("null")
    }

    /// What text editors and shells like to see at the end.
    public mutating func lineEnd() {
        precondition(depth == 0 && place == .further, "the line ends behind the text")
        bytes.append(Ascii.lineFeed)
    }

    // MARK: Bytes

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(Ascii.zero + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    private mutating func appendQuoted(_ text: Span<UInt8>) {
        bytes.append(Ascii.quote)
        var position = 0
        while position < text.count {
            let byteCount = JSONText.characterLength(text, at: position)
            if byteCount == 0 {
                append("\u{fffd}")
                position += 1
                continue
            }
            if byteCount == 1 { appendEscaped(text[position]) }
            if byteCount > 1 {
                for index in position..<position + byteCount { bytes.append(text[index]) }
            }
            position += byteCount
        }
        bytes.append(Ascii.quote)
    }

    /// The bytes of the character that starts there; 0 if none does.
    private static func characterLength(_ text: Span<UInt8>, at start: Int) -> Int {
        var validator = UnicodeValidator()
        var position = start
        while position < text.count, validator.accepts(text[position]) {
            position += 1
            if validator.isBetweenCharacters { return position - start }
        }
        return 0
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        if byte == Ascii.quote || byte == Ascii.backslash {
            bytes.append(Ascii.backslash)
            bytes.append(byte)
        } else if byte < Ascii.space {
            append(byte < 0x10 ? "\\u000" : "\\u001")
            let digit = byte & 0x0f
            bytes.append(digit < 10 ? Ascii.zero + digit : UInt8(ascii: "a") + digit - 10)
        } else {
            bytes.append(byte)
        }
    }
}
