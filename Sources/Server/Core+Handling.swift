/// Requests that must wait: one task each, straight-line on the ring's thread, and what it may do
/// with its connection.

import HTTP
import IO
import Loop
import Store

extension Core {
    func startHandler(_ slot: Int, _ head: RequestHead, _ bytes: Region) {
        requestNumber &+= 1
        let request = Request(
            slot: slot, head: head, bytes: copy(bytes), number: requestNumber,
            handedAt: loop.now)
        connections[slot].flags.insert(.busy)
        connections[slot].deadline = 0
        // Long bodies wait in the kernel until the handler has room for them, not in the front.
        if (request.bodyCount ?? .max) > Core.bodyBytesKeptMax {
            connections[slot].flags.insert(.receivesOnce)
            cancelReceive(slot)
        } else {
            connections[slot].flags.remove(.receivesOnce)
            if Int(connections[slot].inputCount) < inputPauseBytes { armReceive(slot) }
        }
        handlers.begin(request)
        underWay.began(request)
        beginPressing(request)
        probeDelay()
        if let ticket = handlers.takeParked() {
            loop.wake(ticket)
        } else {
            Task(executorPreference: loop) { await self.work() }
        }
    }

    /// A handler task's life: request after request, parked in between.
    private func work() async {
        while let request = handlers.next() {
            await run(request)
            guard handlers.hasRoom, !loop.isStopping else { return }
            let ticket = loop.makeTicket()
            handlers.park(ticket)
            _ = await loop.answer(ticket)
        }
    }

    /// Ends the tasks that nobody has needed since the last time.
    func trimHandlers() {
        for ticket in handlers.takeUnneeded() { loop.wake(ticket) }
    }

    func copy(_ region: Region) -> [UInt8] {
        let bytes = arena.span(region)
        return [UInt8](capacity: bytes.count) { $0.append(bytes) }
    }

    private func run(_ request: Request) async {
        counters.queueWaits.add(loop.now - request.handedAt)
        defer { underWay.ended(request) }
        var body = BodyProgress(request.head)
        var keepsAlive = request.head.keepAlive && phase != .draining
        // Answers to earlier requests of the same segment go first.
        if await sendEarlier(request.slot) {
            do throws(Answer) {
                try refuseBrokenChunks(request, &body)
                try await handle(request, &body)
            } catch {
                if error.closes { keepsAlive = false }
                let willClose = body.end(drainBytesMax: settings.drainBytesMax) == .close
                noteFailure(error, number: request.number)
                write(error, to: request, keepAlive: keepsAlive && !willClose)
            }
        }
        if body.end(drainBytesMax: settings.drainBytesMax) == .clean {
            release(request.slot, keepsAlive: keepsAlive)
        } else {
            await finish(request, &body, keepsAlive: keepsAlive)
        }
    }

    @inline(__always)
    private func sendEarlier(_ slot: Int) async -> Bool {
        if connections[slot].outputCount > 0 { return await sendOutput(slot, more: false) }
        giveBackOutput(slot)
        return !connections[slot].flags.contains(.ending)
    }

    /// What the operator has to look after, under the number that the client may have been told.
    func noteFailure(_ answer: Answer, number: UInt64) {
        guard answer.status.rawValue >= 500, answer.isNews else { return }
        settings.log("request \(loop.index)-\(number): \(answer.cause ?? answer.line)")
    }

    /// Nobody here takes chunks, but bytes between which nothing can be told apart are refused for
    /// that, as far as they are here already.
    private func refuseBrokenChunks(
        _ request: Request, _ body: inout BodyProgress
    ) throws(Answer) {
        guard body.isChunked, connections[request.slot].inputCount > 0 else { return }
        let kept = connections[request.slot].input.part(
            from: 0, count: Int(connections[request.slot].inputCount))
        var decoder = ChunkedDecoder(limits: settings.limits)
        var position = 0
        while true {
            switch decoder.next(in: arena.span(kept), at: &position) {
            case .data: continue
            case .needsMore, .end: return
            case .invalid(let refusal):
                body.fail()
                throw Answer(refusal)
            }
        }
    }

    /// Gives the connection back: rest of the body, next request, or the end.
    private func finish(
        _ request: Request, _ body: inout BodyProgress, keepsAlive: Bool
    ) async {
        let slot = request.slot
        var keepsAlive = keepsAlive
        // The answer does not wait for a body that it does not depend on.
        switch body.end(drainBytesMax: settings.drainBytesMax) {
        case .clean: break
        case .drain:
            keepsAlive = await sendOutput(slot, more: false) && keepsAlive
            keepsAlive = await drain(slot, &body) && keepsAlive
        case .drainChunked:
            keepsAlive = await sendOutput(slot, more: false) && keepsAlive
            keepsAlive = await drainChunked(slot) && keepsAlive
        case .close: keepsAlive = false
        }
        release(slot, keepsAlive: keepsAlive)
    }

