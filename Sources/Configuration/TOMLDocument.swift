// A TOML text as a flat list of keys and values with their lines. The only file that knows TOMLKit.

internal import TOMLKit

/// One `key = value` of a document, or one table that no key may have.
struct TOMLEntry {
    let path: [String]
    let value: RawValue
    let line: Int?
}

/// A parsed document. Tables are walked only as deep as `sections` reach: a table that is none of
/// them becomes one entry of value `.table`. Of `tables`, which may stand several times, each is
/// such an entry, with its number at the end of its path, and so is each of its keys.
struct TOMLDocument {
    /// In the order of the text.
    let entries: [TOMLEntry]

    init(
        _ text: String, origin: String, sections: [String], tables: [String] = []
    ) throws(SettingsError) {
        let lines = KeyLines(text)
        // TOMLKit hands strings over C, which would silently end them at a NUL.
        if let line = TOMLDocument.lineWithNUL(text) {
            throw SettingsError(origin: origin, line: line, "a NUL character is not allowed here")
        }
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let line = error.source.begin.line
            let text = TOMLDocument.syntaxProblem(error, key: lines.path(at: line) ?? [])
            throw SettingsError(origin: origin, line: line, text)
        } catch {
            throw SettingsError(origin: origin, "not readable as TOML")
        }

        var found: [TOMLEntry] = []
        for name in root.keys {
            guard let node = root[name] else { continue }
            if sections.contains(name), let table = node.table {
                for inner in table.keys {
                    guard let node = table[inner] else { continue }
                    let path = [name, inner]
                    if tables.contains(name + "." + inner), let rows = TOMLDocument.tables(in: node)
                    {
                        found += TOMLDocument.entries(of: rows, at: path, lines)
                        continue
                    }
                    found.append(
                        TOMLEntry(path: path, value: RawValue(node), line: lines.line(of: path)))
                }
            } else {
                found.append(
                    TOMLEntry(path: [name], value: RawValue(node), line: lines.line(of: [name])))
            }
        }
        entries = found.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    /// The tables of a list that has nothing else; nil for any other value.
    private static func tables(in node: any TOMLValueConvertible) -> [TOMLTable]? {
        guard let list = node.array else { return nil }
        let tables = list.compactMap(\.table)
        return tables.count == list.count ? tables : nil
    }

    private static func entries(
        of tables: [TOMLTable], at path: [String], _ lines: KeyLines
    ) -> [TOMLEntry] {
        tables.enumerated().flatMap { index, table in
            let place = path + ["\(index)"]
            let start = TOMLEntry(path: place, value: .table, line: lines.line(of: place))
            return [start]
                + table.keys.compactMap { key in
                    table[key].map {
                        let path = place + [key]
                        return TOMLEntry(
                            path: path, value: RawValue($0), line: lines.line(of: path))
                    }
                }
        }
    }

    /// The parser quotes what it stumbled over, which in a secret's line is the secret.
    private static func syntaxProblem(_ error: TOMLParseError, key: [String]) -> String {
        let mayBeSecret = key.contains { part in
            let name = part.lowercased()
            return ["secur", "secret", "token", "pass", "key"].contains(where: name.contains)
        }
        let column = error.source.begin.column
        if mayBeSecret {
            return "not valid TOML at column \(column) (not shown, as it may be secret)"
        }
        return "not valid TOML at column \(column): \(error.description)"
    }

    private static func lineWithNUL(_ text: String) -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let index = lines.firstIndex { line in
            line.utf8.contains(0) || line.contains("\\u0000") || line.contains("\\U00000000")
        }
        return index.map { $0 + 1 }
    }
}

extension RawValue {
    fileprivate init(_ node: any TOMLValueConvertible) {
        switch node.type {
        case .string: self = .text(node.string ?? "")
        case .int: self = .integer(node.int ?? 0)
        case .bool: self = .boolean(node.bool ?? false)
        case .array: self = .list((node.array ?? TOMLArray()).map { RawValue($0) })
        case .table: self = .table
        case .double: self = .other("a fraction")
        case .date, .time, .dateTime: self = .other("a date or time")
        }
    }
}
