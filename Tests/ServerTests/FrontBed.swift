// One core's HTTP front without a kernel: the test plays it, turn by turn, with its own clock.

import Foundation
import IO
import Loop
import Testing

@testable import Server

/// A core, its loop, and sockets that are plain arrays. It belongs to the thread that made it.
final class FrontBed {
    let loop: EventLoop
    let memory: CoreMemory
    let core: Core
    private(set) var now: UInt64 = 1_000_000_000
    private(set) var closedDescriptors: Set<Int32> = []
    private var clients: [Int32: Client] = [:]
    private var acceptTokens: [Int32: Token] = [:]
    private var freeBuffers: [UInt16] = []
    private var nextSocket: Int32 = 100
    private var hasActed = false

    static let listener = Descriptor(50)
    static let metricsListener = Descriptor(51)

    /// Runs `body` with a fresh core that listens, and checks that it leaks no buffer.
    static func run(
        settings: FrontSettings = FrontSettings(secret: [1], adminToken: Array("admin".utf8)),
        megabytes: Int = 16, _ body: (FrontBed) throws -> Void
    ) throws {
        let bed = try FrontBed(settings, megabytes)
        bed.loop.attach(ring: nil)
        defer { bed.loop.detach() }
        let core = bed.core
        bed.loop.observer = core
        Task(executorPreference: bed.loop) { await core.keepTime() }
        bed.settle()
        core.assumeIsolated {
            $0.serve(FrontBed.listener, isMetrics: false)
            $0.serve(FrontBed.metricsListener, isMetrics: true)
        }
        bed.settle()
        try body(bed)
        bed.core.assumeIsolated { $0.endAll() }
        bed.settle()
        #expect(bed.frontBytesUsed == 0, "a connection kept a buffer of the front")
        #expect(bed.memory.bytesFree == bed.memory.bytesTotal, "a handler kept a buffer")
        #expect(bed.core.assumeIsolated { $0.connectionCount } == 0)
    }

    private init(_ settings: FrontSettings, _ megabytes: Int) throws {
        let count = megabytes << 20
        // Lives as long as the process, as every arena does.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1 << 12)
        let arena = unsafe Arena(bytes)
        loop = try EventLoop(index: 0)
        memory = CoreMemory(arena: arena, loop: loop)
        core = try Core(loop: loop, memory: memory, settings: settings, hashKey: 7)
        let bufferCount = Int(memory.receiveBuffers.count) / CoreMemory.receiveBufferSize
        freeBuffers = (0..<bufferCount).map { UInt16($0) }
    }

    var frontBytesUsed: Int {
        core.assumeIsolated { $0.front.bytesTotal - $0.front.bytesFree }
    }

    // MARK: The world

    func connect(to listener: Descriptor = FrontBed.listener) -> Client {
        let client = Client(socket: nextSocket)
        nextSocket += 1
        clients[client.socket] = client
        guard let token = acceptTokens[listener.number] else {
            Issue.record("nobody accepts")
            return client
        }
        loop.handle(Completion(token: token, result: client.socket, more: true))
        settle()
        return client
    }

    /// Lets the core do whatever it can without more time passing.
    func settle() {
        repeat {
            hasActed = false
            turn()
        } while hasActed || loop.hasJobs
    }

    /// Lets whole seconds pass, one by one.
    func pass(seconds: Int) {
        for _ in 0..<seconds {
            now += 1_000_000_000
            settle()
        }
    }

    // MARK: The kernel

    private func turn() {
        loop.runJobs(now: now, wallSeconds: 1_790_000_000 + now / 1_000_000_000)
        while let buffer = loop.nextEmptiedBuffer() { freeBuffers.append(buffer) }
        while let (operation, token) = loop.nextRequest() {
            hasActed = true
            act(operation, token)
        }
        for client in clients.values { deliver(client) }
    }

    private func complete(_ token: Token, _ result: Int32) {
        hasActed = true
        loop.handle(Completion(token: token, result: result))
    }

    private func act(_ operation: IO.Operation, _ token: Token) {
        switch operation {
        case .accept(let listener): acceptTokens[listener.number] = token
        case .receive(let socket, _): clients[socket.number]?.receiveToken = token
        case .receiveInto(let socket, let target, _):
            clients[socket.number]?.direct = Client.Direct(token: token, target: target)
        case .send(let socket, let source, _): send(clients[socket.number], source, token)
        case .cancel(let target): cancel(target)
        case .shutdown(let socket, let direction): shutDown(clients[socket.number], direction)
        case .close(let descriptor):
            closedDescriptors.insert(descriptor.number)
            clients[descriptor.number]?.isClosed = true
            complete(token, 0)
        case .nop, .sendFile, .cork, .splice, .openPipe, .discard, .poll, .read, .readCached,
            .write, .sync, .allocate,
            .advise, .open,
            .measure, .timeout, .message:
            Issue.record("the front asked for \(operation)")
        }
    }

    private func send(_ client: Client?, _ source: Region, _ token: Token) {
        guard let client else { return }
        if client.holdsSends {
            client.heldSends.append((token, source))
        } else {
            finishSend(client, token, source, Int(source.count))
        }
    }

