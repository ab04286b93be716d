// Goal:   a write counts as durable when, and only when, a flush that started after its completion
//         was seen has succeeded and no flush before it has failed.
// Method: every order of events up to eleven steps, each beside a model that remembers times.

import Testing

@testable import Volumes

@Suite struct `Flush epochs` {
    @Test func `tell the truth in every order of events`() {
        var run = Interleavings()
        run.explore(stepsLeft: 11)
        #expect(run.falsehoods == [])
        #expect(run.orders > 10_000)
    }

    @Test func `start the next flush at once when somebody waits`() {
        var epochs = FlushEpochs()
        #expect(epochs.startFlush() == nil)
        let early = epochs.wrote()
        #expect(epochs.startFlush() == early)
        #expect(epochs.isFlushing)
        let late = epochs.wrote()
        #expect(late > early)
        #expect(epochs.startFlush() == nil)
        #expect(epochs.flushEnded(succeeded: true) == .durable(through: early))
        #expect(epochs.fate(of: early) == .durable)
        #expect(epochs.fate(of: late) == .pending)
        #expect(epochs.startFlush() == late)
        #expect(epochs.flushEnded(succeeded: true) == .durable(through: late))
        #expect(epochs.startFlush() == nil)
    }

    @Test func `share one flush among all that wait`() {
        var epochs = FlushEpochs()
        let waiters = (0..<100).map { _ in epochs.wrote() }
        #expect(Set(waiters).count == 1)
    }

    @Test func `never succeed again after a failure`() {
        var epochs = FlushEpochs()
        let epoch = epochs.wrote()
        _ = epochs.startFlush()
        let waiting = epochs.wrote()
        #expect(epochs.flushEnded(succeeded: false) == .failed(from: epoch))
        #expect(epochs.isReadOnly && !epochs.isFlushing)
        #expect(epochs.fate(of: waiting) == .failed)
        let later = epochs.wrote()
        #expect(epochs.fate(of: later) == .failed)
        #expect(epochs.startFlush() == nil)
    }

    @Test func `believe no success of a volume that failed elsewhere`() {
        var epochs = FlushEpochs()
        let safe = epochs.wrote()
        _ = epochs.startFlush()
        _ = epochs.flushEnded(succeeded: true)
        let epoch = epochs.wrote()
        _ = epochs.startFlush()
        #expect(epochs.turnReadOnly() == epoch)
        #expect(epochs.flushEnded(succeeded: true) == .failed(from: epoch))
        #expect(epochs.fate(of: epoch) == .failed)
        #expect(epochs.fate(of: safe) == .durable)
    }

    @Test func `trap when a flush ends that never began`() async {
        await #expect(processExitsWith: .failure) {
            var epochs = FlushEpochs()
            _ = epochs.wrote()
            _ = epochs.flushEnded(succeeded: true)
        }
    }
}

/// Depth first through all orders of: a write completes, a flush starts, ends well, ends badly.
private struct Interleavings {
    private struct Write {
        let epoch: FlushEpoch
        let time: Int
    }

    private var epochs = FlushEpochs()
    private var writes: [Write] = []
    private var time = 0
    private var flushStarted: Int?
    private var durableBefore = 0
    private var hasFailed = false
    private(set) var orders = 0
    private(set) var falsehoods: Set<String> = []

    mutating func explore(stepsLeft: Int) {
        check()
        guard stepsLeft > 0 else {
            orders += 1
            return
        }
        var write = self
        write.write()
        adopt(&write, stepsLeft)
        var start = self
        start.start()
        adopt(&start, stepsLeft)
        guard flushStarted != nil else { return }
        for succeeded in [true, false] {
            var end = self
            end.end(succeeded: succeeded)
            adopt(&end, stepsLeft)
        }
    }

    private mutating func adopt(_ branch: inout Interleavings, _ stepsLeft: Int) {
        branch.time += 1
        branch.explore(stepsLeft: stepsLeft - 1)
        orders = branch.orders
        falsehoods = branch.falsehoods
    }

    private mutating func write() {
        writes.append(Write(epoch: epochs.wrote(), time: time))
    }

    private mutating func start() {
        let waits = writes.contains { $0.time >= durableBefore }
        let epoch = epochs.startFlush()
        let mayStart = flushStarted == nil && !hasFailed && waits
        if (epoch != nil) != mayStart { falsehoods.insert("started \(epoch != nil)") }
        if epoch != nil { flushStarted = time }
    }

    private mutating func end(succeeded: Bool) {
        _ = epochs.flushEnded(succeeded: succeeded)
        if succeeded { durableBefore = flushStarted ?? 0 } else { hasFailed = true }
        flushStarted = nil
    }

    private mutating func check() {
        for write in writes {
            let isDurable = write.time < durableBefore
            let truth: FlushEpochs.Fate = isDurable ? .durable : hasFailed ? .failed : .pending
            let told = epochs.fate(of: write.epoch)
            if told != truth { falsehoods.insert("\(told) told, \(truth) true") }
        }
    }
}
