// The package's files, read once: what the rules are applied to.

import Foundation

struct SourceTree: Sendable {
    /// Swift and C under Sources, Tests, CShims and Bench.
    let sources: [SourceText]
    /// What a reader sees besides: README, scripts, the manifest, perf's texts.
    let documents: [SourceText]
    let manifest: PackageManifest

    /// This checkout.
    static let here = SourceTree(root: #filePath.dropLast("Tests/TidyTests/SourceTree.swift".count))

    private init(root: Substring) {
        let root = String(root)
        sources = ["Sources", "Tests", "CShims", "Bench"].flatMap { folder in
            SourceTree.read(folder, below: root, suffixes: [".swift", ".c", ".h", ".md"])
        }
        let top = ["Package.swift", "README.md", "mill", ".ci/run"].compactMap { path in
            SourceTree.read(file: path, below: root)
        }
        documents = top + SourceTree.read("perf", below: root, suffixes: [".md", ".sh", ".conf"])
        let text = top.first { $0.path == "Package.swift" }?.lines.joined(separator: "\n") ?? ""
        manifest = PackageManifest(text)
    }

    private static func read(_ folder: String, below root: String, suffixes: [String])
        -> [SourceText]
    {
        let paths = FileManager.default.enumerator(atPath: root + folder)
        let names = paths?.compactMap { $0 as? String } ?? []
        return names.sorted().compactMap { name in
            guard suffixes.contains(where: name.hasSuffix) else { return nil }
            return read(file: folder + "/" + name, below: root)
        }
    }

    private static func read(file path: String, below root: String) -> SourceText? {
        guard let data = FileManager.default.contents(atPath: root + path) else { return nil }
        return SourceText(path: path, text: String(decoding: data, as: UTF8.self))
    }
}

/// The targets of Package.swift in their order, which is the order of the layers.
struct PackageManifest: Sendable {
    struct Target: Equatable, Sendable {
        let name: String
        let path: String?
        let dependencies: [String]
        let isTest: Bool

        var isCShim: Bool { path?.hasPrefix("CShims/") == true }
    }

    let targets: [Target]

    init(_ text: String) {
        let kinds = [".target(", ".executableTarget(", ".systemLibrary(", ".testTarget("]
        // No string of a manifest looks like one of the kinds, so cutting there is exact enough.
        let starts = kinds.flatMap { text.ranges(of: $0).map(\.lowerBound) }.sorted()
        let ends = starts.dropFirst() + [text.endIndex]
        targets = zip(starts, ends).map { start, end in
            let part = text[start..<end]
            let list = PackageManifest.between("dependencies: [", "]", part) ?? ""
            let quoted = list.split(separator: "\"", omittingEmptySubsequences: false)
            return Target(
                name: PackageManifest.between("name: \"", "\"", part) ?? "",
                path: PackageManifest.between("path: \"", "\"", part),
                dependencies: quoted.indices.filter { $0 % 2 == 1 }.map { String(quoted[$0]) },
                isTest: part.hasPrefix(".testTarget("))
        }
    }

    func position(of name: String) -> Int? { targets.firstIndex { $0.name == name } }

    private static func between(_ start: String, _ end: String, _ text: Substring) -> String? {
        guard let opening = text.firstRange(of: start) else { return nil }
        let rest = text[opening.upperBound...]
        guard let closing = rest.firstRange(of: end) else { return nil }
        return String(rest[..<closing.lowerBound])
    }
}
