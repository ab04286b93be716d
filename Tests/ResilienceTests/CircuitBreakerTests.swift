// Goal:   the breaker keeps its times whatever the clock does, and never lets two try at once.
// Method: each way through its states; then many random lives beside a plain model of it.

import Resilience
import Testing

@Suite struct `A circuit breaker` {
    private let policy = CircuitBreaker.Policy(delayMin: 100, delayMax: 1000, calm: 5000)

    @Test func `opens with the first failure and closes after a probe`() {
        let breaker = HeldBreaker(policy)
        #expect(breaker.state == .closed && breaker.wait(at: 7) == nil)
        #expect(breaker.failed(at: 50))
        #expect(breaker.state == .open)
        #expect(!breaker.failed(at: 60), "it was open already")
        #expect(breaker.wait(at: 60) == 90)
        #expect(!breaker.startProbe(at: 149))
        #expect(breaker.startProbe(at: 150))
        #expect(!breaker.startProbe(at: 150), "two at once")
        #expect(!breaker.failed(at: 151), "what fails now is no news")
        #expect(breaker.state == .halfOpen && breaker.wait(at: 151) == 0)
        breaker.probeEnded(succeeded: true, at: 160)
        #expect(breaker.state == .closed)
    }

    @Test func `waits longer after each probe that failed, up to a limit`() {
        let breaker = HeldBreaker(policy)
        var now: UInt64 = 0
        _ = breaker.failed(at: now)
        var delays: [UInt64] = []
        for _ in 0..<6 {
            let delay = breaker.wait(at: now) ?? 0
            delays.append(delay)
            now += delay
            #expect(breaker.startProbe(at: now))
            breaker.probeEnded(succeeded: false, at: now)
        }
        #expect(delays == [100, 200, 400, 800, 1000, 1000])
    }

    @Test(arguments: [(4999, 200), (5000, 100)] as [(UInt64, UInt64)])
    func `begins anew only after a calm`(calm: UInt64, delay: UInt64) {
        let breaker = HeldBreaker(policy)
        _ = breaker.failed(at: 0)
        #expect(breaker.startProbe(at: 100))
        breaker.probeEnded(succeeded: true, at: 100)
        #expect(breaker.failed(at: 100 + calm))
        #expect(breaker.wait(at: 100 + calm) == delay)
    }

    @Test func `is not kept waiting by a clock that steps`() {
        let breaker = HeldBreaker(policy)
        _ = breaker.failed(at: 1_000_000)
        #expect(breaker.wait(at: 10) == 100, "one delay from then on")
        #expect(!breaker.startProbe(at: 109))
        #expect(breaker.startProbe(at: 110))
        breaker.probeEnded(succeeded: false, at: 3)
        #expect(breaker.wait(at: .max) == 0)
        #expect(breaker.startProbe(at: .max))
        breaker.probeEnded(succeeded: false, at: .max)
        #expect(breaker.wait(at: 0) == 400)
    }

    @Test(arguments: 0..<20) func `keeps its rules through any life`(seed: UInt64) {
        var random = Jitter(seed: seed)
        let breaker = HeldBreaker(policy)
        var now: UInt64 = 10_000
        for _ in 0..<2000 {
            let isStep = Int.random(in: 0..<50, using: &random) == 0
            now = isStep ? UInt64.random(in: 0..<20_000, using: &random) : now + 40
            let before = breaker.state
            switch Int.random(in: 0..<3, using: &random) {
            case 0: #expect(breaker.failed(at: now) == (before == .closed))
            case 1:
                let wait = breaker.wait(at: now)
                #expect((wait == nil) == (before == .closed))
                #expect(wait ?? 0 <= policy.delayMax)
                #expect(breaker.startProbe(at: now) == (before == .open && wait == 0))
            default:
                guard before == .halfOpen else { continue }
                let succeeded = Bool.random(using: &random)
                breaker.probeEnded(succeeded: succeeded, at: now)
                #expect(breaker.state == (succeeded ? .closed : .open))
            }
        }
    }
}
