/// Decides byte by byte whether bytes are UTF-8 (RFC 3629 §4): no overlong form, no surrogate,
/// nothing above U+10FFFF.
struct UnicodeValidator: BitwiseCopyable {
    private var bytesMissing: UInt8 = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xbf

    /// True between characters; text may end here.
    var isBetweenCharacters: Bool { bytesMissing == 0 }

    /// False if the byte cannot follow the ones before.
    @inline(__always)
    mutating func accepts(_ byte: UInt8) -> Bool {
        if bytesMissing == 0 { return byte < 0x80 || startsCharacter(byte) }
        guard byte >= lowest, byte <= highest else { return false }
        bytesMissing -= 1
        lowest = 0x80
        highest = 0xbf
        return true
    }

    private mutating func startsCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xc2...0xdf: bytesMissing = 1
        case 0xe0...0xef: bytesMissing = 2
        case 0xf0...0xf4: bytesMissing = 3
        default: return false
        }
        switch byte {
        case 0xe0: lowest = 0xa0
        case 0xed: highest = 0x9f
        case 0xf0: lowest = 0x90
        case 0xf4: highest = 0x8f
        default: break
        }
        return true
    }
}
