// Goal:   whenever a volume fails and comes back, and whenever the power goes before, meanwhile or
//         afterwards: what was told last holds. And each rule of `VolumeHealth` is needed.
// Method: a crowd on two cores through outages of one volume or another; power cuts on the way,
//         each opened; then the mistakes of `StoreFaults`, one by one.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A volume that comes back` {
    struct Plan: CustomTestStringConvertible, Sendable {
        let seed: UInt64
        let kinds: Set<OperationKind>
        let path: String
        var progress = ProgressPolicy.never

        var testDescription: String {
            "\(seed): \(kinds.map(\.rawValue).sorted()) of \(path)"
        }
    }

    static let plans: [Plan] = [
        Plan(seed: 1, kinds: [.write], path: "volumes/small-0000"),
        Plan(seed: 2, kinds: [.sync], path: "volumes/small-0000"),
        Plan(seed: 3, kinds: [.sync], path: "volumes/large-0000"),
        Plan(seed: 4, kinds: [.write, .sync], path: "volumes/large"),
        Plan(seed: 5, kinds: [.read, .write, .sync], path: "volumes/small"),
        Plan(seed: 6, kinds: [.read, .write, .sync], path: "volumes/"),
    ]

    private static func crowd(
        _ plan: Plan, _ resilience: StoreResilience = .seeded, faults: StoreFaults = [],
        every spacing: Int
    ) throws -> OutageCrowd {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(cores: 2), catalog: catalog, seed: plan.seed, faults: faults,
            progress: plan.progress, resilience: resilience)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.disk.keepsFailedWrites = true
        try world.open()
        let crowd = OutageCrowd(world, catalog, seed: plan.seed)
        crowd.work(rounds: 2, cuttingEvery: 0)
        // Ten seconds, a pause, and a short one that hits them before they are calm.
        world.fail(plan.kinds, of: plan.path, seconds: 10)
        crowd.work(rounds: 20, cuttingEvery: spacing)
        _ = world.waitUntilRecovered()
        world.fail(plan.kinds, of: plan.path, seconds: 0.5)
        crowd.work(rounds: 4, cuttingEvery: spacing)
        return crowd
    }

    @Test(arguments: plans, [StoreResilience.seeded, .breakingOnly])
    func `keeps every promise`(plan: Plan, resilience: StoreResilience) throws {
        let crowd = try Self.crowd(plan, resilience, every: 15)
        let world = crowd.world
        #expect(world.opens > 0, "nothing has failed")
        #expect(world.waitUntilRecovered())
        #expect(crowd.refused > 0 && crowd.created > 20)
        crowd.work(rounds: 2, cuttingEvery: 15)
        #expect(crowd.problems == [])
        let refused = crowd.refused
        crowd.work(rounds: 2, cuttingEvery: 15)
        #expect(crowd.refused == refused, "something is refused afterwards")
        #expect(world.recoveries == world.opens)
        #expect(contradictions(world, crowd.expectations, checksSpace: false) == [])
        #expect(world.close() == nil)
        for core in world.machine.cores { #expect(core.memory.bytesFree == core.memory.bytesTotal) }
        let hardware = try World.hardware()
        #expect(crowd.cuts.count > 10)
        for (index, cut) in crowd.cuts.enumerated() {
            let found = problems(
                after: cut, hardware: hardware, tryingWrites: index % 8 == 0)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
        }
    }

    // MARK: The rules

    /// Whether a power cut at this moment may leave something else than those bytes.
    private func mayLose(_ name: String, _ bytes: [UInt8], _ world: World) throws -> Bool {
        let hardware = try World.hardware()
        let catalog = try #require(world.catalog as? MemoryCatalog)
        for seed in 0..<12 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let again = World(
                hardware, disk: SimulatedDisk(world.disk.powerCut(&random).image),
                catalog: try CatalogSnapshot(catalog).restored())
            try again.open()
            guard case .success(let found) = again.get(name), found == bytes else { return true }
            #expect(again.close() == nil)
        }
        return false
    }

    @Test(arguments: [[], .retriesFlush] as [StoreFaults])
    func `does not make up for a flush that failed by another`(faults: StoreFaults) throws {
        let world = World(try World.hardware(), faults: faults, resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", [1]).get()
        world.disk.fail(.sync, number: 1)
        let bytes = content(3000, seed: 1)
        let answer = world.put("name", bytes)
        if faults.isEmpty {
            #expect(answer == .failure(.readOnly))
        } else {
            _ = try answer.get()
            #expect(try mayLose("name", bytes, world), "the mistake was not noticed")
        }
    }

    /// Half of an object is written, the volume fails and comes back, and the other half follows.
    @Test(arguments: [[], .trustsOldWrites] as [StoreFaults], [false, true])
    func `flushes nothing that was written before`(faults: StoreFaults, isLast: Bool) throws {
        let world = World(try World.hardware(), faults: faults, resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", content(100_000, seed: 1)).get()
        world.settle()
        let bytes = content(300_000, seed: 2)
        let core = world.core
        // In the second half's pause all is written.
        let seconds: UInt64 = isLast ? 3 : 6
        let put = world.start { () async -> StoreError? in
            do throws(StoreError) {
                _ = try await core.put("slow", bytes, .durable, pausing: seconds * second)
                return nil
            } catch {
                return error
            }
        }
        world.pass(seconds: isLast ? 4 : 1)
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.put("failed", content(100_000, seed: 3)) else {
            Issue.record("acknowledged what failed")
            return
        }
        #expect(world.waitUntilRecovered())
        _ = world.machine.run { put.answer != nil }
        if faults.isEmpty {
            #expect(put.answer == .some(.readOnly))
        } else {
            #expect(put.answer == .some(nil))
            #expect(try mayLose("slow", bytes, world), "the mistake was not noticed")
        }
        world.settle()
        _ = try world.put("new", content(100_000, seed: 4)).get()
        #expect(world.close() == nil)
    }

    /// Else the end of a flush of the old time is taken for that of one of the new.
    @Test(arguments: [[], .comesBackUnfenced] as [StoreFaults])
    func `waits for the answers that cores still wait for`(faults: StoreFaults) throws {
        let world = World(
            try World.hardware(cores: 2), faults: faults, resilience: .breakingOnly)
        try world.open()
        for core in 0..<2 { _ = try world.put("old\(core)", [1], on: core).get() }
        world.settle()
        let syncs = HeldSyncs()
        world.machine.holds = { syncs.holds($0, $1, $2) }
        let (first, second) = (world.cores[1], world.cores[1])
        let old = world.start(on: 1) { (try? await first.put("first", [2])) != nil }
        world.pass(seconds: 0.1)
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.put("failed", [3]) else {
            Issue.record("acknowledged what failed")
            return
        }
        world.pass(seconds: 30)
        if faults.isEmpty {
            #expect(world.shared?.failedVolumes.count == 1, "it did not wait")
        } else {
            #expect(world.shared?.failedVolumes.isEmpty == true)
            let new = world.start(on: 1) { (try? await second.put("new", [4])) != nil }
            world.pass(seconds: 0.1)
            syncs.releaseFirst()
            world.pass(seconds: 0.1)
            #expect(new.answer == true, "the mistake was not noticed: its own flush is held")
        }
        world.machine.holds = nil
        #expect(world.waitUntilRecovered())
        #expect(old.answer == false, "a flush of the old time was believed")
        _ = try world.put("newer", [4], on: 1).get()
        #expect(world.close() == nil)
    }

    /// Core 1's flushes: the first is held until it is released, and then all others.
    private final class HeldSyncs {
        private var first: UInt64?
        private var isReleased = false

        func releaseFirst() { isReleased = true }

        func holds(_ core: Int, _ operation: Operation, _ number: UInt64) -> Bool {
            guard core == 1, case .sync = operation else { return false }
            if first == nil { first = number }
            return (number == first) != isReleased
        }
    }

    /// What a failed write was to bring comes late, over whatever has the space by then.
    @Test(arguments: [[], .reusesQuarantine] as [StoreFaults])
    func `does not hand out what a failed write may still reach`(faults: StoreFaults) throws {
        let world = World(
            try World.hardware(), faults: faults, resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", content(100_000, seed: 1)).get()
        world.settle()
        world.disk.keepsFailedWrites = true
        world.disk.fail(.write, number: 1)
        guard case .failure = world.put("failed", content(300_000, seed: 2)) else {
            Issue.record("acknowledged what failed")
            return
        }
        #expect(world.waitUntilRecovered())
        _ = try world.put("new", content(300_000, seed: 3)).get()
        world.disk.bringLate()
        guard faults.isEmpty else {
            guard case .failure(.corrupt) = world.get("new") else {
                Issue.record("the mistake was not noticed")
                return
            }
            return
        }
        #expect(try world.get("new").get() == content(300_000, seed: 3))
        #expect(try world.get("old").get() == content(100_000, seed: 1))
        let shared = try #require(world.shared)
        let told = world.run { await shared.resilience(at: 1) }
        #expect(told.quarantinedBytes.large == 303_104, "74 blocks")
        // In the end nothing comes any more.
        world.pass(seconds: 60)
        _ = try world.put("newer", content(200_000, seed: 4)).get()
        let after = world.run { await shared.resilience(at: 1) }
        #expect(after.quarantinedBytes.large == 0)
        #expect(world.space.largeUsed == 25 + 74 + 49)
        #expect(world.close() == nil)
    }

    /// A record that failed was on the disk, and its client was told so; then the catalog is lost.
    @Test(arguments: [[], .keepsFailedRecords] as [StoreFaults])
    func `has nothing left of the records that failed`(faults: StoreFaults) throws {
        let hardware = try World.hardware()
        let world = World(hardware, faults: faults, resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", content(100, seed: 1)).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        #expect(world.put("name", content(100, seed: 2)) == .failure(.readOnly))
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: 62)
        #expect(world.lateHeaders.isEmpty)
        #expect(try world.get("name").get() == nil)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible))
        try again.open()
        if faults.isEmpty {
            #expect(try again.get("name").get() == nil)
        } else {
            #expect(try again.get("name").get() != nil, "the mistake was not noticed")
        }
        #expect(try again.get("old").get() == content(100, seed: 1))
        #expect(again.close() == nil)
        #expect(world.close() == nil)
    }

    @Test func `uses no segment whose zeros failed`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        // The first is the superblock.
        world.disk.fail(.write, number: 2)
        guard case .failure = world.put("name", [1]) else {
            Issue.record("a segment was leased that was not prepared")
            return
        }
        #expect(world.waitUntilRecovered())
        _ = try world.put("name", [2]).get()
        let core = world.core
        let pinned = world.run { try? await core.pin("name") }
        let object = try #require(pinned)
        #expect(object.object.record.start >= VolumeLayout.segmentBlocks)
        world.run { await core.release(object) }
        #expect(world.close() == nil)
    }

    /// Once it is known that a removal that failed will not be carried out, the object may be
    /// relied upon.
    @Test func `ends doubts about removals that failed`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        let bytes = content(100, seed: 1)
        _ = try world.put("name", bytes).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.remove("name") else {
            Issue.record("acknowledged what failed")
            return
        }
        #expect(world.put("name", bytes) == .failure(.readOnly))
        #expect(world.waitUntilRecovered())
        // The one that failed may still come.
        #expect(world.put("name", bytes) == .failure(.readOnly))
        world.pass(secondsCleaning: 62)
        guard case .existsIdentical = try world.put("name", bytes).get() else {
            Issue.record("not the same")
            return
        }
        #expect(try world.remove("name").get())
        #expect(world.close() == nil)
    }
}
