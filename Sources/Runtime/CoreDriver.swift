/// Drives one event loop with one real ring: run what is ready, ask, sleep, hand on the answers.

import Glibc
public import IO
public import Loop
public import Uring

public struct CoreDriver: ~Copyable {
    /// Submissions that fit between two turns; more are handed over early.
    public static let ringEntries: UInt32 = 1024
    public static let receiveGroup = BufferGroup(id: 0)
    /// From so many requests of handlers on, a turn that has slept looks a second time.
    static let burstMin = 8

    public let loop: EventLoop
    private var ring: Ring

    /// To be made on the thread that will run it.
    public init(loop: EventLoop, memory: CoreMemory) throws(KernelError) {
        var ring = try Ring(entries: CoreDriver.ringEntries, arena: memory.arena)
        try ring.provideBuffers(
            memory.receiveBuffers, size: CoreMemory.receiveBufferSize,
            group: CoreDriver.receiveGroup)
        self.loop = loop
        self.ring = ring
    }

    public var facts: RingFacts { ring.facts }

    public mutating func registerArena() throws(KernelError) { try ring.registerArena() }

    public mutating func limitWorkers(toCPU cpu: Int) throws(KernelError) {
        try ring.limitWorkers(toCPU: cpu)
    }

    /// Runs until `EventLoop.stop`. Fails only if the ring itself does.
    public mutating func run() throws(KernelError) {
        loop.attach(ring: ring.descriptor)
        defer { loop.detach() }
        loop.watchDoorbell()
        while true {
            loop.runJobs(
                now: CoreDriver.monotonicNanoseconds(), wallSeconds: CoreDriver.wallSeconds())
            while let buffer = loop.nextEmptiedBuffer() { ring.giveBack(providedBuffer: buffer) }
            while let (operation, token) = loop.nextRequest() {
                ring.enqueue(operation, as: token)
            }
            if loop.isStopping {
                // The last requests must reach the kernel: one may wake another core.
                try ring.turn(sleeping: false) { loop.handle($0) }
                return
            }
            let limit = nanosecondsUntilDeadline()
            let sleeps = !loop.hasJobs && limit != 0
            var count = try ring.turn(sleeping: sleeps, limit: limit ?? 0) { loop.handle($0) }
            if sleeps && loop.requestsUnderWay >= CoreDriver.burstMin {
                // A disk that was asked for many things at once answers many at once, and the first
                // of them wakes us. The rest has come by now: asked for the next together, it is
                // told once (perf/runs/2026-11-27-fio-4k.md).
                count += try ring.turn(sleeping: false) { loop.handle($0) }
            }
            loop.turned(completions: count)
        }
    }

    /// Nil if nothing is due ever, 0 if something is due now.
    private func nanosecondsUntilDeadline() -> UInt64? {
        guard let deadline = loop.nextDeadline else { return nil }
        let now = CoreDriver.monotonicNanoseconds()
        return deadline > now ? deadline - now : 0
    }

    private static func wallSeconds() -> UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return UInt64(max(0, time.tv_sec))
    }

    public static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
