/// The load client for small objects: one thread, one ring, many connections, each with one request
/// in flight at a time.
///
/// Every completion of a turn is handled before the next requests go out together, so that a busy
/// server meets a client whose system calls are shared by many requests.

import BenchMachine
import BenchMeasure
public import IO
import Uring

public struct LoadLoop: ~Copyable {
    public static let connectionsMax = 64
    /// Requests that are the same every time are prepared here once.
    static let prepared = Region(offset: 0, count: 1 << 20)
    private static let scratchCount: UInt32 = 8 << 10
    private static let receiveCount: UInt32 = 16 << 10
    private static let replies = Region(offset: prepared.count, count: 4 << 10)
    private static let firstConnection = replies.offset + replies.count
    private static let arenaCount =
        Int(firstConnection) + connectionsMax * Int(scratchCount + receiveCount)

    private var ring: Ring
    let arena: Arena
    private var answers: [Completion] = []

    /// Must be made on the thread that will use it.
    public init() throws(KernelError) {
        let memory = try ClientMemory.map(count: LoadLoop.arenaCount)
        memory.zero(Region(offset: 0, count: UInt32(LoadLoop.arenaCount)))
        let opened = try Ring(entries: 256, arena: memory)
        ring = opened
        arena = memory
        answers.reserveCapacity(512)
    }

    /// Runs `work` over `connectionCount` fresh connections until nothing is left to ask or
    /// `seconds` have passed; requests under way then are finished and count.
    mutating func run<Kind: Work & ~Copyable>(
        _ work: inout Kind, at server: ServedAddress, connectionCount: Int, seconds: Double?,
        pool: SyncPool? = nil
    ) throws(LoadFailure) -> LoadTally {
        precondition((1...LoadLoop.connectionsMax).contains(connectionCount))
        var round = Round(pool: pool)
        defer { for state in round.connections { OpenFile.close(state.socket) } }
        for _ in 0..<connectionCount {
            let socket = try LoadFailure.during("connect") { () throws(KernelError) in
                try server.connect()
            }
            round.connections.append(ConnectionState(socket: socket))
        }
        let start = Clocks.now()
        let deadline = seconds.map { start + UInt64($0 * 1e9) } ?? .max
        for index in 0..<connectionCount { ask(index, &work, &round) }
        while round.inFlight > 0 {
            answers.removeAll(keepingCapacity: true)
            do { try ring.turn { answers.append($0) } } catch {
                throw .kernel(error, during: "a turn of the client's ring")
            }
            if !round.isOver, Clocks.now() >= deadline { round.isOver = true }
            for index in answers.indices {
                try handle(answers[index], &work, &round)
            }
        }
        var tally = round.tally
        tally.seconds = Double(Clocks.now() - start) / 1e9
        return tally
    }

    private mutating func handle<Kind: Work & ~Copyable>(
        _ completion: Completion, _ work: inout Kind, _ round: inout Round
    ) throws(LoadFailure) {
        round.inFlight -= 1
        let index = Int(completion.token.slot)
        switch completion.token.kind {
        case .send:
            guard completion.result == round.connections[index].requestCount else {
                let error = KernelError(result: completion.result) ?? .brokenPipe
                throw .kernel(error, during: "send")
            }
        case .receive:
            try received(completion.result, index, &work, &round)
        case .message:
            try flushed(completion.result, &work, &round)
        case .waiter, .accept, .close, .doorbell, .messageRefused, .ignored:
            preconditionFailure("a completion that the client never asked for")
        }
    }

    private mutating func received<Kind: Work & ~Copyable>(
        _ result: Int32, _ index: Int, _ work: inout Kind, _ round: inout Round
    ) throws(LoadFailure) {
        if let error = KernelError(result: result) { throw .kernel(error, during: "receive") }
        guard result > 0 else { throw .closed(during: "a response") }
        round.connections[index].received += Int(result)
        let count = round.connections[index].received
        let bytes = target(of: index).part(from: 0, count: count)
        switch try work.judge(bytes, for: index, in: arena) {
        case .incomplete:
            receive(index, &round)
        case .complete:
            round.tally.objectCount += 1
            ask(index, &work, &round)
        case .flushing:
            round.flushing += 1
            listenToPool(&round)
        }
    }