    /// What `client` has not read yet reaches it: `count` bytes of the oldest, or all of it.
    func release(_ client: Client, count: Int? = nil) {
        guard !client.heldSends.isEmpty else { return }
        if let count {
            let (_, source) = client.heldSends[0]
            let taken = source.part(from: 0, count: count)
            client.output += bytes(taken)
            client.heldSends[0].1 = source.part(from: count, count: Int(source.count) - count)
            client.heldBytesTaken += count
        } else {
            let (token, source) = client.heldSends.removeFirst()
            finishSend(client, token, source, Int(source.count))
        }
        settle()
    }

    private func finishSend(_ client: Client, _ token: Token, _ source: Region, _ count: Int) {
        client.output += bytes(source.part(from: 0, count: count))
        let before = client.heldBytesTaken
        client.heldBytesTaken = 0
        complete(token, Int32(count + before))
    }

    private func bytes(_ region: Region) -> [UInt8] {
        let span = memory.arena.span(region)
        return unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    private func cancel(_ target: Token) {
        for (listener, token) in acceptTokens where token == target {
            acceptTokens[listener] = nil
            complete(token, KernelError.cancelled.code * -1)
        }
        for client in clients.values {
            if client.receiveToken == target { endReceive(client, -KernelError.cancelled.code) }
            if client.direct?.token == target { endDirect(client, -KernelError.cancelled.code) }
            if let held = client.heldSends.first, held.0 == target {
                client.heldSends.removeFirst()
                let taken = Int32(client.heldBytesTaken)
                client.heldBytesTaken = 0
                complete(target, taken > 0 ? taken : -KernelError.cancelled.code)
            }
        }
    }

    private func endReceive(_ client: Client, _ result: Int32) {
        guard let token = client.receiveToken else { return }
        client.receiveToken = nil
        complete(token, result)
    }

    private func endDirect(_ client: Client, _ result: Int32) {
        guard let direct = client.direct else { return }
        client.direct = nil
        complete(direct.token, direct.count > 0 ? Int32(direct.count) : result)
    }

    private func shutDown(_ client: Client?, _ direction: Direction) {
        guard let client else { return }
        client.sawEnd = true
        guard direction == .both else { return }
        endReceive(client, 0)
        endDirect(client, 0)
        for (token, _) in client.heldSends { complete(token, -KernelError.brokenPipe.code) }
        client.heldSends = []
    }

    private func deliver(_ client: Client) {
        while let token = client.receiveToken, !client.input.isEmpty {
            hasActed = true
            guard let buffer = freeBuffers.popLast() else {
                return endReceive(client, -KernelError.noBuffers.code)
            }
            let count = min(client.input.count, CoreMemory.receiveBufferSize)
            let start =
                memory.receiveBuffers.offset
                + UInt32(buffer) * UInt32(CoreMemory.receiveBufferSize)
            let piece = Array(client.input.prefix(count))
            memory.arena.copy(piece.span, to: Region(offset: start, count: UInt32(count)))
            client.input.removeFirst(count)
            loop.handle(
                Completion(token: token, result: Int32(count), buffer: buffer, more: true))
        }
        if let direct = client.direct, !client.input.isEmpty {
            let count = min(client.input.count, Int(direct.target.count) - direct.count)
            let piece = Array(client.input.prefix(count))
            memory.arena.copy(
                piece.span,
                to: direct.target.part(
                    from: direct.count, count: Int(direct.target.count) - direct.count))
            client.input.removeFirst(count)
            client.direct?.count += count
            if direct.count + count == Int(direct.target.count) { endDirect(client, 0) }
        }
        if client.hasEnded, client.input.isEmpty {
            endReceive(client, 0)
            endDirect(client, 0)
        }
    }
}

/// The other end of a connection.
final class Client {
    struct Direct {
        let token: Token
        let target: Region
        var count = 0
    }

    let socket: Int32
    fileprivate var input: [UInt8] = []
    fileprivate var hasEnded = false
    fileprivate var receiveToken: Token?
    fileprivate var direct: Direct?
    fileprivate var heldSends: [(Token, Region)] = []
    fileprivate var heldBytesTaken = 0
    /// Its receive window is closed: sends stay with the kernel.
    var holdsSends = false
    fileprivate(set) var output: [UInt8] = []
    /// The server has said its last byte.
    fileprivate(set) var sawEnd = false
    fileprivate(set) var isClosed = false

    init(socket: Int32) { self.socket = socket }

    func send(_ text: String) { input += Array(text.utf8) }
    func send(_ bytes: [UInt8]) { input += bytes }

    /// No more bytes from here, but it still listens.
    func endSending() { hasEnded = true }

    var text: String { String(decoding: output, as: UTF8.self) }

    /// The status lines it has received, bodies of text assumed.
    var statuses: [Int] {
        text.components(separatedBy: "HTTP/1.1 ").dropFirst().compactMap { Int($0.prefix(3)) }
    }

    func forgetOutput() { output = [] }
}
