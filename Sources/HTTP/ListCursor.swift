/// Walks the elements of a comma-separated field value of tokens (RFC 9110 §5.6.1), skipping empty
/// ones. Not for lists whose elements may quote a comma.
struct ListCursor {
    private var position: Int
    private let end: Int

    init(_ value: ByteSlice) {
        position = value.start
        end = value.end
    }

    mutating func next(in bytes: Span<UInt8>) -> ByteSlice? {
        while position < end {
            var start = position
            while position < end, bytes[position] != Ascii.comma { position &+= 1 }
            var elementEnd = position
            position &+= 1
            while start < elementEnd, Ascii.isBlank(bytes[start]) { start &+= 1 }
            while elementEnd > start, Ascii.isBlank(bytes[elementEnd &- 1]) { elementEnd &-= 1 }
            if start < elementEnd { return ByteSlice(start, elementEnd) }
        }
        return nil
    }
}