    private func release(_ slot: Int, keepsAlive: Bool) {
        var keepsAlive = keepsAlive
        endPressing(slot)
        connections[slot].flags.remove(.busy)
        connections[slot].interruptible = nil
        handlers.end()
        receiveAgain()
        if connections[slot].flags.contains(.ending) { return closeIfQuiet(slot) }
        if connections[slot].flags.contains(.timedOut) {
            connections[slot].flags.remove(.timedOut)
            keepsAlive = false
        }
        if !keepsAlive || phase == .draining {
            connections[slot].flags.insert(.closesAfterOutput)
        }
        flush(slot)
        guard connections[slot].flags.isDisjoint(with: [.sending, .closesAfterOutput]) else {
            return
        }
        goOn(slot)
    }

    // MARK: Out

    /// Sends what is collected and waits for it. False if the connection is gone.
    func sendOutput(_ slot: Int, more: Bool) async -> Bool {
        let count = Int(connections[slot].outputCount)
        guard count > 0 else {
            giveBackOutput(slot)
            return !connections[slot].flags.contains(.ending)
        }
        let isSent = await send(
            slot, connections[slot].output.part(from: 0, count: count), more: more)
        giveBackOutput(slot)
        return isSent
    }

    /// Sends all of `bytes` and waits for it. False if the connection is gone, or its peer took
    /// nothing for too long.
    func send(_ slot: Int, _ bytes: Region, more: Bool) async -> Bool {
        await sendSome(slot, bytes, more: more, canYield: false) == Int(bytes.count)
    }

    /// The same; answers how many bytes went out, nil if the connection is gone. Not all only for
    /// who can yield the buffers that it holds: others need them. What is `lent` leaves without a
    /// copy; who takes it so slowly that it has to be sent in parts gets copies of the rest.
    func sendSome(
        _ slot: Int, _ bytes: Region, more: Bool, canYield: Bool, lending lent: Token? = nil
    ) async -> Int? {
        if canYield { beginYielding(slot) }
        let presses = beginWait(slot)
        defer {
            if canYield { endYielding(slot) }
            endWait(slot, presses)
        }
        var (rest, lent) = (bytes, lent)
        while rest.count > 0 {
            guard !connections[slot].flags.contains(.ending) else { return nil }
            let start = loop.now
            let result: Int32
            if let token = lent.take() {
                guard let sent = await sendZeroCopy(slot, rest, more: more, token) else { continue }
                result = sent
            } else {
                result = await interruptibly(
                    slot, .send(socket: connections[slot].socket, source: rest, more: more),
                    seconds: settings.sendTimeoutSeconds)
            }
            counters.sendWaits.add(loop.now - start)
            let flags = connections[slot].flags
            let outcome = SendOutcome(
                result, of: rest.count, isLate: flags.contains(.timedOut),
                hasToYield: flags.contains(.hasToYield))
            connections[slot].flags.remove(.hasToYield)
            if outcome == .failed {
                counters.connectionErrors += 1
                end(slot)
                return nil
            }
            connections[slot].flags.remove(.timedOut)
            let count = Int(max(0, result))
            counters.bytesOut &+= UInt64(count)
            rest = rest.part(from: count, count: Int(rest.count) - count)
            if outcome == .yielded { break }
        }
        return Int(bytes.count - rest.count)
    }

    /// Performs an operation that the connection's deadline or end may cut short.
    func interruptibly(
        _ slot: Int, _ operation: Operation, seconds: UInt32
    ) async -> Int32 {
        let ticket = loop.start(operation)
        return await answer(slot, ticket, of: ticket.token, seconds: seconds)
    }

    /// Waits for one that the kernel knows by `token`.
    func answer(_ slot: Int, _ ticket: Ticket, of token: Token, seconds: UInt32) async -> Int32 {
        connections[slot].interruptible = token
        setDeadline(slot, seconds: seconds)
        let result = await loop.answer(ticket)
        connections[slot].interruptible = nil
        connections[slot].deadline = 0
        return result
    }

    /// The interim answer for which a client with `Expect: 100-continue` waits.
    func sendContinue(_ slot: Int, _ body: inout BodyProgress) async -> Bool {
        guard body.awaitsContinue else { return true }
        body.awaitsContinue = false
        // What has come already needs no invitation (RFC 9110 §10.1.1).
        if connections[slot].inputCount > 0 { return true }
        guard let room = outputRoom(slot, 64) else { return false }
        var output = arena.output(room)
        output.appendStatusLine(.continue)
        output.appendHeadEnd()
        connections[slot].outputCount += UInt32(output.count)
        counters.answered(100)
        return await sendOutput(slot, more: false)
    }

