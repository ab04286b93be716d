/// How a handler waits: for the kernel, for a time, for another handler.

public import IO

extension EventLoop {
    /// Asks the kernel and suspends until it has answered: a count or descriptor, or a negated
    /// errno.
    public func perform(_ operation: Operation) async -> Int32 {
        await unsafe suspended { continuation in
            ask(operation, unsafe waiters.take(for: continuation))
        }
    }

    /// Asks now; the answer is fetched later with `answer`, exactly once.
    public func start(_ operation: Operation) -> Ticket {
        let ticket = waiters.take()
        ask(operation, ticket)
        return ticket
    }

    /// Asks now; `observer` gets the answer under `tag`, and no handler waits.
    public func start(_ operation: Operation, for observer: any AnswerObserver, tag: UInt32) {
        ask(operation, waiters.take(for: observer, tag: tag))
    }

    @inline(__always)
    private func ask(_ operation: Operation, _ ticket: Ticket) {
        requestsUnderWay += 1
        push(operation, ticket.token)
    }

    public func answer(_ ticket: Ticket) async -> Int32 {
        if let result = waiters.takeAnswer(ticket) { return result }
        return await unsafe suspended { unsafe waiters.await(ticket, $0) }
    }

    /// Suspends the handler; `body` runs before anybody else does.
    ///
    /// `withUnsafeContinuation` first makes sure that it is on the caller's executor, at an eighth
    /// of what waiting costs, and where no actor isolates the caller others run meanwhile. We are
    /// on the loop's thread already, which is the only executor that there is.
    @inline(__always)
    private func suspended(
        _ body: (UnsafeContinuation<Int32, Never>) -> Void
    ) async -> Int32 {
        await unsafe _unsafeInheritExecutor_withUnsafeContinuation(body)
    }

    /// Whether `answer` would return at once.
    public func isAnswered(_ ticket: Ticket) -> Bool { waiters.hasAnswer(ticket) }

    /// Asks the kernel to end that request early; its answer still comes and must be fetched.
    public func cancel(_ ticket: Ticket) { cancel(ticket.token) }

    /// The same for a request under a token that is the caller's own.
    public func cancel(_ token: Token) { push(.cancel(token), Token(.ignored)) }

    /// Suspends until `now` has reached `deadline` (monotonic nanoseconds).
    public func sleep(until deadline: UInt64) async {
        let ticket = waiters.take()
        timers.push(ticket, deadline: deadline)
        _ = await answer(ticket)
    }

    /// A ticket that a handler answers, not the kernel: see `wake`.
    public func makeTicket() -> Ticket { waiters.take() }

    /// Answers a ticket of `makeTicket`. The waiting handler runs after the current one suspends.
    public func wake(_ ticket: Ticket, with result: Int32 = 0) {
        waiters.complete(ticket, with: result)
    }

    /// Requests whose answers are still to be fetched, for drain and for tests.
    public var ticketsOutstanding: Int { waiters.busyCount }
}
