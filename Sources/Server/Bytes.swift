/// Comparing bytes with words of the protocol.

extension Span<UInt8> {
    func equals(_ text: String) -> Bool {
        let other = text.utf8.span
        guard count == other.count else { return false }
        for offset in 0..<count where self[offset] != other[offset] { return false }
        return true
    }

    /// ASCII letters match in either case; `text` is written in lower case.
    func equals(lowercase text: String) -> Bool {
        let other = text.utf8.span
        guard count == other.count else { return false }
        for offset in 0..<count {
            let byte = self[offset]
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isUpper ? byte | 0x20 : byte) == other[offset] else { return false }
        }
        return true
    }
}
