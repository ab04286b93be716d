// Goal:   a core refuses new requests when it has more than it can do, as many as it must and not
//         one more; what can be done is done.
// Method: each rule by itself; then a machine that works off a queue, for loads on both sides of
//         what it can do (PlayedMachine).

import Testing

@testable import Engine

private let millisecond: UInt64 = 1_000_000
private let limits = AdmissionLimits(
    delayTarget: 5 * millisecond, delayInterval: 100 * millisecond)

private let busy = AdmissionLoad(requests: 50)

extension Admission {
    /// One probe that is so late.
    mutating func probe(
        late delay: UInt64, _ load: AdmissionLoad = AdmissionLoad(requests: 50),
        at now: inout UInt64
    ) throws {
        // With few under way there is none by itself; then one comes back that was sent before.
        let away = probe(AdmissionLoad(requests: 50), at: now)
        now += try #require(away) + delay
        let measured = probed(load, at: now)
        #expect(measured == delay)
    }

    /// Probes that are so late, for so long.
    fileprivate mutating func probe(
        late delay: UInt64, for nanoseconds: UInt64, _ load: AdmissionLoad = busy,
        at now: inout UInt64
    ) throws {
        let end = now + nanoseconds
        while now < end { try probe(late: delay, load, at: &now) }
    }
}

@Suite struct `Admission by delay` {
    private var now: UInt64 = 1_000_000_000

    @Test mutating func `takes everything as long as delays are below the target`() throws {
        var admission = Admission(limits)
        for _ in 0..<200 {
            try admission.probe(late: 5 * millisecond, at: &now)
            let refusal = admission.refusal(of: 0, busy, at: now)
            #expect(refusal == nil)
        }
        #expect(!admission.isWatchful)
    }

    @Test mutating func `takes bursts for what they are`() throws {
        var admission = Admission(limits)
        for _ in 0..<50 {
            try admission.probe(late: 30 * millisecond, for: 80 * millisecond, at: &now)
            try admission.probe(late: 0, at: &now)
        }
        #expect(!admission.isShedding)
    }

    @Test mutating func `refuses after an interval, as long as the delay is above the target`()
        throws
    {
        var admission = Admission(limits)
        try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
        #expect(admission.isShedding)
        let refused = admission.refusal(of: 0, busy, at: now)
        #expect(refused == .delay)
        try admission.probe(late: 4 * millisecond, at: &now)
        let taken = admission.refusal(of: 0, busy, at: now)
        #expect(taken == nil)
        #expect(admission.isShedding, "one short delay ended it")
        try admission.probe(late: 6 * millisecond, at: &now)
        let again = admission.refusal(of: 0, busy, at: now)
        #expect(again == .delay)
    }

    @Test mutating func `refuses while its window is full, however short the delay`() throws {
        var admission = Admission(limits)
        let full = AdmissionLoad(requests: 50, pressing: WorkWindow.least)
        let calm = admission.refusal(of: 0, full, at: now)
        #expect(calm == nil)
        try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
        try admission.probe(late: 0, at: &now)
        let refused = admission.refusal(of: 0, full, at: now)
        #expect(refused == .delay)
        let one = AdmissionLoad(requests: 50, pressing: WorkWindow.least - 1)
        let taken = admission.refusal(of: 0, one, at: now)
        #expect(taken == nil)
        for _ in 0..<2 {
            now += 200 * millisecond
            try admission.probe(late: 0, at: &now)
        }
        #expect(!admission.isShedding)
        let after = admission.refusal(of: 0, full, at: now)
        #expect(after == nil)
    }

    @Test mutating func `ends where refusing is in vain, and begins again later`() throws {
        var admission = Admission(limits)
        try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
        for _ in 0..<100 where admission.isShedding {
            _ = admission.refusal(of: 0, busy, at: now)
            try admission.probe(late: 20 * millisecond, at: &now)
        }
        #expect(!admission.isShedding)
        try admission.probe(late: 20 * millisecond, for: 9000 * millisecond, at: &now)
        #expect(!admission.isShedding)
        for _ in 0..<100 where !admission.isShedding {
            try admission.probe(late: 20 * millisecond, at: &now)
        }
        #expect(admission.isShedding)
    }

