/// A loop whose kernel is the test: it sees every request and chooses every answer and its time.

import IO
import Loop

/// Lives on the calling thread, which must not change; `end` gives the thread back.
@safe final class HandDrivenLoop {
    let loop: EventLoop
    private(set) var requests: [EventLoop.Request] = []

    init(index: Int = 0, ring: Descriptor? = nil) throws {
        loop = try EventLoop(index: index)
        loop.attach(ring: ring)
    }

    func end() { loop.detach() }

    /// Begins a handler on the loop.
    func begin(_ handler: @escaping @Sendable (EventLoop) async -> Void) {
        let loop = loop
        Task(executorPreference: loop) { await handler(loop) }
    }

    /// Runs what is ready and collects what it asked for.
    func run(now: UInt64 = 0) {
        repeat {
            loop.runJobs(now: now)
            while let request = loop.nextRequest() { requests.append(request) }
        } while loop.hasJobs
    }

    /// Answers the request that was made `index`th.
    func answer(_ index: Int, with result: Int32) {
        loop.handle(Completion(token: requests[index].token, result: result))
    }
}

/// What handlers on one thread leave for the test on the same thread.
final class Notes: @unchecked Sendable {
    // Unchecked: the loop under test and the test share one thread.
    var numbers: [Int] = []
    var tickets: [Ticket] = []
}
