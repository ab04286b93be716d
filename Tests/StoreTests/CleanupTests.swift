// What was deleted while its volume took no writes is freed once it does: without a restart, only
// once, and nothing of it that a write which failed may still reach.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A deleted object whose volume had failed` {
    private static let large = content(300_000, seed: 2)

    /// Two volumes of one segment; the objects lie in the first.
    private func world(
        _ catalog: MemoryCatalog, _ resilience: StoreResilience = .breakingOnly
    ) throws -> World {
        let world = World(try World.hardware(), catalog: catalog, resilience: resilience)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        try world.open()
        _ = try world.put("kept", content(100_000, seed: 1)).get()
        _ = try world.put("large", Self.large).get()
        _ = try world.put("small", content(30_000, seed: 3)).get()
        world.settle()
        return world
    }

    /// The first volume fails, and both objects are deleted.
    private func deleteDuringOutage(_ world: World) throws {
        let shared = try #require(world.shared)
        shared.state.stopWrites(to: VolumeID(0), because: .readOnly, at: world.machine.now)
        #expect(try world.remove("large").get() && world.remove("small").get())
        // Not long enough for it to be tried.
        world.pass(seconds: 0.5)
        let core = world.core
        world.run { await core.cleanUpLate() }
        #expect(shared.failedVolumes.count == 1 && shared.unindexedCount == 0)
        #expect(world.space.largeUsed == 99)
    }

    private func cleanUp(_ world: World, after seconds: Double = 0) {
        let core = world.core
        if seconds > 0 { world.pass(seconds: seconds) }
        world.run { await core.cleanUpLate() }
        world.settle()
    }

    /// What is left once all segments have been given back.
    private func checkEnd(_ world: World, _ catalog: MemoryCatalog, small: UInt64) throws {
        #expect(world.close() == nil)
        #expect(world.space.largeUsed == 25 && world.space.smallUsed == small)
        let again = World(
            try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(contradictions(again, promised) == [])
        #expect(again.close() == nil)
        #expect(try catalog.makeReader().removals().isEmpty)
    }

    private var promised: Expectations {
        var expectations = Expectations()
        expectations.acknowledge("kept", content(100_000, seed: 1))
        expectations.acknowledge("large", nil)
        expectations.acknowledge("small", nil)
        return expectations
    }

    @Test func `gives its space back when that works again, once`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog)
        try deleteDuringOutage(world)
        #expect(world.waitUntilRecovered())
        #expect(world.space.largeUsed == 99)
        cleanUp(world)
        #expect(world.space.largeUsed == 25)
        #expect(try catalog.makeReader().removals().isEmpty)
        let operations = world.disk.operationCount
        cleanUp(world)
        #expect(world.disk.operationCount == operations)
        #expect(!world.hasGivenUp)
        // Only the record of the one that is kept.
        try checkEnd(world, catalog, small: 1)
    }

    /// A restart finishes what it asks for, and no byte of it is freed twice.
    @Test func `gives its space back with a restart before, or a power cut amid that`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog)
        let hardware = try World.hardware()
        try deleteDuringOutage(world)
        #expect(world.waitUntilRecovered())
        var cuts: [(DiskImage, CatalogSnapshot)] = []
        var random = SeededRandom(seed: 5)
        let take = {
            guard let snapshot = try? CatalogSnapshot(catalog) else { return }
            cuts.append((world.disk.visible, snapshot))
            for _ in 0..<4 { cuts.append((world.disk.powerCut(&random).image, snapshot)) }
        }
        take()
        world.machine.afterStep = take
        cleanUp(world)
        world.machine.afterStep = {}
        #expect(cuts.count > 10)
        for (image, snapshot) in cuts {
            let again = World(
                hardware, disk: SimulatedDisk(image), catalog: try snapshot.restored())
            try again.open()
            #expect(contradictions(again, promised) == [])
            #expect(again.close() == nil)
        }
        #expect(world.close() == nil)
    }

    @Test func `gives its space back with a restart where none comes back before`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog, .none)
        try deleteDuringOutage(world)
        #expect(world.hasGivenUp)
        #expect(world.close() == nil)
        let again = World(
            try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(contradictions(again, promised) == [])
        #expect(again.close() == nil)
    }

    /// The zeros that failed may come late, over whatever has the space by then.
    @Test(arguments: [SimulatedDisk.Kind.write, .sync])
    func `keeps its space until what failed there cannot come any more`(
        kind: SimulatedDisk.Kind
    ) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog)
        // The first is the removal's own.
        world.disk.fail(kind, number: 2)
        #expect(try world.remove("large").get())
        _ = world.machine.run { world.shared?.failedVolumes.isEmpty == false }
        #expect(world.waitUntilRecovered())
        #expect(world.space.largeUsed == 99)
        cleanUp(world, after: 50)
        #expect(world.space.largeUsed == 99)
        cleanUp(world, after: 11)
        #expect(world.space.largeUsed == 25)
        #expect(try world.remove("small").get())
        try checkEnd(world, catalog, small: 1)
    }

    /// It is no disk that fails where a place does: what works goes on. The place is tried again,
    /// each time later, and no restart is needed.
    @Test func `gives its space back once its place can be written`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog)
        try deleteDuringOutage(world)
        #expect(world.waitUntilRecovered())
        // Both headers.
        let hits = world.disk.plan.hitCount
        world.fail([.write], of: "volumes/small", seconds: 3000)
        world.pass(secondsCleaning: 3000)
        #expect(6...20 ~= world.disk.plan.hitCount - hits)
        #expect(world.opens == 1 && world.hasPostponed && !world.hasGivenUp)
        #expect(world.space.largeUsed == 99)
        _ = try world.put("new", [1]).get()
        #expect(try world.remove("new").get())
        world.pass(secondsCleaning: 3720)
        #expect(world.lateHeaders.isEmpty && world.space.largeUsed == 25)
        #expect(try catalog.makeReader().removals().isEmpty)
        try checkEnd(world, catalog, small: 1)
    }

    /// Outages follow one another: it is tried as soon as none is.
    @Test func `is kept where the volume fails again amid its clean-up`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog)
        try deleteDuringOutage(world)
        #expect(world.waitUntilRecovered())
        world.disk.fail(.sync, number: 1)
        let core = world.core
        world.run { await core.cleanUpLate() }
        _ = world.machine.run { world.opens == 2 }
        #expect(world.waitUntilRecovered() && !world.hasGivenUp)
        #expect(world.space.largeUsed == 99)
        cleanUp(world, after: 61)
        #expect(world.space.largeUsed == 25)
        try checkEnd(world, catalog, small: 1)
    }
}

extension World {
    /// Whether space stays in use until a restart.
    fileprivate var hasGivenUp: Bool {
        events.all.contains { if case .cleanupPostponed(_, true) = $0 { true } else { false } }
    }

    /// Whether some does until its place can be written.
    fileprivate var hasPostponed: Bool {
        events.all.contains { if case .cleanupPostponed(_, false) = $0 { true } else { false } }
    }
}
