/// Text that holds names of others, as a terminal may be shown it.

public enum PlainText {
    /// No control character of a name reaches a terminal, or begins a line of its own.
    public static func of(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var plain = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                plain += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                plain.unicodeScalars.append(scalar)
            }
        }
        return plain
    }

    /// Bytes that are no UTF-8 are shown as U+FFFD.
    public static func of(_ name: [UInt8]) -> String { of(String(decoding: name, as: UTF8.self)) }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }
}
