// The house rules that a machine can check. Each answers what breaks it, as `path:line: why`.

enum Rules {
    static let lineCountMax = 400
    static let columnMax = 100
    static let functionLinesMax = 50
    static let switchLinesMax = 70

    /// Where `unsafe` may stand: what talks to kernel or hardware, and one wrapper a library.
    static let unsafeModules: Set<String> = [
        "IO", "Uring", "Loop", "Runtime", "Checksums", "Cryptography", "Catalog", "NUMA", "Files",
        "Remote",
    ]
    /// Single files elsewhere, and how often: executors, and what an actor hands out of one
    /// (`UnownedSerialExecutor` is an unsafe type).
    static let unsafeFiles: [String: Int] = [
        "Sources/Server/Core.swift": 1, "Sources/Store/Ledger.swift": 1,
        "Sources/Store/Indexer.swift": 1, "Sources/Store/ColdLookups.swift": 1,
        "Sources/Store/Assembler.swift": 1,
        "Sources/Store/RunningDigest.swift": 1,
        "Sources/Store/BlockingQueue.swift": .max,
    ]

    /// What headers of C shims may include: more would drag system headers into every importer.
    static let headersAllowed: Set<String> = [
        "<linux/io_uring.h>", "<stdint.h>", "<stddef.h>", "<stdbool.h>",
    ]

    static func length(_ file: SourceText) -> [String] {
        file.lines.count > lineCountMax
            ? ["\(file.path):\(lineCountMax + 1): \(file.lines.count) lines"] : []
    }

    static func columns(_ file: SourceText) -> [String] {
        // A Markdown table's row cannot be broken.
        if file.path.hasSuffix(".md") { return [] }
        return file.lines.indices.compactMap { index in
            let count = file.lines[index].count
            return count > columnMax ? "\(file.path):\(index + 1): \(count) columns" : nil
        }
    }

    static func functions(_ file: SourceText) -> [String] {
        guard file.isSwift else { return [] }
        return file.functions.compactMap { function in
            let limit = function.isSwitch ? switchLinesMax : functionLinesMax
            guard function.lineCount > limit else { return nil }
            return "\(file.path):\(function.line): a function of \(function.lineCount) lines"
        }
    }

    static func names(_ file: SourceText, modules: Set<String>) -> [String] {
        guard file.isSwift else { return [] }
        let forbidden: Set<String> = [
            "manager", "managers", "helper", "helpers", "util", "utils", "utility", "utilities",
            "context", "contexts", "impl", "implementation",
        ]
        return file.types.compactMap { name, line in
            if modules.contains(name) { return "\(file.path):\(line): \(name) is a module's name" }
            let bad = words(name).filter(forbidden.contains)
            return bad.isEmpty ? nil : "\(file.path):\(line): \(name) says \(bad[0])"
        }
    }

    static func opening(_ file: SourceText) -> [String] {
        // Imports may stand above the sentence that the file's one type carries.
        let first = file.lines.first { line in
            let words = line.split(separator: " ")
            return !words.isEmpty && !words.prefix(3).contains("import")
        }
        let isComment = ["//", "/*", "#"].contains { first?.hasPrefix($0) == true }
        return isComment ? [] : ["\(file.path):1: no opening sentence"]
    }

    static func unsafety(_ file: SourceText) -> [String] {
        guard file.isSource, !unsafeModules.contains(file.module) else { return [] }
        let uses = file.tokens.filter { $0.text == "unsafe" || $0.text.contains("Unsafe") }
        return uses.dropFirst(unsafeFiles[file.path] ?? 0).map { token in
            "\(file.path):\(token.line): \(token.text) outside the modules that may"
        }
    }

    static func traps(_ file: SourceText) -> [String] {
        guard file.isSource else { return [] }
        return file.tokens.indices.compactMap { index in
            let token = file.tokens[index]
            if token.text == "fatalError" { return "\(file.path):\(token.line): fatalError" }
            let isForced =
                token.text == "!" && token.isAdjacent && file.hasToken("try", at: index - 1)
            return isForced ? "\(file.path):\(token.line): a forced try" : nil
        }
    }

    /// The words are put together here so that this file does not contain them.
    static func markers(_ file: SourceText) -> [String] {
        phrases(["TO" + "DO", "FIX" + "ME"], in: file)
    }

    static func machinePaths(_ file: SourceText) -> [String] {
        phrases([".." + "/shared", "/" + "work/", "/" + "root/", "/" + "opt/swift"], in: file)
    }

    static func headers(_ file: SourceText) -> [String] {
        guard file.path.hasPrefix("CShims/"), file.path.hasSuffix(".h") else { return [] }
        return file.lines.indices.compactMap { index in
            let words = file.lines[index].split(separator: " ")
            guard words.first == "#include", words.count > 1 else { return nil }
            let header = String(words[1])
            return headersAllowed.contains(header)
                ? nil : "\(file.path):\(index + 1): \(header) belongs into a .c file"
        }
    }

    private static func phrases(_ phrases: [String], in file: SourceText) -> [String] {
        file.lines.indices.flatMap { index in
            phrases.filter { file.lines[index].contains($0) }.map {
                "\(file.path):\(index + 1): \($0)"
            }
        }
    }

    /// "HTTPHeadParser" is "http", "head", "parser"; "ImplicitKey" is "implicit", "key".
    static func words(_ name: String) -> [String] {
        var words: [String] = []
        let letters = Array(name)
        for index in letters.indices {
            let isUpper = letters[index].isUppercase
            let afterLower = index > 0 && !letters[index - 1].isUppercase
            let beforeLower = index + 1 < letters.count && letters[index + 1].isLowercase
            if index == 0 || letters[index] == "_" || (isUpper && (afterLower || beforeLower)) {
                words.append("")
            }
            if letters[index] != "_" { words[words.count - 1] += letters[index].lowercased() }
        }
        return words.filter { !$0.isEmpty }
    }
}
