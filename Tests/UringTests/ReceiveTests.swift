// Goal:   every operation on sockets and pipes does what Operation.swift says, on the real kernel.

import Glibc
import IO
import Testing
import Uring

@Suite struct `A receive` {
    private static let size = 4096
    private static let group = BufferGroup(id: 0)

    private func makeAsker(buffers: Int) throws -> Asker {
        var asker = try Asker()
        let region = Region(offset: 1 << 20, count: UInt32(buffers * Self.size))
        try asker.ring.provideBuffers(region, size: Self.size, group: Self.group)
        return asker
    }

    private func received(_ completion: Completion, in asker: borrowing Asker) -> [UInt8] {
        guard let buffer = completion.buffer else { return [] }
        let offset = 1 << 20 + Int(buffer) * Self.size
        return asker.bytes(
            Region(offset: UInt32(offset), count: UInt32(max(0, completion.result))))
    }

    private func receive(_ pair: Pair, once: Bool = false) -> IO.Operation {
        .receive(socket: pair.left.descriptor, group: Self.group, once: once)
    }

    @Test func `that is to do so once answers with one buffer, and leaves the rest`() throws {
        var asker = try makeAsker(buffers: 4)
        let pair = try Pair.local()
        let sent = pattern(3 * Self.size)
        try pair.right.write(sent)
        for part in 0..<3 {
            let completion = try asker.completion(of: asker.start(receive(pair, once: true)))
            #expect(!completion.more && completion.result == Int32(Self.size))
            let expected = Array(sent[part * Self.size..<(part + 1) * Self.size])
            #expect(received(completion, in: asker) == expected)
        }
        // One that came first waits, as any other.
        let token = asker.start(receive(pair, once: true))
        try pair.right.write([1, 2, 3])
        let completion = try asker.completion(of: token)
        #expect(!completion.more && received(completion, in: asker) == [1, 2, 3])
        shutdown(pair.right.number, Int32(SHUT_WR))
        let last = try asker.completion(of: asker.start(receive(pair, once: true)))
        #expect(KernelError(result: last.result) == .noBuffers, "all four are taken")
        asker.ring.giveBack(providedBuffer: 0)
        #expect(try asker.completion(of: asker.start(receive(pair, once: true))).result == 0)
    }

    @Test func `answers each time bytes arrive, in buffers of its group`() throws {
        var asker = try makeAsker(buffers: 4)
        let pair = try Pair.local()
        let token = asker.start(receive(pair))
        for seed in 0..<10 {
            try pair.right.write(pattern(100, seed: seed))
            let completion = try asker.completion(of: token)
            #expect(completion.more && completion.result == 100)
            #expect(received(completion, in: asker) == pattern(100, seed: seed))
            asker.ring.giveBack(providedBuffer: try #require(completion.buffer))
        }
    }

    @Test func `ends with the stream`() throws {
        var asker = try makeAsker(buffers: 4)
        let pair = try Pair.local()
        let token = asker.start(receive(pair))
        shutdown(pair.right.number, Int32(SHUT_WR))
        let completion = try asker.completion(of: token)
        #expect(completion.result == 0 && !completion.more && completion.buffer == nil)
    }

    @Test func `ends when buffers run out, and goes on when they are given back`() throws {
        var asker = try makeAsker(buffers: 4)
        let pair = try Pair.local()
        let sent = pattern(6 * Self.size)
        try pair.right.write(sent)
        var got: [UInt8] = []
        var held: [UInt16] = []
        var token = asker.start(receive(pair))
        var completion = try asker.completion(of: token)
        while completion.result > 0 {
            got += received(completion, in: asker)
            held.append(try #require(completion.buffer))
            completion = try asker.completion(of: token)
        }
        #expect(KernelError(result: completion.result) == .noBuffers && !completion.more)
        #expect(Set(held) == [0, 1, 2, 3] && got == Array(sent.prefix(4 * Self.size)))

        for buffer in held { asker.ring.giveBack(providedBuffer: buffer) }
        token = asker.start(receive(pair))
        while got.count < sent.count {
            completion = try asker.completion(of: token)
            try #require(completion.result > 0 && completion.more)
            got += received(completion, in: asker)
        }
        #expect(got == sent)
    }

    @Test func `from a group that was never provided is an error`() throws {
        var asker = try makeAsker(buffers: 1)
        let pair = try Pair.local()
        try pair.right.write([1])
        let answer = try asker.ask(
            .receive(socket: pair.left.descriptor, group: BufferGroup(id: 9), once: false))
        #expect(KernelError(result: answer) == .noBuffers)
    }

    @Test func `on no descriptor is an error`() throws {
        var asker = try makeAsker(buffers: 1)
        let answer = try asker.ask(.receive(socket: notOpen, group: Self.group, once: false))
        #expect(KernelError(result: answer) == .badDescriptor)
    }

    @Test func `traps for a number of buffers that is no power of two`() async {
        await #expect(processExitsWith: .failure) {
            var asker = try Asker()
            try asker.ring.provideBuffers(
                Region(offset: 0, count: 3 * 4096), size: 4096, group: BufferGroup(id: 0))
        }
    }

    @Test func `cannot have its group's buffers provided twice`() throws {
        var asker = try makeAsker(buffers: 1)
        let result = Result {
            try asker.ring.provideBuffers(
                Region(offset: 0, count: 4096), size: 4096, group: Self.group)
        }
        #expect(throws: KernelError.exists) { try result.get() }
        let pair = try Pair.local()
        try pair.right.write([5])
        let token = asker.start(receive(pair))
        let completion = try asker.completion(of: token)
        #expect(received(completion, in: asker) == [5])
    }
}

@Suite struct `A receive into a region` {
    private let region = Region(offset: 4096, count: 100_000)

