/// Comparing bytes with words of the protocol.

extension RawSpan {
    func equals(_ text: StaticString) -> Bool { equals(String(describing: text)) }

    func equals(_ text: String) -> Bool {
        let other = text.utf8.span
        guard byteCount == other.count else { return false }
        for offset in 0..<byteCount where byte(offset) != other[offset] { return false }
        return true
    }

    /// ASCII letters match in either case; `text` is written in lower case.
    func equals(lowercase text: String) -> Bool {
        let other = text.utf8.span
        guard byteCount == other.count else { return false }
        for offset in 0..<byteCount {
            let byte = byte(offset)
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isUpper ? byte | 0x20 : byte) == other[offset] else { return false }
        }
        return true
    }

    private func byte(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}
