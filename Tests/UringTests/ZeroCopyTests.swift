// Goal:   a send without a copy answers twice, tells whether bytes were copied all the same, and
//         lets go of its region in the end, however the connection ends.
// Method: over the loopback device, where the kernel copies what it delivers; what is not delivered
//         yet it keeps in place, as it would for a network card.

import Glibc
import IO
import Testing
import Uring

private let wasCopied = Completion.wasCopied

/// A connection that holds about 200 KiB on its way.
private func narrowPair() throws -> Pair {
    let pair = try Pair.tcp()
    var room: Int32 = 64 << 10
    let size = socklen_t(MemoryLayout<Int32>.size)
    _ = unsafe setsockopt(pair.left.number, SOL_SOCKET, SO_SNDBUF, &room, size)
    _ = unsafe setsockopt(pair.right.number, SOL_SOCKET, SO_RCVBUF, &room, size)
    return pair
}

extension Asker {
    fileprivate mutating func startZeroCopy(_ socket: Owned, _ source: Region) -> Token {
        start(.sendZeroCopy(socket: socket.descriptor, source: source, more: false))
    }

    /// Both answers: how much went out, then what became of it.
    fileprivate mutating func bothAnswers(of token: Token) throws -> [Completion] {
        let first = try completion(of: token)
        #expect(first.more && !first.isNotification)
        let second = try completion(of: token)
        #expect(!second.more && second.isNotification)
        return [first, second]
    }

    /// The first answer; the second one must not have come.
    fileprivate mutating func resultAlone(of token: Token) throws -> Int32 {
        let first = try completion(of: token)
        #expect(first.more && !first.isNotification)
        let others = try settle()
        #expect(others.isEmpty, "the region is free before the peer has its bytes")
        return first.result
    }
}

/// Closes the socket; another file takes its number, and is what its owner closes in the end.
private func closeNow(_ socket: Owned) throws {
    let other = try unsafe Owned(open("/dev/null", O_RDONLY))
    #expect(dup2(other.number, socket.number) == socket.number)
}

/// Makes the peer vanish: its kernel answers with a reset.
private func reset(_ socket: Owned) throws {
    var none = linger(l_onoff: 1, l_linger: 0)
    let size = socklen_t(MemoryLayout<linger>.size)
    _ = unsafe setsockopt(socket.number, SOL_SOCKET, SO_LINGER, &none, size)
    try closeNow(socket)
}

@Suite(.enabled(if: RingProbe.hasZeroCopy(), "this kernel cannot"))
struct `A send without a copy` {
    @Test(arguments: [true, false])
    func `brings all bytes, and tells that loopback copied them`(isRegistered: Bool) throws {
        var asker = try Asker(bytes: 8 << 20)
        if isRegistered { try asker.ring.registerArena() }
        for count in [1, 16 << 10, 3 << 20] {
            let pair = try Pair.tcp()
            let source = asker.region(at: 0, holding: pattern(count))
            let target = Region(offset: 4 << 20, count: UInt32(count))
            let sending = asker.startZeroCopy(pair.left, source)
            let receiving = asker.start(
                .receiveInto(socket: pair.right.descriptor, target: target, whole: true))
            #expect(try asker.bothAnswers(of: sending).map(\.result) == [Int32(count), wasCopied])
            #expect(try asker.result(of: receiving) == Int32(count))
            #expect(asker.arena.equal(source, target))
        }
    }

