/// Walks the field lines of a parsed head: for the fields that have no slot in `RequestHead`.
public struct FieldCursor: BitwiseCopyable, Sendable {
    public struct Field: Equatable, BitwiseCopyable, Sendable {
        public let name: ByteSlice
        public let value: ByteSlice
    }

    private var position: Int
    private let end: Int

    public init(_ head: RequestHead) {
        position = head.fields.start
        end = head.fields.end
    }

    /// The next field in the order sent; `bytes` are those that the head was parsed from.
    public mutating func next(in bytes: Span<UInt8>) -> Field? {
        guard position < end else { return nil }
        let nameStart = position
        while bytes[position] != Ascii.colon { position &+= 1 }
        let name = ByteSlice(nameStart, position)
        position &+= 1
        while Ascii.isBlank(bytes[position]) { position &+= 1 }
        let valueStart = position
        while bytes[position] != Ascii.carriageReturn { position &+= 1 }
        var valueEnd = position
        while valueEnd > valueStart, Ascii.isBlank(bytes[valueEnd &- 1]) { valueEnd &-= 1 }
        position &+= 2
        return Field(name: name, value: ByteSlice(valueStart, valueEnd))
    }

    /// The value of the next field of that name, given in lower case; nil if no more follow.
    public mutating func next(named name: String, in bytes: Span<UInt8>) -> ByteSlice? {
        while let field = next(in: bytes) {
            if bytes.extracting(field.name).equalsLowercase(name) { return field.value }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// Compares with a lower-case ASCII name, whatever the case of these bytes.
    public func equalsLowercase(_ name: String) -> Bool {
        let name = name.utf8.span
        guard count == name.count else { return false }
        for index in indices where Ascii.lowercased(self[index]) != name[index] { return false }
        return true
    }

    /// Compares ASCII letters in either case.
    func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices
        where Ascii.lowercased(self[index]) != Ascii.lowercased(other[index]) {
            return false
        }
        return true
    }

    public func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