    @Test mutating func `sees a probe that does not come back`() throws {
        var admission = Admission(limits)
        try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
        try admission.probe(late: 0, at: &now)
        let before = admission.refusal(of: 0, busy, at: now)
        #expect(before == nil)
        let away = admission.probe(busy, at: now)
        let due = try now + #require(away)
        let early = admission.refusal(of: 0, busy, at: due + 5 * millisecond)
        #expect(early == nil)
        let late = admission.refusal(of: 0, busy, at: due + 6 * millisecond)
        #expect(late == .delay)
    }

    @Test mutating func `refuses nobody while few are under way`() throws {
        var admission = Admission(limits)
        let few = AdmissionLoad(requests: Admission.requestsMin - 1)
        try admission.probe(late: 50 * millisecond, for: 500 * millisecond, few, at: &now)
        #expect(!admission.isShedding)
        try admission.probe(late: 50 * millisecond, for: 200 * millisecond, at: &now)
        let many = admission.refusal(of: 0, busy, at: now)
        #expect(many == .delay)
        let alone = admission.refusal(of: 0, few, at: now)
        #expect(alone == nil)
    }

    @Test mutating func `ends with an interval in which less than an eighth was refused`() throws {
        var admission = Admission(limits)
        for refusedOf64 in [64, 9, 8, 7] {
            try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
            #expect(admission.isShedding)
            // A fresh interval.
            now += 100 * millisecond
            _ = admission.refusal(of: 0, busy, at: now)
            let isFresh = admission.isShedding
            for number in 1..<64 {
                let load = number < refusedOf64 ? busy : AdmissionLoad(requests: 1)
                _ = admission.refusal(of: 0, load, at: now + 1)
            }
            now += 100 * millisecond
            _ = admission.refusal(of: 0, busy, at: now)
            if isFresh { #expect(admission.isShedding == (refusedOf64 >= 8), "\(refusedOf64)") }
        }
    }

    @Test mutating func `ends when nobody asks any more`() throws {
        var admission = Admission(limits)
        try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
        #expect(admission.isShedding)
        now += 250 * millisecond
        try admission.probe(late: 0, AdmissionLoad(), at: &now)
        #expect(!admission.isShedding)
        // It takes a whole interval to begin again.
        try admission.probe(late: 20 * millisecond, at: &now)
        let refusal = admission.refusal(of: 0, busy, at: now)
        #expect(refusal == nil)
    }

    /// Memory is short, so whoever would ask stands before the door.
    @Test mutating func `does not end because nobody is heard`() throws {
        var admission = Admission(limits)
        try admission.probe(late: 20 * millisecond, for: 130 * millisecond, at: &now)
        let deaf = AdmissionLoad(requests: 50, holdsBack: true)
        try admission.probe(late: 0, for: 1000 * millisecond, deaf, at: &now)
        #expect(admission.isShedding, "all who were held back are let in at once")
        // Only a whole interval in which all were heard ends it.
        try admission.probe(late: 0, for: 210 * millisecond, AdmissionLoad(), at: &now)
        #expect(!admission.isShedding)
    }

    @Test func `measures nothing without a target, and one thing at a time with one`() {
        var off = Admission(AdmissionLimits(delayTarget: 0))
        let none = off.probe(busy, at: now)
        #expect(none == nil)
        var admission = Admission(limits)
        let few = AdmissionLoad(requests: Admission.requestsMin - 1)
        let needless = admission.probe(few, at: now)
        #expect(needless == nil)
        let first = admission.probe(busy, at: now)
        #expect(first == 2_500_000)
        let second = admission.probe(busy, at: now)
        #expect(second == nil)
        var short = Admission(AdmissionLimits(delayTarget: 1))
        let least = short.probe(busy, at: now)
        #expect(least == 500_000)
    }
}

@Suite struct `Admission by memory and bytes` {
    private var now: UInt64 = 1_000_000_000

