// One core's HTTP front without a kernel: the test plays it, turn by turn, with its own clock.

import Foundation
import IO
import Loop
import Simulator
import Testing

@testable import Server

/// A core, its loop, and sockets that are plain arrays. It belongs to the thread that made it.
final class FrontBed {
    let loop: EventLoop
    let memory: CoreMemory
    let core: Core
    /// What files lie on; nil for fronts that have no store.
    let disk: SimulatedDisk?
    /// Faults of sockets and files.
    let plan: FaultPlan
    private(set) var now: UInt64 = 1_000_000_000
    /// How long an operation of the disk takes, in nanoseconds.
    var diskTime: (IO.Operation) -> UInt64 = { _ in 0 }
    private(set) var closedDescriptors: Set<Int32> = []
    private var clients: [Int32: Client] = [:]
    private var backlog: [Int32: [Client]] = [:]
    private var acceptTokens: [Int32: Token] = [:]
    private var freeBuffers: [UInt16] = []
    private var diskRequests: [(SimulatedDisk.Submitted, Token)] = []
    private var timeouts: [(due: UInt64, token: Token)] = []
    /// How long whatever is ready waits for the core: a machine with more to do than it can.
    var slowness: UInt64 = 0
    private var random = SeededRandom(seed: 1)
    private var nextSocket: Int32
    private var hasActed = false
    /// Turns of the loop, as the ring would have them.
    private(set) var turnCount = 0
    /// By which queue of a network card clients come (NAPI id); 0: from this machine.
    var queue: Int32 = 0
    /// Where clients come from, as `struct sockaddr`.
    var address: [UInt8] = []
    /// The other core's, if there are two: a client it was accepted with may turn up here.
    weak var partner: FrontBed?

    static let listener = Descriptor(50)
    static let metricsListener = Descriptor(51)
    private static let listeners = [listener, metricsListener]

    init(
        _ settings: FrontSettings, _ arena: Arena, _ disk: SimulatedDisk? = nil, index: Int = 0
    ) throws {
        nextSocket = 100_000 + 1000 * Int32(index)
        self.disk = disk
        plan = disk?.plan ?? FaultPlan()
        loop = try EventLoop(index: index)
        memory = CoreMemory(arena: arena, loop: loop)
        core = try Core(loop: loop, memory: memory, settings: settings, hashKey: 7)
        let bufferCount = Int(memory.receiveBuffers.count) / CoreMemory.receiveBufferSize
        freeBuffers = (0..<bufferCount).map { UInt16($0) }
    }

    var frontBytesUsed: Int {
        on { $0.front.bytesTotal - $0.front.bytesFree }
    }

    // MARK: The world

    func connect(to listener: Descriptor = FrontBed.listener) -> Client {
        let client = Client(socket: nextSocket, queue: queue)
        nextSocket += 1
        clients[client.socket] = client
        backlog[listener.number, default: []].append(client)
        settle()
        return client
    }

    /// Lets the core do whatever it can without more time passing.
    func settle() {
        loop.attach(ring: nil)
        repeat {
            hasActed = false
            turn()
        } while hasActed || loop.hasJobs
    }

    /// Lets whole seconds pass, one by one.
    func pass(seconds: Int) {
        for _ in 0..<seconds {
            let end = now + 1_000_000_000
            // The kernel's timers end when they are due, and start others.
            while let due = timeouts.map({ $0.due + slowness }).min(), due < end {
                now = max(now, due)
                settle()
            }
            now = end
            settle()
        }
    }

    func pass(milliseconds: Int) {
        for _ in 0..<milliseconds {
            now += 1_000_000
            settle()
        }
    }

    // MARK: The kernel

    private func turn() {
        turnCount += 1
        loop.runJobs(now: now, wallSeconds: 1_790_000_000 + now / 1_000_000_000)
        while let buffer = loop.nextEmptiedBuffer() { freeBuffers.append(buffer) }
        while let (operation, token) = loop.nextRequest() {
            hasActed = true
            act(operation, token)
        }
        for listener in FrontBed.listeners { accept(on: listener) }
        for client in clients.values { deliver(client) }
        endTimeouts()
        endDiskRequest()
    }

    func complete(_ token: Token, _ result: Int32) {
        complete(Completion(token: token, result: result))
    }

    func complete(_ completion: Completion) {
        hasActed = true
        loop.handle(completion)
    }

    private func client(_ socket: Descriptor) -> Client? {
        if let handedOver = partner?.clients.removeValue(forKey: socket.number) {
            clients[socket.number] = handedOver
        }
        return clients[socket.number]
    }

