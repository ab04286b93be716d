// Goal:   every operation on sockets and pipes does what Operation.swift says, on the real kernel.

import Glibc
import IO
import Testing
import Uring

@Suite struct `An accept` {
    @Test func `answers once for each connection until it is cancelled`() throws {
        var asker = try Asker()
        let listener = try Listener()
        let token = asker.start(.accept(listener: listener.socket.descriptor))
        for _ in 0..<3 {
            let client = try listener.connect()
            let completion = try asker.completion(of: token)
            #expect(completion.more)
            let accepted = try Owned(completion.result)
            #expect(fcntl(accepted.number, F_GETFD) & FD_CLOEXEC != 0)
            #expect(fcntl(accepted.number, F_GETFL) & O_NONBLOCK != 0)
            try client.write([42])
            let byte = try asker.ask(
                .receiveInto(
                    socket: accepted.descriptor, target: Region(offset: 0, count: 1), whole: false))
            #expect(byte == 1)
        }
        #expect(try asker.ask(.cancel(token)) == 0)
        let last = try asker.completion(of: token)
        #expect(KernelError(result: last.result) == .cancelled && !last.more)
    }

    @Test func `on what does not listen is an error, and the last answer`() throws {
        var asker = try Asker()
        let pair = try Pair.local()
        let token = asker.start(.accept(listener: pair.left.descriptor))
        let completion = try asker.completion(of: token)
        #expect(KernelError(result: completion.result) == .invalid && !completion.more)
    }
}

@Suite struct `A send` {
    @Test func `of more than the socket holds goes out whole, in one answer`() throws {
        var asker = try Asker(bytes: 8 << 20)
        for pair in [try Pair.tcp(), try Pair.local()] {
            var room: Int32 = 64 << 10
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(pair.left.number, SOL_SOCKET, SO_SNDBUF, &room, size)
            _ = unsafe setsockopt(pair.right.number, SOL_SOCKET, SO_RCVBUF, &room, size)
            let sent = pattern(3 << 20)
            let source = asker.region(at: 0, holding: sent)
            let target = Region(offset: 4 << 20, count: 3 << 20)
            let sending = asker.start(
                .send(socket: pair.left.descriptor, source: source, more: false))
            let early = try asker.settle()
            #expect(early.isEmpty)
            let receiving = asker.start(
                .receiveInto(socket: pair.right.descriptor, target: target, whole: true))
            #expect(try asker.result(of: receiving) == 3 << 20)
            #expect(try asker.result(of: sending) == 3 << 20)
            #expect(asker.arena.equal(source, target))
        }
    }

    @Test func `of two regions is one, however little the socket takes at a time`() throws {
        var asker = try Asker(bytes: 8 << 20)
        for (firstCount, secondCount) in [(3, 2), (200, 64 << 10), (1 << 20, 2 << 20), (1, 0)] {
            let pair = try Pair.tcp()
            var room: Int32 = 64 << 10
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(pair.left.number, SOL_SOCKET, SO_SNDBUF, &room, size)
            _ = unsafe setsockopt(pair.right.number, SOL_SOCKET, SO_RCVBUF, &room, size)
            let count = firstCount + secondCount
            let whole = pattern(count)
            // The second lies in front of the first.
            let second = asker.region(at: 0, holding: Array(whole[firstCount...]))
            let first = asker.region(at: 2 << 20, holding: Array(whole[..<firstCount]))
            let sending = asker.start(
                .sendPair(socket: pair.left.descriptor, first: first, second: second))
            let target = Region(offset: 4 << 20, count: UInt32(count))
            let receiving = asker.start(
                .receiveInto(socket: pair.right.descriptor, target: target, whole: true))
            #expect(try asker.result(of: receiving) == Int32(count))
            #expect(try asker.result(of: sending) == Int32(count))
            #expect(asker.bytes(target) == whole)
        }
    }

