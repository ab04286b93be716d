// Which names files and objects can share.

import HTTP
import Testing
import Trees

@Suite struct `Names of a tree` {
    private func names(_ prefix: String = "") throws -> TreeNames {
        try TreeNames(prefix: prefix, unfinished: ".unfinished")
    }

    private func fault(_ path: String, prefix: String = "") throws -> String? {
        let names = try names(prefix)
        do throws(NameFault) {
            _ = try names.object(of: Array(path.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        "a", "a/b", "ü/ß.txt", "a/.hidden", "100%", "a b?#+", "adminx", "a/admin", "u/1", "u/1/2",
    ])
    func `become objects as they are`(path: String) throws {
        let name = try names().object(of: Array(path.utf8))
        #expect(name == Array(path.utf8))
        #expect(try names().path(of: name) == name)
        let behind = try names("p/q").object(of: Array(path.utf8))
        #expect(behind == Array(("p/q/" + path).utf8))
        #expect(try names("p/q/").path(of: behind) == name)
    }

    @Test(arguments: [
        (".a", "the path starts with a dot"), ("admin/x", "paths that begin with admin"),
        ("health", "paths that begin with health"), ("u", "paths that begin with u"),
        ("a\\b", "backslash"), ("a\nb", "control character"), ("a/..", ". or .."),
        (".unfinished/1", "unfinished files"),
        (String(repeating: "x", count: 256), "segment of the path is too long"),
    ])
    func `are refused as the server would`(path: String, reason: String) throws {
        let said = try #require(try fault(path))
        #expect(said.contains(reason), "\(said)")
    }

    @Test func `that are the server's own are not behind a prefix, but an export's are`() throws {
        #expect(try fault("admin/x", prefix: "p") == nil)
        #expect(try fault(".a", prefix: "p") == nil)
        #expect(try fault(".unfinished/1", prefix: "p") != nil)
        #expect(throws: NameFault.unfinished) {
            try names("p").path(of: Array("p/.unfinished/1".utf8))
        }
    }

    @Test func `are UTF-8 of at most 480 bytes`() throws {
        let long = (0..<4).map { _ in String(repeating: "y", count: 119) }.joined(separator: "/")
        #expect(try fault(long + "z") == nil)
        #expect(try fault(long + "zz")?.contains("too long") == true)
        #expect(throws: NameFault.name(.refused(.invalidUnicode))) {
            try names().object(of: [0x61, 0xff])
        }
        #expect(throws: NameFault.name(.refused(.invalidUnicode))) {
            try names().object(of: [0x61, 0xc3])
        }
    }

    @Test func `of directories tell whether anything below them can be one`() throws {
        let names = try names()
        try names.enter(Array("a".utf8))
        try names.enter(Array("u".utf8))
        for path in ["admin", ".git", ".unfinished"] {
            #expect(throws: NameFault.self) { try names.enter(Array(path.utf8)) }
        }
    }

    @Test(arguments: ["/a", "a//b", ".a", "admin", "a/../b", "\u{7f}"])
    func `have no prefix that no object has`(prefix: String) {
        #expect(throws: PrefixFault.self) { try names(prefix) }
    }

    @Test func `have a prefix that is a directory`() throws {
        #expect(try names("").prefix.isEmpty)
        #expect(try names("a").prefix == Array("a/".utf8))
        #expect(try names("a/b/").prefix == Array("a/b/".utf8))
    }
}
