/// A store on simulated cores and a simulated disk, and what a test does with it.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Synchronization
import Volumes

@testable import Store

/// Carries values between the test and the loops, which all run on the test's own thread.
struct Box<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// Stands for the server's core: owns one `ObjectStore` and forwards what the store asks.
actor TestCore: StoreCore {
    nonisolated let loop: EventLoop
    let memory: Box<CoreMemory>
    private var store: ObjectStore?
    private(set) var forgotten: [UInt64] = []
    private(set) var uploadBufferBytes = 128 << 10

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ loop: EventLoop, _ memory: Box<CoreMemory>) {
        self.loop = loop
        self.memory = memory
    }

    var objects: ObjectStore {
        guard let store else { preconditionFailure("the store is not open") }
        return store
    }

    /// From now on large uploads come in buffers that are filled with so many bytes.
    func setUploadBuffer(bytes: Int) { uploadBufferBytes = bytes }

    func open(_ shared: StoreShared) throws(StoreError) {
        store = try ObjectStore(
            loop: loop, memory: memory.value, shared: shared, hashingOn: loop)
    }

    func close() async {
        await store?.close()
        store = nil
    }

    func forget(name: [UInt8], sequence: UInt64) {
        forgotten.append(sequence)
        store?.forget(name: name, sequence: sequence)
    }

    func waitUntilUnpinned(sequence: UInt64) async {
        await store?.waitUntilUnpinned(sequence: sequence)
    }

    // MARK: What tests ask for

    func put(
        _ name: String, _ bytes: [UInt8], _ durability: Durability = .durable
    ) async throws(StoreError) -> PutOutcome {
        let description = UploadDescription(
            name: Array(name.utf8), length: UInt64(bytes.count), mediaType: Array("a/b".utf8),
            modified: 7)
        if bytes.count <= StoreLimits.smallBytesMax {
            let upload = try await objects.beginSmall(description)
            fill(upload.dataRegion, bytes)
            return try await upload.commit(durability)
        }
        let upload = try await objects.beginLarge(description)
        do throws(StoreError) {
            try await send(bytes, to: upload)
        } catch {
            await upload.abandon()
            throw error
        }
        return try await upload.commit(durability)
    }

    private func send(_ bytes: [UInt8], to upload: LargeUpload) async throws(StoreError) {
        for start in stride(from: 0, to: bytes.count, by: uploadBufferBytes) {
            let part = Array(bytes[start..<min(bytes.count, start + uploadBufferBytes)])
            let lease = await memory.value.lease(uploadBufferBytes)
            fill(lease.region, part)
            upload.arrived(lease.region, count: part.count / 3)
            try await upload.write(lease, count: part.count)
        }
    }

    func fill(_ region: Region, _ bytes: [UInt8]) {
        memory.value.arena.copy(bytes.span.rawBytes, to: region)
    }

    /// Begins an upload, sends `sent` of its bytes, and gives up.
    func abandon(_ name: String, _ bytes: [UInt8], sent: Int) async throws(StoreError) {
        let description = UploadDescription(
            name: Array(name.utf8), length: UInt64(bytes.count), mediaType: [], modified: 7)
        if bytes.count <= StoreLimits.smallBytesMax {
            try await objects.beginSmall(description).abandon()
            return
        }
        let upload = try await objects.beginLarge(description)
        do throws(StoreError) {
            try await send(Array(bytes.prefix(sent)), to: upload)
        } catch {
            await upload.abandon()
            throw error
        }
        await upload.abandon()
    }

    /// The object's bytes; nil if there is none.
    func get(_ name: String) async throws(StoreError) -> [UInt8]? {
        guard let pinned = try await objects.find(Array(name.utf8)) else { return nil }
        defer { objects.release(pinned) }
        return try await read(pinned)
    }

    func pin(_ name: String) async throws(StoreError) -> Pinned? {
        try await objects.find(Array(name.utf8))
    }

    func release(_ pinned: Pinned) { objects.release(pinned) }

    func settle(_ pinned: Pinned) async throws(StoreError) -> Bool {
        try await objects.settle(pinned)
    }

    func read(_ pinned: Pinned) async throws(StoreError) -> [UInt8] {
        if pinned.object.kind == .small {
            let small = try await objects.readSmall(pinned)
            let bytes = copy(small.data)
            memory.value.giveBack(small.takeLease())
            return bytes
        }
        let large = try await objects.describe(pinned)
        var bytes: [UInt8] = []
        for segment in large.segments {
            var offset: UInt64 = 0
            while offset < segment.length {
                let buffer = await memory.value.lease(256 << 10).detach()
                defer { memory.value.giveBack(BufferLease(attaching: buffer)) }
                let count = try await objects.read(segment, offset: offset, into: buffer)
                bytes += copy(buffer.part(from: 0, count: count))
                offset += UInt64(count)
            }
        }
        return bytes
    }

    func copy(_ region: Region) -> [UInt8] {
        let span = memory.value.arena.span(region)
        return unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    func remove(_ name: String) async throws(StoreError) -> Bool {
        try await objects.remove(Array(name.utf8), at: 9)
    }

    func list(
        prefix: String = "", after: String? = nil, limit: Int = 1000
    ) async throws(StoreError) -> [ListedObject] {
        try await objects.list(
            prefix: Array(prefix.utf8), after: after.map { Array($0.utf8) }, limit: limit)
    }

    nonisolated var index: Int { loop.index }

    func cut(_ id: UploadID, writer: UInt64) { store?.cut(id, writer: writer) }

    var statistics: StoreStatistics { objects.statistics }
    var bytesFree: Int { memory.value.bytesFree }
}

