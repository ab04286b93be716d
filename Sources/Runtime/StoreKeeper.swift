/// The store of a stopped data directory on one core that serves nobody: an actor whose executor is
/// its ring's thread, as a server's `Core` is.

public import Loop
public import Store

public actor StoreKeeper: StoreCore {
    public nonisolated let loop: EventLoop
    public let memory: CoreMemory
    /// Nil before it is open.
    public private(set) var store: ObjectStore?
    private var shared: StoreShared?

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(loop: EventLoop, memory: CoreMemory) { (self.loop, self.memory) = (loop, memory) }

    func open(
        _ setup: StoreSetup, indexingOn indexing: any SerialExecutor,
        lookingUpOn lookups: any SerialExecutor, hashingOn hashing: any SerialExecutor
    ) async throws(StoreError) {
        let shared = try await StoreOpening.open(
            setup, loop: loop, memory: memory, indexingOn: indexing, lookingUpOn: lookups)
        shared.join(self)
        self.shared = shared
        store = try ObjectStore(
            loop: loop, memory: memory, shared: shared, hashingOn: hashing)
    }

    /// What was put becomes part of the index; nothing may be under way.
    func close() async throws(StoreError) {
        await store?.close()
        store = nil
        try await shared?.close()
        shared = nil
    }

    func stop() { loop.stop() }

    /// Runs `work` here and waits for it; for threads without a loop.
    public nonisolated func perform<Answer: Sendable>(
        _ work: @escaping @Sendable (isolated StoreKeeper) async -> Answer
    ) -> Answer {
        Blocking.wait(on: loop) { await work(self) }
    }

    // MARK: StoreCore

    public nonisolated var index: Int { loop.index }

    public func forget(name: [UInt8], sequence: UInt64) {
        store?.forget(name: name, sequence: sequence)
    }

    public func waitUntilUnpinned(sequence: UInt64) async {
        await store?.waitUntilUnpinned(sequence: sequence)
    }

    public func cut(_ id: UploadID, writer: UInt64) { store?.cut(id, writer: writer) }
}
