/// Structured field values (RFC 9651), as far as this server is asked with them: an Item that is a
/// Boolean or an Integer, a Dictionary of Integers and Byte Sequences.
///
/// All other types are read to their end and checked, so that what follows them is found, and so
/// that a field is malformed here exactly when the RFC says so. One difference is meant: a String
/// that is cut by the end of one field line and goes on in the next is malformed here.
public enum StructuredValue: Equatable, BitwiseCopyable, Sendable {
    case boolean(Bool)
    /// At most fifteen digits, and a sign.
    case integer(Int64)
    /// The base64 between its colons, valid by `Base64.Rule.lenient`.
    case byteSequence(ByteSlice)
    /// An Integer that was written with a sign though it is zero: no count.
    case negativeZero
    /// Decimal, String, Token, Date, Display String or Inner List.
    case other

    /// The largest Integer there is: fifteen digits.
    public static let integerMax: UInt64 = 999_999_999_999_999

    /// The Item that a whole field value consists of, without its parameters; nil if it is
    /// malformed.
    public init?(item value: ByteSlice, in bytes: Span<UInt8>) {
        var reader = StructuredReader(value)
        reader.skipSpaces(in: bytes)
        guard let item = reader.bareItem(in: bytes), reader.skipsParameters(in: bytes) else {
            return nil
        }
        reader.skipSpaces(in: bytes)
        guard reader.isAtEnd else { return nil }
        self = item
    }

    /// A number of bytes, say: nil unless this is an Integer without a sign.
    public var count: UInt64? {
        guard case .integer(let number) = self, number >= 0 else { return nil }
        return UInt64(number)
    }
}

/// A Dictionary's members in the order sent, over all lines of its field. Of members with the same
/// key the last counts (RFC 9651 §4.2.2): whoever walks lets it overwrite the others.
public struct StructuredDictionary: Sendable {
    public struct Member: Equatable, BitwiseCopyable, Sendable {
        public let key: ByteSlice
        public let value: StructuredValue
    }

    /// The field is to be ignored as a whole, or refused.
    public struct Malformed: Error, Equatable {}

    private var lines: FieldLines
    private var reader = StructuredReader(.absent)

    public init(_ lines: FieldLines) { self.lines = lines }

    /// The next member; nil behind the last one. Nothing follows an error.
    public mutating func next(in bytes: Span<UInt8>) throws(Malformed) -> Member? {
        if reader.isAtEnd {
            guard let line = lines.next(in: bytes) else { return nil }
            reader = StructuredReader(line)
            reader.skipSpaces(in: bytes)
            if reader.isAtEnd {
                // Joined with other lines it would be an empty member.
                if lines.areSeveral { throw Malformed() }
                return nil
            }
        }
        guard let key = reader.key(in: bytes) else { throw Malformed() }
        let value =
            reader.skips(Ascii.equals, in: bytes) ? reader.member(in: bytes) : .boolean(true)
        guard let value, reader.skipsParameters(in: bytes) else { throw Malformed() }
        reader.skipBlanks(in: bytes)
        if !reader.isAtEnd {
            guard reader.skips(Ascii.comma, in: bytes) else { throw Malformed() }
            reader.skipBlanks(in: bytes)
            if reader.isAtEnd { throw Malformed() }
        }
        return Member(key: key, value: value)
    }
}
