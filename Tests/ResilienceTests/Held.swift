// Deciders in a box, so that what changes them can stand in an expectation.

import Resilience

final class HeldBreaker {
    private var breaker: CircuitBreaker

    init(_ policy: CircuitBreaker.Policy) { breaker = CircuitBreaker(policy) }

    var state: CircuitBreaker.State { breaker.state }
    func failed(at now: UInt64) -> Bool { breaker.failed(at: now) }
    func startProbe(at now: UInt64) -> Bool { breaker.startProbe(at: now) }
    func wait(at now: UInt64) -> UInt64? { breaker.nanosecondsUntilProbe(at: now) }
    func probeEnded(succeeded: Bool, at now: UInt64) {
        breaker.probeEnded(succeeded: succeeded, at: now)
    }
}

final class HeldBudget {
    private var budget: RetryBudget

    init(_ limits: RetryBudget.Limits, operations: UInt64 = 0, at now: UInt64 = 0) {
        budget = RetryBudget(limits, operations: operations, at: now)
    }

    func take(operations: UInt64, at now: UInt64) -> Bool {
        budget.take(operations: operations, at: now)
    }

    /// How many of that many it allows at one moment.
    func allowed(of count: Int, operations: UInt64, at now: UInt64) -> Int {
        (0..<count).count { _ in take(operations: operations, at: now) }
    }
}

final class HeldRate {
    private var rate: FailureRate

    init(_ limits: FailureRate.Limits) { rate = FailureRate(limits) }

    func failed(at place: UInt64, asked: UInt64, now: UInt64) -> Bool {
        rate.failed(at: place, asked: asked, now: now)
    }
}
