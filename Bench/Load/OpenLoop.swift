/// The client of a server that has too much to do: requests leave when they are due, whatever
/// became of those before, and every answer is good, a refusal, or counted as neither.
///
/// One thread, one ring. A connection that a refusal ends is opened anew. Each time counts from
/// when its request was due, also if no connection was free then.

import BenchMachine
public import BenchMeasure
import IO
import Uring

/// How one run of it goes.
public struct OpenPlan: Sendable {
    public var server: ServedAddress
    public var connectionCount: Int
    /// Nil: each connection asks as soon as it is answered.
    public var perSecond: Double?
    /// Before what counts.
    public var warmupSeconds: Double
    public var seconds: Double

    public init(
        _ server: ServedAddress, connections: Int, perSecond: Double?, warmupSeconds: Double,
        seconds: Double
    ) {
        (self.server, connectionCount, self.perSecond) = (server, connections, perSecond)
        (self.warmupSeconds, self.seconds) = (warmupSeconds, seconds)
    }
}

/// What it asks for: objects from `firstNumber` on to be stored, or any of `count` to be fetched.
public struct OpenWork: Sendable {
    public let work: OverloadWork
    public let objects: FileObjects
    public let firstNumber: UInt64
    public let count: UInt64
    /// By which uploads are begun.
    public let token: String

    public init(
        _ work: OverloadWork, _ objects: FileObjects, firstNumber: UInt64, count: UInt64,
        token: String
    ) {
        (self.work, self.objects) = (work, objects)
        (self.firstNumber, self.count, self.token) = (firstNumber, count, token)
    }
}

public struct OpenLoop: ~Copyable {
    public static let connectionsMax = 1000
    static let receiveCount: UInt32 = 16 << 10
    private static let scratchCount: UInt32 = 1 << 10
    private static let slotCount = receiveCount + scratchCount
    private static let sendFileMax = 1 << 20
    /// Servers end connections on which nobody has asked for anything for ten seconds.
    private static let idleMax: UInt64 = 5_000_000_000
    /// What is under way when the time is over may take so long.
    private static let graceNanoseconds: UInt64 = 10_000_000_000

    private var ring: Ring
    private let arena: Arena
    private var answers: [Completion] = []
    private let plan: OpenPlan
    private let work: OpenWork
    private var text: RequestText
    private let uploadText: ChunkText
    private var random: SplitMix64
    private var lines: [OpenLine] = []
    private var free: [Int] = []
    private var count = OpenCount()

    /// Must be made on the thread that will use it.
    public init(_ plan: OpenPlan, _ work: OpenWork) throws(LoadFailure) {
        precondition((1...OpenLoop.connectionsMax).contains(plan.connectionCount))
        let size = plan.connectionCount * Int(OpenLoop.slotCount)
        let wholeSize = (size + (1 << 20) - 1) / (1 << 20) * (1 << 20)
        let memory: Arena
        let opened: Ring
        do {
            memory = try ClientMemory.map(count: wholeSize)
            opened = try Ring(entries: 2048, arena: memory)
        } catch {
            throw .kernel(error, during: "opening the client's ring")
        }
        let words = try RequestText(names: work.objects.names, secret: plan.server.secret)
        arena = memory
        ring = opened
        text = words
        uploadText = ChunkText(.tus, token: work.token)
        (self.plan, self.work) = (plan, work)
        random = SplitMix64(seed: work.firstNumber)
    }

    /// Runs once; answers what it counted.
    public mutating func run() throws(LoadFailure) -> OpenTally {
        for index in 0..<plan.connectionCount {
            lines.append(OpenLine(socket: try open(), at: Clocks.now()))
            free.append(index)
        }
        defer { for line in lines { OpenFile.close(line.socket) } }
        count.begin(at: Clocks.now(), plan)
        while true {
            let now = Clocks.now()
            try launchDue(now)
            let isPatient = now < count.end + OpenLoop.graceNanoseconds
            if count.isOver(now), free.count == lines.count || !isPatient { break }
            try turn(now)
            for completion in answers { try handle(completion) }
        }
        count.tally.broken += lines.count - free.count
        return count.tally
    }

    private func open() throws(LoadFailure) -> Descriptor {
        let socket = try LoadFailure.during("connect") { () throws(KernelError) in
            let socket = try plan.server.connect()
            try Connection.makeNonBlocking(socket)
            return socket
        }
        return socket
    }

