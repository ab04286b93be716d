// Goal:   progress goes into the log exactly as long as nothing speaks against it.
// Method: one that may be logged, and each thing that speaks against it by itself; bursts by a
//         clock that the test sets.

import Testing

@testable import Store

@Suite struct `Where progress goes` {
    private let policy = ProgressPolicy(bytesUnrecordedMax: 1000, uploadsUnrecordedMax: 3)
    private let plain = ProgressPolicy.Progress(
        isRecorded: true, hasUnusedSpace: false, bytesUnrecorded: 999, isUnrecorded: false)

    @Test func `is the log while nothing speaks against it`() {
        #expect(policy.logs(plain, unrecorded: 0))
        #expect(policy.logs(plain, unrecorded: 2))
    }

    @Test func `is the catalog for what the log is not for`() {
        var new = plain
        new.isRecorded = false
        #expect(!policy.logs(new, unrecorded: 0))
        var wide = plain
        wide.hasUnusedSpace = true
        #expect(!policy.logs(wide, unrecorded: 0))
        var long = plain
        long.bytesUnrecorded = 1000
        #expect(!policy.logs(long, unrecorded: 0))
    }

    @Test func `is the catalog when many wait for it, unless one waits already`() {
        #expect(!policy.logs(plain, unrecorded: 3))
        var waiting = plain
        waiting.isUnrecorded = true
        #expect(policy.logs(waiting, unrecorded: 3))
    }

    @Test func `changes with bursts only`() {
        var burst = Burst()
        let times: [UInt64] = [1000, 1100, 1101, 1102, 1103, 1201, 1202]
        let answers = times.map { burst.exceeds(2, within: 100, at: $0) }
        // At 1101 the first burst is over, and at 1202 the second.
        #expect(answers == [false, false, false, false, true, true, false])
        var always = Burst()
        let isAtOnce = always.exceeds(0, within: 100, at: 5)
        #expect(isAtOnce)
    }
}
