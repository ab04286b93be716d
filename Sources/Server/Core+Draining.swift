/// Bodies that nobody wants: read and dropped, so that their connections can go on.

import HTTP
import IO
import Loop

extension Core {
    func drain(_ slot: Int, _ body: inout BodyProgress) async -> Bool {
        let lease = await memory.lease(64 << 10)
        while body.bytesMissing > 0 {
            let count = Int(min(body.bytesMissing, UInt64(lease.region.count)))
            let got = await receiveBody(slot, into: lease.region.part(from: 0, count: count))
            guard got == count else { break }
            body.took(count)
        }
        memory.giveBack(lease)
        return body.bytesMissing == 0
    }

    func drainChunked(_ slot: Int) async -> Bool {
        var decoder = ChunkedDecoder(limits: settings.limits)
        var bytesLeft = settings.drainBytesMax
        while true {
            let input = connections[slot].input.part(
                from: 0, count: Int(connections[slot].inputCount))
            var position = 0
            while case .data = decoder.next(in: arena.span(input), at: &position) {}
            let event = decoder.next(in: arena.span(input), at: &position)
            bytesLeft = bytesLeft > UInt64(position) ? bytesLeft - UInt64(position) : 0
            consumeInput(slot, position)
            switch event {
            case .end: return true
            case .invalid: return false
            case .data, .needsMore:
                guard bytesLeft > 0, await waitForInput(slot) else { return false }
            }
        }
    }

    /// Waits until something is kept. False if nothing will come.
    func waitForInput(_ slot: Int) async -> Bool {
        let presses = beginWait(slot)
        defer { endWait(slot, presses) }
        while connections[slot].inputCount == 0 {
            guard connections[slot].flags.isDisjoint(with: [.peerEnded, .ending, .timedOut])
            else { return false }
            armReceive(slot)
            guard connections[slot].flags.contains(.receiving) else { return false }
            connections[slot].waitsForAny = true
            let ticket = loop.makeTicket()
            connections[slot].arrival = ticket
            setDeadline(slot, seconds: settings.bodyTimeoutSeconds)
            let start = loop.now
            _ = await loop.answer(ticket)
            counters.receiveWaits.add(loop.now - start)
            connections[slot].deadline = 0
            connections[slot].waitsForAny = false
        }
        return true
    }
}
