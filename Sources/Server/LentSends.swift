/// Buffers out of which the kernel sends without copying: whose each is, until nobody needs it.
///
///     lend ─▶ handler's ──submit──▶ handler's and kernel's ─┬─ letGo ──▶ kernel's ─┐
///                                                           └─ last answer ────────┴▶ free
///
/// The kernel answers a send twice: how it went, then that it has let go (see
/// `Operation.sendZeroCopy`). It may let go long after the handler, and after the connection, whose
/// slot somebody else may have by then. Plain data, indexed by the slot of a token.

import Engine
import IO
import Loop

struct LentSends {
    struct Lent {
        /// As leased.
        let buffer: Region
        /// The connection, as its slot and generation.
        let connection: Token
        /// Its route when it was lent.
        let route: ZeroCopy.Route
        fileprivate(set) var generation: UInt32
        /// The handler sends out of it, or will.
        fileprivate(set) var isHeld = true
        /// The first answer is to come, for which this waits.
        fileprivate(set) var ticket: Ticket?
        /// The second answer is to come, behind the first.
        fileprivate(set) var isAwaited = false
        /// The second answer; nil until it has come, or for ever if none follows.
        fileprivate(set) var wasCopied: Bool?
        /// What the first answer said that went out.
        fileprivate(set) var count = 0
        fileprivate var nextFree = UInt32.max

        /// The kernel needs it no longer.
        var isReleased: Bool { ticket == nil && !isAwaited }
    }

    private var lent: [Lent] = []
    private var firstFree = UInt32.max
    private(set) var count = 0

    subscript(token: Token) -> Lent { lent[index(token)] }

    private func index(_ token: Token) -> Int {
        precondition(
            token.kind == .zeroCopy && lent[Int(token.slot)].generation == token.generation,
            "the kernel let go of a buffer twice")
        return Int(token.slot)
    }

    /// A buffer out of which the handler of `connection` is about to send.
    mutating func lend(
        _ buffer: Region, connection: Token, route: ZeroCopy.Route
    ) -> Token {
        count += 1
        guard firstFree != .max else {
            lent.append(
                Lent(buffer: buffer, connection: connection, route: route, generation: 0))
            return Token(.zeroCopy, generation: 0, slot: UInt32(lent.count - 1))
        }
        let slot = firstFree
        firstFree = lent[Int(slot)].nextFree
        let generation = lent[Int(slot)].generation
        lent[Int(slot)] = Lent(
            buffer: buffer, connection: connection, route: route, generation: generation)
        return Token(.zeroCopy, generation: generation, slot: slot)
    }

    /// The kernel gets it, once; `ticket` waits for the first answer.
    mutating func submit(_ token: Token, _ ticket: Ticket) {
        let index = index(token)
        precondition(lent[index].isHeld && lent[index].isReleased, "submitted twice")
        lent[index].ticket = ticket
    }

    /// One of the kernel's two answers. Answers who waits for it.
    mutating func took(_ completion: Completion) -> Ticket? {
        let index = index(completion.token)
        if completion.isNotification {
            precondition(lent[index].wasCopied == nil, "the kernel let go of a buffer twice")
            lent[index].wasCopied = completion.result == Completion.wasCopied
            lent[index].isAwaited = false
            return nil
        }
        guard let ticket = lent[index].ticket.take() else {
            preconditionFailure("a send was answered twice")
        }
        lent[index].count = Int(max(0, completion.result))
        lent[index].isAwaited = completion.more && lent[index].wasCopied == nil
        return ticket
    }

    /// The handler needs it no longer.
    mutating func letGo(_ token: Token) {
        let index = index(token)
        precondition(lent[index].isHeld, "let go twice")
        lent[index].isHeld = false
    }

    /// The buffer, if nobody needs it any more; its token is not known any more then.
    mutating func takeFree(_ token: Token) -> Region? {
        let index = index(token)
        guard !lent[index].isHeld, lent[index].isReleased else { return nil }
        count -= 1
        lent[index].generation = (lent[index].generation &+ 1) & Token.generationMax
        lent[index].nextFree = firstFree
        firstFree = token.slot
        return lent[index].buffer
    }
}
