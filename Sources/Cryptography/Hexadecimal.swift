/// Bytes as pairs of hexadecimal digits (RFC 4648 §8), written in lowercase, read in either case.
public enum Hexadecimal {
    public static func string(_ bytes: Span<UInt8>) -> String {
        unsafe String(unsafeUninitializedCapacity: 2 * bytes.count) { digits in
            for index in 0..<bytes.count {
                unsafe digits[2 * index] = digit(bytes[index] >> 4)
                unsafe digits[2 * index + 1] = digit(bytes[index] & 15)
            }
            return 2 * bytes.count
        }
    }

    /// Appends two digits a byte. `target` has room for them.
    public static func append(_ bytes: Span<UInt8>, to target: inout OutputSpan<UInt8>) {
        for index in 0..<bytes.count {
            target.append(digit(bytes[index] >> 4))
            target.append(digit(bytes[index] & 15))
        }
    }

    /// Nil for an odd number of digits, or anything that is none.
    public static func bytes(_ digits: Span<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            let (high, low) = (digits[index], digits[index + 1])
            guard excess(of: high) | excess(of: low) == 0 else { return nil }
            bytes.append(nibble(of: high) << 4 | nibble(of: low))
        }
        return bytes
    }

    /// What a digit stands for, without a branch. Only for digits: see `excess`.
    @inline(__always)
    static func nibble(of digit: UInt8) -> UInt8 { (digit & 15) &+ (digit >> 6) &* 9 }

    /// 0 for a digit, in either case, else 1; without a branch.
    @inline(__always)
    static func excess(of digit: UInt8) -> UInt8 {
        isAtLeast(10, digit &- UInt8(ascii: "0"))
            & isAtLeast(6, (digit | 0x20) &- UInt8(ascii: "a"))
    }

    @inline(__always)
    private static func isAtLeast(_ limit: UInt16, _ value: UInt8) -> UInt8 {
        1 ^ UInt8(truncatingIfNeeded: (UInt16(value) &- limit) >> 15)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }
}
