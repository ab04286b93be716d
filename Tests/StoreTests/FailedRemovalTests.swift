// A removal whose write or flush failed may be on the disk or not. It holds nobody up, nobody rests
// a promise on the object, and a restart settles it for good.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A removal that failed` {
    /// One segment a volume, so that others are there when one fails.
    private func world(_ catalog: MemoryCatalog, seed: UInt64 = 1) throws -> World {
        let world = World(try World.hardware(), catalog: catalog, seed: seed)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        try world.open()
        return world
    }

    @Test(arguments: [SimulatedDisk.Kind.write, .sync])
    func `lets more commits follow than the window holds`(kind: SimulatedDisk.Kind) throws {
        let world = try world(MemoryCatalog(instance: World.instance))
        _ = try world.put("x", content(3000, seed: 1)).get()
        world.settle()
        try world.narrowWindow(to: 8)
        world.disk.fail(kind, number: 1)
        guard case .failure = world.remove("x") else {
            Issue.record("a removal that failed was acknowledged")
            return
        }
        for number in 0..<20 {
            guard case .created = try world.put("n\(number)", content(2000, seed: 2)).get() else {
                Issue.record("not created")
                return
            }
        }
        #expect(try world.get("x").get() == content(3000, seed: 1))
        #expect(world.close() == nil)
    }

    @Test(arguments: [3000, 100_000])
    func `is no ground to call the object durable`(size: Int) throws {
        let world = try world(MemoryCatalog(instance: World.instance))
        let bytes = content(size, seed: 1)
        _ = try world.put("x", bytes).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.remove("x") else {
            Issue.record("a removal that failed was acknowledged")
            return
        }
        #expect(world.put("x", bytes) == .failure(.readOnly))
        // Tried again on a volume that works, it counts, and the name is as good as new.
        #expect(try world.remove("x").get())
        guard case .created = try world.put("x", bytes).get() else {
            Issue.record("not created")
            return
        }
        #expect(world.close() == nil)
    }

    @Test(arguments: [SimulatedDisk.Kind.write, .sync])
    func `holds after a power cut or does not, for good`(kind: SimulatedDisk.Kind) throws {
        var (held, missed) = (0, 0)
        let hardware = try World.hardware()
        for cut in try cuts(kind) {
            #expect(problems(after: cut, hardware: hardware, tryingWrites: false) == [])
            let world = World(
                hardware, disk: SimulatedDisk(cut.image), catalog: try cut.catalog.restored())
            try world.open()
            let first = try ["small", "large"].map { try world.get($0).get() }
            #expect(world.close() == nil)
            // What the volumes say, asked without the catalog, is the same.
            let rebuilt = World(hardware, disk: SimulatedDisk(world.disk.visible))
            try rebuilt.open()
            #expect(try ["small", "large"].map { try rebuilt.get($0).get() } == first)
            #expect(contradictions(rebuilt, cut.expectations) == [])
            #expect(rebuilt.close() == nil)
            held += first.count { $0 == nil }
            missed += first.count { $0 != nil }
        }
        #expect(held > 5 && missed > 5)
    }

    /// Cuts from the moment on at which the index has passed over both removals.
    private func cuts(_ kind: SimulatedDisk.Kind) throws -> [PowerCut] {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try world(catalog)
        let story = Story(world, catalog, seed: 4, cutsPerOperation: 3)
        let (small, large) = (content(3000, seed: 1), content(150_000, seed: 2))
        try story.play([.put("small", size: 3000, seed: 1), .put("large", size: 150_000, seed: 2)])
        try story.play([.settle])
        for name in ["small", "large"] {
            world.disk.fail(kind, number: 1)
            try story.play([.remove(name), .put("after \(name)", size: 2000, seed: 3), .settle])
        }
        #expect(story.failures.count == 2)
        let first = story.cuts.count
        try story.play((0..<4).map { .put("n\($0)", size: 70_000, seed: $0) } + [.settle])
        #expect(try world.get("small").get() == small)
        #expect(try world.get("large").get() == large)
        #expect(world.close() == nil)
        return Array(story.cuts[first...])
    }
}

extension World {
    /// As if fewer commits could be on their way at once. Nothing may be.
    func narrowWindow(to span: Int) throws {
        let ledger = try #require(shared).ledger
        run { await ledger.narrowWindow(to: span) }
    }
}

extension Ledger {
    func narrowWindow(to span: Int) {
        precondition(window.openCount == 0, "commits are on their way")
        window = CommitWindow(last: window.last, spanMax: span)
    }
}
