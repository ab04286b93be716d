// Files at start: created once and whole, read whole, and each failure in words.

import Files
import Foundation
import Testing

@Suite struct `A private file` {
    @Test func `is created once, and only once`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a"
        #expect(try createPrivateFile(path, containing: [1, 2], suffix: "x"))
        #expect(try !createPrivateFile(path, containing: [3], suffix: "x"))
        #expect(try readFile(path, byteCountMax: 2, access: .ownerOnly) == [1, 2])
        #expect(try directory.names("") == ["a"])
    }

    @Test func `has one maker among many at once`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a"
        let made = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for index in 0..<16 as Range<UInt8> {
                group.addTask {
                    let bytes = [UInt8](repeating: index, count: 1000)
                    let isMine = try createPrivateFile(path, containing: bytes, suffix: "\(index)")
                    return isMine ? bytes : nil
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let winners = made.compactMap { $0 }
        #expect(winners.count == 1)
        #expect(try readFile(path, byteCountMax: 1000) == winners[0])
    }

    @Test func `is not created where that is impossible`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/none/a"
        #expect(
            throws: FileError.system(verb: "create", path: path + ".x", code: ENOENT)
        ) { try createPrivateFile(path, containing: [], suffix: "x") }
        // A draft of the same suffix is another process at work.
        _ = try directory.write("", to: "a.x")
        let taken = directory.path + "/a"
        #expect(
            throws: FileError.system(verb: "create", path: taken + ".x", code: EEXIST)
        ) { try createPrivateFile(taken, containing: [], suffix: "x") }
    }

    @Test func `is no larger than the reader allows`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("abc", to: "a")
        #expect(try readFile(path, byteCountMax: 3) == Array("abc".utf8))
        #expect(throws: FileError.tooLarge(path: path, byteCountMax: 2)) {
            try readFile(path, byteCountMax: 2)
        }
    }
}

@Suite struct `A directory` {
    @Test func `is made with what is missing above it`() throws {
        let directory = try TemporaryDirectory()
        try makeDirectory(directory.path + "/a/b//c/")
        try makeDirectory(directory.path + "/a/b/c")
        #expect(try directory.names("a/b") == ["c"])
    }

    @Test func `is not made over a file`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("", to: "a")
        #expect(throws: FileError.system(verb: "use", path: path, code: ENOTDIR)) {
            try makeDirectory(path)
        }
    }

    @Test(arguments: [
        ("a", "."), ("a/", "."), ("/a", "/"), ("/a/b", "/a"), ("a/b", "a"), ("a//b//", "a"),
        ("/", "/"),
    ])
    func `knows its parent`(path: String, parent: String) {
        #expect(parentDirectory(of: path) == parent)
    }
}
