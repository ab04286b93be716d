/// One core of the server: an actor whose executor is its ring's thread.
///
/// What can be answered from memory is answered here, in the completion, without a task; whatever
/// waits for the disk or for a body runs as a straight-line handler on the same thread.
///
///     completion ─▶ received ─▶ process ─┬▶ answered into `output` ─▶ one SEND a batch
///                                        └▶ handler task ─▶ store ─▶ … ─▶ finish

public import Cryptography
import Engine
import HTTP
public import IO
public import Loop
public import Store

public actor Core: StoreCore, CompletionObserver {
    public nonisolated let loop: EventLoop
    let memory: CoreMemory
    let arena: Arena
    let settings: FrontSettings
    var store: ObjectStore?
    /// What `store` has in common with the other cores'; for metrics.
    var shared: StoreShared?
    var connections: ConnectionTable
    var cache: HotCache
    var front: BufferPool
    var backpressure: Backpressure
    var admission: Admission
    var underWay = RequestsUnderWay()
    /// When the operator was last told of overload, in coarse seconds; 0: never.
    var overloadToldAt: UInt32 = 0
    /// What all connections' `input` takes.
    var inputBytes = 0
    var buffers: BufferSelector
    var zeroCopy: ZeroCopy
    var lentSends = LentSends()
    var links = LinkTable()
    var signers: Signers
    let tokenVerifier: TokenVerifier?
    var clock = ResponseClock()
    var counters = Counters()
    var listeners: [Listener] = []
    /// Sends out of buffers that others may have, if they stall.
    var yieldingCount = 0
    /// Connections from which nothing is read for want of room, and whose flags say so.
    var deferred: [Int] = []
    /// Emptied receive buffers that the kernel does not get back for want of room.
    var withheld: [UInt16] = []
    var phase = Phase.recovering
    var handlers = HandlerTasks()
    var requestNumber: UInt64 = 0
    /// On core 0: the catalog is being told of clients; who waits to do the same.
    var isSavingProfiles = false
    var profileSavers: [Ticket] = []
    /// Why that failed the last time; nil if it did not.
    var profileFailure: String?

    /// All cores of the process by index, this one included: for metrics, and for connections.
    var peers: [Core] = []
    nonisolated let load = ConnectionLoad()
    /// The peers' connections, when a place for a new one is looked for.
    var peerCounts: [Int] = []

    public enum Phase: Sendable { case recovering, serving, draining }

    struct Listener {
        let descriptor: Descriptor
        let isMetrics: Bool
        var isArmed = false
        /// It takes no more connections, and is closed once it is not armed.
        var isEnding = false
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    public init(
        loop: EventLoop, memory: CoreMemory, settings: FrontSettings, hashKey: UInt64
    ) throws(CryptographyError) {
        self.loop = loop
        self.memory = memory
        self.settings = settings
        arena = memory.arena
        connections = ConnectionTable(countMax: settings.connectionsMax)
        cache = HotCache(over: memory.cache, of: memory.arena, hashKey: hashKey)
        front = BufferPool(over: memory.front)
        backpressure = Backpressure(
            bytesTotal: Int(memory.front.count), bytesUnderway: Int(memory.receiveBuffers.count),
            answerBytes: Core.headRoom)
        admission = Admission(settings.admission)
        buffers = BufferSelector(
            settings.buffers, downloadBytesMin: StoreLimits.unitBytes,
            poolBytes: memory.bytesTotal)
        zeroCopy = ZeroCopy(isOn: settings.sendsZeroCopy, poolBytes: memory.bytesTotal)
        signers = try Signers(settings.secrets)
        tokenVerifier = if let key = settings.jwtSecret { try TokenVerifier(key: key) } else { nil }
    }

    public func serve(_ descriptor: Descriptor, isMetrics: Bool) {
        listeners.append(Listener(descriptor: descriptor, isMetrics: isMetrics))
        armListeners()
    }

    /// Opens the store for all cores; to be called on core 0.
    public func openStore(
        _ setup: StoreSetup, indexingOn indexing: any SerialExecutor,
        lookingUpOn lookups: any SerialExecutor
    ) async throws(StoreError) -> StoreShared {
        try await StoreOpening.open(
            setup, loop: loop, memory: memory, indexingOn: indexing, lookingUpOn: lookups)
    }

    /// The store is open: objects can be served.
    public func begin(
        with shared: StoreShared, hashingOn hashing: any SerialExecutor
    ) throws(StoreError) {
        store = try ObjectStore(
            loop: loop, memory: memory, shared: shared, hashingOn: hashing)
        self.shared = shared
        phase = .serving
    }

    /// Every connection has ended: the store's files are closed.
    public func closeStore() async {
        await store?.close()
        store = nil
        shared = nil
    }

    public func setPeers(_ cores: [Core]) {
        precondition(cores[loop.index] === self, "peers stand in the order of their loops")
        peers = cores
        peerCounts = Array(repeating: 0, count: cores.count)
    }

    // MARK: Completions

    public nonisolated func completionsArrived() {
        assumeIsolated { core in
            while let completion = core.loop.nextArrival() { core.take(completion) }
        }
    }

    private func take(_ completion: Completion) {
        if completion.token.kind == .accept { return accepted(completion) }
        if completion.token.kind == .zeroCopy { return lentAnswered(completion) }
        let slot = Int(completion.token.slot)
        guard connections[slot].generation == completion.token.generation else {
            preconditionFailure("a slot was reused while the kernel still knew it")
        }
        switch completion.token.kind {
        case .receive: received(slot, completion)
        case .send: sent(slot, completion.result)
        case .close:
            closed(slot)
        case .accept, .zeroCopy, .waiter, .message, .doorbell, .messageRefused, .writeRun,
            .ignored:
            preconditionFailure("\(completion.token.kind) is not a connection's")
        }
    }

    // MARK: Deletions

    public func forget(name: [UInt8], sequence: UInt64) {
        cache.forget(name.span, upTo: sequence)
        store?.forget(name: name, sequence: sequence)
    }

    public func waitUntilUnpinned(sequence: UInt64) async {
        await store?.waitUntilUnpinned(sequence: sequence)
    }

    // MARK: Uploads

    public nonisolated var index: Int { loop.index }

    public func cut(_ id: UploadID, writer: UInt64) { store?.cut(id, writer: writer) }

    // MARK: Stopping

    /// No new connections; idle ones end, busy ones after their answer. The metrics listener goes
    /// on until `endAll`: who balances load sees there that this server is about to go.
    public func drain() {
        phase = .draining
        closeListeners(isMetrics: false)
        for slot in 0..<connections.slotEnd where connections.isOpen(slot) {
            let flags = connections[slot].flags
            if flags.contains(.isMetrics) { continue }
            // Lingering ones have their answer and end within seconds; a close could destroy it.
            if flags.isDisjoint(with: [.busy, .sending, .lingering]) {
                end(slot)
            } else if !flags.contains(.busy) {
                connections[slot].flags.insert(.closesAfterOutput)
            }
        }
    }

    /// Those open here, whoever accepted them.
    var connectionCount: Int { connections.count }

    /// What a drain waits for: those that another core has handed over and that are yet to be
    /// opened here are among them.
    public var objectConnectionCount: Int { load.count }

    /// Those hold up no drain.
    public var metricsConnectionCount: Int {
        (0..<connections.slotEnd).count { slot in
            connections.isOpen(slot) && connections[slot].flags.contains(.isMetrics)
        }
    }

    /// Ends what is left, however far it has come, the metrics listener included.
    public func endAll() {
        closeListeners(isMetrics: false)
        closeListeners(isMetrics: true)
        for slot in 0..<connections.slotEnd where connections.isOpen(slot) {
            end(slot)
            abandonLent(slot)
        }
    }

    /// The core's thread returns after this turn.
    public func stop() {
        loop.stop()
        while let ticket = handlers.takeParked() { loop.wake(ticket) }
    }

    // MARK: Time

    /// Runs for the core's whole life.
    public func keepTime() async {
        while !loop.isStopping {
            tick()
            await loop.sleep(until: loop.now + 1_000_000_000)
        }
    }

    /// How often is looked for uploads whose time is over.
    private static let expirySeconds: UInt32 = 10

    /// Coarse seconds of the loop's clock; never 0.
    var seconds: UInt32 { UInt32(truncatingIfNeeded: loop.now / 1_000_000_000) &+ 1 }

    func setDeadline(_ slot: Int, seconds count: UInt32) {
        connections[slot].deadline = seconds &+ count
    }

    /// Once a second: deadlines, listeners that could not accept, clients left waiting, the clock.
    private func tick() {
        clock.refresh(loop.wallSeconds)
        trimHandlers()
        receiveAgain()
        armListeners()
        if memory.isShort { cutStalledSends() }
        let now = seconds
        store?.keepUpUploads()
        store?.cleanUpLate()
        // In a task of its own: it waits for the disk.
        if now % Core.expirySeconds == 0 {
            Task(executorPreference: loop) { await self.endExpiredUploads() }
            if loop.index == 0 {
                Task(executorPreference: loop) { await self.saveProfiles() }
            }
        }
        for slot in 0..<connections.slotEnd where connections.isOpen(slot) {
            let deadline = connections[slot].deadline
            if deadline != 0, deadline <= now { expire(slot) }
        }
    }

    func endExpiredUploads() async { await store?.endExpiredUploads() }

    private func expire(_ slot: Int) {
        connections[slot].deadline = 0
        counters.timeouts += 1
        if connections[slot].flags.contains(.busy) {
            connections[slot].flags.insert(.timedOut)
            if let token = connections[slot].interruptible { loop.cancel(token) }
            wakeArrival(slot)
        } else if connections[slot].flags.contains(.ending) {
            abandonLent(slot)
        } else if connections[slot].inputCount > 0, !connections[slot].flags.contains(.sending) {
            refuse(slot, .requestTimeout, "the request head did not arrive in time")
        } else {
            end(slot)
        }
    }
}
