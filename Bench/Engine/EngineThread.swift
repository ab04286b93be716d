// The thread of the core that reads and writes, and how others wait for it.

import Dispatch
import IO
import Loop
import Runtime
import Synchronization
import Uring

/// A core on a pinned thread of its own, until it is stopped.
final class EngineThread: Sendable {
    private let loop: EventLoop
    private let core: EngineCore
    private let thread: Mutex<CoreThread?>

    /// The pool, 9/16 of it less 5 MiB, has a largest buffer for each of the deepest queue.
    private static let arenaBytes = 128 << 20

    /// Answers when the core runs.
    init(cpu: Int) throws(EngineError) {
        let started = Awaited<Void>()
        do throws(KernelError) {
            let arena = try unsafe ArenaMemory.map(count: EngineThread.arenaBytes)
            let loop = try EventLoop(index: 0)
            let memory = CoreMemory(arena: arena, loop: loop)
            (self.loop, core) = (loop, EngineCore(loop: loop, memory: memory))
            thread = Mutex(
                try CoreThread.start(name: "engine", cpu: cpu) {
                    EngineThread.live(loop, memory, cpu: cpu, started)
                })
        } catch {
            throw EngineError("no core on CPU \(cpu): errno \(error.code); see --cpu")
        }
        do throws(EngineError) { try started.wait() } catch {
            join()
            throw error
        }
    }

    /// From the thread's birth to its end.
    private static func live(
        _ loop: EventLoop, _ memory: CoreMemory, cpu: Int, _ started: Awaited<Void>
    ) {
        do throws(EngineError) {
            var driver = try makeDriver(loop, memory, cpu: cpu)
            started.put(.success(()))
            do throws(KernelError) { try driver.run() } catch {
                // Who waits for a round would wait for ever.
                preconditionFailure("the ring failed: errno \(error.code)")
            }
        } catch {
            started.put(.failure(error))
        }
    }

    private static func makeDriver(
        _ loop: EventLoop, _ memory: CoreMemory, cpu: Int
    ) throws(EngineError) -> CoreDriver {
        do throws(KernelError) {
            var driver = try CoreDriver(loop: loop, memory: memory)
            // Without, buffers would be looked up anew for each request, unlike fio's.
            try driver.registerArena()
            try driver.limitWorkers(toCPU: cpu)
            return driver
        } catch {
            throw EngineError(RingProbe.explain(error))
        }
    }

    func run(_ round: EngineRound) throws(EngineError) -> EngineTally {
        let tally = Awaited<EngineTally>()
        Task(executorPreference: loop) { [core] in
            do throws(EngineError) {
                tally.put(.success(try await core.run(round)))
            } catch {
                tally.put(.failure(error))
            }
        }
        return try tally.wait()
    }

    func stop() {
        Task(executorPreference: loop) { [core] in await core.stop() }
        join()
    }

    private func join() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        thread.join()
    }
}

/// What one thread waits for and another finds out, once.
private final class Awaited<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, EngineError>?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func put(_ found: Result<Value, EngineError>) {
        result.withLock { $0 = found }
        isThere.signal()
    }

    func wait() throws(EngineError) -> Value {
        isThere.wait()
        guard let result = result.withLock({ $0 }) else {
            preconditionFailure("woken without an answer")
        }
        return try result.get()
    }
}
