// Goal:   a block that cannot be read holds a server down where what it may say matters, and
//         nowhere else: a removal that is finished, or the dead record that it ended, does not.
// Method: one block of a removal, or of what it removed, is bad; then a start.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A start that cannot read a block` {
    private static let path = "volumes/small-0000"

    /// An object is deleted, its header not yet wiped; no segment is looked at any more.
    private struct Scene {
        let image: DiskImage
        let snapshot: CatalogSnapshot
        let removal: CatalogRemoval
        var expectations = Expectations()

        init() throws {
            let catalog = MemoryCatalog(instance: World.instance)
            let world = World(try World.hardware(), catalog: catalog)
            world.haveOneSegment()
            try world.open()
            // Beyond the read of its record.
            for (name, size) in [("name", 9000), ("kept", 5000)] {
                _ = try world.put(name, content(size, seed: 1)).get()
            }
            expectations.acknowledge("kept", content(5000, seed: 1))
            expectations.acknowledge("name", nil)
            world.settle()
            world.machine.holds = { _, operation, _ in
                guard case .write(_, _, let source) = operation else { return false }
                return world.machine.cores[0].memory.arena.span(source)[0] == 0
            }
            #expect(try world.remove("name").get())
            try world.giveSegmentsBack(reopening: false)
            image = world.disk.visible
            snapshot = try CatalogSnapshot(catalog)
            let reader = catalog.makeReader()
            #expect(try reader.leases().isEmpty && reader.removals().count == 1)
            removal = try reader.removals()[0]
        }

        var place: BlockAddress { BlockAddress(packed: removal.address)! }
        var removed: BlockAddress { BlockAddress(packed: removal.removedAddress)! }
    }

    private func open(
        _ image: DiskImage, _ catalog: MemoryCatalog, bad blocks: [UInt32], path: String = path
    ) throws -> World {
        let disk = SimulatedDisk(image)
        disk.badBlocks[path] = Set(blocks.map(UInt64.init))
        let world = World(try World.hardware(), disk: disk, catalog: catalog)
        world.haveOneSegment()
        try world.open()
        return world
    }

    private func passedOver(_ world: World) -> [StoreError] {
        world.events.all.compactMap {
            if case .removalUnread(let error) = $0 { error } else { nil }
        }
    }

    enum Block: CaseIterable { case removal, header, both, beside }

    @Test(arguments: Block.allCases) func `goes on where the removal is finished`(
        block: Block
    ) throws {
        let scene = try Scene()
        let catalog = try scene.snapshot.restored()
        let bad: [UInt32] =
            switch block {
            case .removal: [scene.place.block]
            case .header: [scene.removed.block]
            case .both: [scene.place.block, scene.removed.block]
            // Of the dead record, and of one that lives.
            case .beside: [scene.removed.block + 1, scene.removed.block + 4]
            }
        let world = try open(scene.image, catalog, bad: bad)
        let told = passedOver(world)
        #expect(told.count == (block == .both ? 2 : block == .beside ? 0 : 1))
        for error in told {
            guard case .unreadable(let volume, let offset, .io) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect("\(volume)" == "small-0000" && bad.map { UInt64($0) * 4096 }.contains(offset))
        }
        if block == .beside {
            guard case .failure(.unreadable) = world.get("kept") else {
                Issue.record("read what cannot be read")
                return
            }
            world.disk.badBlocks = [:]
        }
        #expect(contradictions(world, scene.expectations) == [])
        #expect(try catalog.makeReader().removals().isEmpty)
        // Also for who has lost the catalog: the dead header is wiped.
        let rebuilt = World(try World.hardware(), disk: SimulatedDisk(world.disk.visible))
        try rebuilt.open()
        #expect(contradictions(rebuilt, scene.expectations) == [])
        #expect(rebuilt.close() == nil && world.close() == nil)
    }

    /// What was removed is long gone, and another object has its place: that is left alone.
    @Test func `wipes nothing that lives`() throws {
        let scene = try Scene()
        let catalog = try scene.snapshot.restored()
        let world = try open(scene.image, catalog, bad: [])
        _ = try world.put("other", content(9000, seed: 3)).get()
        try world.giveSegmentsBack(reopening: false)
        var snapshot = try CatalogSnapshot(catalog)
        snapshot.changes.append(.addRemoval(scene.removal))
        let again = try open(
            world.disk.visible, snapshot.restored(), bad: [scene.removed.block])
        #expect(again.volume(of: "other") == "small-0000" && passedOver(again) == [])
        again.disk.badBlocks = [:]
        var expectations = scene.expectations
        expectations.acknowledge("other", content(9000, seed: 3))
        #expect(contradictions(again, expectations) == [])
        #expect(again.close() == nil)
    }

    /// The same, but the catalog has not heard of that other object: only the segment knows it, and
    /// it could be read a moment ago.
    @Test func `wipes nothing that was only just found`() throws {
        let scene = try Scene()
        let catalog = try scene.snapshot.restored()
        let world = try open(scene.image, catalog, bad: [])
        _ = try world.put("other", content(9000, seed: 3)).get()
        var snapshot = try CatalogSnapshot(catalog)
        #expect(try catalog.makeReader().find(Array("other".utf8).span) == nil)
        #expect(world.volume(of: "other") == "small-0000")
        snapshot.changes.append(.addRemoval(scene.removal))
        let image = world.disk.visible
        var expectations = scene.expectations
        expectations.acknowledge("other", content(9000, seed: 3))
        var (number, refused, passed) = (0, 0, 0)
        var hasStruck = true
        while hasStruck {
            number += 1
            let catalog = try snapshot.restored()
            var world = World(
                try World.hardware(), disk: SimulatedDisk(image), catalog: catalog)
            world.haveOneSegment()
            // ENODATA: such a place does not get better by itself.
            let plan = world.disk.plan
            plan.strike(.read, number: number, with: .error(KernelError(code: 61)))
            do {
                try world.open()
                passed += passedOver(world).count
            } catch {
                refused += 1
                world = try open(world.disk.visible, catalog, bad: [])
            }
            hasStruck = plan.hasStruck
            plan.disarm()
            #expect(contradictions(world, expectations) == [], "read \(number)")
            #expect(world.close() == nil)
        }
        #expect(refused > 0 && passed > 0)
    }

    /// A record of the name failed, and would be an object if nobody knew that it was removed.
    @Test func `does not go on where the removal outlives something`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog, resilience: .breakingOnly)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        try world.open()
        _ = try world.put("old", [1]).get()
        world.settle()
        let ledger = try #require(world.shared).ledger
        _ = try #require(world.run { try? await ledger.claim(Array("slow".utf8), nil) })
        world.fail([.sync], of: Self.path, seconds: 1e6)
        #expect(world.put("name", content(3000, seed: 1)) == .failure(.readOnly))
        _ = try world.put("name", content(3000, seed: 2)).get()
        #expect(try world.remove("name").get())
        world.pass(seconds: 0.4)
        try world.giveSegmentsBack(reopening: false)
        let snapshot = try CatalogSnapshot(catalog)
        let removals = try catalog.makeReader().removals()
        #expect(removals.count == 1)
        let place = try #require(BlockAddress(packed: removals[0].address))
        let path = VolumeName(place.volume).path
        #expect(path != Self.path)
        do {
            _ = try open(
                world.disk.visible, snapshot.restored(), bad: [place.block], path: path)
            Issue.record("it went on")
        } catch let error as StoreError {
            #expect(
                error
                    == .unreadable(
                        volume: VolumeName(place.volume), offset: place.byteOffset, error: .io))
        }
        var expectations = Expectations()
        expectations.acknowledge("name", nil)
        expectations.acknowledge("old", [1])
        let mended = try open(world.disk.visible, snapshot.restored(), bad: [])
        #expect(contradictions(mended, expectations) == [] && mended.close() == nil)
        // Nor is it held up by a removal of another name, or where the catalog has a later object.
        var others = snapshot
        others.changes.removeAll {
            if case .addRemoval = $0 { true } else { false }
        }
        var other = removals[0]
        other.nameHash ^= 1
        others.changes.append(.addRemoval(other))
        let free = try open(world.disk.visible, others.restored(), bad: [place.block], path: path)
        #expect(passedOver(free).count == 1 && free.close() == nil)
    }

    /// What lies in a segment that was in use nobody knows but the segment.
    @Test func `does not go on where the block may hold anything`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(), catalog: catalog)
        try world.open()
        _ = try world.put("name", content(100, seed: 1)).get()
        world.settle()
        #expect(
            throws: StoreError.unreadable(
                volume: VolumeName(VolumeID(0)),
                offset: UInt64(VolumeLayout.reservedBlocks) * 4096, error: .io)
        ) {
            _ = try self.open(
                world.disk.visible, CatalogSnapshot(catalog).restored(),
                bad: [VolumeLayout.reservedBlocks + 7])
        }
        let again = try open(world.disk.visible, CatalogSnapshot(catalog).restored(), bad: [])
        #expect(try again.get("name").get() == content(100, seed: 1))
        #expect(again.close() == nil)
    }
}

extension World {
    /// So that none is kept ready beside the one that is in use.
    fileprivate func haveOneSegment() {
        volumeBytes = UInt64(VolumeLayout.segmentSize)
        capacityBytes = UInt64(VolumeLayout.segmentSize)
    }
}
