/// Walks the parameters of Content-Type and Content-Disposition (RFC 9110 §5.6.6): semicolons with
/// blanks around them, then `name=token` or `name="quoted"`.
struct ParameterCursor {
    struct Parameter {
        let name: ByteSlice
        /// Without its quotes, with its backslashes.
        let value: ByteSlice
        let isQuoted: Bool
    }

    /// What follows the type or the parameter before is no parameter.
    struct Malformed: Error {}

    private var position: Int
    private let end: Int

    /// - Parameter start: behind the type.
    init(_ value: ByteSlice, from start: Int) {
        position = start
        end = value.end
    }

    /// The next parameter; nil behind the last one. Nothing follows an error.
    mutating func next(in bytes: Span<UInt8>) throws(Malformed) -> Parameter? {
        var isSeparated = false
        while position < end, Ascii.isBlank(bytes[position]) || bytes[position] == Ascii.semicolon {
            isSeparated = isSeparated || bytes[position] == Ascii.semicolon
            position += 1
        }
        if position == end { return nil }
        let text = bytes.extracting(first: end)
        let nameEnd = Scan.endOfToken(text, from: position)
        guard isSeparated, nameEnd > position, nameEnd + 1 < end, bytes[nameEnd] == Ascii.equals
        else { throw Malformed() }
        let name = ByteSlice(position, nameEnd)
        position = nameEnd + 1
        if bytes[position] == Ascii.quote { return try quoted(name, bytes) }
        let valueEnd = Scan.endOfToken(text, from: position)
        guard valueEnd > position else { throw Malformed() }
        let value = ByteSlice(position, valueEnd)
        position = valueEnd
        return Parameter(name: name, value: value, isQuoted: false)
    }

    /// A backslash takes only a quote or a backslash with it: before anything else it stands for
    /// itself, as in the paths that some browsers sent.
    private mutating func quoted(
        _ name: ByteSlice, _ bytes: Span<UInt8>
    ) throws(Malformed) -> Parameter {
        position += 1
        let start = position
        while position < end, bytes[position] != Ascii.quote {
            let isEscape = bytes[position] == Ascii.backslash && position + 1 < end
            let next = isEscape ? bytes[position + 1] : 0
            position += next == Ascii.quote || next == Ascii.backslash ? 2 : 1
        }
        guard position < end else { throw Malformed() }
        let value = ByteSlice(start, position)
        position += 1
        return Parameter(name: name, value: value, isQuoted: true)
    }

    /// A parameter's value with its escapes undone.
    static func text(_ parameter: Parameter, in bytes: Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(Int(parameter.value.count))
        var position = parameter.value.start
        while position < parameter.value.end {
            if parameter.isQuoted, bytes[position] == Ascii.backslash,
                position + 1 < parameter.value.end,
                bytes[position + 1] == Ascii.quote || bytes[position + 1] == Ascii.backslash
            {
                position += 1
            }
            text.append(bytes[position])
            position += 1
        }
        return text
    }
}
