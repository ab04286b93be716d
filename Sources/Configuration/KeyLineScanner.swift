// Finds the line of every key in a TOML text. TOMLKit tells lines only of syntax errors.

/// Where keys stand. It reads just enough TOML to tell keys from values: strings, brackets and
/// comments. On text that is not TOML it may find too little, never fail. Of a `[[table]]` that
/// stands several times each has its number, from 0 on, behind its path.
struct KeyLines: Sendable {
    /// Keys and table headers in the order of the text, with lines counted from 1.
    private(set) var entries: [(path: [String], line: Int)] = []

    init(_ text: String) {
        var section: [String] = []
        var tableCounts: [[String]: Int] = [:]
        var value = ValueScanner()
        for (index, line) in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
            .enumerated()
        {
            var rest = ArraySlice(line)
            if value.isOpen {
                value.scan(&rest)
                continue
            }
            rest.skipSpaces()
            if rest.first == UInt8(ascii: "[") {
                let isOneOfSeveral = rest.dropFirst().first == UInt8(ascii: "[")
                rest = rest.drop { $0 == UInt8(ascii: "[") }
                let path = rest.takeKeyPath()
                section = KeyLines.numbered(path, tableCounts)
                entries.append((section, index + 1))
                guard isOneOfSeveral else { continue }
                let number = tableCounts[path, default: 0]
                tableCounts[path] = number + 1
                section.append("\(number)")
                entries.append((section, index + 1))
                continue
            }
            let path = rest.takeKeyPath()
            guard !path.isEmpty, rest.first == UInt8(ascii: "=") else { continue }
            entries.append((section + path, index + 1))
            rest.removeFirst()
            value.scan(&rest)
        }
    }

    /// A table within one of several belongs to the last of those.
    private static func numbered(_ path: [String], _ tableCounts: [[String]: Int]) -> [String] {
        path.indices.flatMap { index -> [String] in
            let isLast = index == path.count - 1
            let count = isLast ? nil : tableCounts[Array(path[...index])]
            return [path[index]] + (count.map { ["\($0 - 1)"] } ?? [])
        }
    }

    /// The line of the key, or of the first below it (`a.b` for `a`), or of the nearest table
    /// around it (a key inside `{ … }`).
    func line(of path: [String]) -> Int? {
        if let entry = entries.first(where: { $0.path.starts(with: path) }) { return entry.line }
        for count in stride(from: path.count, to: 0, by: -1) {
            let prefix = Array(path[..<count])
            if let entry = entries.first(where: { $0.path == prefix }) { return entry.line }
        }
        return nil
    }

    /// The last key or table that begins at or before `line`.
    func path(at line: Int) -> [String]? { entries.last { $0.line <= line }?.path }
}

/// Follows a value over line ends: which string or how many brackets are open.
private struct ValueScanner {
    private enum Quote { case none, basic, literal, multilineBasic, multilineLiteral }
    private var quote = Quote.none
    private var depth = 0

    var isOpen: Bool { quote != .none || depth > 0 }

    /// Reads to the end of one line.
    mutating func scan(_ line: inout ArraySlice<UInt8>) {
        while let byte = line.first {
            switch quote {
            case .none:
                guard byte != UInt8(ascii: "#") else { return }
                open(byte, &line)
            case .basic: close(.init(ascii: "\""), 1, escapes: true, &line)
            case .literal: close(.init(ascii: "'"), 1, escapes: false, &line)
            case .multilineBasic: close(.init(ascii: "\""), 3, escapes: true, &line)
            case .multilineLiteral: close(.init(ascii: "'"), 3, escapes: false, &line)
            }
        }
        // A one-line string ends with its line, closed or not: the parser reports the second.
        if quote == .basic || quote == .literal { quote = .none }
    }

    private mutating func open(_ byte: UInt8, _ line: inout ArraySlice<UInt8>) {
        let isTriple = line.prefix(3).count == 3 && line.prefix(3).allSatisfy { $0 == byte }
        var length = 1
        switch byte {
        case UInt8(ascii: "\""):
            quote = isTriple ? .multilineBasic : .basic
            length = isTriple ? 3 : 1
        case UInt8(ascii: "'"):
            quote = isTriple ? .multilineLiteral : .literal
            length = isTriple ? 3 : 1
        case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(depth - 1, 0)
        default: break
        }
        line = line.dropFirst(length)
    }

    private mutating func close(
        _ mark: UInt8, _ count: Int, escapes: Bool, _ line: inout ArraySlice<UInt8>
    ) {
        if escapes, line.first == UInt8(ascii: "\\") {
            line = line.dropFirst(2)
        } else if line.prefix(count).count == count, line.prefix(count).allSatisfy({ $0 == mark }) {
            line = line.dropFirst(count)
            // TOML lets one or two quotes stand right before the closing three.
            while count == 3, line.first == mark { line.removeFirst() }
            quote = .none
        } else {
            line.removeFirst()
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func skipSpaces() {
        self = drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// `a.b`, `"a".'b'`, with spaces around the dots; stops at what cannot continue a key.
    fileprivate mutating func takeKeyPath() -> [String] {
        var path: [String] = []
        while true {
            skipSpaces()
            guard let part = takeKeyPart() else { return path }
            path.append(part)
            skipSpaces()
            guard first == UInt8(ascii: ".") else { return path }
            removeFirst()
        }
    }

    private mutating func takeKeyPart() -> String? {
        guard let mark = first else { return nil }
        if mark == UInt8(ascii: "\"") || mark == UInt8(ascii: "'") {
            removeFirst()
            let part = prefix { $0 != mark }
            self = dropFirst(part.count + 1)
            return String(decoding: part, as: UTF8.self)
        }
        let part = prefix {
            isASCIIAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        self = dropFirst(part.count)
        return part.isEmpty ? nil : String(decoding: part, as: UTF8.self)
    }
}