    private func act(_ operation: IO.Operation, _ token: Token) {
        switch operation {
        case .accept(let listener): acceptTokens[listener.number] = token
        case .receive(let socket, _, let once):
            client(socket)?.receiveToken = token
            client(socket)?.receivesOnce = once
        case .dropReceived(let socket, let count):
            clients[socket.number]?.drop = (token, Int(count))
        case .receiveInto(let socket, let target, _):
            clients[socket.number]?.direct = Client.Direct(token: token, target: target)
        case .send(let socket, let source, let more):
            clients[socket.number]?.isLeftWaiting = more
            send(clients[socket.number], Send(token, Message([source])))
        case .sendZeroCopy(let socket, let source, _):
            send(clients[socket.number], Send(token, Message([source]), isZeroCopy: true))
        case .sendPair(let socket, let first, let second):
            send(clients[socket.number], Send(token, Message([first, second])))
        case .incomingQueue(let socket):
            complete(token, planned(.incomingQueue) ?? clients[socket.number]?.queue ?? 0)
        case .peerAddress(let socket, _) where clients[socket.number]?.isReset == true:
            complete(token, -FrontBed.notConnected.code)
        case .peerAddress(_, let target):
            let told = Array(address.prefix(Int(target.count)))
            memory.arena.copy(told.span, to: target)
            complete(token, planned(.peerAddress) ?? Int32(address.count))
        case .linkInfo(let socket, let target):
            complete(token, linkInfo(clients[socket.number], target))
        case .tune(let socket, let option):
            complete(token, planned(.tune) ?? 0)
            clients[socket.number]?.options.append(option)
        case .resetOnClose(let socket):
            clients[socket.number]?.resetsOnClose = true
            complete(token, 0)
        case .cancel(let target): cancel(target)
        case .shutdown(let socket, let direction): shutDown(clients[socket.number], direction)
        case .close(let descriptor)
        where client(descriptor) != nil || FrontBed.listeners.contains(descriptor):
            close(descriptor, token)
        case .sendFile(let socket, let head, let file, let offset, let count, let test):
            guard let disk, let client = clients[socket.number] else { return refuse(operation) }
            let bytes = disk.cached(file, offset: offset, count: count, test: test)
            let before = head.map { Message([$0]).bytes(memory.arena) } ?? []
            complete(token, sendFile(client, bytes.map { before + $0 }, .sendFile))
        case .sendPipe(let pipe, let socket, let count):
            guard let disk, let client = clients[socket.number] else { return refuse(operation) }
            let sent = sendFile(client, disk.inPipe(pipe, count: count), .sendPipe)
            if sent > 0 { disk.dropPiped(pipe, count: UInt32(sent)) }
            complete(token, sent)
        case .cork: complete(token, planned(.cork) ?? 0)
        case .poll(let socket, .writable):
            guard let client = clients[socket.number] else { return refuse(operation) }
            client.pollToken = token
            if !client.holdsSends { endPoll(client, planned(.poll) ?? Client.isWritable) }
        case .threadTime: complete(token, 0)
        case .timeout(let nanoseconds): timeouts.append((now + nanoseconds, token))
        case .close, .read, .write, .sync, .allocate, .dropCached, .open, .measure,
            .splice, .openPipe, .discard:
            guard let disk else { return refuse(operation) }
            diskRequests.append((disk.submit(operation, memory.arena), token))
        case .nop, .poll, .message: refuse(operation)
        }
    }

    private func refuse(_ operation: IO.Operation) {
        Issue.record("the front asked for \(operation)")
    }

    func planned(_ kind: OperationKind) -> Int32? {
        guard case .error(let error) = plan.outcome(of: kind) else { return nil }
        return -error.code
    }

    private func endTimeouts() {
        let ended = timeouts.filter { $0.due + slowness <= now }
        timeouts.removeAll { $0.due + slowness <= now }
        for timeout in ended { complete(timeout.token, -KernelError.timedOut.code) }
    }

    private func endDiskRequest() {
        guard let disk, !diskRequests.isEmpty else { return }
        let chosen = Int.random(in: 0..<diskRequests.count, using: &random)
        let (submitted, token) = diskRequests.remove(at: chosen)
        now += diskTime(submitted.operation)
        complete(token, disk.complete(submitted, memory.arena))
    }

    private func close(_ descriptor: Descriptor, _ token: Token) {
        closedDescriptors.insert(descriptor.number)
        let client = clients.removeValue(forKey: descriptor.number)
        client?.isClosed = true
        if let client, client.resetsOnClose { dropUntaken(client) }
        complete(token, planned(.close) ?? 0)
    }

