/// Percent-encoding (RFC 3986 §2.1), undone once and only once.
enum PercentDecoding {
    struct Byte {
        let value: UInt8
        let isEscaped: Bool
    }

    /// The byte at `position`, decoded, and the position moved behind it.
    @inline(__always)
    static func next(
        in bytes: Span<UInt8>, at position: inout Int
    ) throws(Refusal) -> Byte {
        let byte = bytes[position]
        position &+= 1
        guard byte == Ascii.percent else { return Byte(value: byte, isEscaped: false) }
        guard position &+ 1 < bytes.count,
            let high = Ascii.hexadecimalValue(bytes[position]),
            let low = Ascii.hexadecimalValue(bytes[position &+ 1])
        else { throw .malformedEscape }
        position &+= 2
        return Byte(value: high &<< 4 | low, isEscaped: true)
    }
}

extension Span<UInt8> {
    /// Appends the bytes that these hexadecimal digits of either case spell, two digits a byte.
    ///
    /// Returns false, with nothing appended, if anything else is among them, their number is odd,
    /// or the output has no room.
    public func decodeHexadecimal(into output: inout OutputSpan<UInt8>) -> Bool {
        guard count % 2 == 0, output.freeCapacity >= count / 2 else { return false }
        for index in indices where Ascii.hexadecimalValue(self[index]) == nil { return false }
        var index = 0
        while index < count {
            guard let high = Ascii.hexadecimalValue(self[index]),
                let low = Ascii.hexadecimalValue(self[index + 1])
            else { preconditionFailure("a digit stopped being one") }
            output.append(high &<< 4 | low)
            index += 2
        }
        return true
    }
}
