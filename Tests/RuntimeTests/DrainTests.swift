// Goal:   a stopping server waits for those who finish, and for nobody without end.

import Testing

@testable import Runtime

@Suite struct `A drain` {
    private let second: UInt64 = 1_000_000_000

    @Test func `ends when the last request has, whatever looks on at the metrics`() {
        var drain = Drain(now: second, seconds: 30)
        let steps = [
            drain.step(now: 2 * second, objects: 2, all: 3),
            drain.step(now: 3 * second, objects: 0, all: 1),
            drain.step(now: 4 * second, objects: 0, all: 1),
            drain.step(now: 5 * second, objects: 0, all: 0),
        ]
        #expect(steps == [.wait, .endRest(unfinished: 0), .wait, .ended])
    }

    @Test func `ends what is left when its time is over`() {
        var drain = Drain(now: second, seconds: 30)
        let steps = [
            drain.step(now: 31 * second - 1, objects: 1, all: 1),
            drain.step(now: 31 * second, objects: 1, all: 1),
            drain.step(now: 31 * second, objects: 0, all: 0),
        ]
        #expect(steps == [.wait, .endRest(unfinished: 1), .ended])
    }

    @Test func `of no time ends all at once`() {
        var drain = Drain(now: second, seconds: 0)
        let step = drain.step(now: second, objects: 5, all: 6)
        #expect(step == .endRest(unfinished: 5))
    }

    @Test func `gives up on connections that do not let go`() {
        var drain = Drain(now: 0, seconds: 1)
        _ = drain.step(now: second, objects: 4, all: 4)
        let grace = UInt64(Drain.graceSeconds) * second
        let steps = [
            drain.step(now: second + grace - 1, objects: 3, all: 3),
            drain.step(now: second + grace, objects: 3, all: 3),
        ]
        #expect(steps == [.wait, .stuck(connections: 3)])
        #expect(Drain.complaint(connections: 3).hasPrefix("3 connections did not end within 10 s"))
        #expect(Drain.complaint(connections: 1).hasPrefix("1 connection did not end"))
    }

    @Test(
        arguments: [
            (Duration.zero, 0), (.milliseconds(1), 1), (.seconds(1), 1), (.milliseconds(1001), 2),
            (.seconds(3600), 3600),
        ] as [(Duration, UInt32)])
    func `has whole seconds, rounded up, and none only for none`(time: Duration, seconds: UInt32) {
        #expect(time.wholeSeconds == seconds)
    }
}
