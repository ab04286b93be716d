// Goal:   every file below a directory becomes an object, whole, with its time and its type, by
//         either way; nothing else does; and whatever ends it, the next run goes on.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct `millrace import` {
    private let scratch: ScratchDirectory
    private let tree: TestTree

    init() throws {
        scratch = try ScratchDirectory()
        tree = try TestTree(scratch, "tree")
    }

    private func expectAll(of server: RunningServer, below prefix: String = "") throws {
        let client = try RawClient(server.port)
        for (name, bytes) in TestTree.contents {
            let path = (prefix + name).addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            let get = try client.get(
                "admin/objects/" + (path ?? "").replacingOccurrences(of: "%2F", with: "/"),
                "Authorization: Bearer \(RunningServer.adminToken)")
            #expect(get.status == 200, "\(name)")
            let isSame = get.body == bytes
            #expect(isSame, "\(name)")
            #expect(get.fields["last-modified"] == TestTree.date)
            let type =
                name.hasSuffix(".txt")
                ? "text/plain" : name.hasSuffix(".png") ? "image/png" : "application/octet-stream"
            #expect(get.fields["content-type"] == type, "\(name)")
        }
    }

    @Test func `brings a tree into a stopped data directory, once`() throws {
        try tree.fill()
        let mover = try Mover(scratch)
        let count = TestTree.contents.count
        let first = try mover.run("import", tree.path)
        #expect(first.status == 0, "\(first.output)")
        #expect(Mover.counts(first.output) == [count, 0, 0, 0, 0])
        #expect(first.output.contains("into the stopped data directory \(scratch.path)/data"))
        let second = try mover.run("import", tree.path)
        #expect(second.status == 0)
        #expect(Mover.counts(second.output) == [0, count, 0, 0, 0])
        let server = try RunningServer(in: scratch)
        try expectAll(of: server)
        #expect(server.stop() == 0)
        let third = try mover.run("import", tree.path, "--prefix", "p/q")
        #expect(Mover.counts(third.output) == [count - 1, 0, 1, 0, 0])
        #expect(third.output.contains("the path is too long"))
    }

    @Test func `brings it through a running server, and only so while one runs`() throws {
        try tree.fill()
        var options = ServerOptions()
        options.basePath = "/up/"
        let server = try RunningServer(options, in: scratch)
        let mover = try Mover(scratch, options)
        let count = TestTree.contents.count
        let refused = try mover.run("import", tree.path)
        #expect(refused.status == 1)
        #expect(refused.output.contains("in use by another millrace process"))
        #expect(refused.output.contains("--url http://127.0.0.1:8080/up/"))
        let first = try mover.run("import", tree.path, "--url", server.url)
        #expect(first.status == 0, "\(first.output)")
        #expect(Mover.counts(first.output) == [count, 0, 0, 0, 0])
        #expect(first.output.contains("into the server at \(server.url)"))
        let second = try mover.run("import", tree.path, "--url", server.url + "/up/")
        #expect(second.status == 0)
        #expect(Mover.counts(second.output) == [0, count, 0, 0, 0])
        try expectAll(of: server)
        let token = try scratch.write(Array("wrong\n".utf8), to: "token")
        let wrong = try mover.run(
            "import", tree.path, "--url", server.url, "--token-file", token)
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("the token is not the admin's"))
        #expect(server.stop() == 0)
        // Either way makes the same objects.
        let offline = try mover.run("import", tree.path)
        #expect(Mover.counts(offline.output) == [0, count, 0, 0, 0])
        let gone = try mover.run("import", tree.path, "--url", server.url)
        #expect(gone.status == 1)
        #expect(gone.output.contains("cannot connect"))
    }

    @Test(arguments: [false, true])
    func `says of each name that can be no object's why, and brings the others`(
        isOnline: Bool
    ) throws {
        let outside = try scratch.write([1], to: "outside")
        try tree.write([1], to: "good")
        try tree.write([2], to: "admin/x")
        try tree.write([3], to: ".hidden/x")
        try tree.write([4], to: "back\\slash")
        try tree.write([5], to: "line\nend\u{1b}[2J")
        try FileManager.default.createSymbolicLink(
            atPath: tree.path + "/out", withDestinationPath: outside)
        try FileManager.default.createSymbolicLink(
            atPath: tree.path + "/up", withDestinationPath: "..")
        #expect(unsafe mkfifo(tree.path + "/pipe", 0o600) == 0)
        let name: [CChar] = (Array((tree.path + "/no").utf8) + [0xff, 0]).map {
            CChar(bitPattern: $0)
        }
        let strange = unsafe open(name, O_WRONLY | O_CREAT, 0o600)
        #expect(strange >= 0)
        close(strange)

        let mover = try Mover(scratch)
        let server = isOnline ? try RunningServer(in: scratch) : nil
        let (status, output) =
            try server.map {
                try mover.run("import", tree.path, "--url", $0.url)
            } ?? mover.run("import", tree.path)
        #expect(status == 1)
        #expect(Mover.counts(output) == [1, 0, 8, 0, 0], "\(output)")
        for line in [
            "skipped: admin: nothing in it can be an object: paths that begin with admin",
            "skipped: .hidden: nothing in it can be an object: the path starts with a dot",
            "skipped: back\\slash: the path has a control character, backslash",
            "skipped: line\\u{a}end\\u{1b}[2J: the path has a control character",
            "skipped: out: it is a symbolic link", "skipped: up: it is a symbolic link",
            "skipped: pipe: it is a pipe", "skipped: no\u{fffd}: the path is not valid UTF-8",
        ] {
            #expect(output.contains("\n" + line), "\(line)")
        }
        if let server { #expect(server.stop() == 0) }
    }

    @Test func `goes on behind a file that it may not read`() throws {
        for name in ["a", "b", "c/d"] { try tree.write([1], to: name) }
        for name in ["b", "c"] { try tree.setMode(0, of: name) }
        let mover = try Mover(scratch)
        // Root reads everything, unless it has no capabilities.
        let (status, output) = try Programs.run(
            "setpriv",
            [
                "--bounding-set=-all", "--inh-caps=-all", Programs.millrace, "import", tree.path,
                "--config", mover.configuration,
            ])
        #expect(status == 1)
        #expect(Mover.counts(output) == [1, 0, 0, 0, 2], "\(output)")
        #expect(output.contains("failed: b: cannot open \(tree.path)/b: Permission denied"))
        #expect(output.contains("failed: c: cannot open \(tree.path)/c: Permission denied"))
        for name in ["b", "c"] { try tree.setMode(0o700, of: name) }
        let again = try mover.run("import", tree.path)
        #expect(Mover.counts(again.output) == [2, 1, 0, 0, 0])
    }

    @Test(arguments: [false, true])
    func `never overwrites an object`(isOnline: Bool) throws {
        let sizes = [10, 100_000]
        for size in sizes {
            for kind in ["same", "other", "longer", "touched"] {
                try tree.write(pattern(size, seed: 1), to: "\(kind)-\(size)")
            }
        }
        let mover = try Mover(scratch)
        #expect(try mover.run("import", tree.path).status == 0)
        for size in sizes {
            try tree.write(pattern(size, seed: 2), to: "other-\(size)", seconds: 5)
            try tree.write(pattern(size + 1, seed: 1), to: "longer-\(size)")
            try tree.setModified("touched-\(size)", 5)
        }
        let server = isOnline ? try RunningServer(in: scratch) : nil
        let (status, output) =
            try server.map {
                try mover.run("import", tree.path, "--url", $0.url)
            } ?? mover.run("import", tree.path)
        #expect(status == 1)
        #expect(Mover.counts(output) == [0, 4, 0, 4, 0], "\(output)")
        #expect(output.contains("conflict: other-10: another object has that path"))
        #expect(output.contains("conflict: longer-100000: another object has that path"))
        let reader = try server ?? RunningServer(in: scratch)
        for size in sizes {
            for kind in ["same", "other", "longer", "touched"] {
                let get = try reader.get("\(kind)-\(size)")
                let isOld = get.body == pattern(size, seed: 1)
                #expect(isOld)
                #expect(get.fields["last-modified"] == TestTree.date)
            }
        }
        #expect(reader.stop() == 0)
    }

    @Test func `only says what it would do, if it is told to`() throws {
        try tree.write([1], to: "a")
        try tree.write([2], to: "b")
        let mover = try Mover(scratch)
        let none = try mover.run("import", tree.path, "--dry-run")
        #expect(none.status == 0)
        #expect(none.output.contains("would have imported a\n"))
        #expect(Mover.counts(none.output) == [2, 0, 0, 0, 0])
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/data"))
        #expect(try mover.run("import", tree.path).status == 0)
        try tree.write([3], to: "c")
        let some = try mover.run("import", tree.path, "--dry-run", "--quiet")
        #expect(Mover.counts(some.output) == [1, 2, 0, 0, 0])
        #expect(!some.output.contains("would have imported c\n"))
        let after = try mover.run("import", tree.path + "/")
        #expect(Mover.counts(after.output) == [1, 2, 0, 0, 0])
    }

    @Test func `needs a directory, and a data directory that is whole`() throws {
        let mover = try Mover(scratch)
        let file = try scratch.write([1], to: "file")
        for path in [file, scratch.path + "/absent"] {
            let (status, output) = try mover.run("import", path)
            #expect(status == 2)
            #expect(output.contains("\(path) is no directory"))
        }
        try tree.write([1], to: "a")
        #expect(try mover.run("import", tree.path).status == 0)
        let instance = scratch.path + "/data/instance"
        let kept = try scratch.read("data/instance")
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: instance))
        try handle.truncate(atOffset: 10)
        for command in ["import", "export"] {
            let (status, output) = try mover.run(command, tree.path)
            #expect(status == 1)
            #expect(output.contains("\(instance): damaged"))
        }
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: kept)
        try handle.close()
        #expect(Mover.counts(try mover.run("import", tree.path).output) == [0, 1, 0, 0, 0])
    }

    @Test func `shows on a terminal how far it is, and nothing of it in the end`() throws {
        try fillLong(small: 20, large: 20, bytes: 8 << 20)
        let mover = try Mover(scratch)
        let command = "\(Programs.millrace) import \(tree.path) --config \(mover.configuration)"
        let (status, output) = try Programs.run("script", ["-qec", command, "/dev/null"])
        #expect(status == 0)
        #expect(output.contains("\r") && output.contains(" of 40 files, "))
        let last = try #require(output.split(separator: "\r\n").last)
        #expect(
            last.hasSuffix(
                "imported 40 files (160 MiB), 0 already there, 0 skipped,"
                    + " 0 in conflict, 0 failed"))
    }

    @Test func `leaves its own data directory alone`() throws {
        try tree.write([1], to: "a")
        let mover = try Mover(scratch)
        #expect(try mover.run("import", tree.path).status == 0)
        let around = try mover.run("import", scratch.path, "--prefix", "all")
        #expect(around.output.contains("skipped: data: it is the data directory"))
        let inside = try mover.run("import", scratch.path + "/data/volumes")
        #expect(inside.status == 2)
        #expect(inside.output.contains("is the data directory, or in it"))
    }

    // MARK: Ends

    /// Small files, then large ones, in the order of names.
    private func fillLong(small: Int, large: Int, bytes: Int) throws {
        for number in 0..<small {
            try tree.write(pattern(1000, seed: number), to: "a/\(number)")
        }
        for number in 0..<large {
            try tree.write(pattern(bytes, seed: number), to: "b/\(number)")
        }
    }

    /// Starts an import and answers once it is at the first large file.
    private func startLong(_ mover: Mover) throws -> ChildProcess {
        let process = try mover.start("import", tree.path, "--quiet", output: "import.log")
        let volume = scratch.path + "/data/volumes/large-0000"
        let isAtLarge = eventually(withinSeconds: 60) {
            FileManager.default.fileExists(atPath: volume) || process.exitStatus != nil
        }
        #expect(isAtLarge)
        return process
    }

    @Test func `goes on where a killed one has ended`() throws {
        try fillLong(small: 500, large: 12, bytes: 16 << 20)
        let mover = try Mover(scratch)
        let process = try startLong(mover)
        #expect(process.end(SIGKILL) == 128 + SIGKILL)
        let (status, output) = try mover.run("import", tree.path)
        #expect(status == 0, "\(output)")
        let counts = Mover.counts(output)
        #expect(counts.count == 5)
        #expect(counts[0] + counts[1] == 512)
        // All small ones but those that were under way beside the first large one.
        #expect(counts[1] >= 485)
        let server = try RunningServer(in: scratch)
        for name in ["a/0", "a/499"] {
            #expect(try server.get(name).body == tree.read(name))
        }
        for number in 0..<12 {
            let isSame = try server.get("b/\(number)").body == tree.read("b/\(number)")
            #expect(isSame, "b/\(number)")
        }
        #expect(server.stop() == 0)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `ends after the files under way when it is told to`(signal: Int32) throws {
        try fillLong(small: 20, large: 40, bytes: 8 << 20)
        let mover = try Mover(scratch)
        let process = try startLong(mover)
        process.signal(signal)
        #expect(process.wait() == 128 + signal)
        let log = RunningServer.text(scratch.path + "/import.log")
        #expect(log.contains("ending after the files under way"))
        let ended = Mover.counts(log)
        #expect(ended.count == 5)
        #expect(ended[0] < 60)
        #expect(Array(ended.dropFirst()) == [0, 0, 0, 0])
        let (status, output) = try mover.run("import", tree.path)
        #expect(status == 0)
        #expect(Mover.counts(output) == [60 - ended[0], ended[0], 0, 0, 0])
    }

    @Test(arguments: [false, true])
    func `says so when there is no room, and goes on when there is`(isOnline: Bool) throws {
        try fillLong(small: 5, large: 40, bytes: 8 << 20)
        var options = ServerOptions()
        options.capacity = "256MiB"
        let small = try Mover(scratch, options)
        let server = isOnline ? try RunningServer(options, in: scratch) : nil
        let (status, output) =
            try server.map {
                try small.run("import", tree.path, "--url", $0.url)
            } ?? small.run("import", tree.path)
        #expect(status == 1)
        #expect(output.contains("stopped: no space is left for objects: raise storage.capacity"))
        #expect(output.contains("the same command goes on from here"))
        let counts = Mover.counts(output)
        #expect(counts.count == 5)
        #expect(counts[0] >= 5)
        if let server { #expect(server.stop() == 0) }
        let again = try Mover(scratch).run("import", tree.path)
        #expect(again.status == 0, "\(again.output)")
        #expect(Mover.counts(again.output) == [45 - counts[0], counts[0], 0, 0, 0])
    }

    @Test func `waits for a server that is away for a moment`() throws {
        try fillLong(small: 5, large: 20, bytes: 8 << 20)
        let mover = try Mover(scratch)
        let server = try RunningServer(in: scratch)
        let process = try mover.start(
            "import", tree.path, "--url", server.url, "--quiet", output: "import.log")
        let hasBegun = try eventually(withinSeconds: 30) {
            try server.metric("store_puts_total") > 0
        }
        #expect(hasBegun)
        server.process.end(SIGKILL)
        let (again, _) = try RunningServer.launch(
            ServerOptions(), in: scratch, arguments: ["--listen", "127.0.0.1:\(server.port)"])
        #expect(
            process.wait(withinSeconds: 60) == 0,
            "\(RunningServer.text(scratch.path + "/import.log"))")
        #expect(again.end(SIGTERM) == 0)
        let offline = try mover.run("import", tree.path)
        #expect(Mover.counts(offline.output) == [0, 25, 0, 0, 0])
    }
}
