// Goal:   every operation on files does what Operation.swift says, on the real kernel and a disk.

import Glibc
import IO
import Testing
import Uring

@Suite struct `Reads and writes` {
    /// O_DIRECT of Linux on x86-64; arm64 has another number for it.
    #if arch(arm64)
        private static let direct: Int32 = 0o200000
    #else
        private static let direct: Int32 = 0o40000
    #endif

    @Test(arguments: [false, true])
    func `go past the page cache, registered or not`(isRegistered: Bool) throws {
        var asker = try Asker()
        if isRegistered { try asker.ring.registerArena() }
        #expect(try registeredBufferCount(of: asker.ring.descriptor) == (isRegistered ? 1 : 0))
        let directory = try TemporaryDirectory()
        let file = try directory.open("direct", O_RDWR | O_CREAT | Self.direct)
        let source = asker.region(at: 8192, holding: pattern(256 << 10))
        let target = Region(offset: 1 << 20, count: 256 << 10)
        let written = try asker.ask(
            .write(file: file.descriptor, offset: 4096, source: source))
        let read = try asker.ask(.read(file: file.descriptor, offset: 4096, target: target))
        #expect(written == 256 << 10 && read == 256 << 10)
        #expect(asker.arena.equal(source, target))

        let odd = source.part(from: 0, count: 1000)
        let refused = try asker.ask(.write(file: file.descriptor, offset: 0, source: odd))
        #expect(KernelError(result: refused) == .invalid)
        let past = try asker.ask(.read(file: file.descriptor, offset: 1 << 20, target: target))
        #expect(past == 0)
        let none = try asker.ask(.read(file: notOpen, offset: 0, target: target))
        #expect(KernelError(result: none) == .badDescriptor)
    }

    private func registeredBufferCount(of ring: Descriptor) throws -> Int {
        let file = try Owned(unsafe Glibc.open("/proc/self/fdinfo/\(ring.number)", O_RDONLY))
        let text = String(decoding: try file.readWhole(1 << 20), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("UserBufs:") }
        return try #require(line.flatMap { Int($0.split { " \t".contains($0) }.last ?? "") })
    }

    @Test func `cannot register the same memory twice`() throws {
        var asker = try Asker()
        try asker.ring.registerArena()
        let again = Result { try asker.ring.registerArena() }
        #expect(throws: KernelError(code: 16)) { try again.get() }
    }

    @Test func `cannot register more than 1 GiB`() throws {
        var asker = try Asker(bytes: (1 << 30) + 4096)
        let result = Result { try asker.ring.registerArena() }
        #expect(throws: KernelError(code: 14)) { try result.get() }
    }

    @Test func `go on unregistered where memory may not be locked`() async {
        await #expect(processExitsWith: .success) {
            var limits = rlimit(rlim_cur: 64 << 10, rlim_max: 64 << 10)
            let number = __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue)
            let status = unsafe setrlimit(number, &limits)
            // A file first: nobody may make one there. Its name goes with the directory.
            let file = try TemporaryDirectory().file("file", holding: [1, 2, 3])
            let isRoot = geteuid() == 0
            #expect(status == 0 && (!isRoot || setuid(65534) == 0))
            var asker = try Asker()
            let result = Result { try asker.ring.registerArena() }
            #expect(throws: KernelError.noMemory) { try result.get() }
            let target = Region(offset: 0, count: 3)
            let count = try asker.ask(.read(file: file.descriptor, offset: 0, target: target))
            #expect(count == 3 && asker.bytes(target) == [1, 2, 3])
        }
    }
}

@Suite struct `A file's shape` {
    @Test func `is synced`() throws {
        var asker = try Asker()
        let directory = try TemporaryDirectory()
        let file = try directory.file("file", holding: pattern(100))
        #expect(try asker.ask(.sync(file: file.descriptor)) == 0)
        #expect(try KernelError(result: asker.ask(.sync(file: notOpen))) == .badDescriptor)
        let pipe = try Pair.pipe()
        let unsynced = try asker.ask(.sync(file: pipe.left.descriptor))
        #expect(KernelError(result: unsynced) == .invalid)
    }

    @Test func `grows by allocation, with zeroes`() throws {
        var asker = try Asker()
        let directory = try TemporaryDirectory()
        let file = try directory.file("file", holding: [1])
        let answer = try asker.ask(
            .allocate(file: file.descriptor, offset: 4096, count: 1 << 20))
        #expect(answer == 0)
        #expect(lseek(file.number, 0, SEEK_END) == 4096 + 1 << 20)
        var facts = stat()
        #expect(unsafe fstat(file.number, &facts) == 0)
        #expect(facts.st_blocks * 512 >= 1 << 20)
        lseek(file.number, 1 << 20, SEEK_SET)
        #expect(try file.readWhole(4096) == [UInt8](repeating: 0, count: 4096))
    }

    @Test func `does not grow beyond what a file can be`() throws {
        var asker = try Asker()
        let directory = try TemporaryDirectory()
        let file = try directory.open("file")
        let answer = try asker.ask(
            .allocate(file: file.descriptor, offset: 1 << 62, count: 1 << 62))
        #expect(answer == -27)  // EFBIG
        let none = try asker.ask(.allocate(file: notOpen, offset: 0, count: 4096))
        #expect(KernelError(result: none) == .badDescriptor)
    }

