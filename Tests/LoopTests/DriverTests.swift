// Goal:   handlers on a real ring wait, sleep, cancel and stop as on the one that tests play.

import Glibc
import IO
import Runtime
import Testing

@testable import Loop

@Suite struct `A core` {
    @Test func `hands the kernel's answers to the handler that asked`() async throws {
        let answers = try await onCore { core in
            let loop = core.loop
            let late = loop.start(.timeout(nanoseconds: 3_000_000))
            let soon = loop.start(.timeout(nanoseconds: 1))
            let none = loop.start(.sync(file: Descriptor(1_000_000)))
            let nop = await loop.perform(.nop)
            let answers = [await loop.answer(late), await loop.answer(none), nop]
            loop.checkIsolated()
            return answers + [await loop.answer(soon), Int32(loop.ticketsOutstanding)]
        }
        #expect(answers == [-62, -9, 0, -62, 0])
    }

    @Test func `wakes sleepers in order, none too early`() async throws {
        let order = try await onCore { core in
            let start = core.loop.now
            let sleepers = [5, 1, 3, 2, 4].map { number in
                Task(executorPreference: core.loop) {
                    let deadline = start + UInt64(number) * 2_000_000
                    await core.loop.sleep(until: deadline)
                    #expect(CoreDriver.monotonicNanoseconds() >= deadline)
                    await core.append(number)
                }
            }
            for sleeper in sleepers { await sleeper.value }
            return core.log
        }
        #expect(order == [1, 2, 3, 4, 5])
    }

    @Test func `cancels what the kernel would never answer`() async throws {
        let answers = try await onCore { core in
            var ends: [Int32] = [-1, -1]
            #expect(unsafe pipe(&ends) == 0)
            defer { for end in ends { close(end) } }
            let ticket = core.loop.start(
                .poll(descriptor: Descriptor(ends[0]), readiness: .readable))
            _ = await core.loop.perform(.nop)
            let isEarly = core.loop.isAnswered(ticket)
            core.loop.cancel(ticket)
            return (await core.loop.answer(ticket), isEarly, core.loop.ticketsOutstanding)
        }
        #expect(answers.0 == -125 && !answers.1 && answers.2 == 0)
    }

    @Test func `counts its turns, and what they brought`() async throws {
        let counts = try await onCore { core in
            func counts() -> [UInt64] { [core.loop.turnCount, core.loop.completionCount] }
            let before = counts()
            // What the ring does at once, without the kernel's queue, is a completion as well.
            for _ in 0..<10 {
                _ = await core.loop.perform(.nop)
                _ = await core.loop.perform(.threadTime)
            }
            let between = counts()
            let tickets = (0..<30).map { _ in core.loop.start(.nop) }
            for ticket in tickets { _ = await core.loop.answer(ticket) }
            return [before, between, counts()]
        }
        #expect(counts[1][0] - counts[0][0] >= 20 && counts[1][1] - counts[0][1] >= 20)
        #expect(counts[2][0] - counts[1][0] >= 1 && counts[2][1] - counts[1][1] >= 30)
    }

    /// The first answer wakes it; enough are under way for a second look, which finds none yet.
    @Test func `hands on the answers of many requests, those that come late, too`() async throws {
        let (answers, counts) = try await onCore { core in
            let loop = core.loop
            let late = (0..<20).map { _ in loop.start(.timeout(nanoseconds: 2_000_000)) }
            let before = loop.requestsUnderWay
            let soon = await loop.perform(.timeout(nanoseconds: 1))
            let between = loop.requestsUnderWay
            var answers = [soon]
            for ticket in late { answers.append(await loop.answer(ticket)) }
            return (answers, [before, between, loop.requestsUnderWay])
        }
        #expect(answers == Array(repeating: -62, count: 21))
        #expect(counts[0] == 20 && counts[1] <= 20 && counts[2] == 0)
    }

    @Test func `runs jobs that its jobs make, to any depth`() async throws {
        let count = try await onCore { core in
            func descend(_ depth: Int) -> Task<Int, Never> {
                Task(executorPreference: core.loop) {
                    depth == 0 ? 0 : await descend(depth - 1).value + 1
                }
            }
            return await descend(300).value
        }
        #expect(count == 300)
    }

    /// A handler that never waits for the kernel must not keep its answers from the others.
    @Test func `takes answers while a handler keeps yielding`() async throws {
        let isDone = try await onCore { core in
            let reader = Task(executorPreference: core.loop) {
                let answer = await core.loop.perform(.timeout(nanoseconds: 1_000_000))
                await core.append(Int(answer))
            }
            while core.log.isEmpty { await Task.yield() }
            await reader.value
            return core.log == [-62]
        }
        #expect(isDone)
    }

    @Test func `hands over what was asked before it stopped`() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (near, far) = (Descriptor(ends[0]), ends[1])
        let running = try RunningCore(index: 0)
        let task = running.run { core in
            // The kernel sends a few bytes at once, without a worker that could come too late.
            let byte = Region(offset: 0, count: 1)
            core.loop.push(.send(socket: near, source: byte, more: false), Token(.ignored))
            core.loop.stop()
        }
        try await task.value
        running.join()
        var watch = pollfd(fd: far, events: Int16(POLLIN), revents: 0)
        let readyCount = unsafe poll(&watch, 1, 0)
        #expect(readyCount == 1)
        for end in ends { close(end) }
    }

    @Test func `traps for what is not on its thread`() async {
        await #expect(processExitsWith: .failure) {
            try EventLoop(index: 0).checkIsolated()
        }
    }

    @Test func `gives completions of connections to its observer, once a turn`() throws {
        final class Observer: CompletionObserver {
            let loop: EventLoop
            var turns: [[UInt32]] = []
            init(_ loop: EventLoop) { self.loop = loop }
            func completionsArrived() {
                var slots: [UInt32] = []
                while let completion = loop.nextArrival() { slots.append(completion.token.slot) }
                turns.append(slots)
            }
        }
        let driven = try HandDrivenLoop()
        defer { driven.end() }
        let observer = Observer(driven.loop)
        driven.loop.observer = observer
        let kinds = [Token.Kind.accept, .receive, .send, .close, .zeroCopy]
        for (slot, kind) in kinds.enumerated() {
            driven.loop.handle(Completion(token: Token(kind, slot: UInt32(slot)), result: 0))
        }
        driven.loop.handle(Completion(token: Token(.ignored, slot: 9), result: 0))
        driven.run()
        driven.run()
        #expect(observer.turns == [[0, 1, 2, 3, 4]])
    }

    @Test func `gives emptied receive buffers back in order`() throws {
        let loop = try EventLoop(index: 0)
        for buffer in [3, 1, 2] as [UInt16] { loop.recycle(buffer: buffer) }
        let buffers = (0..<4).map { _ in loop.nextEmptiedBuffer() }
        #expect(buffers == [3, 1, 2, nil])
    }
}