/// What the store told its operator.
final class EventLog: Sendable {
    private let events = Mutex<[StoreEvent]>([])
    func append(_ event: StoreEvent) { events.withLock { $0.append(event) } }
    var all: [StoreEvent] { events.withLock { $0 } }
}

/// Everything between power on and power off.
final class World {
    static let instance = CatalogInstance(high: 0xfeed, low: 0xbeef)

    let machine: SimulatedMachine
    let disk: SimulatedDisk
    let catalog: any CatalogStorage
    private(set) var shared: StoreShared?
    private(set) var cores: [TestCore] = []
    let events = EventLog()
    private let faults: StoreFaults
    var capacityBytes: UInt64 = 1 << 30
    var volumeBytes: UInt64 = 256 << 20
    var rebuilds = false
    var reservedBytesMax = UInt64.max
    var unfinishedBytesMax = UInt64.max
    var unfinishedBytesPerOwnerMax = UInt64.max
    var uploadBytesMax: UInt64?
    var catalogWarmBytesMax: UInt64 = 0
    /// Without a log, unless a test is about one.
    private let progress: ProgressPolicy
    /// Nothing is tried again, unless a test is about that.
    private let resilience: StoreResilience
    var keepsSHA256 = false

    static func hardware(cores: Int = 1) throws -> [Hardware] {
        try (0..<cores).map { try Hardware(index: $0, bytes: 32 << 20) }
    }

    init(
        _ hardware: [Hardware], disk: SimulatedDisk = SimulatedDisk(),
        catalog: any CatalogStorage = MemoryCatalog(instance: World.instance), seed: UInt64 = 1,
        faults: StoreFaults = [], progress: ProgressPolicy = .never,
        resilience: StoreResilience = .none
    ) {
        self.progress = progress
        self.resilience = resilience
        self.disk = disk
        self.catalog = catalog
        self.faults = faults
        machine = SimulatedMachine(disk: disk, hardware: hardware, seed: seed)
    }

    var core: TestCore { cores[0] }

    /// Runs `work` on core 0's loop until it ends.
    func run<Answer>(
        on index: Int = 0, _ work: @escaping () async -> Answer
    ) -> Answer {
        let handle = start(on: index, work)
        let isDone = machine.run { handle.answer != nil }
        guard isDone, let answer = handle.answer else {
            preconditionFailure("the work waits for something that never comes")
        }
        return answer
    }

    final class Handle<Answer> {
        var answer: Answer?
    }

    /// Starts `work` on a core's loop; it goes on whenever the machine runs.
    func start<Answer>(
        on index: Int = 0, _ work: @escaping () async -> Answer
    ) -> Handle<Answer> {
        let handle = Handle<Answer>()
        let confined = Box((work, handle))
        Task(executorPreference: machine.cores[index].loop) {
            let answer = await confined.value.0()
            confined.value.1.answer = answer
        }
        return handle
    }