    private mutating func turn(_ now: UInt64) throws(LoadFailure) {
        answers.removeAll(keepingCapacity: true)
        let pause = free.isEmpty ? nil : count.pause(at: now)
        let isPolling = pause == .poll
        var limit: UInt64 = 100_000_000
        if case .sleep(let nanoseconds) = pause { limit = nanoseconds }
        do { try ring.turn(sleeping: !isPolling, limit: limit) { answers.append($0) } } catch {
            throw .kernel(error, during: "a turn of the client's ring")
        }
    }

    private mutating func launchDue(_ now: UInt64) throws(LoadFailure) {
        while !free.isEmpty, let due = count.takeDue(at: now) {
            let index = free.removeFirst()
            if now - lines[index].freeSince > OpenLoop.idleMax { try reopen(index) }
            lines[index].begin(due: due)
            ask(index)
        }
    }

    // MARK: Asking

    private mutating func ask(_ index: Int) {
        var output = arena.output(scratch(index))
        let bodyCount = work.objects.bodyCount
        let number = work.firstNumber + count.tally.sentCount
        switch work.work.kind {
        case .put, .putAsking:
            text.appendPut(
                number, bodyCount: bodyCount, expectsContinue: work.work.kind == .putAsking,
                to: &output)
            lines[index].body = body(number)
        case .creation: uploadText.appendCreation(bodyCount: bodyCount, to: &output)
        case .get, .getHot: text.appendGet(random.next() % work.count, to: &output)
        }
        lines[index].number = number
        count.tally.sentCount += 1
        send(output.count, index)
    }

    /// The server has begun an upload: all its bytes.
    private mutating func askOn(_ index: Int, _ upload: CreatedUpload) {
        var output = arena.output(scratch(index))
        let bodyCount = work.objects.bodyCount
        uploadText.appendChunk(
            of: upload, at: 0, count: bodyCount, chunkBytes: bodyCount, to: &output)
        lines[index].upload = upload
        lines[index].received = 0
        lines[index].body = body(lines[index].number)
        send(output.count, index)
    }

    /// Sends the head of a request, and is ready for the answer.
    private mutating func send(_ count: Int, _ index: Int) {
        lines[index].requestCount = count
        push(
            .send(
                socket: lines[index].socket, source: scratch(index).part(from: 0, count: count),
                more: sendsBodyAtOnce(index)), .send, index)
        receive(index)
    }

    private func sendsBodyAtOnce(_ index: Int) -> Bool {
        lines[index].body != nil && work.work.kind != .putAsking
    }

    private func body(_ number: UInt64) -> FilePart {
        work.objects.source.part(of: number, count: work.objects.bodyCount)
    }

    private func scratch(_ index: Int) -> Region {
        region(index).part(from: 0, count: Int(OpenLoop.scratchCount))
    }

    private mutating func push(_ operation: Operation, _ kind: Token.Kind, _ index: Int) {
        lines[index].outstanding += 1
        ring.enqueue(
            operation, as: Token(kind, generation: lines[index].generation, slot: UInt32(index)))
    }

    private func region(_ index: Int) -> Region {
        Region(offset: UInt32(index) * OpenLoop.slotCount, count: OpenLoop.slotCount)
    }

    private func target(_ index: Int) -> Region {
        region(index).part(from: Int(OpenLoop.scratchCount), count: Int(OpenLoop.receiveCount))
    }

    private mutating func receive(_ index: Int) {
        let received = lines[index].received
        let rest = target(index).part(
            from: received, count: Int(OpenLoop.receiveCount) - received)
        push(
            .receiveInto(socket: lines[index].socket, target: rest, whole: false), .receive, index)
    }

    private mutating func sendBody(_ index: Int) {
        guard let part = lines[index].body, !lines[index].isEnding else { return }
        push(
            .sendFile(
                socket: lines[index].socket, file: part.file, offset: UInt64(part.offset),
                count: UInt32(min(part.count, OpenLoop.sendFileMax)), test: .none), .waiter, index)
    }

    // MARK: Answers

    private mutating func handle(_ completion: Completion) throws(LoadFailure) {
        let index = Int(completion.token.slot)
        precondition(
            completion.token.generation == lines[index].generation, "an answer of another life")
        lines[index].outstanding -= 1
        if lines[index].isEnding { return try reopenIfQuiet(index) }
        switch completion.token.kind {
        case .send:
            if completion.result != Int32(lines[index].requestCount) { return try fail(index) }
            if sendsBodyAtOnce(index) { sendBody(index) }
        case .receive: try received(index, completion.result)
        case .waiter: try sentBody(index, completion.result)
        // Writable again.
        case .zeroCopy: sendBody(index)
        // Readable again.
        case .accept: try drop(index)
        case .close, .message, .doorbell, .messageRefused, .writeRun, .ignored:
            preconditionFailure("nobody asked for \(completion.token.kind)")
        }
    }

