/// The whole front and store on one core without a kernel: sockets, disk and clock are played, turn
/// by turn, on the calling thread. The same calls cost the same instructions every time, and what
/// is played allocates nothing, so every allocation counted is the server's.
///
/// Each of the clients has one request under way at a time, and takes every answer at once.

import Catalog
import IO
import Loop
import Server
import Store

@safe
final class PlayedServer {
    static let clientCount = 64
    static let secret = Array("secret".utf8)

    private static let listener = Descriptor(50)
    private static let firstSocket: Int32 = 100
    /// More turns than that for one request mean that it waits for ever.
    private static let turnsMax = 100_000

    private struct Client {
        var receive: Token?
        var receivesOnce = false
        /// What of its request the server has not got yet.
        var rest = 0..<0
        var isWaiting = false
        /// The beginning of its answer has come, and not yet the end.
        var hasStatus = false
    }

    private let arena: Arena
    private let loop: EventLoop
    private let memory: CoreMemory
    private let core: Core
    private let disk = MemoryDisk()
    private var now: UInt64 = 1_000_000_000
    private var accept: Token?
    private var timeout: (due: UInt64, token: Token)?
    private var clients = Array(repeating: Client(), count: PlayedServer.clientCount)
    private var freeBuffers: [UInt16]
    private var answered = 0
    /// What every answer's status must be.
    private var status = 200

    static let instance = CatalogInstance(high: 1, low: 2)

    init(_ catalog: any CatalogStorage) throws {
        arena = try makeArena(64 << 20)
        loop = try EventLoop(index: 0)
        memory = CoreMemory(arena: arena, loop: loop)
        freeBuffers = (0..<Int(memory.receiveBuffers.count) / CoreMemory.receiveBufferSize)
            .map { UInt16($0) }
        core = try Core(
            loop: loop, memory: memory,
            settings: FrontSettings(secret: PlayedServer.secret, adminToken: [1]), hashKey: 7)
        loop.attach(ring: nil)
        loop.observer = core
        let (core, loop) = (core, loop)
        Task(executorPreference: loop) { await core.keepTime() }
        try openStore(catalog)
        core.assumeIsolated { $0.serve(PlayedServer.listener, isMetrics: false) }
        turn()
        guard let accept else { throw MicroError("the played server does not listen") }
        for index in clients.indices {
            let socket = PlayedServer.firstSocket + Int32(index)
            loop.handle(Completion(token: accept, result: socket, more: true))
        }
        turn()
    }

    deinit { loop.detach() }

    private final class Opening: @unchecked Sendable {
        // Unchecked: the loop runs on the thread that waits.
        var result: Result<Void, StoreError>?
    }

    private func openStore(_ catalog: any CatalogStorage) throws {
        let setup = StoreSetup(
            directory: Descriptor(3), instance: PlayedServer.instance, sealKey: [1, 2, 3],
            catalog: catalog, capacityBytes: 2 << 30,
            volumeBytes: UInt64(MemoryDisk.fileBytesMax), report: { _ in })
        let (core, loop, opening) = (core, loop, Opening())
        Task(executorPreference: loop) {
            do throws(StoreError) {
                let shared = try await core.openStore(
                    setup, indexingOn: loop, lookingUpOn: loop)
                shared.join(core)
                try await core.begin(with: shared, hashingOn: loop)
                opening.result = .success(())
            } catch {
                opening.result = .failure(error)
            }
        }
        var turns = 0
        while opening.result == nil, turns < PlayedServer.turnsMax {
            turn()
            turns += 1
        }
        guard let result = opening.result else { throw MicroError("the store does not open") }
        try result.get()
    }

