/// Bytes from a connection: where they go, and when the kernel may bring more.

import Engine
import HTTP
import IO
import Loop

extension Core {
    /// A connection may have this much waiting before its receive is stopped; a whole head always.
    var inputPauseBytes: Int { max(32 << 10, settings.limits.headBytes) }

    func armReceive(_ slot: Int) {
        let flags = connections[slot].flags
        guard flags.isDisjoint(with: [.receiving, .peerEnded, .ending, .receiveDeferred]) else {
            return
        }
        if let count = bytesToDrop(slot) {
            connections[slot].flags.insert(.receiving)
            connections[slot].flags.remove(.receiveCancelled)
            return loop.push(
                .dropReceived(socket: connections[slot].socket, count: count),
                token(.receive, slot))
        }
        updateBackpressure()
        if backpressure.holdsBack { return deferReceive(slot) }
        connections[slot].flags.insert(.receiving)
        connections[slot].flags.remove(.receiveCancelled)
        loop.push(
            .receive(
                socket: connections[slot].socket, group: BufferGroup(id: 0),
                once: flags.contains(.receivesOnce)),
            token(.receive, slot))
    }

    private func deferReceive(_ slot: Int) {
        let flags = connections[slot].flags
        // The handler of a busy one asks the kernel for what it wants itself.
        guard !flags.contains(.busy) else { return }
        connections[slot].flags.insert(.receiveDeferred)
        if isDeadlineForReceiving(slot) {
            connections[slot].deadline = 0  // It is not the client who is late.
        }
        deferred.append(slot)
    }

    /// Not for what is being sent, nor a handler's.
    private func isDeadlineForReceiving(_ slot: Int) -> Bool {
        connections[slot].flags.isDisjoint(with: [.sending, .busy, .lingering, .ending])
    }

    private func updateBackpressure() {
        // Cached objects make room for clients, but for the few that are just being sent.
        backpressure.update(
            bytesKept: inputBytes, bytesFree: front.bytesFree + cache.bytesLendable,
            handlerCount: handlers.unansweredCount)
    }

    /// Memory has come back, a handler has ended, or a second.
    func receiveAgain() {
        // Others that look may have found room first: then these are still to be told.
        guard backpressure.holdsBack || !deferred.isEmpty || !withheld.isEmpty else { return }
        updateBackpressure()
        guard !backpressure.holdsBack else { return }
        for buffer in withheld { loop.recycle(buffer: buffer) }
        withheld.removeAll(keepingCapacity: true)
        var slots: [Int] = []
        swap(&slots, &deferred)
        for slot in slots where connections[slot].flags.contains(.receiveDeferred) {
            connections[slot].flags.remove(.receiveDeferred)
            if isDeadlineForReceiving(slot) {
                setDeadline(slot, seconds: settings.headTimeoutSeconds)
            }
            armReceive(slot)
        }
    }

    func cancelReceive(_ slot: Int) {
        guard connections[slot].flags.contains(.receiving),
            !connections[slot].flags.contains(.receiveCancelled)
        else { return }
        connections[slot].flags.insert(.receiveCancelled)
        loop.push(.cancel(token(.receive, slot)), Token(.ignored))
    }

    @inline(__always)
    func token(_ kind: Token.Kind, _ slot: Int) -> Token {
        Token(kind, generation: connections[slot].generation, slot: UInt32(slot))
    }

    func received(_ slot: Int, _ completion: Completion) {
        if !completion.more {
            connections[slot].flags.remove(.receiving)
            connections[slot].flags.remove(.receiveCancelled)
        }
        if let buffer = completion.buffer {
            if completion.result > 0 {
                let size = CoreMemory.receiveBufferSize
                take(
                    slot,
                    Region(
                        offset: memory.receiveBuffers.offset + UInt32(Int(buffer) * size),
                        count: UInt32(completion.result)))
            }
            updateBackpressure()
            if backpressure.holdsBack {
                withheld.append(buffer)
            } else {
                loop.recycle(buffer: buffer)
            }
        } else if completion.result > 0 {
            dropped(slot, UInt32(completion.result))
        }
        let error = KernelError(result: completion.result)
        if completion.result == 0 || (error != nil && error != .noBuffers && error != .cancelled) {
            connections[slot].flags.insert(.peerEnded)
            if error != nil { counters.connectionErrors += 1 }
        }
        if !completion.more { receiveEnded(slot) }
    }

    /// The receive that was armed has posted its last completion.
    private func receiveEnded(_ slot: Int) {
        let flags = connections[slot].flags
        if flags.contains(.busy) {
            // The handler asked for quiet, or the peer ended: both want to know.
            wakeArrival(slot)
        } else if flags.contains(.ending) {
            closeIfQuiet(slot)
        } else if flags.contains(.peerEnded) {
            // Half-closed peers still get what they asked for: see `goOn`.
            if !flags.contains(.sending) { end(slot) }
        } else if Int(connections[slot].inputCount) < inputPauseBytes {
            armReceive(slot)
        }
    }

