// Goal:   an answer reaches whoever waits for it, at whatever moment between two of their steps it
//         comes.

import Synchronization
import Testing

@testable import Loop

private final class Results: Sendable {
    let values = Mutex<[Int32]>([])
}

@Suite struct `An answer` {
    /// Not even if no actor isolates the waiter: that one may change executors on its way, and
    /// others run then.
    @Test func `that comes while its waiter is about to suspend is not lost`() throws {
        let loop = try EventLoop(index: 0)
        loop.attach(ring: nil)
        defer { loop.detach() }
        let results = Results()
        for number in 0..<10 as Range<Int32> {
            Task(executorPreference: loop) {
                let ticket = loop.makeTicket()
                Task(executorPreference: loop) {
                    for _ in 0..<number { await Task.yield() }
                    loop.wake(ticket, with: number)
                }
                let result = await loop.answer(ticket)
                results.values.withLock { $0.append(result) }
            }
        }
        for turn in 1...100 as ClosedRange<UInt64> { loop.runJobs(now: turn) }
        #expect(results.values.withLock { $0.sorted() } == Array(0..<10))
        #expect(loop.ticketsOutstanding == 0)
    }
}