    /// Has `count` requests answered, all with `status`: those of `batch` in turn.
    func serve(_ count: Int, of batch: RequestBatch, status: Int) {
        self.status = status
        answered = 0
        var (issued, turns) = (0, 0)
        while answered < count {
            for index in clients.indices where !clients[index].isWaiting && issued < count {
                clients[index].rest = batch.ranges[issued % batch.ranges.count]
                clients[index].isWaiting = true
                issued += 1
            }
            for index in clients.indices { deliver(index, batch) }
            turn()
            turns += 1
            precondition(turns < PlayedServer.turnsMax + count, "the server does not answer")
        }
    }

    // MARK: The kernel

    private func turn() {
        now += 1_000_000
        if let (due, token) = timeout, due <= now {
            timeout = nil
            complete(token, -KernelError.timedOut.code)
        }
        repeat {
            loop.runJobs(now: now, wallSeconds: 1_790_000_000 + now / 1_000_000_000)
            while let buffer = loop.nextEmptiedBuffer() { freeBuffers.append(buffer) }
            while let (operation, token) = loop.nextRequest() { act(operation, token) }
        } while loop.hasJobs
    }

    private func complete(_ token: Token, _ result: Int32) {
        loop.handle(Completion(token: token, result: result))
    }

    private func act(_ operation: Operation, _ token: Token) {
        switch operation {
        case .accept: accept = token
        case .receive(let socket, _, let once):
            let index = Int(socket.number - PlayedServer.firstSocket)
            clients[index].receive = token
            clients[index].receivesOnce = once
        case .send(let socket, let source, let hasMore):
            take(source, from: socket, hasMore: hasMore)
            complete(token, Int32(source.count))
        case .sendPair(let socket, let first, let second):
            take(first, from: socket, hasMore: true)
            take(second, from: socket, hasMore: false)
            complete(token, Int32(first.count + second.count))
        case .nop, .read, .write, .sync, .allocate, .dropCached, .open, .measure, .close:
            complete(token, disk.perform(operation, arena))
        case .timeout(let nanoseconds):
            precondition(timeout == nil, "one timer at a time is played")
            timeout = (now + nanoseconds, token)
        case .receiveInto, .sendFile, .sendPipe, .cork, .splice, .openPipe, .discard, .poll,
            .sendZeroCopy, .incomingQueue, .peerAddress, .resetOnClose, .shutdown, .threadTime,
            .cancel, .message, .dropReceived, .linkInfo, .tune:
            preconditionFailure("nobody plays \(operation) here")
        }
    }

    /// A piece of an answer arrives; the first has the status.
    private func take(_ source: Region, from socket: Descriptor, hasMore: Bool) {
        let index = Int(socket.number - PlayedServer.firstSocket)
        precondition(clients[index].isWaiting, "an answer that nobody waits for")
        if !clients[index].hasStatus {
            let digits = arena.span(source.part(from: 9, count: 3))
            var number = 0
            for place in digits.indices { number = number * 10 + Int(digits[place]) - 48 }
            precondition(number == status, "answered with \(number), not \(status)")
        }
        clients[index].hasStatus = hasMore
        guard !hasMore else { return }
        clients[index].isWaiting = false
        answered += 1
    }

    private func deliver(_ index: Int, _ batch: RequestBatch) {
        while !clients[index].rest.isEmpty, let token = clients[index].receive,
            let buffer = freeBuffers.popLast()
        {
            let rest = clients[index].rest
            let count = min(rest.count, CoreMemory.receiveBufferSize)
            let start = Int(buffer) * CoreMemory.receiveBufferSize
            arena.copy(
                batch.bytes.span.extracting(rest.prefix(count)),
                to: memory.receiveBuffers.part(from: start, count: count))
            clients[index].rest = rest.dropFirst(count)
            let more = !clients[index].receivesOnce
            if !more { clients[index].receive = nil }
            loop.handle(
                Completion(token: token, result: Int32(count), buffer: buffer, more: more))
        }
    }
}

/// Requests one behind the other.
struct RequestBatch {
    private(set) var bytes: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []

    mutating func append(_ request: [UInt8]) {
        ranges.append(bytes.count..<bytes.count + request.count)
        bytes += request
    }
}
