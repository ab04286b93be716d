// What is brought into a directory has its name only when it is whole, never in place of something
// else, and never outside.

import Foundation
import Glibc
import Testing

@testable import Files

@Suite struct `A directory that files are brought into` {
    private func target(_ tree: TemporaryTree, writes: Bool = true) throws -> TreeTarget {
        try TreeTarget(tree.path, forbidden: nil, writes: writes)
    }

    private func place(
        _ text: String, at path: String, in target: TreeTarget, replaces: Bool = false
    ) throws {
        let file = try target.begin()
        try file.file.write(Array(text.utf8), count: text.utf8.count, at: 0)
        try target.place(
            file, at: Array(path.utf8), modifiedSeconds: 1_000_000_000, replaces: replaces)
    }

    @Test func `has them with their time, and nothing of its own in the end`() throws {
        let tree = try TemporaryTree()
        let target = try target(tree)
        try place("one", at: "a/b/c", in: target)
        try place("two", at: "d", in: target)
        #expect(try tree.names(".millrace-export").isEmpty)
        guard case .regular(let stamp) = try target.kind(of: Array("a/b/c".utf8)) else {
            Issue.record("there is no file")
            return
        }
        #expect(stamp.byteCount == 3)
        #expect(stamp.modifiedSeconds == 1_000_000_000)
        #expect(stamp.modifiedNanoseconds == 0)
        #expect(try target.kind(of: Array("a/x".utf8)) == nil)
        #expect(try target.kind(of: Array("x/y/z".utf8)) == nil)
        try target.finish()
        #expect(try tree.names() == ["a", "d"])
        #expect(try tree.read("a/b/c") == "one")
    }

    @Test func `gives back what is there, and waits for no pipe`() throws {
        let tree = try TemporaryTree()
        try tree.write("here", to: "a/b")
        #expect(unsafe mkfifo(tree.path + "/a/pipe", 0o600) == 0)
        let target = try target(tree)
        var bytes = [UInt8](repeating: 0, count: 5)
        #expect(try target.open(Array("a/b".utf8)).read(into: &bytes, count: 5, at: 0) == 4)
        #expect(bytes == Array("here".utf8) + [0])
        for path in ["a/pipe", "a", "a/none", "none/b"] {
            #expect(throws: FileError.self) { try target.open(Array(path.utf8)) }
        }
    }

    @Test func `shows nothing before it is whole`() throws {
        let tree = try TemporaryTree()
        let target = try target(tree)
        let file = try target.begin()
        try file.file.write([1], count: 1, at: 0)
        #expect(try tree.names() == [".millrace-export"])
        target.discard(file)
        #expect(try tree.names(".millrace-export").isEmpty)
    }

    @Test func `keeps what has the name, unless it is to be replaced`() throws {
        let tree = try TemporaryTree()
        try tree.write("mine", to: "a")
        let target = try target(tree)
        let error = #expect(throws: FileError.self) { try place("new", at: "a", in: target) }
        #expect(error?.isTaken == true)
        #expect(try tree.read("a") == "mine")
        #expect(try tree.names(".millrace-export").isEmpty)
        try place("new", at: "a", in: target, replaces: true)
        #expect(try tree.read("a") == "new")
    }

    @Test(arguments: [false, true])
    func `is not left through a link`(replaces: Bool) throws {
        let tree = try TemporaryTree()
        let other = try TemporaryTree()
        try other.write("theirs", to: "f")
        try tree.link("l", to: other.path)
        try tree.write("file", to: "f")
        let target = try target(tree)
        for path in ["l/f", "l/new", "l/x/y", "f/x"] {
            let above = tree.path + "/" + path.prefix(1)
            #expect(throws: FileError.notDirectory(path: above)) {
                try place("new", at: path, in: target, replaces: replaces)
            }
            #expect(throws: FileError.notDirectory(path: above)) {
                try target.kind(of: Array(path.utf8))
            }
        }
        #expect(try other.names() == ["f"])
        #expect(try other.read("f") == "theirs")
        try tree.link("end", to: other.path + "/f")
        #expect(throws: FileError.self) { try target.open(Array("end".utf8)) }
        #expect(try target.kind(of: Array("end".utf8)) == .link)
        try? place("new", at: "end", in: target, replaces: replaces)
        #expect(try other.read("f") == "theirs")
    }

    @Test func `is one writer's at a time`() throws {
        let tree = try TemporaryTree()
        do {
            let first = try target(tree)
            #expect(throws: FileError.inUse(path: tree.path)) { try target(tree) }
            // Who only looks disturbs nobody.
            #expect(try target(tree, writes: false).kind(of: [97]) == nil)
            try first.finish()
        }
        _ = try target(tree)
    }

    @Test func `is cleared of what another run has left`() throws {
        let tree = try TemporaryTree()
        try tree.write("half", to: ".millrace-export/1")
        let target = try target(tree)
        #expect(try tree.names(".millrace-export").isEmpty)
        try place("whole", at: "a", in: target)
        try tree.write("strange", to: ".millrace-export/d/f")
        #expect(throws: FileError.self) {
            _ = try TreeTarget(tree.path + "/.", forbidden: nil, writes: true)
        }
    }

    @Test func `is not itself a link's end`() throws {
        let tree = try TemporaryTree()
        let other = try TemporaryTree()
        try other.write("theirs", to: "f")
        try tree.link(".millrace-export", to: other.path)
        #expect(throws: FileError.self) { try target(tree) }
        #expect(try other.read("f") == "theirs")
    }

    @Test func `never is the one that is forbidden`() throws {
        let tree = try TemporaryTree()
        try tree.makeDirectory("data/volumes")
        guard case .directory(let data) = fileKind(at: tree.path + "/data") else {
            Issue.record("there is no directory")
            return
        }
        let path = tree.path + "/data"
        #expect(throws: FileError.forbidden(path: path)) {
            try TreeTarget(path, forbidden: data, writes: true)
        }
        #expect(throws: FileError.forbidden(path: path + "/volumes")) {
            try TreeTarget(path + "/volumes", forbidden: data, writes: true)
        }
        #expect(isDirectory(at: path + "/volumes", within: data))
        #expect(!isDirectory(at: tree.path, within: data))
        let target = try TreeTarget(tree.path, forbidden: data, writes: true)
        #expect(throws: FileError.forbidden(path: path)) {
            try place("new", at: "data/volumes/f", in: target)
        }
    }

    @Test func `takes more files than it keeps directories open, or syncs at once`() throws {
        let tree = try TemporaryTree()
        let target = try target(tree)
        for number in 0..<300 {
            try place("\(number)", at: "\(number % 150)/\(number)", in: target)
        }
        try target.finish()
        #expect(try tree.names().count == 150)
        #expect(try tree.read("149/299") == "299")
    }
}
