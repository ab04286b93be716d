/// Base64 (RFC 4648 §4): the standard alphabet, read by rules that leave no room, and written.
public enum Base64 {
    /// What is taken for base64. White space and other alphabets never are.
    public enum Rule: Sendable {
        /// Padded, the bits that belong to no byte are zero: one text for each value.
        case canonical
        /// As RFC 9651 §4.2.7 asks of byte sequences: padding may be missing as a whole, and bits
        /// that belong to no byte may be anything.
        case lenient
    }

    /// How many bytes the text stands for; nil if it is no base64.
    public static func decodedCount(_ text: Span<UInt8>, _ rule: Rule = .canonical) -> Int? {
        var digitCount = text.count
        while digitCount > 0, text.count - digitCount < 2, text[digitCount - 1] == Ascii.equals {
            digitCount -= 1
        }
        let paddingCount = text.count - digitCount
        let spareDigits = digitCount % 4
        guard spareDigits != 1 else { return nil }
        let isPadded = paddingCount == (4 - spareDigits) % 4
        guard isPadded || (rule == .lenient && paddingCount == 0) else { return nil }
        var last: UInt8 = 0
        for index in 0..<digitCount {
            guard let value = value(of: text[index]) else { return nil }
            last = value
        }
        let spareBits: UInt8 = spareDigits == 2 ? 0x0f : spareDigits == 3 ? 0x03 : 0
        guard rule == .lenient || last & spareBits == 0 else { return nil }
        return digitCount * 3 / 4
    }

    /// Appends the bytes that the text stands for. Returns false, with nothing appended, if it is
    /// no base64 or the output has no room.
    public static func decode(
        _ text: Span<UInt8>, _ rule: Rule = .canonical, into output: inout OutputSpan<UInt8>
    ) -> Bool {
        guard let byteCount = decodedCount(text, rule), output.freeCapacity >= byteCount else {
            return false
        }
        var reader = Base64Reader()
        for _ in 0..<byteCount { output.append(reader.next(in: text)) }
        return true
    }

    /// The bytes of a text in the alphabet for URLs (RFC 4648 §5), without padding, as RFC 7515 §2
    /// has it; nil if it is none, or has other texts for the same bytes.
    public static func decodeURL(_ text: Span<UInt8>) -> [UInt8]? {
        var standard: [UInt8] = []
        standard.reserveCapacity(text.count + 3)
        for index in text.indices {
            switch text[index] {
            case Ascii.hyphen: standard.append(Ascii.plus)
            case Ascii.underscore: standard.append(Ascii.slash)
            case Ascii.plus, Ascii.slash, Ascii.equals: return nil
            case let digit: standard.append(digit)
            }
        }
        while standard.count % 4 != 0 { standard.append(Ascii.equals) }
        guard let count = decodedCount(standard.span) else { return nil }
        return [UInt8](capacity: count) { output in
            let isDecoded = decode(standard.span, into: &output)
            precondition(isDecoded, "it was counted a moment ago")
        }
    }

    /// With padding.
    public static func encodedCount(byteCount: Int) -> Int { (byteCount + 2) / 3 * 4 }

    static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case Ascii.plus: 62
        case Ascii.slash: 63
        default: nil
        }
    }
}

/// Hands out the bytes of a text that `Base64.decodedCount` has counted, one after the other.
struct Base64Reader {
    private var position = 0
    private var bits: UInt32 = 0
    private var bitCount = 0

    mutating func next(in text: Span<UInt8>) -> UInt8 {
        while bitCount < 8 {
            guard let value = Base64.value(of: text[position]) else {
                preconditionFailure("more bytes were asked for than the text was found to have")
            }
            bits = bits &<< 6 | UInt32(value)
            bitCount += 6
            position += 1
        }
        bitCount -= 8
        return UInt8(truncatingIfNeeded: bits &>> UInt32(bitCount))
    }
}

extension OutputSpan<UInt8> {
    /// Appends the bytes as padded base64.
    public mutating func append(base64 bytes: Span<UInt8>) {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.span
        var start = 0
        while start < bytes.count {
            let count = min(3, bytes.count - start)
            var group = UInt32(bytes[start]) << 16
            if count > 1 { group |= UInt32(bytes[start + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[start + 2]) }
            for digit in 0..<4 {
                let value = Int(group >> UInt32(18 - 6 * digit) & 63)
                append(digit <= count ? alphabet[value] : Ascii.equals)
            }
            start += 3
        }
    }
}
