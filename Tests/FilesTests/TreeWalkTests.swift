// A walk finds all there is, in order, and nothing leads it out of its tree.

import Glibc
import Testing

@testable import Files

@Suite struct `A walk over a tree` {
    /// Every entry in one word and its path.
    private func all(_ walk: TreeWalk) -> [String] {
        var found: [String] = []
        while let entry = walk.next() { found.append(word(entry)) }
        return found
    }

    private func word(_ entry: TreeEntry) -> String {
        switch entry {
        case .file(let path, let stamp): "file \(shown(path)) \(stamp.byteCount)"
        case .directory(let path, _): "directory \(shown(path))"
        case .other(let path, let kind): "\(kind) \(shown(path))"
        case .failed(let path, _): "failed \(shown(path))"
        }
    }

    @Test func `comes by everything once, in the order of names`() throws {
        let tree = try TemporaryTree()
        for name in ["b/2", "b/1", "a", "b/c/x", "z"] { try tree.write(name, to: name) }
        try tree.makeDirectory("empty")
        #expect(
            all(try TreeWalk(tree.path)) == [
                "file a 1", "directory b", "file b/1 3", "file b/2 3", "directory b/c",
                "file b/c/x 5", "directory empty", "file z 1",
            ])
    }

    @Test func `follows no link and opens no pipe`() throws {
        let tree = try TemporaryTree()
        let other = try TemporaryTree()
        try other.write("secret", to: "s")
        try tree.write("1", to: "d/f")
        try tree.link("d/up", to: "..")
        try tree.link("out", to: other.path)
        try tree.link("secret", to: other.path + "/s")
        #expect(unsafe mkfifo(tree.path + "/pipe", 0o600) == 0)
        #expect(
            all(try TreeWalk(tree.path)) == [
                "directory d", "file d/f 1", "a symbolic link d/up", "a symbolic link out",
                "a pipe pipe", "a symbolic link secret",
            ])
    }

    @Test func `may begin at a link, which somebody has named`() throws {
        let tree = try TemporaryTree()
        try tree.write("1", to: "d/f")
        try tree.link("l", to: "d")
        #expect(all(try TreeWalk(tree.path + "/l")) == ["file f 1"])
    }

    @Test func `leaves out what it is told to`() throws {
        let tree = try TemporaryTree()
        for name in ["a/1", "b/1"] { try tree.write("", to: name) }
        let walk = try TreeWalk(tree.path)
        #expect(walk.next().map(word) == "directory a")
        walk.skipDirectory()
        #expect(all(walk) == ["directory b", "file b/1 0"])
    }

    @Test func `opens what it came by, and not what took its place`() throws {
        let tree = try TemporaryTree()
        let other = try TemporaryTree()
        try other.write("secret", to: "f")
        for name in ["a", "b", "c", "d/f"] { try tree.write(name, to: name) }
        let walk = try TreeWalk(tree.path)
        #expect(walk.next().map(word) == "file a 1")
        var bytes: [UInt8] = [0, 0]
        let file = try walk.openEntry()
        #expect(try file.read(into: &bytes, count: 2, at: 0) == 1)
        #expect(fcntl(file.descriptor, F_GETFL) & O_NONBLOCK == 0)
        #expect(bytes[0] == UInt8(ascii: "a"))

        #expect(walk.next().map(word) == "file b 1")
        try tree.remove("b")
        try tree.link("b", to: other.path + "/f")
        #expect(throws: FileError.self) { try walk.openEntry() }

        #expect(walk.next().map(word) == "file c 1")
        try tree.remove("c")
        #expect(unsafe mkfifo(tree.path + "/c", 0o600) == 0)
        #expect(throws: FileError.self) { try walk.openEntry() }

        #expect(walk.next().map(word) == "directory d")
        try tree.remove("d")
        try tree.link("d", to: other.path)
        #expect(all(walk) == ["failed d"])
    }

    @Test func `comes not by what has gone meanwhile`() throws {
        let tree = try TemporaryTree()
        for name in ["a", "b", "c"] { try tree.write(name, to: name) }
        let walk = try TreeWalk(tree.path)
        #expect(walk.next().map(word) == "file a 1")
        try tree.remove("b")
        #expect(all(walk) == ["file c 1"])
    }

    @Test func `begins at directories only`() throws {
        let tree = try TemporaryTree()
        try tree.write("a", to: "a")
        for name in ["a", "none"] {
            #expect(throws: FileError.self) { try TreeWalk(tree.path + "/" + name) }
        }
    }
}
