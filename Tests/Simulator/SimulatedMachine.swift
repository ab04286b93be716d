/// Cores and one disk without threads or time: every step completes one operation in flight,
/// chosen by the seed, so that a seed is a history.

public import IO
public import Loop

public final class SimulatedMachine {
    public final class Core {
        public let loop: EventLoop
        public let memory: CoreMemory
        let arena: Arena

        init(loop: EventLoop, arena: Arena) {
            self.loop = loop
            self.arena = arena
            memory = CoreMemory(arena: arena, loop: loop)
        }
    }

    private struct Pending {
        let core: Int
        let token: Token
        let submitted: SimulatedDisk.Submitted
    }

    public let disk: SimulatedDisk
    public let cores: [Core]
    public var random: SeededRandom
    private var pending: [Pending] = []
    /// Nanoseconds.
    public private(set) var now: UInt64 = 1
    /// Seconds since 1970: goes on when somebody says so.
    public var wallSeconds: UInt64 = 1_700_000_000
    /// Operations that the disk does not end for now: by core, and by a number that rises with each
    /// that is asked for. Time goes on meanwhile.
    public var holds: ((_ core: Int, _ operation: Operation, _ number: UInt64) -> Bool)?
    /// Called after every step of the disk.
    public var afterStep: () -> Void = {}
    /// More steps than this mean that something waits for ever.
    public var stepsMax = 2_000_000

    /// The loops and arenas may have served an earlier machine, if nothing waits in them.
    public init(disk: SimulatedDisk, hardware: [Hardware], seed: UInt64) {
        self.disk = disk
        random = SeededRandom(seed: seed)
        cores = hardware.map { Core(loop: $0.loop, arena: $0.arena) }
    }

    /// Runs until `isDone`. Answers false if before that nothing is left that could happen.
    public func run(until isDone: () -> Bool) -> Bool {
        var steps = 0
        while true {
            runJobs()
            if isDone() { return true }
            guard advance() else { return false }
            steps += 1
            precondition(steps < stepsMax, "the machine runs and runs")
        }
    }

    private func runJobs() {
        repeat {
            for (index, core) in cores.enumerated() {
                core.loop.attach(ring: nil)
                core.loop.runJobs(now: now, wallSeconds: wallSeconds)
                while let (operation, token) = core.loop.nextRequest() {
                    let submitted = disk.submit(operation, core.arena)
                    pending.append(Pending(core: index, token: token, submitted: submitted))
                }
                core.loop.detach()
            }
        } while cores.contains { $0.loop.hasJobs }
    }

    private func choose() -> Int? {
        guard let holds else { return pending.indices.randomElement(using: &random) }
        let free = pending.indices.filter {
            let entry = pending[$0]
            return !holds(entry.core, entry.submitted.operation, entry.submitted.number)
        }
        return free.randomElement(using: &random)
    }

    /// Ends one operation, or lets time pass until the next timer.
    private func advance() -> Bool {
        guard let chosen = choose() else {
            guard let deadline = cores.compactMap({ $0.loop.nextDeadline }).min() else {
                return false
            }
            now = max(now + 1, deadline)
            return true
        }
        now += 1000
        let entry = pending.remove(at: chosen)
        let core = cores[entry.core]
        disk.plan.now = now
        let result = disk.complete(entry.submitted, core.arena)
        core.loop.attach(ring: nil)
        core.loop.handle(Completion(token: entry.token, result: result))
        core.loop.detach()
        afterStep()
        return true
    }
}

/// What outlives a simulated process: event loops and the memory of cores.
public struct Hardware: Sendable {
    public let loop: EventLoop
    public let arena: Arena

    public init(index: Int, bytes: Int) throws(KernelError) {
        loop = try EventLoop(index: index)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: bytes, alignment: 1 << 20)
        arena = unsafe Arena(memory)
    }
}
