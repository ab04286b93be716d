/// Buffers that clients hold by not reading: who sends out of one lets go of it when others wait
/// for memory, and fills another when its client reads on.

import IO
import Loop

/// Verified bytes of an object in a leased buffer.
struct LeasedBytes {
    let buffer: Region
    let bytes: Region
}

extension Core {
    /// What a client that reads at all may take for the bytes of one buffer before others come
    /// first. Of the coarse clock, so at least one second.
    private static let stallSeconds: UInt32 = 2

    /// Once a second while memory is short.
    func cutStalledSends() {
        for slot in 0..<connections.slotEnd where connections[slot].flags.contains(.canYield) {
            let secondsLeft = connections[slot].deadline &- seconds
            guard secondsLeft &+ Core.stallSeconds <= settings.sendTimeoutSeconds,
                let token = connections[slot].interruptible
            else { continue }
            connections[slot].flags.insert(.hasToYield)
            loop.cancel(token)
        }
    }

    func beginYielding(_ slot: Int) {
        connections[slot].flags.insert(.canYield)
        yieldingCount += 1
    }

    func endYielding(_ slot: Int) {
        connections[slot].flags.remove(.canYield)
        yieldingCount -= 1
    }

    /// For how long, in nanoseconds, the first in line for a buffer has waited beyond what it may
    /// take until clients that do not read have let go of theirs.
    var bufferDelay: UInt64 {
        let wait = memory.longestWait
        guard yieldingCount > 0 else { return wait }
        let patience = UInt64(Core.stallSeconds + 1) * 1_000_000_000
        return wait - min(wait, patience)
    }

    func giveBack(_ leased: LeasedBytes?) {
        guard let leased else { return }
        memory.giveBack(BufferLease(attaching: leased.buffer))
    }

    /// Sends the head that was collected, while the buffers of what follows are held. Answers what
    /// is left of it for `finishHead`: something only if others need those. Nil if the connection
    /// is gone.
    func startHead(_ slot: Int) async -> Region? {
        let head = connections[slot].output.part(
            from: 0, count: Int(connections[slot].outputCount))
        guard let sent = await sendSome(slot, head, more: true, canYield: true) else { return nil }
        return head.part(from: sent, count: Int(head.count) - sent)
    }

    /// Sends what `startHead` left, once the buffers are given back. False if the connection is
    /// gone.
    func finishHead(_ slot: Int, _ rest: Region?) async -> Bool {
        var isSent = rest != nil && !connections[slot].flags.contains(.ending)
        if let rest, rest.count > 0 { isSent = await send(slot, rest, more: true) }
        giveBackOutput(slot)
        return isSent
    }

    /// Waits, after the client took so many bytes, if any, until its socket takes more. False if
    /// the connection is gone or too slow. A poll calls a socket writable only when a good part of
    /// what it holds is gone, so a client may be late once and have taken something all the same.
    func makesRoom(_ slot: Int, taken: Int, _ isLate: inout Bool) async -> Bool {
        let presses = beginWait(slot)
        defer { endWait(slot, presses) }
        if taken > 0 { isLate = false }
        if !isLate {
            let start = loop.now
            let ready = await interruptibly(
                slot, .poll(descriptor: connections[slot].socket, readiness: .writable),
                seconds: settings.sendTimeoutSeconds)
            counters.sendWaits.add(loop.now - start)
            isLate = connections[slot].flags.contains(.timedOut)
            connections[slot].flags.remove(.timedOut)
            if ready > 0 || isLate { return !connections[slot].flags.contains(.ending) }
        }
        end(slot)
        return false
    }
}
