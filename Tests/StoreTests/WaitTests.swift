// Goal:   what the store makes a request wait for is counted once each time, by phase: also where
//         other cores, other uploads or a catalog that is not in memory have to be waited for.
// Method: simulated cores on a simulated disk (World), which takes time for every step.

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Store

extension World {
    /// How often `body` makes a request of that core wait, by phase: disk, flush, commit.
    fileprivate func waits(on index: Int = 0, _ body: () throws -> Void) rethrows -> [UInt64] {
        let core = cores[index]
        let before = run(on: index) { await core.statistics }
        try body()
        let after = run(on: index) { await core.statistics }
        return zip(
            [after.diskWaits, after.flushWaits, after.commitWaits],
            [before.diskWaits, before.flushWaits, before.commitWaits]
        ).map { $0.count - $1.count }
    }
}

extension LatencyHistogram {
    fileprivate var count: UInt64 {
        (0...LatencyHistogram.boundCount).reduce(0) { $0 + count(in: $1) }
    }
}

@Suite struct `Waits in the store` {
    private func world(cores: Int = 1) throws -> World {
        let world = World(try World.hardware(cores: cores))
        try world.open()
        for index in 0..<cores { _ = try world.put("first-\(index)", [1], on: index).get() }
        world.settle()
        return world
    }

    @Test func `for a small object are its record's and a flush, and back a read`() throws {
        let world = try world()
        let put = try world.waits { _ = try world.put("a", content(3000, seed: 1)).get() }
        #expect(put == [0, 1, 1])
        let get = try world.waits { _ = try world.get("a").get() }
        #expect(get == [1, 0, 0])
        #expect(world.close() == nil)
    }

    @Test func `are the ledger's, too, on another core`() throws {
        let world = try world(cores: 2)
        // The name, the record, the publication.
        let small = try world.waits(on: 1) {
            _ = try world.put("a", content(3000, seed: 1), on: 1).get()
        }
        #expect(small == [0, 1, 3])
        // And the space before; data and record are flushed each.
        let large = try world.waits(on: 1) {
            _ = try world.put("b", content(100_000, seed: 1), on: 1).get()
        }
        #expect(large == [1, 2, 4])
        #expect(world.close() == nil)
    }

    @Test func `for many writes in flight are the disk's`() throws {
        let world = try world()
        let core = world.core
        world.run { await core.setUploadBuffer(bytes: StoreLimits.uploadBufferBytesMin) }
        let count = 3 * StoreLimits.uploadWritesMax
        let size = count * StoreLimits.uploadBufferBytesMin
        let waits = try world.waits { _ = try world.put("a", content(size, seed: 1)).get() }
        #expect(waits[0] >= UInt64(count - StoreLimits.uploadWritesMax))
        #expect(world.close() == nil)
    }

    @Test func `for what was acknowledged as written are for its flush`() throws {
        let world = try world()
        let core = world.core
        let early = try world.waits {
            _ = try world.put("a", content(3000, seed: 1), .written).get()
        }
        #expect(early == [0, 0, 1])
        let found = world.run { try? await core.pin("a") }
        let pinned = try #require(found ?? nil)
        // Its own, behind the acknowledgement, and that of who relies on it.
        let waits = world.waits {
            let isThere = world.run { try? await core.settle(pinned) }
            #expect(isThere == true)
        }
        #expect(waits == [0, 2, 0])
        let later = world.waits { _ = world.run { try? await core.settle(pinned) } }
        #expect(later == [0, 0, 0])
        world.run { await core.release(pinned) }
        #expect(world.close() == nil)
    }

    @Test func `for a rival under the same name are the ledger's`() throws {
        let world = try world()
        let core = world.core
        let bytes = content(3000, seed: 1)
        let waits = world.waits {
            let rivals = (0..<2).map { _ in
                world.start { () async -> PutOutcome? in try? await core.put("same", bytes) }
            }
            world.settle()
            #expect(rivals.allSatisfy { $0.answer != nil })
        }
        // One record, one flush; who was second waits for the name, and reads what has it.
        #expect(waits == [1, 1, 2])
        #expect(world.close() == nil)
    }

    @Test func `for a catalog that is not in memory are the disk's`() throws {
        let world = World(try World.hardware(), catalog: ColdCatalog())
        world.catalogWarmBytesMax = 1
        try world.open()
        let questions: [() throws -> Bool] = [
            { world.list().isEmpty }, { try world.get("nothing").get() == nil },
            { try !world.remove("nothing").get() },
        ]
        for question in questions {
            var isNothingThere = false
            let waits = try world.waits { isNothingThere = try question() }
            #expect(waits == [1, 0, 0] && isNothingThere)
        }
        #expect(world.close() == nil)
    }

    @Test(
        arguments: [
            (.read, [1, 0, 0]), (.write, [0, 0, 1]), (.sync, [0, 1, 1]),
        ] as [(SimulatedDisk.Kind, [UInt64])])
    func `are counted also where the disk fails`(
        kind: SimulatedDisk.Kind, expected: [UInt64]
    ) throws {
        let world = try world()
        _ = try world.put("a", content(3000, seed: 1)).get()
        world.settle()
        world.disk.fail(kind, number: 1)
        let waits = world.waits {
            let isDone =
                kind == .read
                ? (try? world.get("a").get()) != nil : (try? world.put("b", [1]).get()) != nil
            #expect(!isDone)
        }
        #expect(waits == expected)
        _ = world.close()
    }
}

/// A catalog that memory does not hold.
private final class ColdCatalog: CatalogStorage {
    private let catalog = MemoryCatalog(instance: World.instance)

    func commit(_ changes: [CatalogChange], applied: UInt64) throws(CatalogError) {
        try catalog.commit(changes, applied: applied)
    }

    func mark(clean: Bool) throws(CatalogError) { try catalog.mark(clean: clean) }

    func makeReader() -> any CatalogReader { catalog.makeReader() }

    func warm(limitBytes: UInt64) -> CatalogWarmth { .tooLarge(bytes: limitBytes + 1) }

    var usage: CatalogUsage { catalog.usage }
}
