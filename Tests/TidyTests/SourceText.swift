// One source file: its lines as they stand, and its code as tokens without comments and strings.

/// A word or a single symbol of the code.
struct SourceToken: Equatable {
    let text: String
    /// Counted from 1.
    let line: Int
    /// Whether nothing stands between it and the token before.
    let isAdjacent: Bool
}

struct SourceText: Sendable {
    /// From the top of the package: "Sources/IO/Token.swift".
    let path: String
    let lines: [Substring]
    let tokens: [SourceToken]

    var isSwift: Bool { path.hasSuffix(".swift") }
    /// "IO" for "Sources/IO/Token.swift"; empty for files that lie higher.
    var module: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }
    var isSource: Bool { path.hasPrefix("Sources/") }

    init(path: String, text: String) {
        self.path = path
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        self.lines = lines
        var scanner = SourceScanner(Array(text.utf8))
        tokens = scanner.tokens()
    }

    func hasToken(_ text: String, at index: Int) -> Bool {
        tokens.indices.contains(index) && tokens[index].text == text
    }

    /// The modules that the file imports, with their lines.
    var imports: [(module: String, line: Int)] {
        tokens.indices.compactMap { index in
            guard tokens[index].text == "import", index + 1 < tokens.count else { return nil }
            let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
            let name = tokens[kinds.contains(tokens[index + 1].text) ? index + 2 : index + 1]
            return (name.text, name.line)
        }
    }

    /// The names of the types that the file declares, with their lines.
    var types: [(name: String, line: Int)] {
        let keywords = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        return tokens.indices.dropLast().compactMap { index in
            guard keywords.contains(tokens[index].text), !hasToken(".", at: index - 1) else {
                return nil
            }
            let name = tokens[index + 1]
            guard let first = name.text.first, first.isUppercase else { return nil }
            return (name.text, name.line)
        }
    }
}

/// Cuts Swift or C into tokens and steps over comments, strings and names in backticks. It knows
/// strings with interpolation, of several lines and raw, and nothing of regular expressions.
struct SourceScanner {
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var found: [SourceToken] = []
    private var endOfLast = -1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func tokens() -> [SourceToken] {
        code(untilParenthesis: false)
        return found
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    private func at(_ text: StaticString, _ distance: Int = 0) -> Bool {
        let text = "\(text)".utf8
        return bytes[min(index + distance, bytes.count)...].starts(with: text)
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") { line += 1 }
            index += 1
        }
    }

    /// Reads code to its end, or to the ")" that closes an interpolation.
    private mutating func code(untilParenthesis: Bool) {
        var depth = 0
        while let byte = peek() {
            if at("//") {
                while let next = peek(), next != UInt8(ascii: "\n") { advance() }
            } else if at("/*") {
                while index < bytes.count, !at("*/") { advance() }
                advance(2)
            } else if byte == UInt8(ascii: "\"") || (byte == UInt8(ascii: "#") && isRawString()) {
                string()
            } else if byte == UInt8(ascii: "`") {
                advance()
                while let next = peek(), next != UInt8(ascii: "`") { advance() }
                advance()
            } else if SourceScanner.isWord(byte) {
                word()
            } else {
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") {
                    depth -= 1
                    if untilParenthesis, depth < 0 { return }
                }
                if byte > 0x20 { add(String(decoding: [byte], as: UTF8.self), length: 1) }
                advance()
            }
        }
    }

    private func isRawString() -> Bool {
        var distance = 0
        while peek(distance) == UInt8(ascii: "#") { distance += 1 }
        return peek(distance) == UInt8(ascii: "\"")
    }

    /// Steps over a string; the code of its interpolations is read as code.
    private mutating func string() {
        var hashes: [UInt8] = []
        while peek() == UInt8(ascii: "#") {
            hashes.append(UInt8(ascii: "#"))
            advance()
        }
        let quoteCount = at("\"\"\"") ? 3 : 1
        advance(quoteCount)
        let end = [UInt8](repeating: UInt8(ascii: "\""), count: quoteCount) + hashes
        let escape = [UInt8(ascii: "\\")] + hashes
        while index < bytes.count {
            if bytes[index...].starts(with: end) { return advance(end.count) }
            if quoteCount == 1, peek() == UInt8(ascii: "\n") { return }
            if bytes[index...].starts(with: escape) {
                advance(escape.count)
                if peek() == UInt8(ascii: "(") {
                    advance()
                    code(untilParenthesis: true)
                }
            }
            advance()
        }
    }

    private mutating func word() {
        let start = index
        while let byte = peek(), SourceScanner.isWord(byte) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        index = start
        add(text, length: text.utf8.count)
        advance(text.utf8.count)
    }

    private mutating func add(_ text: String, length: Int) {
        found.append(SourceToken(text: text, line: line, isAdjacent: index == endOfLast))
        endOfLast = index + length
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xff:
            true
        default: false
        }
    }
}
