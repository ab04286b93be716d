// Bytes in a URL (RFC 3986 §2.1).

public enum PercentEncoding {
    /// For a path: slashes stay.
    public static func path(_ bytes: [UInt8]) -> String { encode(bytes, plain: "-._~/") }

    /// For a value of a query: nothing in it separates anything.
    public static func queryValue(_ bytes: [UInt8]) -> String { encode(bytes, plain: "-._~") }

    private static func encode(_ bytes: [UInt8], plain: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            if isLetterOrDigit(byte) || plain.utf8.contains(byte) {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
            || (0x61...0x7a).contains(byte)
    }
}
