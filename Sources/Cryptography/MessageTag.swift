import CTLS

/// The 32 bytes that HMAC-SHA256 answers.
///
/// `==` takes as long for equal tags as for different ones, so that nobody learns a tag byte by
/// byte from the time that a refusal takes.
public struct MessageTag: Sendable, Equatable {
    public static let byteCount = 32

    public let bytes: InlineArray<32, UInt8>

    public init(_ bytes: InlineArray<32, UInt8>) {
        self.bytes = bytes
    }

    /// A tag that was stored in binary. Nil unless there are exactly 32 bytes.
    public init?(bytes stored: Span<UInt8>) {
        guard stored.count == MessageTag.byteCount else { return nil }
        bytes = InlineArray { stored[$0] }
    }

    /// A tag that was sent as 64 hexadecimal digits, in either case. Nil for anything else.
    public init?(hexadecimal digits: Span<UInt8>) {
        guard digits.count == 2 * MessageTag.byteCount else { return nil }
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        // A tag's digits are random: a branch on what each is would be mispredicted often.
        var excess: UInt8 = 0
        for index in 0..<MessageTag.byteCount {
            let (high, low) = (digits[2 * index], digits[2 * index + 1])
            excess |= Hexadecimal.excess(of: high) | Hexadecimal.excess(of: low)
            bytes[index] = Hexadecimal.nibble(of: high) << 4 | Hexadecimal.nibble(of: low)
        }
        guard excess == 0 else { return nil }
        self.bytes = bytes
    }

    /// 64 lowercase hexadecimal digits.
    public var hexadecimal: String { Hexadecimal.string(bytes.span) }

    public static func == (left: MessageTag, right: MessageTag) -> Bool {
        constantTimeEquals(left.bytes.span, right.bytes.span)
    }
}

/// Compares in a time that depends on the lengths only. False for different lengths.
public func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    guard left.count > 0 else { return true }
    return unsafe left.withUnsafeBufferPointer { left in
        unsafe right.withUnsafeBufferPointer { right in
            unsafe ctls_equal(left.baseAddress, right.baseAddress, left.count)
        }
    }
}
