// A directory with files of all kinds, and the commands that move it in and out.

import Foundation
import Glibc
import Testing

/// Files by name, with what is in them.
struct TestTree {
    static let seconds = 1_000_000_000
    static let date = "Sun, 09 Sep 2001 01:46:40 GMT"

    let path: String

    init(_ scratch: ScratchDirectory, _ name: String) throws {
        path = scratch.path + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ bytes: [UInt8], to name: String, seconds: Int = TestTree.seconds) throws {
        let file = path + "/" + name
        let directory = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try setModified(name, seconds)
    }

    func setModified(_ name: String, _ seconds: Int) throws {
        // Half a second more: objects have whole ones.
        let times = [
            timespec(tv_sec: seconds, tv_nsec: 500_000_000),
            timespec(tv_sec: seconds, tv_nsec: 500_000_000),
        ]
        guard unsafe utimensat(AT_FDCWD, path + "/" + name, times, 0) == 0 else {
            throw Problem("\(name) cannot be dated: errno \(errno)")
        }
    }

    func setMode(_ mode: mode_t, of name: String) throws {
        guard unsafe chmod(path + "/" + name, mode) == 0 else {
            throw Problem("\(name) has no other mode: errno \(errno)")
        }
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func modified(_ name: String) throws -> Int {
        var facts = stat()
        guard unsafe lstat(path + "/" + name, &facts) == 0 else { throw Problem("no \(name)") }
        return facts.st_mtim.tv_sec
    }

    /// Files, links and the like, sorted; directories are not listed.
    func names() throws -> [String] {
        let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            var facts = stat()
            return unsafe lstat(path + "/" + name, &facts) == 0
                && facts.st_mode & S_IFMT != S_IFDIR
        }.sorted()
    }

    /// Names and contents that every way in and out has to bring whole.
    static let contents: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        for size in [0, 1, 4096, 65_536, 65_537, (3 << 20) + 1] {
            files["sizes/\(size).bin"] = pattern(size, seed: size)
        }
        files["deep/er/and/deeper/still.txt"] = Array("still\n".utf8)
        files["Grüße/日本 語.txt"] = Array("ü".utf8)
        files["odd/100% a+b?c#d&e=f'\"<>.png"] = [1, 2, 3]
        files["odd/.hidden"] = [4]
        files["odd/" + String(repeating: "n", count: 255)] = [5]
        files["u/123/named-by-nobody"] = [6]
        let long = (0..<4).map { _ in String(repeating: "l", count: 119) }
        files[long.joined(separator: "/") + "l"] = [7]
        return files
    }()

    func fill() throws {
        for (name, bytes) in TestTree.contents { try write(bytes, to: name) }
    }

    func expectContents(_ comment: String) throws {
        #expect(try names() == TestTree.contents.keys.sorted(), "\(comment)")
        for (name, bytes) in TestTree.contents {
            let isSame = try read(name) == bytes
            #expect(isSame, "\(comment): \(name)")
            #expect(try modified(name) == TestTree.seconds, "\(comment): \(name)")
        }
    }
}

/// `millrace import` and `export`.
struct Mover {
    let scratch: ScratchDirectory
    let configuration: String

    /// For the data directory `data` below the scratch directory.
    init(_ scratch: ScratchDirectory, _ options: ServerOptions = ServerOptions()) throws {
        self.scratch = scratch
        configuration = try scratch.write(
            Array(options.configuration(data: scratch.path + "/data").utf8), to: "mover.toml")
    }

    func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        try Programs.run(Programs.millrace, arguments + ["--config", configuration])
    }

    /// The same without waiting.
    func start(_ arguments: String..., output: String) throws -> ChildProcess {
        try ChildProcess(
            Programs.millrace, arguments + ["--config", configuration],
            output: scratch.path + "/" + output)
    }

    /// The numbers of a summary: moved, already there, skipped, in conflict, failed.
    static func counts(_ output: String) -> [Int] {
        let line = output.split(separator: "\n").last {
            $0.hasPrefix("imported ") || $0.hasPrefix("exported ") || $0.hasPrefix("would have ")
        }
        guard let line else { return [] }
        let parts = line.replacingOccurrences(of: "would have ", with: "").split(separator: ",")
        return parts.compactMap { part in
            part.split(separator: " ").compactMap { Int($0) }.first
        }
    }
}
