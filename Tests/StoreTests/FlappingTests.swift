// Goal:   a disk that fails again and again costs errors, and no space: what each failure took from
//         use is back once nothing can come of it any more, whenever the power goes meanwhile.
// Method: a hundred failures under objects and uploads, in a store that could not spare what ten of
//         them take; and one failure, with the power cut at every operation until all is back.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A volume that fails again and again` {
    static let paths = ["volumes/", "volumes/small", "volumes/large"]

    @Test(arguments: [OperationKind.write, .sync], ProgressPolicy.both)
    func `gives back all that it took`(kind: OperationKind, progress: ProgressPolicy) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(cores: 2), catalog: catalog, progress: progress,
            resilience: .breakingOnly)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.capacityBytes = 12 * UInt64(VolumeLayout.segmentSize)
        try world.open()
        var kept = Expectations()
        for name in ["kept", "also kept"] {
            _ = try world.put(name, content(100_000, seed: 1)).get()
            kept.acknowledge(name, content(100_000, seed: 1))
        }
        world.settle()
        let used = world.space.largeUsed - world.progressBlocks
        for flap in 0..<100 { try self.flap(flap, kind, world) }
        #expect(world.opens >= 100)
        world.pass(secondsCleaning: 130)
        world.keepUp()
        world.pass(secondsCleaning: 65)
        let shared = try #require(world.shared)
        let told = world.run { await shared.resilience(at: 1) }
        #expect(told.quarantinedBytes.large == 0)
        #expect(world.space.largeUsed - world.progressBlocks == used)
        #expect(contradictions(world, kept, checksSpace: false) == [])
        for core in world.machine.cores { #expect(core.memory.bytesFree == core.memory.bytesTotal) }
        #expect(world.close() == nil)
        // Only the records of those that are kept: every segment has come back.
        #expect(world.space.smallUsed == 2 && world.space.largeUsed == used)
        #expect(try catalog.makeReader().removals().isEmpty)
        #expect(try catalog.makeReader().leases().isEmpty)
        let again = World(
            try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(contradictions(again, kept) == [])
        #expect(again.close() == nil)
    }

    private func flap(_ number: Int, _ kind: OperationKind, _ world: World) throws {
        let (core, seed) = (number % 2, UInt64(number))
        let client = UploadClient("upload \(number)", content(150_000, seed: seed))
        client.create(world, on: core)
        client.send(world, on: core, to: 40_000)
        let path = Self.paths[number % Self.paths.count]
        world.fail([kind], of: path, seconds: 0.2)
        let durability: Durability = number % 5 == 4 ? .written : .durable
        for (size, part) in [(3000, "small"), (130_000, "large")] {
            _ = world.put("\(part) \(number)", content(size, seed: seed), durability, on: core)
        }
        client.send(world, on: 1 - core, to: number % 4 == 0 ? 150_000 : 100_000)
        // Where nothing of all that has failed, this does.
        if world.shared?.failedVolumes.isEmpty == true {
            _ = world.put("last \(number)", content(130_000, seed: seed), on: core)
        }
        #expect(world.waitUntilRecovered(), "\(number)")
        world.pass(secondsCleaning: 3)
        _ = try world.put("after \(number)", content(120_000, seed: seed), on: core).get()
        world.keepUp()
        client.finish(world)
        #expect(client.problems == [], "\(number)")
        if !client.isFinished { client.giveUp(world, on: core) }
        // One that may have been published waits until that is settled.
        if client.isEnded == false {
            world.pass(secondsCleaning: 65)
            client.giveUp(world, on: core)
            #expect(client.isEnded == true, "\(number): \(client.failures)")
        }
        for name in ["small", "large", "last", "after", "upload"] {
            _ = try world.remove("\(name) \(number)", on: core).get()
        }
    }

    @Test(arguments: [OperationKind.write, .sync], [1, 2] as [UInt64])
    func `keeps every promise while it does`(kind: OperationKind, seed: UInt64) throws {
        let hardware = try World.hardware()
        let cuts = try cuts(kind, seed, faults: [])
        #expect(cuts.count > 80)
        for (index, cut) in cuts.enumerated() {
            let found = problems(after: cut, hardware: hardware, tryingWrites: index % 16 == 0)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
        }
    }

    @Test func `needs its time for that`() throws {
        let hardware = try World.hardware()
        let found = try cuts(.sync, 1, faults: .settlesAtOnce).flatMap {
            problems(after: $0, hardware: hardware, tryingWrites: false)
        }
        #expect(found != [], "the mistake was not noticed")
    }

    /// From the failure until its space is somebody else's.
    private func cuts(
        _ kind: OperationKind, _ seed: UInt64, faults: StoreFaults
    ) throws -> [PowerCut] {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog, seed: seed, faults: faults,
            resilience: .breakingOnly)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.capacityBytes = 4 * UInt64(VolumeLayout.segmentSize)
        world.disk.keepsFailedWrites = true
        try world.open()
        let story = Story(world, catalog, seed: seed, cutsPerOperation: 2)
        let olds: [Step] = (0..<3 as Range<UInt64>).map { .put("old\($0)", size: 30_000, seed: $0) }
        try story.play(olds + [.put("old", size: 150_000, seed: 9), .settle])
        let first = story.cuts.count
        world.fail([kind], of: "volumes/small", seconds: 0.3)
        try story.play([.put("small", size: 3000, seed: 11), .remove("old0")])
        #expect(story.failures.count == 2)
        #expect(world.waitUntilRecovered())
        try story.play([.put("other", size: 4000, seed: 12)])
        world.fail([kind], of: "volumes/", seconds: 0.3)
        try story.play([
            .put("large", size: 150_000, seed: 13), .remove("old1"), .remove("old"),
        ])
        #expect(world.waitUntilRecovered())
        try story.play([
            .put("small", size: 5000, seed: 14), .put("large", size: 100_000, seed: 15),
            .remove("small"), .remove("large"), .settle, .pass(faults.isEmpty ? 70 : 5),
        ])
        #expect(world.lateHeaders.isEmpty)
        try world.giveSegmentsBack(reopening: true)
        let fillers: [Step] = (0..<4 as Range<UInt64>).flatMap { number in
            [
                Step.put("filler\(number)", size: 9000, seed: 20 + number),
                .put("block\(number)", size: 150_000, seed: 30 + number),
            ]
        }
        try story.play(fillers + [.remove("filler0"), .settle])
        #expect(world.close() == nil)
        return Array(story.cuts[first...])
    }
}
