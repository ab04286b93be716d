// Goal:   every object becomes a file, whole, with its time, by either way; what is there already
//         stays; nothing is written outside; and whatever ends it, the next run goes on.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct `millrace export` {
    private let scratch: ScratchDirectory
    private let tree: TestTree
    private let mover: Mover
    private let target: TestTree

    init() throws {
        scratch = try ScratchDirectory()
        tree = try TestTree(scratch, "tree")
        mover = try Mover(scratch)
        target = try TestTree(scratch, "target")
    }

    private func importTree() throws {
        let (status, output) = try mover.run("import", tree.path)
        #expect(status == 0, "\(output)")
    }

    /// By the server, if one runs.
    private func export(
        _ server: RunningServer? = nil, to path: String? = nil, options: String...
    ) throws -> (status: Int32, output: String) {
        let through = server.map { ["--url", $0.url] } ?? []
        return try Programs.run(
            Programs.millrace,
            ["export", path ?? target.path, "--config", mover.configuration] + through + options)
    }

    @Test(arguments: [false, true])
    func `brings back what was imported, once`(isOnline: Bool) throws {
        try tree.fill()
        try importTree()
        let count = TestTree.contents.count
        let server = isOnline ? try RunningServer(in: scratch) : nil
        let first = try export(server, to: target.path + "/new/and/deep")
        #expect(first.status == 0, "\(first.output)")
        #expect(Mover.counts(first.output) == [count, 0, 0, 0, 0])
        let place = server.map { "the server at \($0.url)" } ?? "the stopped data directory"
        #expect(first.output.contains("exporting " + place))
        let exported = try TestTree(scratch, "target/new/and/deep")
        try exported.expectContents("exported")
        let second = try export(server, to: exported.path)
        #expect(second.status == 0)
        #expect(Mover.counts(second.output) == [0, count, 0, 0, 0])
        try exported.expectContents("exported twice")
        // Import knows them again.
        let back =
            try server.map { try mover.run("import", exported.path, "--url", $0.url) }
            ?? mover.run("import", exported.path)
        #expect(Mover.counts(back.output) == [0, count, 0, 0, 0])
        if let server { #expect(server.stop() == 0) }
    }

    @Test(arguments: [false, true])
    func `takes only what is below a prefix`(isOnline: Bool) throws {
        for name in ["a/b/1", "a/b/2", "a/bc", "a/b", "z"] where name != "a/b" {
            try tree.write(Array(name.utf8), to: name)
        }
        try importTree()
        let server = isOnline ? try RunningServer(in: scratch) : nil
        let (status, output) = try export(server, options: "--prefix", "a/b")
        #expect(status == 0, "\(output)")
        #expect(try target.names() == ["1", "2"])
        #expect(try target.read("1") == Array("a/b/1".utf8))
        if let server { #expect(server.stop() == 0) }
    }

    @Test(arguments: [false, true])
    func `keeps the files that are there, unless it may overwrite them`(isOnline: Bool) throws {
        for size in [10, 100_000] {
            for kind in ["same", "other", "longer", "touched"] {
                try tree.write(pattern(size, seed: 1), to: "d/\(kind)-\(size)")
            }
            try target.write(pattern(size, seed: 1), to: "d/same-\(size)")
            try target.write(pattern(size, seed: 2), to: "d/other-\(size)", seconds: 5)
            try target.write(pattern(size + 1, seed: 1), to: "d/longer-\(size)")
            try target.write(pattern(size, seed: 1), to: "d/touched-\(size)", seconds: 5)
        }
        try importTree()
        let server = isOnline ? try RunningServer(in: scratch) : nil
        let (status, output) = try export(server)
        #expect(status == 1)
        #expect(Mover.counts(output) == [0, 4, 0, 4, 0], "\(output)")
        #expect(output.contains("conflict: d/longer-10: another file has that name"))
        #expect(try target.read("d/other-10") == pattern(10, seed: 2))
        #expect(try target.read("d/longer-10") == pattern(11, seed: 1))
        #expect(try target.modified("d/touched-10") == 5)
        let forced = try export(server, options: "--overwrite")
        #expect(forced.status == 0, "\(forced.output)")
        #expect(Mover.counts(forced.output) == [6, 2, 0, 0, 0])
        for size in [10, 100_000] {
            for kind in ["same", "other", "longer", "touched"] {
                let isSame = try target.read("d/\(kind)-\(size)") == pattern(size, seed: 1)
                #expect(isSame)
                #expect(try target.modified("d/\(kind)-\(size)") == TestTree.seconds)
            }
        }
        if let server { #expect(server.stop() == 0) }
    }

    @Test(arguments: [false, true])
    func `follows no link, and writes to nothing that is no file`(overwrites: Bool) throws {
        let outside = try TestTree(scratch, "outside")
        try outside.write([9], to: "file")
        for name in ["link/new", "link/file", "end", "pipe", "dir", "file/below", "good"] {
            try tree.write([1], to: name)
        }
        try importTree()
        try target.write([8], to: "file")
        try target.write([8], to: "dir/inside")
        try FileManager.default.createSymbolicLink(
            atPath: target.path + "/link", withDestinationPath: outside.path)
        try FileManager.default.createSymbolicLink(
            atPath: target.path + "/end", withDestinationPath: outside.path + "/file")
        #expect(unsafe mkfifo(target.path + "/pipe", 0o600) == 0)
        let (status, output) = try overwrites ? export(options: "--overwrite") : export()
        #expect(status == 1)
        #expect(Mover.counts(output) == [1, 0, 0, 3, 3], "\(output)")
        for line in [
            "conflict: end: a symbolic link has that name", "conflict: pipe: a pipe has that name",
            "conflict: dir: a directory has that name",
            "failed: link/new: \(target.path)/link is no directory (links are not followed)",
            "failed: file/below: \(target.path)/file is no directory",
        ] {
            #expect(output.contains("\n" + line), "\(line) in \(output)")
        }
        #expect(try outside.names() == ["file"])
        #expect(try outside.read("file") == [9])
        #expect(try target.names() == ["dir/inside", "end", "file", "good", "link", "pipe"])
    }

    @Test func `cannot have a file and a directory of one name, and says so`() throws {
        let server = try RunningServer(in: scratch)
        let client = try RawClient(server.port)
        for name in ["a", "a/b", "c"] { #expect(try client.put(name, [1]).status == 201) }
        #expect(server.stop() == 0)
        let (status, output) = try export()
        #expect(status == 1)
        // Whichever of the two comes first has the name.
        let reasons = [
            "a is no directory", "a directory has that name", "something got that name meanwhile",
        ]
        #expect(reasons.contains { output.contains($0) }, "\(output)")
        let counts = Mover.counts(output)
        #expect(counts.count == 5 && counts[0] == 2 && counts[3] + counts[4] == 1, "\(output)")
        #expect(try target.read("c") == [1])
    }

    @Test(arguments: [false, true])
    func `leaves out what is corrupt, says so, and brings the rest`(isOnline: Bool) throws {
        let mark = Array("here-is-where-a-test-flips-one-byte".utf8)
        for (name, size) in [("small", 1000), ("large", 200_000), ("long", 3 << 20)] {
            var bytes = pattern(size, seed: size)
            bytes.replaceSubrange(size - 100..<size - 100 + mark.count, with: mark)
            try tree.write(bytes, to: name)
        }
        try tree.write([1], to: "good")
        try importTree()
        let volumes = scratch.path + "/data/volumes"
        for name in try FileManager.default.contentsOfDirectory(atPath: volumes) {
            let file = volumes + "/" + name
            let places = try Programs.run(
                "grep", ["-obaF", String(decoding: mark, as: UTF8.self), file])
            for line in places.output.split(separator: "\n") {
                guard let offset = UInt64(line.prefix { $0.isNumber }) else { continue }
                let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
                try handle.seek(toOffset: offset)
                try handle.write(contentsOf: [UInt8(ascii: "H")])
                try handle.synchronize()
                try handle.close()
            }
        }
        let server = isOnline ? try RunningServer(in: scratch) : nil
        let (status, output) = try export(server)
        #expect(status == 1)
        #expect(Mover.counts(output) == [1, 0, 0, 0, 3], "\(output)")
        if server == nil { #expect(output.contains("failed: small: corrupt bytes in small-0000")) }
        #expect(try target.names() == ["good"])
        if let server { #expect(server.stop() == 0) }
    }

    @Test func `needs objects, and a directory of its own`() throws {
        let none = try export()
        #expect(none.status == 1)
        #expect(none.output.contains("there are no objects in \(scratch.path)/data"))
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/data"))
        try tree.write([1], to: "a")
        try importTree()
        let inside = try export(to: scratch.path + "/data/volumes/x")
        #expect(inside.status == 2)
        let holder = unsafe open(target.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #expect(flock(holder, LOCK_EX) == 0)
        let shared = try export()
        close(holder)
        #expect(shared.status == 1)
        #expect(shared.output.contains("is being written to by another millrace process"))
        let file = try export(to: tree.path + "/a")
        #expect(file.status == 1)
        #expect(try export().status == 0)
    }

    @Test func `only says what it would do, if it is told to`() throws {
        try tree.write([1], to: "a")
        try tree.write([2], to: "b")
        try importTree()
        let absent = scratch.path + "/absent"
        let none = try export(to: absent, options: "--dry-run")
        #expect(none.status == 0)
        #expect(Mover.counts(none.output) == [2, 0, 0, 0, 0])
        #expect(none.output.contains("would have exported a\n"))
        #expect(!FileManager.default.fileExists(atPath: absent))
        try target.write([3], to: "a", seconds: 5)
        let some = try export(options: "--dry-run")
        #expect(some.status == 1)
        #expect(Mover.counts(some.output) == [1, 0, 0, 1, 0])
        #expect(try target.names() == ["a"])
    }

    // MARK: Ends

    /// Starts an export and answers once it is at its first file.
    private func startLong() throws -> ChildProcess {
        for number in 0..<40 { try tree.write(pattern(8 << 20, seed: number), to: "\(number)") }
        try importTree()
        let process = try mover.start("export", target.path, "--quiet", output: "export.log")
        let unfinished = target.path + "/.millrace-export"
        let hasBegun = eventually(withinSeconds: 30) {
            let names = try? FileManager.default.contentsOfDirectory(atPath: unfinished)
            return names?.isEmpty == false || process.exitStatus != nil
        }
        #expect(hasBegun)
        return process
    }

    private func expectWhole(_ names: [String]) throws {
        for name in names where !name.hasPrefix(".millrace-export/") {
            let isSame = try target.read(name) == tree.read(name)
            #expect(isSame, "\(name)")
        }
    }

    @Test func `goes on where a killed one has ended, and shows nothing half`() throws {
        let process = try startLong()
        #expect(process.end(SIGKILL) == 128 + SIGKILL)
        let names = try target.names()
        try expectWhole(names)
        let done = names.count { !$0.hasPrefix(".millrace-export/") }
        let (status, output) = try export()
        #expect(status == 0, "\(output)")
        #expect(Mover.counts(output) == [40 - done, done, 0, 0, 0])
        #expect(try target.names() == tree.names())
        try expectWhole(try target.names())
        #expect(!FileManager.default.fileExists(atPath: target.path + "/.millrace-export"))
    }

    @Test func `ends after the files under way when it is told to`() throws {
        let process = try startLong()
        process.signal(SIGINT)
        #expect(process.wait() == 130)
        let names = try target.names()
        try expectWhole(names)
        let ended = Mover.counts(RunningServer.text(scratch.path + "/export.log"))
        #expect(ended == [names.count, 0, 0, 0, 0])
        #expect(names.count < 40)
        let (status, output) = try export()
        #expect(status == 0)
        #expect(Mover.counts(output) == [40 - names.count, names.count, 0, 0, 0])
    }

    @Test func `says so when the disk is full`() throws {
        for number in 0..<8 { try tree.write(pattern(8 << 20, seed: number), to: "\(number)") }
        try importTree()
        guard let disk = try OwnDisk(scratch, megabytes: 32) else { return }
        let (status, output) = try export(to: disk.path + "/out")
        #expect(status == 1)
        #expect(output.contains("No space left on device"))
        #expect(output.contains("\nstopped: "))
    }
}
