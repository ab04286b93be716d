/// The characters and character classes that the grammar names, as bytes.
enum Ascii {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let percent: UInt8 = 0x25
    static let ampersand: UInt8 = 0x26
    static let apostrophe: UInt8 = 0x27
    static let closingParenthesis: UInt8 = 0x29
    static let asterisk: UInt8 = 0x2a
    static let plus: UInt8 = 0x2b
    static let comma: UInt8 = 0x2c
    static let hyphen: UInt8 = 0x2d
    static let dot: UInt8 = 0x2e
    static let slash: UInt8 = 0x2f
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3a
    static let semicolon: UInt8 = 0x3b
    static let equals: UInt8 = 0x3d
    static let backslash: UInt8 = 0x5c
    static let underscore: UInt8 = 0x5f
    static let delete: UInt8 = 0x7f

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func isControl(_ byte: UInt8) -> Bool { byte < space || byte == delete }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

    /// RFC 9110 §5.6.2 `tchar`.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        contains(byte, low: 0x03ff_6cfa_0000_0000, high: 0x57ff_fffe_c7ff_fffe)
    }

    /// Whether the bit of an ASCII character is set in a map of two words. Without a branch on the
    /// character: names mix letters and hyphens, which no predictor foresees.
    @inline(__always)
    static func contains(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        let isHigh = 0 &- UInt64((byte &>> 6) & 1)
        let map = low ^ ((low ^ high) & isHigh)
        return ((map &>> UInt64(byte & 63)) & UInt64(byte &>> 7 ^ 1)) != 0
    }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit of either case; nil for anything else.
    @inline(__always)
    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- zero }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}