    @Test mutating func `refuses when the line for buffers has stood still for an interval`() throws
    {
        var admission = Admission(limits)
        var load = busy
        load.bufferDelay = 40 * millisecond
        try admission.probe(late: 0, for: 90 * millisecond, load, at: &now)
        let early = admission.refusal(of: 0, load, at: now)
        #expect(early == nil)
        try admission.probe(late: 0, for: 30 * millisecond, load, at: &now)
        let refusal = admission.refusal(of: 0, load, at: now)
        #expect(refusal == .memory)
        try admission.probe(late: 0, at: &now)
        let after = admission.refusal(of: 0, busy, at: now)
        #expect(after == nil)
    }

    @Test func `counts announced bytes, and lets one upload be as long as it likes`() {
        var limits = limits
        limits.bytesInFlightMax = 1000
        var admission = Admission(limits)
        #expect(admission.isWatchful)
        let cases: [(inFlight: UInt64, more: UInt64?, refusal: Admission.Reason?)] = [
            (0, 5000, nil), (0, nil, nil), (400, 600, nil), (400, 601, .bytes), (1000, 0, nil),
            (1000, nil, .bytes), (999, nil, nil), (1, .max, .bytes), (5000, 0, .bytes),
        ]
        for (inFlight, more, expected) in cases {
            let load = AdmissionLoad(requests: 1, bytesInFlight: inFlight)
            let refusal = admission.refusal(of: more, load, at: now)
            #expect(refusal == expected, "\(more ?? 0) behind \(inFlight)")
        }
        var unlimited = Admission(AdmissionLimits())
        let load = AdmissionLoad(requests: 1, bytesInFlight: .max)
        let refusal = unlimited.refusal(of: .max, load, at: now)
        #expect(refusal == nil)
    }

    @Test func `sends refused clients back at different times`() {
        let seconds = (0..<4000).map { Admission.retryAfterSeconds($0) }
        for second in 1...4 as ClosedRange<UInt64> {
            let count = seconds.count { $0 == second }
            #expect((900...1100).contains(count), "\(second) s: \(count)")
        }
    }
}

@Suite struct `A core that is asked for` {
    /// Shares of what can be done; the last second of ten is looked at.
    @Test(arguments: [0.3, 0.6, 0.8, 0.9, 0.95])
    func `what it can do refuses nothing`(load: Double) {
        var machine = PlayedMachine(limits, load: load, seed: 1)
        machine.run(seconds: 10)
        #expect(machine.refused == 0)
        #expect(machine.finished > 0)
    }

    @Test(arguments: [1.2, 1.5, 2, 3, 6])
    func `more than it can do goes on doing what it can, without delay`(load: Double) {
        var machine = PlayedMachine(limits, load: load, seed: 2)
        machine.run(seconds: 5)
        machine.forget()
        machine.run(seconds: 5)
        let share = Double(machine.finished) / 5 / machine.capacity
        // What refusals cost is not there for the rest.
        let rest = 1 - (load - 1) * machine.refusalShare
        #expect(share > 0.9 * rest, "\(share) of what can be done, of \(rest)")
        #expect(machine.refused > 0)
        // What comes until the first delays have lasted for an interval; four turns in a row.
        #expect(machine.longest < 40 * millisecond, "\(machine.longest) ns")
    }

    @Test func `more for a while takes everything again soon after`() {
        var machine = PlayedMachine(limits, load: 3, seed: 3)
        machine.run(seconds: 3)
        #expect(machine.refused > 0)
        machine.load = 0.8
        machine.run(seconds: 1)
        machine.forget()
        machine.run(seconds: 5)
        #expect(machine.refused == 0)
        #expect(machine.longest < 10 * millisecond)
    }

    /// A refusal takes as long as a request.
    @Test func `more than it could even refuse goes on doing what it can`() {
        var machine = PlayedMachine(limits, load: 3, seed: 4)
        machine.refusalTime = UInt64(1e9 / machine.capacity)
        machine.lineMax = 256
        machine.run(seconds: 20)
        let share = Double(machine.finished) / 20 / machine.capacity
        #expect(share > 0.7, "\(share)")
    }

    @Test func `more without admission is late for everybody`() {
        var machine = PlayedMachine(AdmissionLimits(delayTarget: 0), load: 3, seed: 2)
        machine.run(seconds: 2)
        #expect(machine.refused == 0)
        #expect(machine.longest > 500 * millisecond, "the model shows nothing")
    }
}
