// Goal:   the ring carries tokens down and up unharmed, however many, and sleeps as long as told.
// Method: the real kernel; one behaviour a test.

import Glibc
import IO
import Synchronization
import Testing
import Uring

@Suite struct `The ring` {
    @Test func `tells what its thread has cost so far`() throws {
        var asker = try Asker()
        let first = try asker.ask(.threadTime)
        #expect(first >= 0)
        var later = first
        var turns = 0
        // Each question costs something: the clock must go on within a second of them.
        while later == first, turns < 1_000_000 {
            later = try asker.ask(.threadTime)
            turns += 1
        }
        #expect(later > first)
    }

    @Test func `returns a token exactly as it was given`() throws {
        let arena = try unsafe ArenaMemory.map(count: 4096)
        var ring = try Ring(entries: 8, arena: arena)
        let token = Token(.send, generation: Token.generationMax, slot: .max)
        ring.enqueue(.nop, as: token)
        var answers: [Completion] = []
        try ring.turn { answers.append($0) }
        #expect(answers.map(\.token) == [token])
        #expect(answers.map(\.result) == [0])
        #expect(answers.map(\.more) == [false])
        #expect(answers.map(\.buffer) == [nil])
    }

    @Test func `says what the kernel granted`() throws {
        let asker = try Asker(entries: 64)
        let facts = asker.ring.facts
        #expect(facts.submissionEntries == 64)
        #expect(facts.completionEntries >= 4 * 64)
        #expect(facts.defersTaskWork)
    }

    @Test(arguments: [1, 8, 9, 100, 5000])
    func `answers every operation, even more than its queues hold`(count: UInt32) throws {
        var asker = try Asker(entries: 8)
        for slot in 0..<count { asker.ring.enqueue(.nop, as: Token(.ignored, slot: slot)) }
        var isAnswered = [Bool](repeating: false, count: Int(count))
        var answered: UInt32 = 0
        while answered < count {
            let before = answered
            try asker.ring.turn(limit: Asker.patience) {
                #expect(!isAnswered[Int($0.token.slot)])
                isAnswered[Int($0.token.slot)] = true
                answered += 1
            }
            try #require(answered > before)
        }
        let more = try asker.settle()
        #expect(more.isEmpty)
    }

    @Test func `keeps times and paths of entries apart that wait together`() throws {
        var asker = try Asker(entries: 8)
        let late = asker.start(.timeout(nanoseconds: 20_000_000))
        let soon = asker.start(.timeout(nanoseconds: 1_000_000))
        var order: [Token] = []
        while order.count < 2 {
            try asker.ring.turn(limit: Asker.patience) { order.append($0.token) }
        }
        #expect(order == [soon, late])
    }

    @Test func `sleeps until its limit when nothing completes`() throws {
        var asker = try Asker()
        let start = monotonicNanoseconds()
        var count = 0
        try asker.ring.turn(limit: 3_000_000) { _ in count += 1 }
        #expect(count == 0)
        #expect(monotonicNanoseconds() - start >= 3_000_000)
    }

    @Test func `does not sleep when told so, and still takes what is ready`() throws {
        var asker = try Asker()
        let none = try asker.settle()
        #expect(none.isEmpty)
        let token = asker.start(.nop)
        let some = try asker.settle()
        #expect(some.map(\.token) == [token])
    }

    /// The kernel finishes such requests on the ring's thread, but only when it is asked to.
    @Test func `takes deferred completions in turns that neither sleep nor submit`() throws {
        var asker = try Asker()
        let pair = try Pair.local()
        let token = asker.start(.poll(descriptor: pair.left.descriptor, readiness: .readable))
        let early = try asker.settle()
        #expect(early.isEmpty)
        try pair.right.write([1])
        var late: [Completion] = []
        for _ in 0..<1000 where late.isEmpty { late = try asker.settle() }
        #expect(late.map(\.token) == [token])
    }

    @Test func `does not sleep over an answer that it gave itself`() throws {
        var asker = try Asker()
        let token = asker.start(.measure(file: notOpen))
        var answers: [Completion] = []
        try asker.ring.turn { answers.append($0) }
        #expect(answers.map(\.token) == [token])
    }