    @Test func `that promises more joins the next one`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let (head, body) = (
            asker.region(at: 0, holding: [1, 2, 3]), asker.region(at: 8, holding: [4, 5])
        )
        let first = asker.start(
            .sendZeroCopy(socket: pair.left.descriptor, source: head, more: true))
        #expect(try asker.completion(of: first).result == 3)
        let second = try asker.ask(.send(socket: pair.left.descriptor, source: body, more: false))
        #expect(second == 2)
        #expect(try pair.right.read(100) == [1, 2, 3, 4, 5])
        #expect(try asker.completion(of: first).isNotification)
    }

    @Test func `that is cut keeps its region until the peer has what had gone out`() throws {
        var asker = try Asker()
        let pair = try narrowPair()
        let sent = pattern(1 << 20)
        let sending = asker.startZeroCopy(pair.left, asker.region(at: 0, holding: sent))
        let early = try asker.settle()
        #expect(early.isEmpty)
        #expect(try asker.ask(.cancel(sending)) == 0)
        let count = try asker.resultAlone(of: sending)
        #expect(count > 0 && count < 1 << 20)
        #expect(try pair.right.readWhole(Int(count)) == Array(sent.prefix(Int(count))))
        let last = try asker.completion(of: sending)
        #expect(last.isNotification && last.result == wasCopied)
    }

    @Test func `to a peer that vanishes in its midst ends, and so does its hold`() throws {
        var asker = try Asker()
        let pair = try narrowPair()
        let source = asker.region(at: 0, holding: pattern(1 << 20))
        let sending = asker.startZeroCopy(pair.left, source)
        let early = try asker.settle()
        #expect(early.isEmpty)
        try reset(pair.right)
        let answers = try asker.bothAnswers(of: sending)
        #expect(answers[0].result < 1 << 20)
    }

    @Test func `is let go of when its socket is closed for good`() throws {
        var asker = try Asker()
        let pair = try narrowPair()
        let source = asker.region(at: 0, holding: pattern(1 << 20))
        let sending = asker.startZeroCopy(pair.left, source)
        #expect(try asker.ask(.cancel(sending)) == 0)
        _ = try asker.resultAlone(of: sending)
        #expect(try asker.ask(.resetOnClose(socket: pair.left.descriptor)) == 0)
        try closeNow(pair.left)
        #expect(try asker.completion(of: sending).isNotification)
        let error = #expect(throws: KernelError.self) {
            while try !pair.right.read(64 << 10).isEmpty {}
        }
        #expect(error == .reset)
    }

    @Test func `that fails is an error and answers twice as well`() throws {
        var asker = try Asker()
        let source = asker.region(at: 0, holding: pattern(16 << 10))
        let (ended, local, pipe) = (try Pair.tcp(), try Pair.local(), try Pair.pipe())
        shutdown(ended.left.number, Int32(SHUT_WR))
        for (socket, error) in [
            (ended.left.descriptor, KernelError.brokenPipe), (local.left.descriptor, .notSupported),
            (pipe.right.descriptor, KernelError(code: 88)), (notOpen, .badDescriptor),  // ENOTSOCK
        ] {
            let sending = asker.start(.sendZeroCopy(socket: socket, source: source, more: false))
            let answers = try asker.bothAnswers(of: sending)
            #expect(answers.map(\.result) == [-error.code, wasCopied])
        }
    }
}

@Suite struct `A network card's queue` {
    @Test func `is none for what comes from this machine`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        try pair.right.write([1])
        #expect(try asker.ask(.incomingQueue(socket: pair.left.descriptor)) == 0)
    }

    @Test func `is an error for what is no socket`() throws {
        var asker = try Asker()
        let pipe = try Pair.pipe()
        #expect(try asker.ask(.incomingQueue(socket: pipe.left.descriptor)) == -88)  // ENOTSOCK
        #expect(try asker.ask(.resetOnClose(socket: pipe.left.descriptor)) == -88)
    }
}

@Suite struct `Where a connection comes from` {
    @Test func `is told whole, or as much as there is room for`() throws {
        var asker = try Asker()
        let pair = try Pair.tcp()
        let target = asker.region(at: 0, holding: [UInt8](repeating: 9, count: 32))
        let count = try asker.ask(.peerAddress(socket: pair.left.descriptor, target: target))
        #expect(count == 16)
        let address = asker.bytes(target)
        #expect(Array(address[..<2]) == [2, 0] && Array(address[4..<8]) == [127, 0, 0, 1])
        #expect(address[16...].allSatisfy { $0 == 9 })
        let short = Region(offset: target.offset + 16, count: 5)
        #expect(try asker.ask(.peerAddress(socket: pair.left.descriptor, target: short)) == 16)
        #expect(Array(asker.bytes(target)[16..<22]) == Array(address[..<5]) + [9])
    }

    @Test func `is an error for what is no connection`() throws {
        var asker = try Asker()
        let target = asker.region(at: 0, holding: [1])
        let pipe = try Pair.pipe()
        let ask = { (socket: Descriptor) in Operation.peerAddress(socket: socket, target: target) }
        #expect(try asker.ask(ask(pipe.left.descriptor)) == -88)  // ENOTSOCK
        #expect(try asker.ask(ask(notOpen)) == -KernelError.badDescriptor.code)
    }
}