    @Test func `answers with what is there`() throws {
        var asker = try Asker()
        let pair = try Pair.local()
        try pair.right.write(pattern(300))
        let count = try asker.ask(
            .receiveInto(socket: pair.left.descriptor, target: region, whole: false))
        #expect(count == 300)
        #expect(asker.bytes(region.part(from: 0, count: 300)) == pattern(300))
    }

    @Test func `that wants it whole waits until the region is full`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(
            .receiveInto(socket: pair.left.descriptor, target: region, whole: true))
        let sent = pattern(100_001)
        for start in stride(from: 0, to: 100_000, by: 10_000) {
            let early = try asker.settle()
            #expect(early.isEmpty)
            try pair.right.write(Array(sent[start..<start + 10_000]))
        }
        try pair.right.write(Array(sent.suffix(1)))
        #expect(try asker.result(of: token) == 100_000)
        #expect(asker.bytes(region) == Array(sent.prefix(100_000)))
        #expect(try pair.left.read(10) == Array(sent.suffix(1)))
    }

    @Test func `that wants it whole takes less from a peer that ends`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(
            .receiveInto(socket: pair.left.descriptor, target: region, whole: true))
        try pair.right.write(pattern(500))
        let early = try asker.settle()
        #expect(early.isEmpty)
        shutdown(pair.right.number, Int32(SHUT_WR))
        #expect(try asker.result(of: token) == 500)
        #expect(asker.bytes(region.part(from: 0, count: 500)) == pattern(500))
    }

    @Test func `that is cancelled partly filled answers how far it came`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(
            .receiveInto(socket: pair.left.descriptor, target: region, whole: true))
        try pair.right.write(pattern(500))
        // The bytes have arrived when nothing unread is left in the socket.
        var unread: Int32 = 1
        while unread > 0 {
            _ = try asker.settle()
            _ = unsafe ioctl(pair.left.number, UInt(FIONREAD), &unread)
        }
        #expect(try asker.ask(.cancel(token)) == 0)
        #expect(try asker.result(of: token) == 500)
        #expect(asker.bytes(region.part(from: 0, count: 500)) == pattern(500))
    }

    @Test func `that is cancelled empty answers so`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        for whole in [false, true] {
            let token = asker.start(
                .receiveInto(socket: pair.left.descriptor, target: region, whole: whole))
            #expect(try asker.ask(.cancel(token)) == 0)
            #expect(try KernelError(result: asker.result(of: token)) == .cancelled)
        }
    }

    @Test func `from a peer that is gone answers nothing or an error`() throws {
        var asker = try Asker()
        let pair = try Pair.local()
        shutdown(pair.right.number, Int32(SHUT_RDWR))
        let ended = try asker.ask(
            .receiveInto(socket: pair.left.descriptor, target: region, whole: true))
        #expect(ended == 0)
        let none = try asker.ask(.receiveInto(socket: notOpen, target: region, whole: true))
        #expect(KernelError(result: none) == .badDescriptor)
    }
}

@Suite struct `A drop of what is received` {
    @Test func `takes what has come, never more than it may, and leaves what follows`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let sent = pattern(100_003)
        var left: Int32 = 100_000
        var next = 0
        while left > 0 {
            let token = asker.start(
                .dropReceived(socket: pair.left.descriptor, count: UInt32(left)))
            // Some of it comes while it waits, the last with what follows.
            let early = try asker.settle()
            if early.isEmpty, next < 10 {
                let end = next == 9 ? 100_003 : (next + 1) * 10_000
                try pair.right.write(Array(sent[next * 10_000..<end]))
                next += 1
            }
            let count = try early.first?.result ?? asker.result(of: token)
            #expect(count > 0 && count <= left)
            left -= count
        }
        #expect(try pair.left.read(10) == Array(sent.suffix(3)))
    }

    @Test func `answers nothing when the peer has ended`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        try pair.right.write(pattern(500))
        shutdown(pair.right.number, Int32(SHUT_WR))
        let some = try asker.ask(.dropReceived(socket: pair.left.descriptor, count: 1 << 30))
        #expect(some == 500)
        let nothing = try asker.ask(.dropReceived(socket: pair.left.descriptor, count: 5))
        #expect(nothing == 0)
    }

    @Test func `ends when it is cancelled`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let token = asker.start(.dropReceived(socket: pair.left.descriptor, count: 1 << 30))
        _ = try asker.settle()
        #expect(try asker.ask(.cancel(token)) == 0)
        #expect(try asker.result(of: token) == -KernelError.cancelled.code)
    }
}
