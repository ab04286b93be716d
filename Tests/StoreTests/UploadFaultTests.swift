// Goal:   whatever breaks under uploads, and whenever: no client was told what is not so, all can
//         be finished afterwards, no block, announcement or buffer is lost, and errors say why.
// Method: a tale of six uploads on two cores, told again and again; each time another operation of
//         the disk, or commit of the catalog, goes wrong, or another core count comes after.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `An upload under which something breaks` {
    private static let errors: [FaultPlan.Outcome] = [
        .error(.io), .error(.cancelled), .error(KernelError(code: 4)), .error(.noMemory),
    ]

    private static let faults: [(OperationKind, [FaultPlan.Outcome])] = [
        (.read, errors + [.short, .nothing]), (.write, errors + [.error(.noSpace), .short]),
        (.sync, errors), (.allocate, errors + [.error(.noSpace)]), (.open, errors),
    ]

    @Test(arguments: ProgressPolicy.both, faults)
    func `costs an error at most`(
        progress: ProgressPolicy, fault: (OperationKind, [FaultPlan.Outcome])
    ) throws {
        let (kind, outcomes) = fault
        let hardware = try World.hardware(cores: 2)
        let world = World(hardware, progress: progress)
        try world.open()
        world.settle()
        let before = world.disk.plan.counts[kind, default: 0]
        let tale = UploadTale()
        tale.tell(world)
        #expect(tale.all.flatMap(\.failures) == [])
        let count = world.disk.plan.counts[kind, default: 0] - before
        #expect(world.close() == nil)
        #expect(count > 1, "\(kind) is hardly ever asked for")
        let wanted = min(count, 24)
        for index in 0..<wanted {
            let number = 1 + index * (count - 1) / max(1, wanted - 1)
            try strike(kind, number, outcomes[index % outcomes.count], hardware, progress)
        }
    }

    private func strike(
        _ kind: OperationKind, _ number: Int, _ outcome: FaultPlan.Outcome,
        _ hardware: [Hardware], _ progress: ProgressPolicy
    ) throws {
        let what: Comment = "\(kind) \(number): \(outcome)"
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            hardware, catalog: catalog, seed: UInt64(number), progress: progress)
        try world.open()
        world.settle()
        let idle = world.machine.cores.map { $0.loop.ticketsOutstanding }
        world.disk.plan.strike(kind, number: number, with: outcome)
        let tale = UploadTale()
        tale.tell(world)
        world.disk.plan.disarm()
        #expect(world.machine.cores.map { $0.loop.ticketsOutstanding } == idle, what)
        for core in world.machine.cores {
            #expect(core.memory.bytesFree == core.memory.bytesTotal, what)
        }
        #expect(world.shared?.bytesReserved == 0, what)
        if world.shared?.failedVolumes.isEmpty == true {
            // Then nothing needs a restart either; unless an upload says that it does.
            #expect(tale.all.flatMap(\.problems) == [], what)
        }
        #expect(world.close() == nil, what)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(tale.problems(in: again) == [], what)
        #expect(again.close() == nil, what)
        let last = World(hardware, disk: SimulatedDisk(again.disk.visible), catalog: catalog)
        try last.open()
        #expect(contradictions(last, Expectations()) == [], what)
        #expect(last.close() == nil, what)
    }

    // MARK: The catalog

    /// Nothing is stored, and the next try succeeds: clients are told so and go on.
    @Test(arguments: ProgressPolicy.both)
    func `goes on after a commit of the catalog that failed`(progress: ProgressPolicy) throws {
        let hardware = try World.hardware(cores: 2)
        for number in 1...40 {
            let catalog = MemoryCatalog(instance: World.instance)
            let world = World(
                hardware, catalog: catalog, seed: UInt64(number), progress: progress)
            try world.open()
            world.settle()
            catalog.fail(commit: number, .before(.diskFull))
            let tale = UploadTale()
            tale.tell(world)
            // It struck, or it never will.
            catalog.crash()
            for error in tale.all.flatMap(\.failures) {
                switch error {
                // Not heard of, or heard of too late: where it goes on is told.
                case .store(.indexBehind), .notFound, .refused(.wrongOffset): break
                default: Issue.record("commit \(number): \(error)")
                }
            }
            #expect(world.machine.cores.allSatisfy { $0.memory.bytesFree == $0.memory.bytesTotal })
            #expect(tale.problems(in: world) == [], "commit \(number)")
            #expect(world.close() == nil)
            let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
            try again.open()
            #expect(contradictions(again, Expectations()) == [], "commit \(number)")
            #expect(again.close() == nil)
        }
    }

    /// The process dies with the commit: stored, or not, and nobody was told.
    @Test(arguments: [false, true], ProgressPolicy.both)
    func `survives a process that dies in a commit`(
        isStored: Bool, progress: ProgressPolicy
    ) throws {
        for number in stride(from: 1, through: 31, by: 2) {
            let catalog = MemoryCatalog(instance: World.instance)
            let error = CatalogError.system(operation: "commit", code: 5)
            // Its loops are left with what waits in them for ever.
            let world = World(
                try World.hardware(), catalog: catalog, seed: UInt64(number),
                progress: progress)
            try world.open()
            catalog.fail(commit: number, isStored ? .afterDurable(error) : .before(error))
            let tale = UploadTale()
            tale.beginsOnly(world)
            catalog.crash()
            let again = World(
                try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
            try again.open()
            #expect(tale.problems(in: again) == [], "commit \(number)")
            #expect(again.close() == nil)
        }
    }

    // MARK: Space

    @Test func `of unknown length keeps what came before the disk was full`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let hardware = try World.hardware(cores: 2)
        let world = World(hardware, catalog: catalog)
        (world.volumeBytes, world.capacityBytes) = (64 << 20, 128 << 20)
        try world.open()
        let ledger = try #require(world.shared).ledger
        let taken = try #require(
            world.run { () async -> [Extent]? in try? await ledger.reserve(58 << 20) })
        let bytes = plainContent(8, seed: 1)
        let client = UploadClient("a", bytes, tellsLength: false)
        client.create(world, on: 0)
        client.send(world, on: 1, to: bytes.count)
        #expect(client.failures == [.store(.noSpace)])
        client.ask(world, on: 0)
        // Everything that found room: also what was on its way to the disk when there was no more.
        #expect(client.told >= 2 << 20)
        #expect(client.told < 8 << 20)
        #expect(!client.isFinished)
        #expect(client.told % 4096 == 0)
        let kept = client.told
        world.run { await ledger.giveBack(taken) }
        world.shared?.state.endReservation(58 << 20)
        client.finish(world)
        #expect(client.isFinished && client.problems == [] && kept > 0)
        #expect(try world.get("a").get() == bytes)
        world.settle()
        #expect(world.space.largeUsed == 2048)
        #expect(world.shared?.bytesReserved == 0)
        #expect(world.close() == nil)
    }

    /// Connections that end before their first byte, or whose chunk is discarded, and are not seen
    /// again: the space that was theirs is free at once.
    @Test(arguments: [true, false])
    func `that no byte came of holds no block`(tellsLength: Bool) throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let client = UploadClient("a", content(900_000, seed: 2), tellsLength: tellsLength)
        client.create(world, on: 0)
        client.send(world, on: 1, to: 900_000, broken: 0)
        #expect(client.failures == [] && client.told == 0)
        #expect(world.space.largeUsed == 0)
        let id = try #require(client.id)
        let discarded = world.ask(on: 1) { core throws(UploadError) in
            try await core.discardChunk(id, content(300_000, seed: 3))
        }
        #expect(try discarded.get().offset == 0)
        #expect(world.space.largeUsed == 0)
        client.finish(world)
        #expect(try world.get("a").get() == client.bytes)
        world.settle()
        #expect(world.space.largeUsed == 220)
        #expect(world.shared?.bytesReserved == 0)
        #expect(world.close() == nil)
    }

    @Test(arguments: [90_000, 65_536, 65_537, 131_072])
    func `takes no byte past its end from who does not say how many come`(length: Int) throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: UInt64(length)).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        let refused = world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(id, claim, content(400_000, seed: 4))
        }
        #expect(refused.failure == .refused(.tooLong(limit: UInt64(length))))
        let status = try world.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.offset <= UInt64(length))
        #expect(world.shared?.bytesReserved == 0)
        for core in world.machine.cores {
            #expect(core.memory.bytesFree == core.memory.bytesTotal)
        }
        #expect(world.close() == nil)
    }

    // MARK: Another machine

    @Test(arguments: [(1, 3), (2, 1), (3, 2)])
    func `goes on on another number of cores`(cores: (Int, Int)) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(cores: cores.0), catalog: catalog)
        try world.open()
        let clients = (0..<9).map { UploadClient("n\($0)", content(150_000, seed: UInt64($0))) }
        for (index, client) in clients.enumerated() {
            client.create(world, on: index % cores.0)
            client.send(world, on: index % cores.0, to: 10_000 * (index + 1))
        }
        #expect(world.close() == nil)
        let again = World(
            try World.hardware(cores: cores.1), disk: SimulatedDisk(world.disk.visible),
            catalog: catalog)
        try again.open()
        #expect(again.shared?.unfinishedUploads == 9)
        for (index, client) in clients.enumerated() where index % 3 != 0 { client.finish(again) }
        for (index, client) in clients.enumerated() where index % 3 == 0 {
            client.giveUp(again, on: index % cores.1)
            #expect(client.isEnded == true)
        }
        #expect(clients.flatMap(\.problems) == [] && clients.flatMap(\.failures) == [])
        #expect(clients.count { $0.isFinished } == 6)
        again.settle()
        #expect(again.shared?.unfinishedUploads == 0)
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
    }
}

extension TestCore {
    /// Sends a withheld chunk to an upload's start, and takes it back.
    func discardChunk(_ id: UploadID, _ bytes: [UInt8]) async throws(UploadError) -> UploadStatus {
        let claim = ChunkClaim(offset: 0, end: UInt64(bytes.count), isSequential: true)
        let chunk = try await objects.beginChunk(
            id, owner: Array("me".utf8), claim, expected: [.crc32c(0)])
        var done = 0
        while let step = chunk.next(countMax: uploadBufferBytes) {
            let lease = await memory.value.lease(uploadBufferBytes)
            fill(lease.region, Array(bytes[done..<done + step.count]))
            try await chunk.take(step, lease, count: step.count)
            done += step.count
        }
        return try await chunk.discard()
    }
}