    private func accept(on listener: Descriptor) {
        while let token = acceptTokens[listener.number],
            let client = backlog[listener.number]?.first
        {
            hasActed = true
            if let error = planned(.accept) {
                acceptTokens[listener.number] = nil
                return complete(token, error)
            }
            backlog[listener.number]?.removeFirst()
            loop.handle(Completion(token: token, result: client.socket, more: true))
        }
    }

    // MARK: Ending

    private func cancel(_ target: Token) {
        for (listener, token) in acceptTokens where token == target {
            acceptTokens[listener] = nil
            complete(token, KernelError.cancelled.code * -1)
        }
        for client in clients.values {
            if client.receiveToken == target { endReceive(client, -KernelError.cancelled.code) }
            if client.drop?.token == target { endDrop(client, -KernelError.cancelled.code) }
            if client.direct?.token == target { endDirect(client, -KernelError.cancelled.code) }
            if client.pollToken == target { endPoll(client, -KernelError.cancelled.code) }
            if client.heldSends.first?.token == target { cutSend(client) }
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

    private func endDrop(_ client: Client, _ result: Int32) {
        guard let drop = client.drop else { return }
        client.drop = nil
        complete(drop.token, result)
    }

    private func shutDown(_ client: Client?, _ direction: Direction) {
        guard let client else { return }
        client.sawEnd = true
        guard direction == .both else { return }
        endReceive(client, 0)
        endDirect(client, 0)
        endDrop(client, 0)
        breakSends(client, .brokenPipe)
    }

    private func breakSends(_ client: Client, _ error: KernelError) {
        client.sendError = error
        for send in client.heldSends { fail(client, send, error) }
        client.heldSends = []
        // A dead socket is ready for anything: POLLOUT, POLLERR, POLLHUP.
        endPoll(client, Client.isWritable)
    }

    /// ENOTCONN: what the kernel says of the peer of a socket that was reset.
    private static let notConnected = KernelError(code: 107)

    /// The client is gone without a word: its kernel answers with resets.
    func reset(_ client: Client) {
        client.isReset = true
        client.input = []
        breakSends(client, .reset)
        dropUntaken(client)
        endReceive(client, -KernelError.reset.code)
        endDirect(client, -KernelError.reset.code)
        endDrop(client, -KernelError.reset.code)
        // Who asks later learns that the stream has ended.
        client.endSending()
        settle()
    }

    // MARK: Receiving

    private func deliver(_ client: Client) {
        deliverPieces(client)
        deliverDirect(client)
        deliverDrop(client)
        if client.hasEnded, client.input.isEmpty {
            endReceive(client, 0)
            endDirect(client, 0)
            endDrop(client, 0)
        }
    }

    private func deliverPieces(_ client: Client) {
        while let token = client.receiveToken, !client.input.isEmpty {
            hasActed = true
            switch plan.outcome(of: .receive) {
            case .error(let error): return endReceive(client, -error.code)
            case .nothing: return endReceive(client, 0)
            case nil, .short: break
            }
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
            if client.receivesOnce { client.receiveToken = nil }
            loop.handle(
                Completion(
                    token: token, result: Int32(count), buffer: buffer, more: !client.receivesOnce))
        }
    }

    private func deliverDirect(_ client: Client) {
        guard let direct = client.direct, !client.input.isEmpty else { return }
        let missing = Int(direct.target.count) - direct.count
        let count = min(client.input.count, missing)
        if count == missing {
            switch plan.outcome(of: .receiveInto) {
            case nil: break
            case .error(let error): return endDirect(client, -error.code)
            case .short: return take(client, count / 2, thenEnding: true)
            case .nothing: return endDirect(client, 0)
            }
        }
        take(client, count, thenEnding: count == missing)
    }

    private func deliverDrop(_ client: Client) {
        guard let drop = client.drop, !client.input.isEmpty else { return }
        var count = min(client.input.count, drop.countMax)
        switch plan.outcome(of: .dropReceived) {
        case .error(let error): return endDrop(client, -error.code)
        case .nothing: return endDrop(client, 0)
        case .short: count = max(1, count / 2)
        case nil: break
        }
        client.input.removeFirst(count)
        endDrop(client, Int32(count))
    }

    private func take(_ client: Client, _ count: Int, thenEnding: Bool) {
        guard let direct = client.direct else { return }
        let piece = Array(client.input.prefix(count))
        let rest = Int(direct.target.count) - direct.count
        memory.arena.copy(piece.span, to: direct.target.part(from: direct.count, count: rest))
        client.input.removeFirst(count)
        client.direct?.count += count
        if thenEnding { endDirect(client, 0) }
    }
}