    // MARK: In

    /// Fills `target` from the body; fewer bytes mean that the peer ended or stalled.
    @inline(__always)
    func receiveBody(_ slot: Int, into target: Region) async -> Int {
        if Int(connections[slot].inputCount) >= Int(target.count) {
            counters.receiveWaits.add(0)
            return takeKept(slot, into: target)
        }
        return await receiveMissing(slot, into: target)
    }

    private func receiveMissing(_ slot: Int, into target: Region) async -> Int {
        let start = loop.now
        let presses = beginWait(slot)
        defer {
            counters.receiveWaits.add(loop.now - start)
            endWait(slot, presses)
        }
        var count = takeKept(slot, into: target)
        // A few bytes come with a multishot receive that is armed already; many are received where
        // they belong, for which it must be out of the way.
        if Int(target.count) - count <= Core.directReceiveBytesMin {
            let rest = target.part(from: count, count: Int(target.count) - count)
            count += await receiveKept(slot, rest)
        }
        guard count < Int(target.count),
            connections[slot].flags.isDisjoint(with: [.timedOut, .peerEnded, .ending])
        else { return count }
        await quietReceive(slot)
        count += takeKept(slot, into: target.part(from: count, count: Int(target.count) - count))
        return count + (await receiveDirect(slot, target, from: count))
    }

    static let directReceiveBytesMin = 32 << 10
    /// A body up to this length may come with its head: two receive buffers at most.
    static let bodyBytesKeptMax: UInt64 = 8 << 10

    /// Whether a body that brought so many bytes within its timeout may go on.
    private func isFastEnough(_ count: Int) -> Bool {
        count >= max(1, Int(settings.bodyTimeoutSeconds) * settings.bodyBytesPerSecondMin)
    }

    private func takeKept(_ slot: Int, into target: Region) -> Int {
        let count = min(Int(connections[slot].inputCount), Int(target.count))
        guard count > 0 else { return 0 }
        arena.copy(
            connections[slot].input.part(from: 0, count: count),
            to: target.part(from: 0, count: count))
        consumeInput(slot, count)
        return count
    }

    /// Waits until the receive that is armed has brought `target`, or has ended.
    private func receiveKept(_ slot: Int, _ target: Region) async -> Int {
        connections[slot].body = target
        connections[slot].bodyCount = 0
        while connections[slot].bodyCount < target.count {
            let flags = connections[slot].flags
            guard flags.contains(.receiving),
                flags.isDisjoint(with: [.receiveCancelled, .peerEnded, .ending, .timedOut])
            else { break }
            let before = connections[slot].bodyCount
            let ticket = loop.makeTicket()
            connections[slot].arrival = ticket
            setDeadline(slot, seconds: settings.bodyTimeoutSeconds)
            _ = await loop.answer(ticket)
            connections[slot].deadline = 0
            if isFastEnough(Int(connections[slot].bodyCount - before)) {
                connections[slot].flags.remove(.timedOut)
            }
        }
        let count = Int(connections[slot].bodyCount)
        connections[slot].body = Region(offset: 0, count: 0)
        connections[slot].bodyCount = 0
        return count
    }

    /// Ends the receive that is armed and waits for its last completion.
    private func quietReceive(_ slot: Int) async {
        while connections[slot].flags.contains(.receiving) {
            cancelReceive(slot)
            let ticket = loop.makeTicket()
            connections[slot].arrival = ticket
            _ = await loop.answer(ticket)
        }
    }

    private func receiveDirect(_ slot: Int, _ target: Region, from start: Int) async -> Int {
        var count = start
        while count < Int(target.count) {
            let flags = connections[slot].flags
            guard flags.isDisjoint(with: [.peerEnded, .ending]) else { break }
            let rest = target.part(from: count, count: Int(target.count) - count)
            let received = await interruptibly(
                slot, .receiveInto(socket: connections[slot].socket, target: rest, whole: true),
                seconds: settings.bodyTimeoutSeconds)
            let isLate = connections[slot].flags.contains(.timedOut)
            if !isLate, received < Int32(rest.count) {
                connections[slot].flags.insert(.peerEnded)
            }
            guard received > 0 else { break }
            count += Int(received)
            counters.bytesIn &+= UInt64(received)
            if isLate {
                guard received == Int32(rest.count) || isFastEnough(Int(received)) else { break }
                connections[slot].flags.remove(.timedOut)
            }
        }
        return count - start
    }
}