    /// Objects became durable: they count, and their connections go on.
    private mutating func flushed<Kind: Work & ~Copyable>(
        _ result: Int32, _ work: inout Kind, _ round: inout Round
    ) throws(LoadFailure) {
        round.isListening = false
        if let error = KernelError(result: result) { throw .kernel(error, during: "pool replies") }
        let size = MemoryLayout<SyncReply>.size
        precondition(Int(result).isMultiple(of: size), "half a record")
        for start in stride(from: 0, to: Int(result), by: size) {
            let reply = SyncReply(arena.bytes(LoadLoop.replies.part(from: start, count: size)))
            guard reply.error == 0 else {
                throw .kernel(KernelError(code: reply.error), during: "making a file durable")
            }
            round.flushing -= 1
            round.tally.objectCount += 1
            round.tally.flushNanoseconds += reply.cpuNanoseconds
            ask(Int(reply.connection), &work, &round)
        }
        listenToPool(&round)
    }

    private mutating func ask<Kind: Work & ~Copyable>(
        _ index: Int, _ work: inout Kind, _ round: inout Round
    ) {
        guard !round.isOver,
            let request = work.request(for: index, scratch: scratch(of: index), in: arena)
        else { return }
        round.connections[index].received = 0
        round.connections[index].requestCount = Int32(request.count)
        let socket = round.connections[index].socket
        ring.enqueue(
            .send(socket: socket, source: request, more: false),
            as: Token(.send, slot: UInt32(index)))
        round.inFlight += 1
        receive(index, &round)
    }

    private mutating func receive(_ index: Int, _ round: inout Round) {
        let (whole, count) = (target(of: index), round.connections[index].received)
        precondition(count < Int(whole.count), "judged incomplete though nothing more fits")
        let rest = whole.part(from: count, count: Int(whole.count) - count)
        ring.enqueue(
            .receiveInto(socket: round.connections[index].socket, target: rest, whole: false),
            as: Token(.receive, slot: UInt32(index)))
        round.inFlight += 1
    }

    private mutating func listenToPool(_ round: inout Round) {
        guard round.flushing > 0, !round.isListening, let pool = round.pool else { return }
        ring.enqueue(
            .receiveInto(socket: pool.replies, target: LoadLoop.replies, whole: false),
            as: Token(.message))
        round.isListening = true
        round.inFlight += 1
    }

    private func scratch(of index: Int) -> Region {
        let start =
            LoadLoop.firstConnection
            + UInt32(index) * (LoadLoop.scratchCount + LoadLoop.receiveCount)
        return Region(offset: start, count: LoadLoop.scratchCount)
    }

    private func target(of index: Int) -> Region {
        let scratch = scratch(of: index)
        return Region(offset: scratch.offset + scratch.count, count: LoadLoop.receiveCount)
    }
}

/// One run's connections and counts.
private struct Round {
    let pool: SyncPool?
    var connections: [ConnectionState] = []
    var tally = LoadTally()
    /// Operations whose completion is still to come.
    var inFlight = 0
    /// Objects that the pool has not answered for.
    var flushing = 0
    var isListening = false
    var isOver = false

    init(pool: SyncPool?) { self.pool = pool }
}

private struct ConnectionState {
    let socket: Descriptor
    var received = 0
    var requestCount: Int32 = 0
}

/// What a run counted.
public struct LoadTally: Equatable, Sendable {
    public var objectCount = 0
    public var seconds = 0.0
    /// CPU of the threads that made files durable.
    public var flushNanoseconds: UInt64 = 0
    public init() {}
}