    @Test func `returns from its sleep for a signal, without an error`() throws {
        final class State: Sendable {
            let outcomes = Mutex<[String]>([])
        }
        let state = State()
        _ = signal(SIGUSR2) { _ in }
        let sleeper = try Thread.start {
            // The threads of a test runner block signals.
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe sigaddset(&signals, SIGUSR2)
            unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            let outcome = turnOnce()
            state.outcomes.withLock { $0.append(outcome) }
        }
        while state.outcomes.withLock({ $0.isEmpty }) {
            sleeper.signal(SIGUSR2)
            sched_yield()
        }
        sleeper.join()
        #expect(state.outcomes.withLock { $0 } == ["0 completions"])
    }

    @Test func `traps for a size that the kernel would change`() async {
        await #expect(processExitsWith: .failure) { _ = try Asker(entries: 9) }
    }

    @Test func `keeps its workers on a CPU that is there`() throws {
        var asker = try Asker()
        try asker.ring.limitWorkers(toCPU: 0)
        var errors: [KernelError] = []
        for cpu in [1000, 5000, 1 << 30] {
            do throws(KernelError) { try asker.ring.limitWorkers(toCPU: cpu) } catch {
                errors.append(error)
            }
        }
        #expect(errors == [.invalid, .invalid, .invalid])
    }
}

@Suite struct `Messages between rings` {
    private final class Inbox: Sendable {
        let descriptor = Atomic<Int32>(-1)
        let received = Mutex<[Completion]>([])
    }

    @Test func `arrive on the other thread's ring, and only there`() throws {
        let inbox = Inbox()
        let token = Token(.message, generation: 3, slot: 77)
        let thread = try Thread.start {
            guard var asker = try? Asker() else {
                return inbox.descriptor.store(-2, ordering: .releasing)
            }
            inbox.descriptor.store(asker.ring.descriptor.number, ordering: .releasing)
            guard let completion = try? asker.completion(of: token) else { return }
            inbox.received.withLock { $0.append(completion) }
        }
        while inbox.descriptor.load(ordering: .acquiring) == -1 { sched_yield() }
        let target = Descriptor(inbox.descriptor.load(ordering: .acquiring))
        var asker = try Asker()
        _ = asker.start(.message(ring: target, token: token))
        let after = asker.start(.nop)
        let own = try [asker.completion(of: after)] + asker.settle()
        thread.join()
        #expect(own.map(\.token) == [after])
        let received = inbox.received.withLock { $0 }
        #expect(received.map(\.token) == [token])
        #expect(received.map(\.result) == [0])
    }

    @Test func `are refused by what is no ring`() throws {
        var asker = try Asker()
        let pair = try Pair.pipe()
        let notRing = try asker.ask(
            .message(ring: pair.left.descriptor, token: Token(.message)))
        #expect(notRing == -77)  // EBADFD
        let closed = try asker.ask(.message(ring: notOpen, token: Token(.message)))
        #expect(KernelError(result: closed) == .badDescriptor)
    }
}

/// What a turn without anything to wait for brings: it ends only when it is interrupted.
private func turnOnce() -> String {
    do {
        var asker = try Asker()
        var count = 0
        try asker.ring.turn { _ in count += 1 }
        return "\(count) completions"
    } catch {
        return "\(error)"
    }
}

@Suite struct `Arena memory` {
    @Test(arguments: [1, 4096, 2 << 20, (4 << 20) + 1])
    func `is aligned to huge pages and zero`(count: Int) throws {
        let arena = try unsafe ArenaMemory.map(count: count)
        #expect(arena.count == count)
        let all = Region(offset: 0, count: UInt32(count))
        #expect(unsafe UInt(bitPattern: arena.address(of: all)) % (2 << 20) == 0)
        let span = arena.span(all)
        #expect(span[0] == 0)
        #expect(span[count - 1] == 0)
    }

    @Test func `can be prepared before it is touched`() throws {
        var seen: [UInt] = []
        let arena = try unsafe ArenaMemory.map(count: 4 << 20) {
            seen = [UInt(bitPattern: $0.baseAddress), UInt($0.count)]
        }
        let start = unsafe UInt(bitPattern: arena.address(of: Region(offset: 0, count: 1)))
        #expect(seen == [start, 4 << 20])
    }

    @Test func `that is not to be had is an error`() {
        // More than there are addresses.
        #expect(throws: KernelError.noMemory) { try unsafe ArenaMemory.map(count: 1 << 50) }
    }
}
