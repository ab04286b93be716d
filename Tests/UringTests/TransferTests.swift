// Goal:   file bytes reach a socket without copying, and a cold page or a full socket never blocks.

import Glibc
import IO
import Testing
import Uring

@Suite struct `File bytes` {
    private let directory: TemporaryDirectory
    private let content = pattern(64 << 10)

    init() throws { directory = try TemporaryDirectory() }

    private func sendFile(_ pair: Pair, _ file: Owned, _ offset: UInt64, _ count: UInt32)
        -> Operation
    {
        .sendFile(
            socket: pair.left.descriptor, file: file.descriptor, offset: offset, count: count,
            test: .readability)
    }

    /// Drops the file's pages from the page cache; they must be on disk.
    private func cool(_ file: Owned, _ asker: inout Asker) throws {
        let answer = try asker.ask(
            .dropCached(file: file.descriptor, offset: 0, count: 0))
        #expect(answer == 0)
    }

    @Test func `that are in memory go out at once`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        let count = try asker.ask(sendFile(pair, file, 1000, 20_000))
        #expect(count == 20_000)
        #expect(try pair.right.readWhole(20_000) == Array(content[1000..<21_000]))
    }

    @Test func `that are not in memory are not waited for`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        try cool(file, &asker)
        let cold = try asker.ask(sendFile(pair, file, 0, 64 << 10))
        #expect(KernelError(result: cold) == .notResident)
    }

    @Test func `are cold if one page of them is`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        try cool(file, &asker)
        // Without read-ahead, a read warms the page it is in and no other.
        #expect(posix_fadvise(file.number, 0, 0, Int32(POSIX_FADV_RANDOM)) == 0)
        lseek(file.number, 16 << 10, SEEK_SET)
        _ = try file.read(1)
        for (offset, count, isWarm) in [
            (0, 64 << 10, false), (0, 1, false), (16 << 10, 1, true), (16 << 10, 4096, true),
            (16 << 10, 4097, false), ((20 << 10) - 1, 1, true), ((20 << 10) - 1, 2, false),
            ((16 << 10) - 1, 2, false),
        ] as [(UInt64, UInt32, Bool)] {
            let result = try asker.ask(sendFile(pair, file, offset, count))
            #expect(isWarm ? result == count : KernelError(result: result) == .notResident)
        }
    }

    @Test func `are asked for without being read`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        try cool(file, &asker)
        for _ in 0..<2 {
            let cold = try asker.ask(sendFile(pair, file, 1000, 1))
            #expect(KernelError(result: cold) == .notResident, "the question has started a read")
        }
    }

    @Test func `leave behind a head, or neither leaves`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        let head = pattern(300, seed: 1)
        let region = asker.region(at: 0, holding: head)
        func both(_ file: Descriptor, _ offset: UInt64, _ count: UInt32) -> Operation {
            .sendFile(
                socket: pair.left.descriptor, head: region, file: file, offset: offset,
                count: count, test: .readability)
        }
        let warm = try asker.ask(both(file.descriptor, 1000, 5000))
        #expect(warm == 5300)
        #expect(try pair.right.readWhole(5300) == head + Array(content[1000..<6000]))
        // Where the file ends, the head is all there is.
        let end = try asker.ask(both(file.descriptor, 64 << 10, 0))
        #expect(end == 300)
        #expect(try pair.right.readWhole(300) == head)
        let noFile = try asker.ask(both(notOpen, 0, 1))
        #expect(KernelError(result: noFile) == .badDescriptor)
        try cool(file, &asker)
        let cold = try asker.ask(both(file.descriptor, 1000, 5000))
        #expect(KernelError(result: cold) == .notResident)
        #expect(try asker.ask(.shutdown(socket: pair.left.descriptor, direction: .sending)) == 0)
        #expect(try pair.right.readWhole(1) == [], "a head without its body")
    }

    @Test func `leave behind a head as far as the socket takes them`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        let head = pattern(300, seed: 1)
        let region = asker.region(at: 0, holding: head)
        let whole = head + content
        var expected: [UInt8] = []
        var last: Int32
        repeat {
            last = try asker.ask(
                .sendFile(
                    socket: pair.left.descriptor, head: region, file: file.descriptor, offset: 0,
                    count: 64 << 10, test: .readability))
            expected += whole.prefix(Int(max(0, last)))
        } while last > 0
        #expect(KernelError(result: last) == .wouldBlock)
        #expect(expected.count > whole.count)
        let received = try pair.right.readWhole(expected.count)
        #expect(received == expected)
    }

    @Test func `are brought into memory through a pipe that is emptied again`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        try cool(file, &asker)
        let ends = Region(offset: 0, count: 8)
        let opened = try asker.ask(.openPipe(count: 1 << 20, ends: ends))
        #expect(opened == 1 << 20)
        let (reading, writing) = (number(asker, 0), number(asker, 4))
        #expect(fcntl(reading.number, pipeSizeCommand) == 1 << 20)
        #expect(fcntl(writing.number, F_GETFD) == FD_CLOEXEC)
        let moved = try asker.ask(
            .splice(
                source: file.descriptor, sourceOffset: 0, target: writing, targetOffset: nil,
                count: 64 << 10))
        #expect(moved == 64 << 10)
        var dropped = try asker.ask(.discard(pipe: reading, count: 64 << 10))
        #expect(dropped == 64 << 10)
        dropped = try asker.ask(.discard(pipe: reading, count: 1))
        #expect(KernelError(result: dropped) == .wouldBlock)
        let sent = try asker.ask(sendFile(pair, file, 0, 64 << 10))
        #expect(sent > 0)
        for end in [reading, writing] { #expect(try asker.ask(.close(end)) == 0) }
        let noPipe = try asker.ask(.discard(pipe: notOpen, count: 1))
        #expect(KernelError(result: noPipe) == .badDescriptor)
    }

    @Test func `go from a pipe to a socket as far as that takes them, and the rest stays`() throws {
        var asker = try Asker()
        let long = pattern(8 << 20)
        let file = try directory.file("long", holding: long)
        let pair = try Pair.tcp()
        let ends = Region(offset: 0, count: 8)
        let opened = try asker.ask(.openPipe(count: 1 << 20, ends: ends))
        #expect(opened == 1 << 20)
        let (reading, writing) = (number(asker, 0), number(asker, 4))
        var (sent, received) = (0, [UInt8]())
        var wasFull = false
        while sent < long.count {
            let moved = try asker.ask(
                .splice(
                    source: file.descriptor, sourceOffset: UInt64(sent), target: writing,
                    targetOffset: nil, count: 1 << 20))
            #expect(moved == 1 << 20)
            var left = Int(moved)
            while left > 0 {
                let count = try asker.ask(
                    .sendPipe(
                        pipe: reading, socket: pair.left.descriptor, count: UInt32(left)))
                if KernelError(result: count) == .wouldBlock {
                    wasFull = true
                    received += try pair.right.readWhole(sent + Int(moved) - left - received.count)
                    continue
                }
                try #require(count > 0)
                left -= Int(count)
            }
            sent += Int(moved)
        }
        #expect(wasFull, "8 MiB never filled a socket")
        received += try pair.right.readWhole(sent - received.count)
        #expect(received == long)
        let empty = try asker.ask(
            .sendPipe(pipe: reading, socket: pair.left.descriptor, count: 1))
        #expect(KernelError(result: empty) == .wouldBlock)
        let noPipe = try asker.ask(
            .sendPipe(pipe: notOpen, socket: pair.left.descriptor, count: 1))
        #expect(KernelError(result: noPipe) == .badDescriptor)
        for end in [reading, writing] { #expect(try asker.ask(.close(end)) == 0) }
    }

    /// F_GETPIPE_SZ of <linux/fcntl.h>, which the C library module hides.
    private let pipeSizeCommand: Int32 = 1032

    private func number(_ asker: borrowing Asker, _ offset: UInt32) -> Descriptor {
        let bytes = asker.bytes(Region(offset: offset, count: 4))
        return Descriptor(bytes.reversed().reduce(0) { $0 << 8 | Int32($1) })
    }

    @Test func `are sent under every test while they are cached`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        for test in [ResidencyTest.none, .presence, .readability] {
            let result = try asker.ask(
                .sendFile(
                    socket: pair.left.descriptor, file: file.descriptor, offset: 0, count: 100,
                    test: test))
            #expect(result == 100)
        }
        // What waits in a socket stays in memory.
        #expect(try pair.right.readWhole(300).count == 300)
        try cool(file, &asker)
        for test in [ResidencyTest.presence, .readability] {
            let result = try asker.ask(
                .sendFile(
                    socket: pair.left.descriptor, file: file.descriptor, offset: 0, count: 100,
                    test: test))
            #expect(KernelError(result: result) == .notResident)
        }
    }

    @Test func `that come into memory go out from then on`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        try cool(file, &asker)
        #expect(posix_fadvise(file.number, 0, 64 << 10, Int32(POSIX_FADV_WILLNEED)) == 0)
        var result = KernelError.notResident.code
        let deadline = monotonicNanoseconds() + Asker.patience
        repeat {
            result = try asker.ask(sendFile(pair, file, 0, 64 << 10))
        } while KernelError(result: result) == .notResident && monotonicNanoseconds() < deadline
        #expect(result > 0)
    }

    @Test func `that the socket has no room for are not waited for`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        var (sent, result) = (0, Int32(1))
        while result > 0 {
            result = try asker.ask(sendFile(pair, file, 0, 64 << 10))
            sent += Int(max(0, result))
        }
        #expect(KernelError(result: result) == .wouldBlock)
        #expect(try pair.right.readWhole(sent).count == sent)
    }

    @Test func `beyond the file's end are none that are in memory`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        let result = try asker.ask(sendFile(pair, file, 1 << 20, 4096))
        #expect(KernelError(result: result) == .notResident)
    }

    /// A file in memory alone takes no read that must not wait (EOPNOTSUPP), so its pages are asked
    /// for one by one (mincore), as they are on kernels without cachestat.
    @Test func `are found page by page where no read can tell`() throws {
        var asker = try Asker()
        let path = "/dev/shm/millrace-test-\(getpid())"
        let file = try Owned(unsafe open(path, O_RDWR | O_CREAT | O_EXCL, mode_t(0o600)))
        unsafe unlink(path)
        try file.write(content)
        let pair = try Pair.tcp()
        for (offset, count) in [(0, 4096), (4095, 2), (1000, 60_000), (65_535, 1)] {
            let sent = try asker.ask(sendFile(pair, file, UInt64(offset), UInt32(count)))
            #expect(sent == count)
            #expect(try pair.right.readWhole(count) == Array(content[offset..<offset + count]))
        }
        let beyond = try asker.ask(sendFile(pair, file, 65_535, 4096))
        #expect(KernelError(result: beyond) == .notResident)
    }

    @Test func `of no file, or to no socket, are an error`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let pair = try Pair.tcp()
        let noFile = try asker.ask(
            .sendFile(
                socket: pair.left.descriptor, file: notOpen, offset: 0, count: 1,
                test: .readability))
        #expect(KernelError(result: noFile) == .badDescriptor)
        let noSocket = try asker.ask(
            .sendFile(
                socket: notOpen, file: file.descriptor, offset: 0, count: 1, test: .readability)
        )
        #expect(KernelError(result: noSocket) == .badDescriptor)
        let notDropped = try asker.ask(.dropCached(file: notOpen, offset: 0, count: 1))
        #expect(KernelError(result: notDropped) == .badDescriptor)
    }

    @Test func `go through a pipe to a socket`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let (pipe, pair) = (try Pair.pipe(), try Pair.tcp())
        let filled = try asker.ask(
            .splice(
                source: file.descriptor, sourceOffset: 4000, target: pipe.right.descriptor,
                targetOffset: nil, count: 10_000))
        #expect(filled == 10_000)
        let emptied = try asker.ask(
            .splice(
                source: pipe.left.descriptor, sourceOffset: nil, target: pair.left.descriptor,
                targetOffset: nil, count: 10_000))
        #expect(emptied == 10_000)
        #expect(try pair.right.readWhole(10_000) == Array(content[4000..<14_000]))
    }

    @Test func `go through no pipe between two files`() throws {
        var asker = try Asker()
        let file = try directory.file("file", holding: content)
        let other = try directory.open("other")
        let answer = try asker.ask(
            .splice(
                source: file.descriptor, sourceOffset: 0, target: other.descriptor,
                targetOffset: 0, count: 4096))
        #expect(KernelError(result: answer) == .invalid)
    }
}
