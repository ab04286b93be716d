// Goal:   what was deleted stays deleted, though a record of its name that failed before is still
//         on a volume that has not come back: whatever the power leaves, with the catalog or
//         without it.
// Method: a record fails; its name is put elsewhere, deleted and cleaned up, and so on; then the
//         power goes. A commit older than all is under way, so that a start believes its eyes.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A name of which a record failed` {
    struct Plan: CustomTestStringConvertible, Sendable {
        /// What was put, and failed.
        let size: Int
        let kind: SimulatedDisk.Kind
        /// What is told later, in turn: the name is put, and deleted.
        let changes: Int
        /// Whether others have written over what was given back meanwhile.
        var reuses = false
        /// Whether its volume has come back, for so many seconds.
        var recovered: Double?

        var testDescription: String {
            "\(size), \(kind), \(changes)\(reuses ? ", reused" : "")"
                + (recovered.map { ", \($0) s" } ?? "")
        }
    }

    /// A record of one block is whole where its write failed; of three blocks one is missing.
    static let plans: [Plan] = [3000, 9000, 150_000].flatMap { size in
        [SimulatedDisk.Kind.write, .sync].flatMap { kind in
            (0...4).map { Plan(size: size, kind: kind, changes: $0) }
                + [2, 4].map { Plan(size: size, kind: kind, changes: $0, reuses: true) }
                + [1, 120].flatMap { seconds in
                    [2, 3].map {
                        Plan(size: size, kind: kind, changes: $0, reuses: true, recovered: seconds)
                    }
                }
        }
    }

    @Test(arguments: plans) func `has what was told last`(plan: Plan) throws {
        #expect(try problems(plan) == [])
    }

    /// Each rule's mistake, where another test would notice.
    static let mistakes: [(StoreFaults, Plan)] = [
        (.forgetsRemovals, Plan(size: 3000, kind: .sync, changes: 2)),
        (.forgetsRemovals, Plan(size: 3000, kind: .sync, changes: 2, reuses: true)),
        (.settlesAtOnce, Plan(size: 3000, kind: .sync, changes: 2, reuses: true, recovered: 3)),
        (
            .keepsFailedRecords,
            Plan(size: 3000, kind: .sync, changes: 2, reuses: true, recovered: 120)
        ),
    ]

    @Test(arguments: mistakes) func `needs each rule`(fault: StoreFaults, plan: Plan) throws {
        #expect(try problems(plan, fault) != [], "the mistake was not noticed")
    }

    private func problems(_ plan: Plan, _ faults: StoreFaults = []) throws -> [String] {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog, faults)
        let ledger = try #require(world.shared).ledger
        let slow = try #require(world.run { try? await ledger.claim(Array("slow".utf8), nil) })
        let expectations = try fail(plan, world)
        #expect(try catalog.makeReader().metadata().applied < slow)
        return try problemsAfterPowerCuts(world, catalog, expectations, hardware)
    }

    /// Two small volumes of one segment each, and a large one.
    private func world(_ catalog: MemoryCatalog, _ faults: StoreFaults) throws -> World {
        let world = World(
            try World.hardware(), catalog: catalog, faults: faults, resilience: .breakingOnly)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.capacityBytes = 3 * UInt64(VolumeLayout.segmentSize)
        world.disk.keepsFailedWrites = true
        try world.open()
        _ = try world.put("old", content(100_000, seed: 1)).get()
        world.settle()
        return world
    }

    private func fail(_ plan: Plan, _ world: World) throws -> Expectations {
        var expectations = Expectations()
        expectations.acknowledge("old", content(100_000, seed: 1))
        expectations.attempt("name", content(plan.size, seed: 2))
        // It fails again and again, unless it is to come back.
        let path = "volumes/small-0000"
        world.fail(plan.kind == .write ? [.write] : [.sync], of: path, seconds: 0.5)
        if plan.recovered == nil { world.fail([.write, .sync], of: path, seconds: 1e6) }
        guard case .failure = world.put("name", content(plan.size, seed: 2)) else {
            Issue.record("acknowledged what failed")
            return expectations
        }
        #expect(world.shared?.failedVolumes.map(\.description) == ["small-0000"])
        for number in 0..<plan.changes {
            if number % 2 == 0 {
                let bytes = content(plan.size, seed: UInt64(10 + number))
                _ = try world.put("name", bytes).get()
                expectations.acknowledge("name", bytes)
            } else {
                #expect(try world.remove("name").get())
                expectations.acknowledge("name", nil)
            }
        }
        world.pass(seconds: 0.4)
        if let seconds = plan.recovered {
            #expect(world.waitUntilRecovered())
            world.pass(secondsCleaning: seconds)
        }
        try world.giveSegmentsBack(reopening: plan.reuses)
        guard plan.reuses else { return expectations }
        for number in 0..<6 {
            let bytes = content(2000, seed: UInt64(20 + number))
            _ = try world.put("filler\(number)", bytes).get()
            expectations.acknowledge("filler\(number)", bytes)
        }
        world.pass(seconds: 0.4)
        return expectations
    }
}

/// What is wrong with stores that are opened after a power cut at this moment: with the catalog,
/// without it, and with both in turn; and whenever the power goes once more while one is opened.
func problemsAfterPowerCuts(
    _ world: World, _ catalog: MemoryCatalog, _ expectations: Expectations,
    _ hardware: [Hardware]
) throws -> [String] {
    var found: [String] = []
    var images = [world.disk.visible]
    for seed in 0..<8 as Range<UInt64> {
        var random = SeededRandom(seed: seed)
        images.append(world.disk.powerCut(&random).image)
    }
    for (index, image) in images.enumerated() {
        // Without the catalog, and with it; and then without it.
        let rebuilt = World(hardware, disk: SimulatedDisk(image))
        try rebuilt.open()
        found += contradictions(rebuilt, expectations)
        #expect(rebuilt.close() == nil)
        for cut in try cutsDuringRecovery(
            after: PowerCut(
                image: image, catalog: try CatalogSnapshot(catalog),
                expectations: expectations, operation: index),
            hardware: hardware, perOperation: 3)
        {
            found += StoreTests.problems(
                after: cut, hardware: hardware, tryingWrites: false)
        }
        let again = World(
            hardware, disk: SimulatedDisk(image),
            catalog: try CatalogSnapshot(catalog).restored())
        try again.open()
        found += contradictions(again, expectations)
        #expect(again.close() == nil)
        let last = World(hardware, disk: SimulatedDisk(again.disk.visible))
        try last.open()
        found += contradictions(last, expectations)
        #expect(last.close() == nil)
    }
    return found
}