    /// Each has a message of its own until the kernel has read it.
    @Test func `of two regions keeps apart from others that wait with it`() throws {
        var asker = try Asker(bytes: 8 << 20)
        let pairs = try (0..<16).map { _ in try Pair.tcp() }
        var sends: [Token] = []
        for (index, pair) in pairs.enumerated() {
            let byte = UInt8(index)
            let first = asker.region(at: index * 16, holding: [byte])
            let second = asker.region(at: index * 16 + 8, holding: [byte, byte])
            sends.append(
                asker.start(
                    .sendPair(socket: pair.left.descriptor, first: first, second: second)))
        }
        for (index, pair) in pairs.enumerated() {
            #expect(try asker.result(of: sends[index]) == 3)
            #expect(try pair.right.readWhole(3) == Array(repeating: UInt8(index), count: 3))
        }
    }

    @Test func `that promises more joins the next one`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let (head, body) = (
            asker.region(at: 0, holding: [1, 2, 3]), asker.region(at: 8, holding: [4, 5])
        )
        let first = try asker.ask(
            .send(socket: pair.left.descriptor, source: head, more: true))
        let second = try asker.ask(
            .send(socket: pair.left.descriptor, source: body, more: false))
        #expect(first == 3 && second == 2)
        #expect(try pair.right.read(100) == [1, 2, 3, 4, 5])
    }

    @Test func `to a peer that is gone is an error and no signal`() throws {
        var asker = try Asker()
        let pair = try Pair.local()
        shutdown(pair.left.number, Int32(SHUT_WR))
        let source = asker.region(at: 0, holding: [1])
        let broken = try asker.ask(
            .send(socket: pair.left.descriptor, source: source, more: false))
        #expect(KernelError(result: broken) == .brokenPipe)
        let none = try asker.ask(.send(socket: notOpen, source: source, more: false))
        #expect(KernelError(result: none) == .badDescriptor)
    }
}

@Suite struct `A poll` {
    @Test func `for bytes waits until some are there`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(.poll(descriptor: pair.left.descriptor, readiness: .readable))
        let early = try asker.settle()
        #expect(early.isEmpty)
        try pair.right.write([1])
        #expect(try asker.result(of: token) & Int32(POLLIN) != 0)
    }

    @Test func `for bytes ends when the peer ends`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(.poll(descriptor: pair.left.descriptor, readiness: .readable))
        shutdown(pair.right.number, Int32(SHUT_WR))
        let rdhup: Int32 = 0x2000  // POLLRDHUP, <asm-generic/poll.h>
        #expect(try asker.result(of: token) & rdhup != 0)
    }

    @Test func `for room waits until the peer has read`() throws {
        var asker = try Asker()
        let pair = try Pair.pipe()
        let free = try asker.ask(.poll(descriptor: pair.right.descriptor, readiness: .writable))
        #expect(free & Int32(POLLOUT) != 0)
        try pair.right.write(pattern(65536))
        let token = asker.start(.poll(descriptor: pair.right.descriptor, readiness: .writable))
        let early = try asker.settle()
        #expect(early.isEmpty)
        _ = try pair.left.readWhole(65536)
        #expect(try asker.result(of: token) & Int32(POLLOUT) != 0)
    }

    @Test func `of no descriptor is an error`() throws {
        var asker = try Asker()
        let answer = try asker.ask(.poll(descriptor: notOpen, readiness: .readable))
        #expect(KernelError(result: answer) == .badDescriptor)
    }
}

@Suite struct `A shutdown` {
    @Test func `of sending leaves the other direction open`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let answer = try asker.ask(
            .shutdown(socket: pair.left.descriptor, direction: .sending))
        #expect(answer == 0)
        #expect(try pair.right.read(1).isEmpty)
        try pair.right.write([7])
        let target = Region(offset: 0, count: 1)
        let count = try asker.ask(
            .receiveInto(socket: pair.left.descriptor, target: target, whole: true))
        #expect(count == 1 && asker.bytes(target) == [7])
    }

    @Test func `of both ends a receive that waits`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(
            .receiveInto(
                socket: pair.left.descriptor, target: Region(offset: 0, count: 10), whole: true))
        let answer = try asker.ask(.shutdown(socket: pair.left.descriptor, direction: .both))
        #expect(answer == 0)
        #expect(try asker.result(of: token) == 0)
        #expect(try pair.right.read(1).isEmpty)
    }

    @Test func `of what is no socket is an error`() throws {
        var asker = try Asker()
        let pair = try Pair.pipe()
        let answer = try asker.ask(.shutdown(socket: pair.left.descriptor, direction: .both))
        #expect(answer == -88)  // ENOTSOCK
    }
}
