// Goal:   a volume that fails for ten seconds costs errors at most: what was acknowledged is there,
//         what others hold is served as ever, and it takes writes again without a restart.
// Method: two volumes of one segment a class on the simulated disk, one of which fails for a while.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A volume that fails for ten seconds` {
    static let outages: [Set<OperationKind>] = [
        [.write], [.sync], [.read], [.write, .sync], [.read, .write, .sync],
    ]

    /// Two small volumes, with an object in each, and large ones.
    private func world(
        _ resilience: StoreResilience, catalog: MemoryCatalog, cores: Int = 2
    ) throws -> World {
        let world = World(
            try World.hardware(cores: cores), catalog: catalog, resilience: resilience)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        try world.open()
        for core in 0..<cores {
            _ = try world.put("old\(core)", content(3000, seed: UInt64(core)), on: core).get()
            _ = try world.put("big\(core)", content(90_000, seed: UInt64(core)), on: core).get()
        }
        world.settle()
        return world
    }

    @Test(arguments: outages)
    func `takes writes again, and nothing is lost`(kinds: Set<OperationKind>) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(.seeded, catalog: catalog)
        let home = try #require(world.volume(of: "old0"))
        let other = try #require(world.volume(of: "old1"))
        #expect(home != other)
        world.fail(kinds, of: "volumes/\(home)", seconds: 10)
        var told: [String: [UInt8]] = [:]
        for number in 0..<40 {
            let bytes = content(2000 + number, seed: UInt64(number))
            if case .success(.created) = world.put("n\(number)", bytes, on: number % 2) {
                told["n\(number)"] = bytes
            }
            // What lies elsewhere is read at the first try, as ever.
            let reads = world.disk.plan.counts[.read, default: 0]
            #expect(try world.get("old1").get() == content(3000, seed: 1))
            #expect(world.disk.plan.counts[.read, default: 0] == reads + 1)
            world.pass(seconds: 0.5)
        }
        #expect(world.waitUntilRecovered())
        #expect(told.count > 30, "others take the writes meanwhile")
        for number in 40..<50 {
            let bytes = content(2000, seed: UInt64(number))
            guard case .created = try world.put("n\(number)", bytes).get() else {
                Issue.record("not created")
                return
            }
            told["n\(number)"] = bytes
        }
        for (name, bytes) in told { #expect(try world.get(name).get() == bytes) }
        #expect(try world.get("old0").get() == content(3000, seed: 0))
        #expect(world.recoveries == world.opens)
        #expect(world.close() == nil)
        let again = World(
            try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        for (name, bytes) in told { #expect(try again.get(name).get() == bytes) }
        #expect(contradictions(again, Expectations()) == [])
        #expect(again.close() == nil)
    }

    @Test(arguments: [SimulatedDisk.Kind.write, .sync])
    func `gets new writes in new segments, and keeps the old ones from use`(
        kind: SimulatedDisk.Kind
    ) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog, resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", content(3000, seed: 1)).get()
        world.settle()
        world.disk.fail(kind, number: 1)
        guard case .failure = world.put("new", content(3000, seed: 2)) else {
            Issue.record("acknowledged what failed")
            return
        }
        // The only one: it is waited for, not replaced.
        #expect(world.put("newer", content(3000, seed: 3)) == .failure(.readOnly))
        #expect(world.shared?.failedVolumes.map(\.description) == ["small-0000"])
        #expect(world.waitUntilRecovered())
        _ = try world.put("new", content(3000, seed: 4)).get()
        #expect(world.volume(of: "new") == "small-0000")
        #expect(try world.get("new").get() == content(3000, seed: 4))
        #expect(try world.get("old").get() == content(3000, seed: 1))
        let shared = try #require(world.shared)
        let now = world.machine.now
        let told = world.run { await shared.resilience(at: now) }
        #expect(told.quarantinedBytes.small == UInt64(VolumeLayout.segmentSize))
        #expect(told.opens == 1 && told.closes == 1 && told.openVolumes == 0)
        world.pass(secondsCleaning: 62)
        let after = world.run { await shared.resilience(at: now) }
        #expect(after.quarantinedBytes.small == 0)
        #expect(world.close() == nil)
    }

    @Test func `stays away until a restart where that is wanted`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog,
            resilience: StoreResilience(retries: true, backsOff: true, breaksCircuits: false))
        try world.open()
        _ = try world.put("old", content(3000, seed: 1)).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        _ = world.put("new", content(3000, seed: 2))
        let operations = world.disk.operationCount
        world.pass(seconds: 1000)
        #expect(world.disk.operationCount == operations)
        #expect(world.put("new", content(3000, seed: 2)) == .failure(.readOnly))
        let isForGood = world.events.all.contains {
            if case .volumeFailed(_, _, true) = $0 { true } else { false }
        }
        #expect(isForGood)
        #expect(world.close() == nil)
    }

    @Test func `is asked less and less while it fails, and seldom then`() throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        let home = try #require(world.volume(of: "old0"))
        world.fail([.write, .sync, .read], of: "volumes/\(home)", seconds: 300)
        _ = world.put("new", content(3000, seed: 2))
        let hits = world.disk.plan.hitCount
        world.pass(seconds: 250)
        // After 1, 2, 4 … 32 seconds, and then every 60; some ask for more than one thing.
        #expect(6...20 ~= world.disk.plan.hitCount - hits)
        #expect(world.shared?.failedVolumes.count == 1)
        let now = world.machine.now
        #expect(world.health.nanosecondsUntilProbe(at: now) ?? .max <= 60 * second)
        #expect(world.waitUntilRecovered())
        #expect(world.health.counts.probes == world.health.counts.probesFailed + 1)
        #expect(world.close() == nil)
    }

    // MARK: Retries

    @Test(arguments: [.error(.io), .short, .error(KernelError(code: 110))] as [FaultPlan.Outcome])
    func `is not even noticed where a retry helps`(outcome: FaultPlan.Outcome) throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        for (number, size) in [3000, 200_000].enumerated() {
            let bytes = content(size, seed: 5)
            for write in 1...2 {
                world.disk.plan.strike(.write, number: write, with: outcome)
                _ = try world.put("n\(number)-\(write)", bytes).get()
                world.disk.plan.strike(.read, number: write, with: outcome)
                #expect(try world.get("n\(number)-\(write)").get() == bytes)
                world.disk.plan.disarm()
            }
        }
        let (reads, writes) = try #require(world.shared).state.retryCounts
        #expect(reads.retries > 0 && reads.recovered == reads.retries && reads.exhausted == 0)
        #expect(writes.retries > 0 && writes.recovered == writes.retries)
        #expect(world.opens == 0)
        #expect(world.close() == nil)
    }

    @Test(arguments: [28, 30, 22, 61]) func `is not asked again where that is no use`(
        code: Int32
    ) throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        world.disk.plan.strike(.write, number: 1, with: .error(KernelError(code: code)))
        guard case .failure(.kernel(operation: .write, _, _)) = world.put("n", [1, 2, 3]) else {
            Issue.record("not refused")
            return
        }
        #expect(try #require(world.shared).state.retryCounts.writes == RetryCounts())
        #expect(world.opens == 1 && world.waitUntilRecovered())
        #expect(world.close() == nil)
    }

    @Test func `never has a flush asked again`() throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        let syncs = world.disk.counts[.sync, default: 0]
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.put("n", [1, 2, 3]) else {
            Issue.record("acknowledged what failed")
            return
        }
        #expect(world.disk.counts[.sync] == syncs + 1)
        #expect(world.waitUntilRecovered() && world.close() == nil)
    }

    @Test func `has its reads fail fast while it is known to fail, and counted`() throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        let home = try #require(world.volume(of: "old0"))
        world.fail([.write, .read, .sync], of: "volumes/\(home)", seconds: 100)
        guard case .failure(.unreadable) = world.get("old0") else {
            Issue.record("read from a dead disk")
            return
        }
        let before = try #require(world.shared).state.retryCounts.reads
        #expect(before.retries == 4 && before.exhausted == 1 && world.opens == 0)
        _ = world.put("n", [1, 2, 3])
        #expect(world.opens == 1)
        let reads = world.disk.plan.counts[.read, default: 0]
        guard case .failure(.unreadable) = world.get("old0") else {
            Issue.record("read from a dead disk")
            return
        }
        #expect(world.disk.plan.counts[.read, default: 0] == reads + 1)
        #expect(try #require(world.shared).state.retryCounts.reads == before)
        #expect(world.waitUntilRecovered())
        #expect(try world.get("old0").get() == content(3000, seed: 0))
        #expect(world.close() == nil)
    }

    /// Reads put no write in doubt: what is acknowledged and still to be flushed stays.
    @Test func `has its reads fail fast where those of many places do, and takes writes`() throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        let home = try #require(world.volume(of: "old0"))
        for number in 0..<12 { _ = try world.put("r\(number)", content(2000, seed: 1)).get() }
        #expect(world.volume(of: "r0") == home)
        world.fail([.read], of: "volumes/\(home)", seconds: 20)
        for _ in 0..<20 { _ = world.get("r0") }
        let state = try #require(world.shared).state
        #expect(state.retryCounts.reads.refused > 0, "one bad place is no bad disk")
        world.machine.holds = { _, operation, _ in
            if case .sync = operation { true } else { false }
        }
        _ = try world.put("written", content(3000, seed: 3), .written).get()
        for number in 0..<12 { _ = world.get("r\(number)") }
        let before = state.retryCounts.reads
        for number in 0..<12 {
            guard case .failure(.unreadable) = world.get("r\(number)") else {
                Issue.record("read from a dead disk")
                return
            }
        }
        #expect(state.retryCounts.reads == before)
        world.machine.holds = nil
        _ = try world.put("durable", content(3000, seed: 4)).get()
        #expect(world.opens == 0 && world.volume(of: "durable") == home)
        world.pass(seconds: 31)
        #expect(try world.get("written").get() == content(3000, seed: 3))
        // And then they are asked again.
        world.disk.plan.strike(.read, number: 1, with: .error(.io))
        #expect(try world.get("r3").get() == content(2000, seed: 1))
        #expect(state.retryCounts.reads.recovered == 1)
        #expect(world.close() == nil)
    }

    @Test func `has no more retries than the budget has`() throws {
        let world = try world(.seeded, catalog: MemoryCatalog(instance: World.instance))
        let home = try #require(world.volume(of: "old0"))
        for number in 0..<3 { _ = try world.put("r\(number)", content(2000, seed: 1)).get() }
        world.fail([.read], of: "volumes/\(home)", seconds: 3000)
        for number in 0..<100 { _ = world.get("r\(number % 3)") }
        let counts = try #require(world.shared).state.retryCounts.reads
        // A hundred reads in some seconds: the burst, and four a second.
        #expect(counts.retries < 100 && counts.refused > 50)
        #expect(world.closeAtOnce() == nil)
    }
}
