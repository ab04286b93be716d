// Every rule finds what it is there for, and leaves alone what only looks like it.

import Testing

@Suite struct `A rule` {
    @Test func `counts the lines of a file`() {
        #expect(Rules.length(file(String(repeating: "a\n", count: 400))).isEmpty)
        #expect(Rules.length(file(String(repeating: "a\n", count: 401))).count == 1)
    }

    @Test func `counts the columns of a line`() {
        let wide = String(repeating: "ü", count: 100)
        #expect(Rules.columns(file(wide)).isEmpty)
        #expect(Rules.columns(file("a\n\(wide)b")) == ["Sources/X/a.swift:2: 101 columns"])
    }

    @Test(arguments: [
        "func f()", "func f(a: (Int) -> Void = { _ in }) throws -> [Int]", "init?(a: Int)",
        "deinit",
        "public static func == (a: Int, b: Int) -> Bool", "subscript(a: Int) -> Int", "var a: Int",
        "func f<T>(a: T)\n    where T: P",
        "mutating func f() async throws(E) -> @Sendable () -> Void",
    ])
    func `counts the lines of`(declaration: String) {
        let extra = declaration.contains("\n") ? 1 : 0
        let body = String(repeating: "    a { }\n", count: 48 - extra)
        #expect(Rules.functions(file("\(declaration) {\n\(body)}")).isEmpty)
        #expect(Rules.functions(file("\(declaration) {\n\(body)\n}")).count == 1)
    }

    @Test(arguments: [
        "protocol P {\n    func f()\n    var a: Int { get }\n}", "let a = 1", "var a = 1",
        "struct S {\n    let a = S.init()\n    var b: Int\n}", "let f = x.func",
    ])
    func `takes no body for a function's that is not`(text: String) {
        let long = "\nenum E {\n" + String(repeating: "    case a\n", count: 60) + "}\n"
        #expect(Rules.functions(file(text + long)).isEmpty)
    }

    @Test func `allows more to a function that is one switch`() {
        let cases = String(repeating: "    case 1: 2\n", count: 64)
        let pure = "func f(a: Int) -> Int {\n    switch a {\n\(cases)    }\n}\n"
        #expect(Rules.functions(file(pure)).isEmpty)
        #expect(Rules.functions(file(pure + cases)).isEmpty)
        let mixed = pure.replacing("    switch a", with: "    b()\n    switch a")
        #expect(Rules.functions(file(mixed)).count == 1)
        let after = pure.replacing("    }\n}", with: "    }\n    b()\n}")
        #expect(Rules.functions(file(after)).count == 1)
    }

    @Test func `knows the names that say nothing`() {
        let bad = [
            "struct BufferManager", "final class HTTPHelper", "enum Utils", "actor ReadContext",
            "protocol StoreImpl", "typealias Utility = Int", "struct Other",
        ]
        for text in bad {
            #expect(Rules.names(file(text), modules: ["Other"]).count == 1, "\(text)")
        }
        let good = [
            "struct ImplicitLength", "enum Contextual", "class func manager()", "let Helper = 1",
            "// struct Manager", "\"struct Manager\"", "struct Utilisation",
        ]
        for text in good { #expect(Rules.names(file(text), modules: ["Other"]).isEmpty, "\(text)") }
    }

    @Test func `wants an opening sentence`() {
        for text in [
            "// A.", "/// A.", "\n// A.\nlet a = 1", "public import X\n\n/// A.\nstruct B {}",
        ] {
            #expect(Rules.opening(file(text)).isEmpty, "\(text)")
        }
        for text in ["", "struct A {}", "import X\n\nstruct A {}\n// B."] {
            #expect(Rules.opening(file(text)).count == 1, "\(text)")
        }
    }

    @Test func `keeps unsafe code in its modules`() {
        let text = "let a = unsafe b\nfunc f(_: UnsafeRawPointer) {}\nnonisolated(unsafe) var c = 1"
        #expect(Rules.unsafety(file(text)).count == 3)
        #expect(Rules.unsafety(file(text, path: "Sources/IO/a.swift")).isEmpty)
        #expect(Rules.unsafety(file(text, path: "Tests/X/a.swift")).isEmpty)
        #expect(Rules.unsafety(file(text, path: "Sources/Server/Core.swift")).count == 2)
        #expect(
            Rules.unsafety(file("// unsafe\nlet a = \"unsafe\"\nfunc `is unsafe`() {}")).isEmpty)
        #expect(Rules.unsafety(file("let a = \"b \\(unsafe c(\"unsafe\")) unsafe\"")).count == 1)
    }

