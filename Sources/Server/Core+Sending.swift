/// Bytes to a connection, and its end.

import Engine
import HTTP
import IO
import Loop

extension Core {
    /// Answers that fit are collected in one buffer of this size and leave in one SEND.
    static let outputSize = 16 << 10
    /// Room for any head that this server writes, but for what of it clients choose the length of.
    static let headRoom = 2 << 10

    /// The free part of the connection's output, at least `count` bytes of it; nil if what is
    /// there must leave first, or no memory is left (`count` ≤ `outputSize` always fits an empty
    /// output of a core that is not exhausted).
    func outputRoom(_ slot: Int, _ count: Int) -> Region? {
        if connections[slot].output.count == 0 {
            // Room for several answers, unless others then had none for one.
            let reserve = backpressure.reserve(handlerCount: handlers.unansweredCount)
            let isAmple = front.bytesFree >= reserve + Core.outputSize
            guard let region = leaseFront(isAmple ? max(count, Core.outputSize) : count) else {
                return nil
            }
            connections[slot].output = region
            connections[slot].outputCount = 0
        }
        let used = Int(connections[slot].outputCount)
        let free = Int(connections[slot].output.count) - used
        guard free >= count else { return nil }
        return connections[slot].output.part(from: used, count: free)
    }

    /// Sends what has been collected, unless something is on its way already.
    func flush(_ slot: Int) {
        guard connections.isOpen(slot),
            connections[slot].flags.isDisjoint(with: [.sending, .ending, .busy])
        else { return }
        guard connections[slot].outputCount > 0 else {
            if connections[slot].flags.contains(.closesAfterOutput) { linger(slot) }
            return
        }
        let head = connections[slot].output.part(
            from: 0, count: Int(connections[slot].outputCount))
        connections[slot].flags.insert(.sending)
        setDeadline(slot, seconds: settings.sendTimeoutSeconds)
        counters.bytesOut &+= UInt64(head.count + connections[slot].entryBody.count)
        let socket = connections[slot].socket
        let operation: Operation =
            connections[slot].flags.contains(.sendsEntry)
            ? .sendPair(socket: socket, first: head, second: connections[slot].entryBody)
            // Who is told that it was the last answer gets the end of the connection with it.
            : .send(
                socket: socket, source: head,
                more: connections[slot].flags.contains(.closesAfterOutput))
        loop.push(operation, token(.send, slot))
    }

    func sent(_ slot: Int, _ result: Int32) {
        connections[slot].flags.remove(.sending)
        if connections[slot].flags.contains(.ending) { return closeIfQuiet(slot) }
        if result != Int32(connections[slot].outputCount + connections[slot].entryBody.count) {
            counters.connectionErrors += 1
            return end(slot)
        }
        giveBackOutput(slot)
        unpinEntry(slot)
        if connections[slot].flags.contains(.closesAfterOutput) { return linger(slot) }
        goOn(slot)
    }

    /// Nothing is on its way out: on with what came in meanwhile, or the end if no more will come.
    func goOn(_ slot: Int) {
        setDeadline(slot, seconds: settings.idleTimeoutSeconds)
        processInput(slot)
        let flags = connections[slot].flags
        guard flags.isDisjoint(with: [.busy, .sending, .ending, .lingering]) else { return }
        if flags.contains(.peerEnded) { return end(slot) }
        armReceive(slot)
    }

    /// Memory for heads and short answers, at the cost of cached objects where there are many.
    func leaseFront(_ count: Int) -> Region? {
        if let lease = front.lease(count) { return lease.detach() }
        return cache.borrow(count)
    }

    func giveBackFront(_ region: Region) {
        let isBorrowed = region.offset >= memory.cache.offset
        if isBorrowed {
            cache.takeBack(region)
        } else {
            front.giveBack(BufferLease(attaching: region))
        }
        receiveAgain()
    }

    /// An answer that nobody has begun needs no memory.
    func giveBackEmptyOutput(_ slot: Int) {
        if connections[slot].outputCount == 0, !connections[slot].flags.contains(.sending) {
            giveBackOutput(slot)
        }
    }

    func giveBackOutput(_ slot: Int) {
        guard connections[slot].output.count > 0 else { return }
        giveBackFront(connections[slot].output)
        connections[slot].output = Region(offset: 0, count: 0)
        connections[slot].outputCount = 0
    }

    private func unpinEntry(_ slot: Int) {
        guard connections[slot].flags.contains(.sendsEntry) else { return }
        connections[slot].flags.remove(.sendsEntry)
        connections[slot].entryBody = Region(offset: 0, count: 0)
        cache.unpin(connections[slot].sendingEntry)
    }

    /// Performs an operation that moves file pages to a client, and counts how long it took.
    func performSend(_ operation: Operation) async -> Int32 {
        let start = loop.now
        let result = await loop.perform(operation)
        counters.sendWaits.add(loop.now - start)
        return result
    }

    // MARK: The end

    /// Everything is said: half-close, and read on until the peer stops, because closing with
    /// unread bytes would reset the connection and could destroy the answer (RFC 9112 §9.6).
    func linger(_ slot: Int) {
        let flags = connections[slot].flags
        if flags.contains(.peerEnded) { return end(slot) }
        guard flags.isDisjoint(with: [.lingering, .ending]) else { return }
        connections[slot].flags.insert(.lingering)
        connections[slot].flags.remove(.receivesOnce)
        giveBackInput(slot)
        setDeadline(slot, seconds: settings.lingerSeconds)
        loop.push(
            .shutdown(socket: connections[slot].socket, direction: .sending), Token(.ignored))
        armReceive(slot)
    }

    /// Ends the connection as soon as the kernel and the handler have let go of it and of the
    /// buffers that are lent for it.
    func end(_ slot: Int) {
        guard !connections[slot].flags.contains(.ending) else { return }
        connections[slot].flags.insert(.ending)
        connections[slot].deadline = 0
        if connections[slot].hasOperationsOutstanding || connections[slot].lentBytes > 0 {
            loop.push(
                .shutdown(socket: connections[slot].socket, direction: .both), Token(.ignored))
            cancelReceive(slot)
            wakeArrival(slot)
        }
        closeIfQuiet(slot)
    }

    func closeIfQuiet(_ slot: Int) {
        guard connections[slot].flags.contains(.ending),
            !connections[slot].hasOperationsOutstanding
        else { return }
        unpinEntry(slot)
        giveBackInput(slot)
        giveBackOutput(slot)
        if waitsForLent(slot) { return }
        connections[slot].flags.insert(.closing)
        loop.push(.close(connections[slot].socket), token(.close, slot))
    }
}