    @Test(arguments: [(0, 0), (1, 0), (4095, 0), (4096, 1), (8191, 1), (1 << 40, 1 << 28)])
    func `is measured in whole blocks`(size: Int, blocks: Int32) throws {
        var asker = try Asker()
        let directory = try TemporaryDirectory()
        let file = try directory.open("file")
        try #require(ftruncate(file.number, size) == 0)
        #expect(try asker.ask(.measure(file: file.descriptor)) == blocks)
    }

    @Test func `cannot be measured where there is none, or too much`() throws {
        var asker = try Asker()
        #expect(try KernelError(result: asker.ask(.measure(file: notOpen))) == .badDescriptor)
        // Memory, because not every disk's file system has files of 8 TiB.
        let file = try Owned(
            unsafe Glibc.open("/dev/shm", 0o20000000 | O_DIRECTORY | O_RDWR, 0o600))
        try #require(ftruncate(file.number, (1 << 43) - 1) == 0)
        #expect(try asker.ask(.measure(file: file.descriptor)) == .max)
        for size in [1 << 43, 1 << 44, Int.max] {
            try #require(ftruncate(file.number, size) == 0)
            let answer = try asker.ask(.measure(file: file.descriptor))
            #expect(KernelError(result: answer) == .fileTooLarge)
        }
    }
}

@Suite struct `An open` {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func open(_ name: String, _ flags: Int32, _ asker: inout Asker) throws -> Int32 {
        try asker.ask(
            .open(
                directory: directory.root.descriptor, path: asker.path(name), flags: UInt64(flags),
                mode: flags & O_CREAT != 0 ? 0o600 : 0))
    }

    @Test func `makes a file that others cannot read, and that children do not inherit`() throws {
        var asker = try Asker()
        let file = try Owned(open("new", O_RDWR | O_CREAT | O_EXCL, &asker))
        var facts = stat()
        #expect(unsafe fstat(file.number, &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o600)
        #expect(fcntl(file.number, F_GETFD) & FD_CLOEXEC != 0)
        try file.write([1, 2])
        let again = try Owned(open("new", O_RDONLY, &asker))
        #expect(try again.read(10) == [1, 2])
    }

    @Test func `fails for what is there, or is not`() throws {
        var asker = try Asker()
        _ = try directory.file("there", holding: [1])
        let exists = try open("there", O_RDWR | O_CREAT | O_EXCL, &asker)
        #expect(KernelError(result: exists) == .exists)
        let missing = try open("missing", O_RDONLY, &asker)
        #expect(KernelError(result: missing) == .notFound)
    }

    @Test(arguments: ["../escape", "..", "/etc/passwd", "a/../../escape", "link", "/"])
    func `never leaves its directory`(name: String) throws {
        var asker = try Asker()
        #expect(unsafe symlink("/etc/passwd", "\(directory.path)/link") == 0)
        #expect(unsafe mkdir("\(directory.path)/a", 0o700) == 0)
        defer { unsafe rmdir("\(directory.path)/a") }
        #expect(try open(name, O_RDONLY, &asker) == -18)  // EXDEV
    }

    @Test func `keeps the paths of entries apart that wait together`() throws {
        var asker = try Asker()
        var tokens: [Token] = []
        for number in 0..<6 {
            let path = asker.region(at: 64 * number, holding: Array("file\(number)\0".utf8))
            let flags = UInt64(number % 2 == 0 ? O_RDWR | O_CREAT : O_RDONLY)
            tokens.append(
                asker.start(
                    .open(
                        directory: directory.root.descriptor, path: path, flags: flags,
                        mode: number % 2 == 0 ? 0o600 : 0)))
        }
        for (number, token) in tokens.enumerated() {
            let result = try asker.result(of: token)
            if number % 2 == 0 { _ = try Owned(result) }
            #expect(number % 2 == 0 ? result >= 0 : KernelError(result: result) == .notFound)
        }
    }
}

@Suite struct `A close` {
    @Test func `closes its descriptor and no other`() throws {
        var asker = try Asker()
        let pair = try Pair.pipe()
        let copy = dup(pair.right.number)
        #expect(try asker.ask(.close(Descriptor(copy))) == 0)
        try pair.right.write([1])
        #expect(try pair.left.read(10) == [1])
        let again = try asker.ask(.close(notOpen))
        #expect(KernelError(result: again) == .badDescriptor)
    }

    @Test func `of a pipe's last writing end is seen at the other`() throws {
        var asker = try Asker()
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        let reader = try Owned(ends[0])
        #expect(try asker.ask(.close(Descriptor(ends[1]))) == 0)
        #expect(try reader.read(1).isEmpty)
    }
}

@Suite struct `A timeout` {
    @Test func `answers after its time and not before`() throws {
        var asker = try Asker()
        let start = monotonicNanoseconds()
        let answer = try asker.ask(.timeout(nanoseconds: 2_000_000))
        #expect(KernelError(result: answer) == .timedOut)
        #expect(monotonicNanoseconds() - start >= 2_000_000)
    }

    @Test func `can be cancelled, once`() throws {
        var asker = try Asker()
        let token = asker.start(.timeout(nanoseconds: 3_600_000_000_000))
        #expect(try asker.ask(.cancel(token)) == 0)
        #expect(try KernelError(result: asker.result(of: token)) == .cancelled)
        #expect(try KernelError(result: asker.ask(.cancel(token))) == .notFound)
    }
}
