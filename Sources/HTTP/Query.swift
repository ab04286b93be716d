/// The `key=value` pairs of a query, found in place and decoded only when asked for.
public struct Query: BitwiseCopyable, Sendable {
    public struct Pair: Equatable, BitwiseCopyable, Sendable {
        public let key: ByteSlice
        /// Still encoded; empty if the pair has no `=`.
        public let value: ByteSlice
    }

    public enum Match: Equatable, BitwiseCopyable, Sendable {
        case none
        case one(ByteSlice)
        /// Several pairs have the key. Which one counts, two readers may see differently: what
        /// guards access refuses this.
        case several
    }

    private var position: Int
    private let end: Int

    /// - Parameter query: `RequestHead.query`, a slice of the bytes that are passed to `next`.
    public init(_ query: ByteSlice) {
        position = query.start
        end = query.end
    }

    /// The next pair in the order sent; empty ones (`&&`) are skipped.
    public mutating func next(in bytes: Span<UInt8>) -> Pair? {
        while position < end {
            let start = position
            while position < end, bytes[position] != Ascii.ampersand { position &+= 1 }
            let pairEnd = position
            position &+= 1
            if pairEnd == start { continue }
            var keyEnd = start
            while keyEnd < pairEnd, bytes[keyEnd] != Ascii.equals { keyEnd &+= 1 }
            let valueStart = keyEnd < pairEnd ? keyEnd &+ 1 : pairEnd
            return Pair(key: ByteSlice(start, keyEnd), value: ByteSlice(valueStart, pairEnd))
        }
        return nil
    }

    /// The value of `key` among the pairs not yet walked. Keys are compared as they were sent: an
    /// escaped key is another key.
    public func value(of key: String, in bytes: Span<UInt8>) -> Match {
        var rest = self
        var match = Match.none
        while let pair = rest.next(in: bytes) {
            guard bytes.extracting(pair.key).equals(key.utf8.span) else { continue }
            guard match == .none else { return .several }
            match = .one(pair.value)
        }
        return match
    }

    /// Appends a value decoded as HTML forms encode it: percent escapes, and `+` for a space.
    public static func decode(
        _ value: Span<UInt8>, into output: inout OutputSpan<UInt8>
    ) throws(Refusal) {
        var position = 0
        while position < value.count {
            let byte = try PercentDecoding.next(in: value, at: &position)
            guard output.freeCapacity > 0 else { throw .queryValueTooLong }
            let isSpace = byte.value == Ascii.plus && !byte.isEscaped
            output.append(isSpace ? Ascii.space : byte.value)
        }
    }
}
