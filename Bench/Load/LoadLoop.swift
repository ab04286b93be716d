/// The load client: one thread, one ring, many connections, each with one request in flight at a
/// time.
///
/// Every completion of a turn is handled before the next requests go out together, so that a busy
/// server meets a client whose system calls are shared by many requests. Small bodies go through
/// the connection's own memory; large ones leave by sendfile(2) and are dropped in the kernel when
/// they arrive (MSG_TRUNC).

import BenchMachine
import BenchMeasure
public import IO
import Uring

public struct LoadLoop: ~Copyable {
    public static let connectionsMax = 272
    /// Requests that are the same every time are prepared here once.
    static let prepared = Region(offset: 0, count: 1 << 20)
    static let receiveCount: UInt32 = 16 << 10
    private static let scratchCount: UInt32 = 8 << 10
    private static let replies = Region(offset: prepared.count, count: 4 << 10)
    private static let firstConnection = replies.offset + replies.count
    private static let arenaCount =
        Int(firstConnection) + connectionsMax * Int(scratchCount + receiveCount)
    /// So much of a file goes out at once; a socket takes less.
    private static let sendFileMax = 4 << 20
    /// Longer than any server here takes for anything.
    private static let stuckSeconds = 60

    private var ring: Ring
    let arena: Arena
    private var answers: [Completion] = []

    /// Must be made on the thread that will use it.
    public init() throws(KernelError) {
        let memory = try ClientMemory.map(count: LoadLoop.arenaCount)
        memory.zero(Region(offset: 0, count: UInt32(LoadLoop.arenaCount)))
        let opened = try Ring(entries: 1024, arena: memory)
        ring = opened
        arena = memory
        answers.reserveCapacity(1024)
    }

    /// Runs `work` over `connectionCount` fresh connections until nothing is left to ask or
    /// `seconds` have passed; requests under way then are finished and count. With a pace, some
    /// connections wait for requests to be due, and the run ends with the others' last request.
    mutating func run<Kind: Work & ~Copyable>(
        _ work: inout Kind, at server: ServedAddress, connectionCount: Int, seconds: Double?,
        pool: SyncPool? = nil, pace: Pace? = nil
    ) throws(LoadFailure) -> LoadTally {
        precondition((1...LoadLoop.connectionsMax).contains(connectionCount))
        precondition(seconds != nil || pace?.firstConnection != 0, "a pace without an end")
        var round = Round(pool: pool)
        defer { for state in round.connections { OpenFile.close(state.socket) } }
        for _ in 0..<connectionCount {
            let socket = try LoadFailure.during("connect") { () throws(KernelError) in
                try server.connect()
            }
            round.connections.append(ConnectionState(socket: socket))
            try LoadFailure.during("connect") { () throws(KernelError) in
                try Connection.makeNonBlocking(socket)
            }
        }
        let start = Clocks.now()
        round.begin(at: start, seconds: seconds, pace: pace)
        for index in 0..<round.firstPaced { ask(index, &work, &round) }
        while round.isRunning {
            let pause = launchDue(&work, &round)
            // What was due may have been nothing more to ask.
            guard round.isRunning else { break }
            try turn(pause)
            round.lookAtClock(Clocks.now())
            for index in answers.indices { try handle(answers[index], &work, &round) }
        }
        var tally = round.tally
        tally.seconds = Double(Clocks.now() - start) / 1e9
        return tally
    }

    /// Hands over what was asked and takes what has completed.
    private mutating func turn(_ pause: Schedule.Pause) throws(LoadFailure) {
        answers.removeAll(keepingCapacity: true)
        let (isPolling, limit) =
            switch pause {
            case .poll: (true, UInt64(0))
            case .sleep(let nanoseconds): (false, nanoseconds)
            case .over: (false, UInt64(LoadLoop.stuckSeconds) * 1_000_000_000)
            }
        do { try ring.turn(sleeping: !isPolling, limit: limit) { answers.append($0) } } catch {
            throw .kernel(error, during: "a turn of the client's ring")
        }
        guard pause != .over || !answers.isEmpty else {
            throw .stuck(seconds: LoadLoop.stuckSeconds)
        }
    }

