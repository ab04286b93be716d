/// A core as the server has one: a loop, a ring and memory on a thread of their own.

import IO
import Loop
import Runtime
import Synchronization
import Testing
import Uring

actor Core {
    nonisolated let loop: EventLoop
    /// Divided as the driver's own is, so the pool is ours alone.
    let memory: CoreMemory
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    var log: [Int] = []
    var count = 0

    init(loop: EventLoop, arena: Arena) {
        self.loop = loop
        memory = CoreMemory(arena: arena, loop: loop)
    }

    func append(_ number: Int) { log.append(number) }

    /// Answers on the core's own thread or traps; waits for its kernel now and then.
    func increment() async -> Int {
        loop.checkIsolated()
        count += 1
        let own = count
        if own % 8 == 0 { _ = await loop.perform(.nop) }
        loop.checkIsolated()
        return own
    }

    func stop() { loop.stop() }

    /// A handler beside the calling one.
    nonisolated func spawn(_ body: @escaping @Sendable (isolated Core) async -> Void) -> Task<
        Void, Never
    > {
        Task(executorPreference: loop) { await body(self) }
    }
}

/// Runs `body` isolated to a core of its own, which ends with it.
func onCore<Value: Sendable>(
    arenaBytes: Int = CoreMemory.smallest,
    _ body: @escaping @Sendable (isolated Core) async throws -> Value
) async throws -> Value {
    let core = try RunningCore(index: 0, arenaBytes: arenaBytes)
    let result = await core.run(body).result
    await core.stop()
    return try result.get()
}

/// A core whose thread runs until `stop`.
final class RunningCore: Sendable {
    let core: Core
    private let thread: Mutex<CoreThread?>

    init(index: Int, arenaBytes: Int = CoreMemory.smallest) throws {
        let arena = try unsafe ArenaMemory.map(count: arenaBytes)
        let loop = try EventLoop(index: index)
        core = Core(loop: loop, arena: arena)
        thread = Mutex(
            try CoreThread.start(name: "core-\(index)", cpu: nil) {
                do throws(KernelError) {
                    let memory = CoreMemory(arena: arena, loop: loop)
                    var driver = try CoreDriver(loop: loop, memory: memory)
                    try driver.run()
                } catch {
                    // Whoever waits for this core would wait for ever.
                    preconditionFailure("a test's core failed: errno \(error.code)")
                }
            })
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (isolated Core) async throws -> Value
    ) -> Task<Value, any Error> {
        let core = core
        return Task(executorPreference: core.loop) { try await body(core) }
    }

    func stop() async {
        await core.stop()
        join()
    }

    /// Waits for a loop that was stopped otherwise.
    func join() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        thread.join()
    }
}
