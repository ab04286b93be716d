// Goal:   what needs a fault and something beside it: a reader who takes long, many records that
//         failed at once, a segment that is being prepared.
// Method: one scene each, played on the simulated disk.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A volume that comes back, and what happens beside` {
    /// Disks that are gone may take half a minute to refuse a request, each time.
    @Test(arguments: [[.write], [.sync], [.write, .sync]] as [Set<OperationKind>])
    func `is tried with one block, however many records failed`(
        kinds: Set<OperationKind>
    ) throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", [1]).get()
        world.settle()
        world.fail(kinds, of: "volumes/small-0000", seconds: 20)
        let core = world.core
        let puts = (0..<20 as Range<UInt8>).map { number in
            world.start { (try? await core.put("n\(number)", [number])) != nil }
        }
        _ = world.machine.run { puts.allSatisfy { $0.answer != nil } }
        #expect(puts.allSatisfy { $0.answer == false })
        world.pass(seconds: 0.5)
        #expect(world.lateHeaders.count == 20)
        let hits = world.disk.plan.hitCount
        world.pass(seconds: 18)
        let probes = Int(world.health.counts.probes)
        #expect(probes >= 3 && world.disk.plan.hitCount - hits == probes)
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: 62)
        #expect(world.lateHeaders.isEmpty)
        for number in 0..<20 as Range<UInt8> {
            _ = try world.put("n\(number)", [number, number]).get()
        }
        #expect(world.close() == nil)
        let again = World(try World.hardware(), disk: SimulatedDisk(world.disk.visible))
        try again.open()
        for number in 0..<20 as Range<UInt8> {
            #expect(try again.get("n\(number)").get() == [number, number])
        }
        #expect(again.close() == nil)
    }

    /// The ledger has files of its own: what it prepares is waited for, too.
    @Test func `waits for the segment that is being prepared`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        // The zeros of the second segment, the spare one.
        world.machine.holds = { _, operation, _ in
            guard case .write(_, let offset, _) = operation else { return false }
            return offset >= UInt64(VolumeLayout.segmentSize)
        }
        _ = try world.put("old", [1]).get()
        world.disk.fail(.sync, number: 1)
        #expect(world.put("failed", [2]) == .failure(.readOnly))
        world.pass(seconds: 30)
        #expect(world.shared?.failedVolumes.count == 1, "it did not wait")
        world.machine.holds = nil
        #expect(world.waitUntilRecovered())
        _ = try world.put("new", [3]).get()
        #expect(world.close() == nil)
    }

    /// A bad place keeps neither the others nor the volume from use, and comes back when it can be
    /// written.
    @Test func `goes on without a place that cannot be zeroed, for as long as it cannot`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", [1]).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        let core = world.core
        let puts = (0..<3 as Range<UInt8>).map { number in
            world.start { (try? await core.put("n\(number)", [number])) != nil }
        }
        _ = world.machine.run { puts.allSatisfy { $0.answer != nil } }
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: 50)
        #expect(world.lateHeaders.count == 3)
        world.disk.fail(.write, number: 2)
        world.pass(secondsCleaning: 62)
        #expect(world.lateHeaders.count == 1)
        let hits = world.disk.plan.hitCount
        world.fail([.write], of: "volumes/small", seconds: 600)
        world.pass(secondsCleaning: 600)
        #expect(3...6 ~= world.disk.plan.hitCount - hits, "each time later, but for chance")
        // It is told once that this may take a while; nothing else is kept from use.
        let told = world.events.all.filter {
            if case .cleanupPostponed = $0 { true } else { false }
        }
        #expect(told.count == 1)
        guard case .cleanupPostponed(_, untilRestart: false)? = told.first else {
            Issue.record("it is said to wait for a restart")
            return
        }
        #expect(world.opens == 1 && world.lateHeaders.count == 1)
        _ = try world.put("n1", [7]).get()
        let shared = try #require(world.shared)
        func quarantined() -> UInt64 {
            world.run { await shared.resilience(at: 1) }.quarantinedBytes.small
        }
        #expect(quarantined() == UInt64(VolumeLayout.segmentSize), "its segment stays")
        world.pass(secondsCleaning: 4000)
        #expect(world.lateHeaders.isEmpty && quarantined() == 0)
        #expect(world.close() == nil)
        #expect(world.space.smallUsed == 2)
    }

    /// Of an object on two volumes one fails; the space on the other one is free again, though not
    /// before whoever reads the object has come to the end.
    @Test func `takes nothing from under those who still read`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.capacityBytes = 4 * UInt64(VolumeLayout.segmentSize)
        try world.open()
        let core = world.core
        // Two volumes, of each of which one MiB is left.
        let fillers = try (0..<2).map { _ in
            try #require(world.run { await core.begin("filler", bytes: 61 << 20) })
        }
        _ = try world.put("small", [1]).get()
        world.settle()
        let bytes = content(3 << 19, seed: 50)
        world.machine.holds = { _, operation, _ in
            if case .sync = operation { true } else { false }
        }
        let put = world.start { (try? await core.put("name", bytes, .written)) != nil }
        _ = world.machine.run { put.answer != nil }
        let pinned = try #require(world.run { try? await core.pin("name") })
        let reader = try #require(world.run { await core.describe(pinned) })
        world.disk.fail(.sync, number: 1)
        world.machine.holds = nil
        _ = world.machine.run { world.shared?.failedVolumes.isEmpty == false }
        #expect(world.shared?.failedVolumes.first?.volumeClass == .large)
        world.pass(seconds: 0.3)
        #expect(try world.get("name").get() == nil)
        for seed in 1...2 as ClosedRange<UInt64> {
            _ = world.put("other\(seed)", content(1 << 19, seed: seed))
        }
        #expect(world.run { await core.read(reader) } == bytes)
        world.run { await core.release(pinned) }
        for filler in fillers { world.run { await filler.value.abandon() } }
        #expect(world.waitUntilRecovered())
        _ = try world.put("other", content(1 << 20, seed: 3)).get()
        #expect(world.close() == nil)
    }
}

extension TestCore {
    /// An upload that has its space and of which nothing comes.
    fileprivate func begin(_ name: String, bytes: UInt64) async -> Box<LargeUpload>? {
        let description = UploadDescription(
            name: Array(name.utf8), length: bytes, mediaType: [], modified: 7)
        return (try? await objects.beginLarge(description)).map { Box($0) }
    }

    fileprivate func describe(_ pinned: Pinned) async -> Box<LargeObject>? {
        (try? await objects.describe(pinned)).map { Box($0) }
    }

    /// All of its bytes, as somebody reads who has begun before.
    fileprivate func read(_ large: Box<LargeObject>) async -> [UInt8]? {
        var bytes: [UInt8] = []
        for segment in large.value.segments {
            var offset: UInt64 = 0
            while offset < segment.length {
                let buffer = await memory.value.lease(256 << 10).detach()
                defer { memory.value.giveBack(BufferLease(attaching: buffer)) }
                guard let count = try? await objects.read(segment, offset: offset, into: buffer)
                else { return nil }
                bytes += copy(buffer.part(from: 0, count: count))
                offset += UInt64(count)
            }
        }
        return bytes
    }
}
