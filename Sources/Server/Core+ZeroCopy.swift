/// Sends out of leased buffers, without a copy where that pays: each buffer goes back to its pool
/// when handler and kernel are both through with it, whatever has become of the connection.
///
/// A connection that ends while the kernel still sends out of our buffers is closed only when the
/// kernel has let go of them. A closed socket would keep them for as long as its client likes; one
/// that is open can be reset, and is if its client takes nothing for as long as a send may take.

import Engine
import IO
import Loop

extension Core {
    /// Sends bytes of a leased buffer as `sendSome` does for who can yield it, and gives it back.
    func sendLeased(_ slot: Int, _ leased: LeasedBytes, more: Bool) async -> Int? {
        guard await mayLend(slot, leased) else {
            let sent = await sendSome(slot, leased.bytes, more: more, canYield: true)
            giveBack(leased)
            return sent
        }
        let lent = lentSends.lend(
            leased.buffer, connection: token(.send, slot), route: connections[slot].route)
        let sent = await sendSome(slot, leased.bytes, more: more, canYield: true, lending: lent)
        lentSends.letGo(lent)
        giveBackIfFree(lent)
        return sent
    }

    private func mayLend(_ slot: Int, _ leased: LeasedBytes) async -> Bool {
        let count = Int(leased.bytes.count)
        if zeroCopy.mustAsk(connections[slot].route, count: count) {
            let queue = await loop.perform(.incomingQueue(socket: connections[slot].socket))
            connections[slot].route = zeroCopy.route(queue: queue, now: loop.now)
        }
        return zeroCopy.allows(
            connections[slot].route, count: count, bufferBytes: Int(leased.buffer.count),
            ownBytes: Int(connections[slot].lentBytes), transfers: buffers.transfers,
            isShort: memory.isShort)
    }

    /// Answers as `Operation.send` does. Nil if it has to be sent that way, from its first byte on:
    /// this way is closed, or nothing else will work either and shows why.
    func sendZeroCopy(_ slot: Int, _ bytes: Region, more: Bool, _ lent: Token) async -> Int32? {
        let bufferBytes = lentSends[lent].buffer.count
        let ticket = loop.makeTicket()
        lentSends.submit(lent, ticket)
        zeroCopy.lent(Int(bufferBytes))
        connections[slot].lentBytes += bufferBytes
        counters.zeroCopySends &+= 1
        loop.push(
            .sendZeroCopy(socket: connections[slot].socket, source: bytes, more: more), lent)
        let result = await answer(slot, ticket, of: lent, seconds: settings.sendTimeoutSeconds)
        guard let error = KernelError(result: result), error != .cancelled else { return result }
        connections[slot].route = .none
        return nil
    }

    /// One of the two answers to such a send.
    func lentAnswered(_ completion: Completion) {
        if let ticket = lentSends.took(completion) { loop.wake(ticket, with: completion.result) }
        let lent = lentSends[completion.token]
        if lent.isReleased { kernelLetGo(lent) }
        giveBackIfFree(completion.token)
    }

    private func kernelLetGo(_ lent: LentSends.Lent) {
        let wasCopied = lent.wasCopied == true
        if wasCopied, lent.count > 0 { counters.zeroCopyCopied &+= 1 }
        zeroCopy.returned(Int(lent.buffer.count))
        let slot = Int(lent.connection.slot)
        let isThere = connections[slot].generation == lent.connection.generation
        let route = zeroCopy.ended(
            lent.route, count: lent.count, wasCopied: wasCopied, now: loop.now)
        guard isThere else { return }
        connections[slot].lentBytes -= lent.buffer.count
        // Given up, it stays so.
        if connections[slot].route == lent.route { connections[slot].route = route }
        if connections[slot].flags.contains(.ending) {
            // Its client still takes something.
            connections[slot].deadline = 0
            closeIfQuiet(slot)
        }
    }

    private func giveBackIfFree(_ lent: Token) {
        guard let buffer = lentSends.takeFree(lent) else { return }
        memory.giveBack(BufferLease(attaching: buffer))
    }

    /// Whether the kernel still sends out of our buffers, and may go on for now.
    func waitsForLent(_ slot: Int) -> Bool {
        guard connections[slot].lentBytes > 0 else { return false }
        if connections[slot].flags.contains(.abandonsLent) {
            loop.push(.resetOnClose(socket: connections[slot].socket), Token(.ignored))
            return false
        }
        if connections[slot].deadline == 0 {
            setDeadline(slot, seconds: settings.sendTimeoutSeconds)
        }
        return true
    }

    /// Closes an ending connection without waiting until its client has taken everything.
    func abandonLent(_ slot: Int) {
        connections[slot].flags.insert(.abandonsLent)
        closeIfQuiet(slot)
    }
}