    @Test func `forbids to trap on the world's errors`() {
        #expect(Rules.traps(file("try! f()\nfatalError(\"a\")")).count == 2)
        #expect(Rules.traps(file("try f()\na = try !f()\nprecondition(a != b)")).isEmpty)
    }

    @Test func `finds marks and machine paths even in comments`() {
        #expect(Rules.markers(file("// TO" + "DO: later")).count == 1)
        #expect(Rules.markers(file("let toDo = 1")).isEmpty)
        #expect(Rules.machinePaths(file("// see ../" + "shared/x, /wor" + "k/y")).count == 2)
        #expect(Rules.machinePaths(file("let a = \"/workers\"")).isEmpty)
    }

    @Test func `keeps system headers out of shim headers`() {
        let text = "// A.\n#include <stdint.h>\n#include <lmdb.h>\n"
        let path = "CShims/C/include/C.h"
        #expect(
            Rules.headers(file(text, path: path)) == ["\(path):3: <lmdb.h> belongs into a .c file"])
        #expect(Rules.headers(file(text, path: "CShims/C/c.c")).isEmpty)
    }

    @Test func `keeps the layers`() {
        let manifest = PackageManifest(Self.package)
        #expect(manifest.targets.map(\.name) == ["CLow", "Low", "High", "Other", "HighTests"])
        #expect(manifest.targets[2].dependencies == ["Low", "Logging", "swift-log"])
        #expect(manifest.targets[0].isCShim && !manifest.targets[1].isCShim)

        func findings(_ text: String, in module: String) -> Int {
            Rules.layers(file(text, path: "Sources/\(module)/a.swift"), manifest).count
        }
        #expect(findings("public import Low\nimport Glibc", in: "High") == 0)
        #expect(findings("import struct Low.A", in: "High") == 0)
        #expect(findings("import High", in: "Low") == 1)
        #expect(findings("import Low", in: "Other") == 1)
        #expect(findings("import CLow", in: "Low") == 0)
        let test = file("@testable import High", path: "Tests/HighTests/a.swift")
        #expect(Rules.layers(test, manifest).isEmpty)
    }

    @Test func `wants one wrapper a library`() {
        let manifest = PackageManifest(Self.package)
        let low = file("import CLow", path: "Sources/Low/a.swift")
        let again = file("internal import CLow", path: "Sources/Low/b.swift")
        let high = file("import CLow", path: "Sources/High/a.swift")
        #expect(Rules.wrappers([low, again], manifest).isEmpty)
        #expect(Rules.wrappers([low, high], manifest).count == 1)
        #expect(Rules.wrappers([], manifest).count == 1)
    }

    @Test func `cuts names into words`() {
        #expect(Rules.words("HTTPHeadParser") == ["http", "head", "parser"])
        #expect(Rules.words("ioUring_Setup2") == ["io", "uring", "setup2"])
    }

    private static let package = """
        dependencies: [.package(url: "https://example.org/swift-log", exact: "1.0.0")],
        .target(name: "CLow", path: "CShims/CLow"),
        .target(name: "Low", dependencies: ["CLow"], swiftSettings: strict),
        .target(
            name: "High",
            dependencies: ["Low", .product(name: "Logging", package: "swift-log")]),
        .executableTarget(name: "Other"),
        .testTarget(name: "HighTests", dependencies: ["High"]),
        """

    private func file(_ text: String, path: String = "Sources/X/a.swift") -> SourceText {
        SourceText(path: path, text: text)
    }
}

@Suite struct `The scanner` {
    @Test(arguments: [
        ("a /* b */ c // d\ne", ["a", "c", "e"]), ("\"a\" b", ["b"]), ("\"\\\"a\" b", ["b"]),
        ("\"\"\"\n\"a\"\n\"\"\" b", ["b"]), ("#\"a\"b\"# c", ["c"]),
        ("\"\\(a + \"b\") c\" d", ["a", "+", "d"]),
        ("\"\\(f(\"\\(g)\"))\" h", ["f", "(", "g", ")", "h"]), ("#if a", ["#", "if", "a"]),
        ("#\"\\(a)\"# b", ["b"]), ("#\"\\#(a)\"# b", ["a", "b"]), ("`a b` c", ["c"]),
        ("\"a\nb", ["b"]),
    ])
    func `sees code and nothing else`(text: String, tokens: [String]) {
        #expect(SourceText(path: "a.swift", text: text).tokens.map(\.text) == tokens)
    }

    @Test func `counts lines through everything`() {
        let text = "/*\n\n*/ a \"\"\"\n\n\\(b)\n\"\"\"\nc"
        let lines = SourceText(path: "a.swift", text: text).tokens.map(\.line)
        #expect(lines == [3, 5, 7])
    }
}