    private func take(_ slot: Int, _ bytes: Region) {
        let flags = connections[slot].flags
        if !flags.isDisjoint(with: [.ending, .lingering, .closesAfterOutput]) { return }
        counters.bytesIn &+= UInt64(bytes.count)
        if connections[slot].unwantedCount > 0 {
            let skipped = skipUnwanted(slot, Int(bytes.count))
            if skipped == Int(bytes.count) { return }
            return work(slot, bytes.part(from: skipped, count: Int(bytes.count) - skipped))
        }
        work(slot, bytes)
    }

    @inline(__always)
    private func work(_ slot: Int, _ bytes: Region) {
        let flags = connections[slot].flags
        if flags.contains(.busy) {
            let rest = fillBody(slot, bytes)
            if rest.count > 0 {
                keep(slot, rest)
                if connections[slot].waitsForAny { wakeArrival(slot) }
            }
        } else if flags.contains(.sending) || connections[slot].inputCount > 0 {
            keep(slot, bytes)
            if !flags.contains(.sending) { processInput(slot) }
        } else {
            let used = process(slot, bytes, seenCount: 0)
            let rest = bytes.part(from: used, count: Int(bytes.count) - used)
            if rest.count > 0 { keep(slot, rest) }
            flush(slot)
        }
    }

    /// Hands the handler that waits for body bytes what it wants; answers what is left over.
    private func fillBody(_ slot: Int, _ bytes: Region) -> Region {
        let wanted = Int(connections[slot].body.count) - Int(connections[slot].bodyCount)
        guard connections[slot].arrival != nil, wanted > 0 else { return bytes }
        let count = min(wanted, Int(bytes.count))
        arena.copy(
            bytes.part(from: 0, count: count),
            to: connections[slot].body.part(
                from: Int(connections[slot].bodyCount), count: count))
        connections[slot].bodyCount += UInt32(count)
        if count == wanted { wakeArrival(slot) }
        return bytes.part(from: count, count: Int(bytes.count) - count)
    }

    func wakeArrival(_ slot: Int) {
        if let ticket = connections[slot].arrival.take() { loop.wake(ticket) }
    }

    /// Puts bytes aside until they can be worked on.
    private func keep(_ slot: Int, _ bytes: Region) {
        guard connections[slot].flags.isDisjoint(with: [.ending, .lingering, .closesAfterOutput])
        else { return }
        let have = Int(connections[slot].inputCount)
        let wanted = have + Int(bytes.count)
        if wanted > Int(connections[slot].input.count) {
            guard wanted <= BufferPool.largest, let region = leaseFront(max(wanted, 4096)) else {
                // A client that sends on and on without waiting for answers, or one of too many.
                counters.inputOverflows += 1
                return end(slot)
            }
            if have > 0 {
                arena.copy(connections[slot].input.part(from: 0, count: have), to: region)
            }
            giveBackInput(slot)
            connections[slot].input = region
            inputBytes += Int(region.count)
        }
        arena.copy(
            bytes, to: connections[slot].input.part(from: have, count: Int(bytes.count)))
        connections[slot].inputCount = UInt32(wanted)
        if wanted >= inputPauseBytes { cancelReceive(slot) }
    }

    /// Forgets the first `count` bytes that were kept.
    func consumeInput(_ slot: Int, _ count: Int) {
        let rest = Int(connections[slot].inputCount) - count
        if rest == 0 {
            giveBackInput(slot)
        } else if count > 0 {
            arena.move(
                connections[slot].input.part(from: count, count: rest),
                to: connections[slot].input)
            connections[slot].inputCount = UInt32(rest)
        }
        connections[slot].inputSeen = 0
    }

    func giveBackInput(_ slot: Int) {
        guard connections[slot].input.count > 0 else { return }
        inputBytes -= Int(connections[slot].input.count)
        giveBackFront(connections[slot].input)
        connections[slot].input = Region(offset: 0, count: 0)
        connections[slot].inputCount = 0
    }

    /// Works on what was kept, as far as that goes now.
    func processInput(_ slot: Int) {
        let count = Int(connections[slot].inputCount)
        guard count > 0 else { return }
        let used = process(
            slot, connections[slot].input.part(from: 0, count: count),
            seenCount: Int(connections[slot].inputSeen))
        guard connections.isOpen(slot), connections[slot].inputCount > 0 else { return }
        let seen = connections[slot].inputSeen
        consumeInput(slot, used)
        connections[slot].inputSeen = seen
        flush(slot)
        if connections[slot].flags.isDisjoint(with: [.busy, .ending]),
            Int(connections[slot].inputCount) < inputPauseBytes
        {
            armReceive(slot)
        }
    }
}