    /// Sends the requests that are due, as far as connections are free, and says what to do until
    /// the next one is.
    private mutating func launchDue<Kind: Work & ~Copyable>(
        _ work: inout Kind, _ round: inout Round
    ) -> Schedule.Pause {
        guard round.schedule != nil else { return .over }
        let now = Clocks.now()
        while let (index, due) = round.takeDue(at: now) {
            round.connections[index].due = due
            ask(index, &work, &round)
        }
        // A request that is due waits for a connection: only an answer can help.
        guard !round.free.isEmpty, let schedule = round.schedule else { return .over }
        return schedule.pause(at: now)
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
            guard let body = work.body(for: index) else { return }
            round.connections[index].body = body.part
            if !body.awaitsInvitation { sendBody(index, &round) }
        case .receive:
            try received(completion.result, index, &work, &round)
        case .message:
            try flushed(completion.result, &work, &round)
        case .waiter:
            switch Wait(rawValue: completion.token.generation) {
            case .readable: try drop(index, &work, &round)
            case .writable: sendBody(index, &round)
            case .sent: try sent(completion.result, index, &round)
            case nil: preconditionFailure("a wait that the client does not know")
            }
        case .accept, .close, .zeroCopy, .doorbell, .messageRefused, .writeRun, .ignored:
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
            receive(index, work.receiveCount(for: index), &round)
        case .complete:
            finish(index, &work, &round)
        case .continues:
            ask(index, &work, &round)
        case .flushing:
            round.flushing += 1
            listenToPool(&round)
        case .invited:
            round.connections[index].received = 0
            receive(index, work.receiveCount(for: index), &round)
            sendBody(index, &round)
        case .dropping(let rest):
            round.connections[index].rest = rest
            try drop(index, &work, &round)
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
            round.tally.flushNanoseconds += reply.cpuNanoseconds
            finish(Int(reply.connection), &work, &round)
        }
        listenToPool(&round)
    }

    /// The object counts; the connection asks again, at once or when it is its turn.
    private mutating func finish<Kind: Work & ~Copyable>(
        _ index: Int, _ work: inout Kind, _ round: inout Round
    ) {
        if round.count(index, at: Clocks.now()) { ask(index, &work, &round) }
    }

    private mutating func ask<Kind: Work & ~Copyable>(
        _ index: Int, _ work: inout Kind, _ round: inout Round
    ) {
        guard round.mayAsk(index),
            let request = work.request(for: index, scratch: scratch(of: index), in: arena)
        else {
            round.hasNothingToAsk(index)
            return
        }
        round.connections[index].received = 0
        round.connections[index].requestCount = Int32(request.count)
        let follows = work.body(for: index).map { !$0.awaitsInvitation } ?? false
        ring.enqueue(
            .send(socket: round.connections[index].socket, source: request, more: follows),
            as: Token(.send, slot: UInt32(index)))
        round.inFlight += 1
        receive(index, work.receiveCount(for: index), &round)
    }

    private mutating func receive(_ index: Int, _ countMax: Int, _ round: inout Round) {
        let count = round.connections[index].received
        precondition(count < countMax, "judged incomplete though nothing more fits")
        ring.enqueue(
            .receiveInto(
                socket: round.connections[index].socket,
                target: target(of: index).part(from: count, count: countMax - count), whole: false),
            as: Token(.receive, slot: UInt32(index)))
        round.inFlight += 1
    }

    /// Drops what has arrived of a body. One call for each time that it is readable, so that no
    /// connection keeps the others waiting.
    private mutating func drop<Kind: Work & ~Copyable>(
        _ index: Int, _ work: inout Kind, _ round: inout Round
    ) throws(LoadFailure) {
        let (socket, rest) = (round.connections[index].socket, round.connections[index].rest)
        let dropped: Int?
        do { dropped = try Connection.discardNow(upTo: min(rest, 1 << 30), of: socket) } catch {
            throw .kernel(error, during: "receive")
        }
        guard dropped != 0 else { throw .closed(during: "a body") }
        round.connections[index].rest = rest - (dropped ?? 0)
        guard round.connections[index].rest > 0 else {
            finish(index, &work, &round)
            return
        }
        wait(.readable, .poll(descriptor: socket, readiness: .readable), index, &round)
    }

    /// The ring executes it now: the socket does not block.
    private mutating func sendBody(_ index: Int, _ round: inout Round) {
        guard let part = round.connections[index].body else {
            preconditionFailure("a body was asked for where there is none")
        }
        let operation = Operation.sendFile(
            socket: round.connections[index].socket, file: part.file,
            offset: UInt64(part.offset), count: UInt32(min(part.count, LoadLoop.sendFileMax)),
            test: .none)
        wait(.sent, operation, index, &round)
    }

    private mutating func sent(
        _ result: Int32, _ index: Int, _ round: inout Round
    ) throws(LoadFailure) {
        guard let part = round.connections[index].body else {
            preconditionFailure("a body went out where there is none")
        }
        let error = KernelError(result: result)
        if let error, error != .wouldBlock { throw .kernel(error, during: "sendfile") }
        guard result != 0 else { throw .kernel(.invalid, during: "sendfile") }
        let count = error == nil ? Int(result) : 0
        guard count < part.count else {
            round.connections[index].body = nil
            return
        }
        round.connections[index].body = FilePart(
            file: part.file, offset: part.offset + count, count: part.count - count)
        let socket = round.connections[index].socket
        wait(.writable, .poll(descriptor: socket, readiness: .writable), index, &round)
    }

    private mutating func wait(
        _ wait: Wait, _ operation: Operation, _ index: Int, _ round: inout Round
    ) {
        let token = Token(.waiter, generation: wait.rawValue, slot: UInt32(index))
        ring.enqueue(operation, as: token)
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

/// What a connection waits for besides an answer.
private enum Wait: UInt32 { case readable, writable, sent }
