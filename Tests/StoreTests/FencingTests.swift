// Goal:   what is on its way to a volume when it fails is seen to end before it comes back, is not
//         begun anew, and is followed by nothing in the same place.
// Method: two cores on the simulated disk; writes of one are held while the other's flush fails.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `What is on its way when a volume fails` {
    private func world(_ resilience: StoreResilience, size: Int) throws -> World {
        let world = World(try World.hardware(cores: 2), resilience: resilience)
        try world.open()
        for core in 0..<2 {
            _ = try world.put("old\(core)", content(size, seed: UInt64(core)), on: core).get()
        }
        world.settle()
        return world
    }

    /// Of a record that is flushed with its write, and of a large object's data.
    @Test(arguments: [3000, 100_000]) func `is waited for`(size: Int) throws {
        let world = try world(.breakingOnly, size: size)
        world.machine.holds = { core, operation, _ in
            guard core == 1, case .write = operation else { return false }
            return true
        }
        let core = world.cores[1]
        let old = world.start(on: 1) {
            (try? await core.put("slow", content(size, seed: 2))) != nil
        }
        world.pass(seconds: 0.1)
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.put("failed", content(size, seed: 3)) else {
            Issue.record("acknowledged what failed")
            return
        }
        world.pass(seconds: 30)
        #expect(world.shared?.failedVolumes.count == 1, "it did not wait")
        #expect(old.answer == nil && world.health.counts.probes == 0)
        world.machine.holds = nil
        #expect(world.waitUntilRecovered())
        #expect(world.machine.run { old.answer != nil } && old.answer == false)
        #expect(try world.get("slow").get() == nil)
        _ = try world.put("slow", content(size, seed: 4), on: 1).get()
        #expect(world.close() == nil)
    }

    /// The other core's segment has nothing in it that failed, and is left all the same: whatever
    /// was handed out when the volume failed is.
    @Test func `is followed by nothing in the segments that it went to`() throws {
        let world = try world(.breakingOnly, size: 3000)
        let before = try (0..<2).map { try segment(of: "old\($0)", world) }
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.put("failed", [3]) else {
            Issue.record("acknowledged what failed")
            return
        }
        #expect(world.waitUntilRecovered())
        for core in 0..<2 {
            _ = try world.put("new\(core)", content(3000, seed: 4), on: core).get()
            let after = try segment(of: "new\(core)", world)
            #expect(after.volume == before[core].volume)
            #expect(!before.contains { $0 == after })
        }
        #expect(world.close() == nil)
    }

    private func segment(
        of name: String, _ world: World
    ) throws -> (volume: VolumeID, number: UInt32) {
        let core = world.core
        let pinned = world.run { () async -> Pinned? in
            let pinned = try? await core.pin(name)
            if let pinned { await core.release(pinned) }
            return pinned
        }
        let record = try #require(pinned).object.record
        return (record.volume, SegmentAllocator.segment(of: record.address))
    }

    @Test func `is not asked again once another core has seen it fail`() throws {
        let world = try world(.seeded, size: 3000)
        let state = try #require(world.shared).state
        let core = world.core
        world.disk.plan.strike(.write, number: 1, with: .error(.io))
        let put = world.start { (try? await core.put("name", [1])) != nil }
        #expect(world.machine.run { state.retryCounts.writes.retries == 1 })
        state.stopWrites(to: VolumeID(0), because: .readOnly, at: world.machine.now)
        let writes = world.disk.plan.counts[.write, default: 0]
        #expect(world.machine.run { put.answer != nil } && put.answer == false)
        #expect(world.disk.plan.counts[.write] == writes)
        #expect(world.waitUntilRecovered())
        _ = try world.put("name", [2]).get()
        #expect(world.close() == nil)
    }
}