    private mutating func sentBody(_ index: Int, _ result: Int32) throws(LoadFailure) {
        guard let part = lines[index].body else { return }
        let error = KernelError(result: result)
        // After a refusal the server need not read on; the answer tells.
        if let error, error != .wouldBlock {
            if lines[index].outcome == nil { lines[index].body = nil } else { try finish(index) }
            return
        }
        let sent = error == nil ? Int(result) : 0
        guard sent < part.count else {
            lines[index].body = nil
            if lines[index].outcome != nil { try finish(index) }
            return
        }
        lines[index].body = FilePart(
            file: part.file, offset: part.offset + sent, count: part.count - sent)
        push(
            .poll(descriptor: lines[index].socket, readiness: .writable), .zeroCopy, index)
    }

    private mutating func received(_ index: Int, _ result: Int32) throws(LoadFailure) {
        guard result > 0 else { return try fail(index) }
        lines[index].received += Int(result)
        let count = lines[index].received
        let bytes = Span<UInt8>(_bytes: arena.bytes(target(index).part(from: 0, count: count)))
        let head: ResponseHead?
        do { head = try ResponseHead.read(bytes) } catch { return try fail(index) }
        guard let head else { return receive(index) }
        if head.status == 100 {
            lines[index].received = 0
            sendBody(index)
            return receive(index)
        }
        if work.work.kind == .creation, head.status == 201, lines[index].upload == nil {
            let answer = bytes.extracting(0..<head.headCount)
            guard head.contentLength == 0, let upload = CreatedUpload(answer: answer) else {
                return try fail(index)
            }
            return askOn(index, upload)
        }
        let now = Clocks.now()
        let hasTime = OpenLoop.hasRetryAfter(bytes.extracting(0..<head.headCount))
        lines[index].outcome = OpenLine.Outcome(head, hasTime: hasTime, at: now)
        lines[index].rest = head.headCount + head.contentLength - count
        try drop(index)
    }

    /// Drops what has come of the answer's body.
    private mutating func drop(_ index: Int) throws(LoadFailure) {
        while lines[index].rest > 0 {
            let dropped: Int?
            do {
                dropped = try Connection.discardNow(
                    upTo: min(lines[index].rest, 1 << 20), of: lines[index].socket)
            } catch { return try fail(index) }
            guard let dropped else {
                return push(
                    .poll(descriptor: lines[index].socket, readiness: .readable), .accept, index)
            }
            guard dropped > 0 else { return try fail(index) }
            lines[index].rest -= dropped
        }
        lines[index].outcome?.endedAt = Clocks.now()
        try finish(index)
    }

    private static func hasRetryAfter(_ head: Span<UInt8>) -> Bool {
        let name = Array("\r\nRetry-After: ".utf8)
        guard head.count > name.count else { return false }
        for start in 0..<head.count - name.count
        where name.indices.allSatisfy({ head[start + $0] == name[$0] }) { return true }
        return false
    }

    // MARK: The end of a request

    /// The answer is whole. The connection is free once the body has gone, too, unless the server
    /// ends it.
    private mutating func finish(_ index: Int) throws(LoadFailure) {
        guard let outcome = lines[index].outcome, lines[index].rest == 0 else { return }
        let awaitsInvitation = work.work.kind == .putAsking && outcome.status == 503
        if outcome.closes || awaitsInvitation {
            count.add(outcome, due: lines[index].due)
            return try end(index)
        }
        guard lines[index].body == nil else { return }
        count.add(outcome, due: lines[index].due)
        lines[index].freeSince = outcome.endedAt
        free.append(index)
    }

    private mutating func fail(_ index: Int) throws(LoadFailure) {
        count.addBroken(due: lines[index].due)
        try end(index)
    }

    private mutating func end(_ index: Int) throws(LoadFailure) {
        lines[index].isEnding = true
        push(.shutdown(socket: lines[index].socket, direction: .both), .ignored, index)
    }

    /// The kernel knows nothing of the connection any more: its memory is for a new one.
    private mutating func reopenIfQuiet(_ index: Int) throws(LoadFailure) {
        guard lines[index].outstanding == 0 else { return }
        try reopen(index)
        free.append(index)
    }

    private mutating func reopen(_ index: Int) throws(LoadFailure) {
        OpenFile.close(lines[index].socket)
        let generation = lines[index].generation &+ 1 & Token.generationMax
        lines[index] = OpenLine(socket: try open(), at: Clocks.now())
        lines[index].generation = generation
    }
}