    /// Lets everything happen that can.
    func settle() { _ = machine.run { false } }

    func open() throws(StoreError) {
        let events = events
        var setup = StoreSetup(
            directory: Descriptor(3), instance: World.instance, sealKey: [1, 2, 3],
            catalog: catalog, capacityBytes: capacityBytes, volumeBytes: volumeBytes,
            report: { events.append($0) })
        setup.rebuilds = rebuilds
        setup.reservedBytesMax = reservedBytesMax
        setup.unfinishedBytesMax = unfinishedBytesMax
        setup.unfinishedBytesPerOwnerMax = unfinishedBytesPerOwnerMax
        if let uploadBytesMax { setup.uploadBytesMax = uploadBytesMax }
        setup.catalogWarmBytesMax = catalogWarmBytesMax
        setup.progress = progress
        setup.resilience = resilience
        setup.keepsSHA256 = keepsSHA256
        let (loop, memory) = (machine.cores[0].loop, machine.cores[0].memory)
        let faults = faults
        let opened = run { () async -> Result<StoreShared, StoreError> in
            do throws(StoreError) {
                return .success(
                    try await StoreOpening.open(
                        setup, loop: loop, memory: memory, indexingOn: loop, lookingUpOn: loop,
                        faults: faults))
            } catch {
                return .failure(error)
            }
        }
        let shared = try opened.get()
        self.shared = shared
        cores = machine.cores.map { TestCore($0.loop, Box($0.memory)) }
        for core in cores { shared.join(core) }
        for (index, core) in cores.enumerated() {
            let result = run(on: index) { () async -> Result<Void, StoreError> in
                do throws(StoreError) { return .success(try await core.open(shared)) } catch {
                    return .failure(error)
                }
            }
            try result.get()
        }
    }

    /// Ends everything in an orderly way.
    func close() -> StoreError? {
        settle()
        let error = closeAtOnce()
        settle()
        return error
    }

    /// The same though something may go on in the background; what closing does not wait for, has
    /// not happened afterwards.
    func closeAtOnce() -> StoreError? {
        guard let shared else { return nil }
        for (index, core) in cores.enumerated() { run(on: index) { await core.close() } }
        return run { () async -> StoreError? in
            do throws(StoreError) {
                try await shared.close()
                return nil
            } catch {
                return error
            }
        }
    }

    var space: (smallUsed: UInt64, largeUsed: UInt64) {
        guard let shared else { return (0, 0) }
        let space = run { await shared.space() }
        return (space.small.usedBlocks, space.large.usedBlocks)
    }

    // MARK: Shorthands

    func put(
        _ name: String, _ bytes: [UInt8], _ durability: Durability = .durable, on index: Int = 0
    ) -> Result<PutOutcome, StoreError> {
        let core = cores[index]
        return run(on: index) {
            do throws(StoreError) {
                return .success(try await core.put(name, bytes, durability))
            } catch {
                return .failure(error)
            }
        }
    }

    func get(_ name: String, on index: Int = 0) -> Result<[UInt8]?, StoreError> {
        let core = cores[index]
        return run(on: index) {
            do throws(StoreError) { return .success(try await core.get(name)) } catch {
                return .failure(error)
            }
        }
    }

    func remove(_ name: String, on index: Int = 0) -> Result<Bool, StoreError> {
        let core = cores[index]
        return run(on: index) {
            do throws(StoreError) { return .success(try await core.remove(name)) } catch {
                return .failure(error)
            }
        }
    }

    func list() -> [ListedObject] {
        let core = core
        let result = run { () async -> Result<[ListedObject], StoreError> in
            do throws(StoreError) { return .success(try await core.list()) } catch {
                return .failure(error)
            }
        }
        return (try? result.get()) ?? []
    }

    var corruptions: [StoreEvent] {
        events.all.filter { if case .corrupt = $0 { true } else { false } }
    }
}

/// Bytes that nobody else writes.
func content(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    let words = (0..<count / 8 + 1).map { _ in random.next() }
    return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
}

/// So many MiB, each of which differs from the others, made quickly.
func plainContent(_ count: Int, seed: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    for number in 0..<count {
        bytes += Array(repeating: seed &+ UInt8(truncatingIfNeeded: number), count: 1 << 20)
    }
    return bytes
}
