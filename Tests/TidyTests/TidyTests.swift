// Goal:   the style that this project agreed on holds in every file, without anyone watching.
// Method: each rule runs over the whole checkout; RuleTests shows that each finds what it says.

import Testing

@Suite struct `The checkout` {
    private let files = SourceTree.here.sources
    private let manifest = SourceTree.here.manifest

    @Test func `is there at all`() {
        #expect(files.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
        #expect(manifest.position(of: "TidyTests") != nil)
    }

    @Test func `has short files`() { expectNone(files.flatMap(Rules.length)) }
    @Test func `has short lines`() { expectNone(files.flatMap(Rules.columns)) }
    @Test func `has short functions`() { expectNone(files.flatMap(Rules.functions)) }
    @Test func `has telling type names`() {
        let modules = Set(files.filter(\.isSource).map(\.module))
        expectNone(files.flatMap { Rules.names($0, modules: modules) })
    }
    @Test func `opens every file with a sentence`() { expectNone(files.flatMap(Rules.opening)) }
    @Test func `keeps unsafe code where it may be`() { expectNone(files.flatMap(Rules.unsafety)) }
    @Test func `handles the world's errors`() { expectNone(files.flatMap(Rules.traps)) }
    @Test func `leaves nothing to do unsaid`() { expectNone(files.flatMap(Rules.markers)) }
    @Test func `stands alone`() {
        expectNone((files + SourceTree.here.documents).flatMap(Rules.machinePaths))
    }
    @Test func `keeps system headers out of shim headers`() {
        expectNone(files.flatMap(Rules.headers))
    }
    @Test func `imports downward only`() {
        expectNone(files.flatMap { Rules.layers($0, manifest) })
    }
    @Test func `wraps each C library once`() { expectNone(Rules.wrappers(files, manifest)) }

    private func expectNone(
        _ findings: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let text = Comment(rawValue: findings.joined(separator: "\n"))
        #expect(findings.isEmpty, text, sourceLocation: sourceLocation)
    }
}
