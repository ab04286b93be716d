/// The ring threads: each makes its arena, its ring and who lives there, then runs until it is
/// stopped.

import IO
import Loop
import NUMA
import Synchronization
import Uring

/// What a new core's thread has for who is to live there.
struct CoreGround {
    let loop: EventLoop
    let memory: CoreMemory
    /// The kernel knows the arena, so that its buffers can be lent.
    let isRegistered: Bool
}

/// `Resident`: an actor on the core's loop, such as a server's `Core`.
struct CoreThreads<Resident: Sendable>: ~Copyable {
    let cores: [Resident]
    private var threads: [JoinHandle]

    /// Starts all, and returns when each is running, or throws what the first that failed said.
    /// `settle` runs on each new core's thread, before its loop does.
    static func start(
        _ plan: MachinePlan, _ journal: Journal,
        _ settle: @escaping @Sendable (CoreGround) throws -> Resident
    ) throws(ServeError) -> CoreThreads {
        var cores: [Resident] = []
        var threads: [JoinHandle] = []
        for (index, place) in plan.places.enumerated() {
            let birth = CoreBirth(
                index: index, place: place, memory: plan.memory, journal: journal, settle: settle)
            do {
                threads.append(try startThread(birth, index, place))
                cores.append(try birth.wait())
            } catch {
                // The process ends with this error; those that run end with it.
                for thread in threads { thread.leaveRunning() }
                throw error
            }
        }
        return CoreThreads(cores: cores, threads: threads)
    }

    private static func startThread(
        _ birth: CoreBirth<Resident>, _ index: Int, _ place: CorePlace
    ) throws(ServeError) -> JoinHandle {
        do {
            return JoinHandle(
                try CoreThread.start(name: "millrace-\(index)", cpu: place.cpu) { birth.run() })
        } catch {
            throw ServeError(
                "a thread for CPU \(place.cpu) cannot be started: errno \(error.code)")
        }
    }

    consuming func join() {
        for thread in threads { thread.join() }
    }

    /// For those that the process ends with.
    consuming func leaveRunning() {
        for thread in threads { thread.leaveRunning() }
    }
}

/// A thread that several owners may name and one joins.
final class JoinHandle {
    private var thread: CoreThread?

    init(_ thread: consuming CoreThread) { self.thread = consume thread }

    func join() { thread.take()?.join() }
    func leaveRunning() { thread.take()?.leaveRunning() }
}

/// What passes between the starting thread and a new core's.
private final class CoreBirth<Resident: Sendable>: Sendable {
    private let index: Int
    private let place: CorePlace
    private let memoryPlan: MemoryLock.Plan
    private let journal: Journal
    private let settle: @Sendable (CoreGround) throws -> Resident
    private let gate = Gate()
    private let answer = Mutex<Result<Resident, ServeError>?>(nil)

    init(
        index: Int, place: CorePlace, memory: MemoryLock.Plan, journal: Journal,
        settle: @escaping @Sendable (CoreGround) throws -> Resident
    ) {
        self.index = index
        self.place = place
        memoryPlan = memory
        self.journal = journal
        self.settle = settle
    }

    func wait() throws(ServeError) -> Resident {
        gate.wait()
        guard let answer = answer.withLock({ $0 }) else {
            preconditionFailure("a core came without an answer")
        }
        return try answer.get()
    }

    /// On the core's own thread, from its birth to its end.
    func run() {
        do throws(ServeError) {
            try live()
        } catch {
            answer.withLock { if $0 == nil { $0 = .failure(error) } }
            gate.open()
        }
    }

    private func live() throws(ServeError) {
        do {
            let arena = try mapArena()
            let loop = try EventLoop(index: index)
            let memory = CoreMemory(arena: arena, loop: loop)
            var driver = try CoreDriver(loop: loop, memory: memory)
            let isRegistered = registerArena(&driver)
            try driver.limitWorkers(toCPU: place.cpu)
            let resident = try settle(
                CoreGround(loop: loop, memory: memory, isRegistered: isRegistered))
            answer.withLock { $0 = .success(resident) }
            gate.open()
            try driver.run()
            loop.observer = nil
        } catch let error as KernelError {
            throw ServeError("core \(index): \(RingProbe.explain(error))")
        } catch {
            throw ServeError("core \(index): \(error)")
        }
    }

    private func registerArena(_ driver: inout CoreDriver) -> Bool {
        guard memoryPlan.isRegistered else { return false }
        do {
            try driver.registerArena()
            return true
        } catch {
            journal.warning(
                "buffers stay unregistered, which is slower: errno \(error.code); raise"
                    + " RLIMIT_MEMLOCK (`ulimit -l`, LimitMEMLOCK=infinity)",
                [("core", "\(index)")])
            return false
        }
    }

    private func mapArena() throws(KernelError) -> Arena {
        var refusal: Int32?
        let arena = try unsafe ArenaMemory.map(count: memoryPlan.bytesPerCore) { memory in
            guard let node = place.node else { return }
            unsafe refusal = MemoryNodes.discover().place(memory, on: node)
        }
        if let refusal {
            journal.warning(
                "memory could not be bound to its NUMA node (mbind: errno \(refusal));"
                    + " it lies where the kernel puts it", [("core", "\(index)")])
        }
        return arena
    }
}
