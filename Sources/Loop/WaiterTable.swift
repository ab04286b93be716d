/// The requests whose answer a handler waits for, or will.
///
///     free ──take──▶ inFlight ──completion──▶ answered ──await──▶ free
///      │                └──await──▶ awaited ──completion──▶ free (the handler resumes)
///      └──take(for:)──▶ observed ──completion──▶ free (the observer is told)
///
/// Slots are reused; the generation tells a late completion from its successor's.

public import IO

struct WaiterTable {
    private enum State { case free, inFlight, awaited, answered, observed }

    @safe private struct Waiter {
        var state = State.free
        var generation: UInt32 = 0
        var result: Int32 = 0
        var nextFree: UInt32 = .max
        var continuation: UnsafeContinuation<Int32, Never>?
        var observer: (any AnswerObserver)?
        var tag: UInt32 = 0
    }

    private var waiters: [Waiter] = []
    private var firstFree = UInt32.max
    private(set) var busyCount = 0

    mutating func take() -> Ticket {
        busyCount += 1
        if firstFree == .max {
            waiters.append(Waiter())
            waiters[waiters.count - 1].state = .inFlight
            return Ticket(slot: UInt32(waiters.count - 1), generation: 0)
        }
        let slot = firstFree
        firstFree = waiters[Int(slot)].nextFree
        waiters[Int(slot)].state = .inFlight
        return Ticket(slot: slot, generation: waiters[Int(slot)].generation)
    }

    /// The same, awaited already.
    mutating func take(for continuation: UnsafeContinuation<Int32, Never>) -> Ticket {
        let ticket = take()
        unsafe self.await(ticket, continuation)
        return ticket
    }

    /// For an answer that goes to `observer`, under that tag.
    mutating func take(for observer: any AnswerObserver, tag: UInt32) -> Ticket {
        let ticket = take()
        waiters[Int(ticket.slot)].observer = observer
        waiters[Int(ticket.slot)].tag = tag
        waiters[Int(ticket.slot)].state = .observed
        return ticket
    }

    /// Answers what an observer is to be told, if one waits.
    mutating func complete(_ completion: Completion) -> ObservedAnswer? {
        let ticket = Ticket(slot: completion.token.slot, generation: completion.token.generation)
        return complete(ticket, with: completion.result)
    }

    @discardableResult
    mutating func complete(_ ticket: Ticket, with result: Int32) -> ObservedAnswer? {
        let slot = Int(ticket.slot)
        guard waiters[slot].generation == ticket.generation else { return nil }
        switch waiters[slot].state {
        case .inFlight:
            waiters[slot].state = .answered
            waiters[slot].result = result
        case .awaited:
            let continuation = unsafe waiters[slot].continuation.take()
            release(ticket)
            unsafe continuation?.resume(returning: result)
        case .observed:
            guard let observer = waiters[slot].observer.take() else {
                preconditionFailure("nobody observes request \(ticket.slot)")
            }
            let answer = ObservedAnswer(
                observer: observer, tag: waiters[slot].tag, result: result)
            release(ticket)
            return answer
        case .free, .answered:
            preconditionFailure("request \(ticket.slot) was answered twice")
        }
        return nil
    }

    /// The answer, if it is there; the slot is free then.
    mutating func takeAnswer(_ ticket: Ticket) -> Int32? {
        precondition(waiters[Int(ticket.slot)].generation == ticket.generation)
        guard waiters[Int(ticket.slot)].state == .answered else { return nil }
        let result = waiters[Int(ticket.slot)].result
        release(ticket)
        return result
    }

    func hasAnswer(_ ticket: Ticket) -> Bool {
        waiters[Int(ticket.slot)].generation == ticket.generation
            && waiters[Int(ticket.slot)].state == .answered
    }

    mutating func await(_ ticket: Ticket, _ continuation: UnsafeContinuation<Int32, Never>) {
        precondition(waiters[Int(ticket.slot)].state == .inFlight, "awaited twice")
        unsafe waiters[Int(ticket.slot)].continuation = continuation
        waiters[Int(ticket.slot)].state = .awaited
    }

    private mutating func release(_ ticket: Ticket) {
        let slot = Int(ticket.slot)
        waiters[slot].state = .free
        waiters[slot].generation = (waiters[slot].generation &+ 1) & Token.generationMax
        waiters[slot].nextFree = firstFree
        firstFree = ticket.slot
        busyCount -= 1
    }
}

/// A request under way: proof that its answer is still to be fetched, once.
public struct Ticket: Equatable, Sendable {
    let slot: UInt32
    let generation: UInt32

    /// Under which the kernel knows it.
    public var token: Token { Token(.waiter, generation: generation, slot: slot) }
}

/// An answer on its way to who observes the request.
struct ObservedAnswer {
    let observer: any AnswerObserver
    let tag: UInt32
    let result: Int32
}
