// Goal:   work from other threads arrives, every time, and wakes a loop that sleeps.
// Method: by hand on one or two threads to see the wake-up itself; then thousands of calls on
//         real rings, where one lost wake-up would never end.

import Glibc
import IO
import Runtime
import Testing

@testable import Loop

@Suite struct `A mailbox` {
    private func hasRung(_ loop: EventLoop) -> Bool {
        var watch = pollfd(fd: loop.doorbell.number, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watch, 1, 0) == 1
    }

    @Test func `rings the eventfd once for work from a thread without a ring`() throws {
        let loop = try EventLoop(index: 0)
        Task(executorPreference: loop) {}
        #expect(hasRung(loop) && loop.hasJobs)
        loop.handle(Completion(token: Token(.doorbell), result: 1))
        #expect(!hasRung(loop))
        Task(executorPreference: loop) {}
        #expect(!hasRung(loop), "it was told already and has not looked yet")

        loop.attach(ring: nil)
        defer { loop.detach() }
        loop.runJobs(now: 0)
        #expect(!loop.hasJobs)
        guard case .poll(let watched, .readable)? = loop.nextRequest()?.operation else {
            Issue.record("the eventfd is not watched again")
            return
        }
        #expect(watched == loop.doorbell)
    }

    @Test func `asks the caller's own ring for work from another loop`() throws {
        let target = try EventLoop(index: 1)
        onThread { target.attach(ring: Descriptor(77)) }
        let caller = try HandDrivenLoop()
        defer { caller.end() }
        caller.begin { _ in Task(executorPreference: target) {} }
        caller.run()
        #expect(!hasRung(target))
        try #require(caller.requests.count == 1)
        guard case .message(Descriptor(77), Token(.message)) = caller.requests[0].operation else {
            Issue.record("the request is no message to the target's ring")
            return
        }
        // The ring refuses: the eventfd takes its place.
        caller.answer(0, with: -77)
        #expect(hasRung(target))
    }

    @Test func `rings the eventfd of a loop whose ring is gone`() throws {
        let target = try EventLoop(index: 1)
        onThread {
            target.attach(ring: Descriptor(77))
            target.detach()
        }
        let caller = try HandDrivenLoop()
        defer { caller.end() }
        caller.begin { _ in Task(executorPreference: target) {} }
        caller.run()
        #expect(hasRung(target) && caller.requests.isEmpty)
    }

    /// The target says it has a ring, but its descriptor is an eventfd's.
    @Test func `falls back to the eventfd when a real ring refuses`() async throws {
        let target = try EventLoop(index: 1)
        let thread = try CoreThread.start(name: "no ring", cpu: nil) {
            target.attach(ring: target.doorbell)
            while !target.isStopping {
                var watch = pollfd(fd: target.doorbell.number, events: Int16(POLLIN), revents: 0)
                _ = unsafe poll(&watch, 1, -1)
                target.handle(Completion(token: Token(.doorbell), result: 1))
                target.runJobs(now: 0)
                while let request = target.nextRequest() {
                    // It has no ring to send messages with either.
                    guard request.token.kind == .messageRefused else { continue }
                    target.handle(Completion(token: request.token, result: -77))
                }
            }
            target.detach()
        }
        let far = Plain(target)
        let sum = try await onCore { core in
            var sum = 0
            for _ in 0..<500 {
                sum += await far.next()
                core.loop.checkIsolated()
            }
            return sum
        }
        await far.stop()
        thread.join()
        #expect(sum == 500 * 501 / 2)
    }

    @Test func `of one core loses no call from four threads`() async throws {
        let running = try RunningCore(index: 0)
        let core = running.core
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<2000 { _ = await core.increment() } }
            }
        }
        #expect(await core.count == 8000)
        await running.stop()
    }

    @Test func `of two cores that call each other loses none, with strangers calling too`()
        async throws
    {
        let (one, two) = (try RunningCore(index: 0), try RunningCore(index: 1))
        let (left, right) = (one.core, two.core)
        let calls = [(one, right), (two, left)].flatMap { from, to in
            (0..<4).map { _ in
                from.run { here in
                    for _ in 0..<1000 {
                        _ = await to.increment()
                        here.loop.checkIsolated()
                    }
                }
            }
        }
        async let strangers: Void = {
            for _ in 0..<1000 {
                _ = await left.increment()
                _ = await right.increment()
            }
        }()
        for call in calls { try await call.value }
        await strangers
        // By message from the other core: 4 × 1000 each. By eventfd: 1000 each.
        #expect(await left.count == 5000)
        #expect(await right.count == 5000)
        await one.stop()
        await two.stop()
    }
}

/// An actor on a loop without memory or ring.
private actor Plain {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private var count = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func next() -> Int {
        loop.checkIsolated()
        count += 1
        return count
    }

    func stop() { loop.stop() }
}

private func onThread(_ body: @escaping @Sendable () -> Void) {
    do throws(KernelError) {
        try CoreThread.start(name: "other", cpu: nil, body).join()
    } catch {
        preconditionFailure("no thread: errno \(error.code)")
    }
}
