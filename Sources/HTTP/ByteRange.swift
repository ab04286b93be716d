/// What a Range field asks for (RFC 9110 §14), and what of it an object of a given length has.
public enum ByteRange: Equatable, BitwiseCopyable, Sendable {
    /// Another unit, or malformed: as if the field were not there.
    case ignored
    /// Several well-formed ranges.
    case several
    /// Both ends count; without `last`, up to the end.
    case from(first: UInt64, last: UInt64?)
    /// The last `count` bytes.
    case suffix(count: UInt64)

    public enum Resolved: Equatable, Sendable {
        /// The whole object, 200.
        case full
        /// These bytes, 206.
        case satisfiable(ClosedRange<UInt64>)
        /// None of them, 416.
        case unsatisfiable
    }

    /// Parses a field value. Numbers beyond UInt64.max count as that, which no object reaches.
    public init(parsing value: Span<UInt8>) {
        self = ByteRange.parse(value)
    }

    /// The bytes of an object of that length. Several ranges are answered with the whole object,
    /// as RFC 9110 §14.2 allows; so is a suffix of an empty one, which no Content-Range can name.
    public func resolve(length: UInt64) -> Resolved {
        switch self {
        case .ignored, .several: return .full
        case .from(let first, let last):
            guard first < length else { return .unsatisfiable }
            return .satisfiable(first...min(last ?? UInt64.max, length - 1))
        case .suffix(let count):
            guard count > 0 else { return .unsatisfiable }
            guard length > 0 else { return .full }
            return .satisfiable(length - min(count, length)...length - 1)
        }
    }

    private static func parse(_ value: Span<UInt8>) -> ByteRange {
        let unit = "bytes=".utf8.count
        guard value.count > unit, value.extracting(0..<unit).equalsLowercase("bytes=") else {
            return .ignored
        }
        var result = ByteRange.ignored
        var position = unit
        while position < value.count {
            var start = position
            while position < value.count, value[position] != Ascii.comma { position += 1 }
            var end = position
            position += 1
            while start < end, Ascii.isBlank(value[start]) { start += 1 }
            while end > start, Ascii.isBlank(value[end - 1]) { end -= 1 }
            if start == end { continue }  // RFC 9110 §5.6.1.2: empty elements do not count.
            let range = parseOne(value.extracting(start..<end))
            if range == .ignored { return .ignored }
            result = result == .ignored ? range : .several
        }
        return result
    }

    private static func parseOne(_ text: Span<UInt8>) -> ByteRange {
        var hyphen = 0
        while hyphen < text.count, text[hyphen] != Ascii.hyphen { hyphen += 1 }
        guard hyphen < text.count else { return .ignored }
        let tail = text.extracting(droppingFirst: hyphen + 1)
        let last = Decimal.parseSaturating(tail, saturated: UInt64.max)
        if tail.count > 0 && last == nil { return .ignored }
        if hyphen == 0 {
            guard let count = last else { return .ignored }
            return .suffix(count: count)
        }
        let head = text.extracting(0..<hyphen)
        guard let first = Decimal.parseSaturating(head, saturated: UInt64.max) else {
            return .ignored
        }
        if let last, last < first { return .ignored }
        return .from(first: first, last: last)
    }
}
