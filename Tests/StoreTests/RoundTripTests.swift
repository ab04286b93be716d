// Objects of every size come back byte for byte, and what is given back is free again.

import Catalog
import IO
import Simulator
import Testing

@testable import Store

@Suite struct `A store` {
    static let sizes = [0, 1, 3900, 4096, 65_535, 65_536, 65_537, 131_072, 200_000, 1_500_000]

    @Test(arguments: sizes)
    func `returns the bytes that were put`(size: Int) throws {
        let world = World(try World.hardware())
        try world.open()
        let bytes = content(size, seed: UInt64(size))
        guard case .created(let object) = try world.put("a/name", bytes).get() else {
            Issue.record("not created")
            return
        }
        #expect(object.length == UInt64(size))
        let read = try world.get("a/name").get()
        #expect(read == bytes)
        #expect(try world.get("a/nam").get() == nil)
        #expect(world.close() == nil)
    }

    @Test(arguments: sizes)
    func `finds it again after an orderly stop`(size: Int) throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let first = World(hardware, catalog: catalog)
        try first.open()
        let bytes = content(size, seed: 5)
        _ = try first.put("x", bytes).get()
        #expect(first.close() == nil)

        let second = World(hardware, disk: SimulatedDisk(first.disk.visible), catalog: catalog)
        try second.open()
        #expect(try second.get("x").get() == bytes)
        #expect(second.close() == nil)
    }

    @Test(arguments: [4 << 10, 32 << 10, 36 << 10, 96 << 10, 1 << 20])
    func `takes buffers that do not end with a checksum's unit`(count: Int) throws {
        let world = World(try World.hardware())
        try world.open()
        let core = world.cores[0]
        let bytes = content(1_500_001, seed: 9)
        guard case .created(let object) = try world.put("whole", bytes).get() else {
            Issue.record("not created")
            return
        }
        world.run { await core.setUploadBuffer(bytes: count) }
        _ = try world.put("parts", bytes).get()
        // Read with each unit compared; and the units' checksums are the same ones.
        #expect(try world.get("parts").get() == bytes)
        #expect(try world.put("whole", bytes).get() == .existsIdentical(object))
        #expect(world.close() == nil)
    }

    @Test func `says whether a repeated upload is the same`() throws {
        let world = World(try World.hardware())
        try world.open()
        for size in [100, 100_000] {
            let bytes = content(size, seed: 1)
            var other = bytes
            other[size - 1] ^= 1
            guard case .created(let object) = try world.put("n\(size)", bytes).get() else {
                Issue.record("not created")
                return
            }
            #expect(try world.put("n\(size)", bytes).get() == .existsIdentical(object))
            #expect(try world.put("n\(size)", other).get() == .existsDifferent(object))
            #expect(try world.put("n\(size)", bytes + [1]).get() == .existsDifferent(object))
            #expect(try world.get("n\(size)").get() == bytes)
        }
        #expect(world.close() == nil)
    }

    @Test func `forgets what was removed and uses its space again`() throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("kept", content(70_000, seed: 1)).get()
        world.settle()
        let before = world.space
        for round in 0..<3 {
            let bytes = content(300_000, seed: UInt64(round))
            _ = try world.put("large", bytes).get()
            _ = try world.put("small", content(5000, seed: 3)).get()
            #expect(world.space.largeUsed == before.largeUsed + 74)
            #expect(try world.remove("large").get())
            #expect(try world.remove("small").get())
            #expect(try world.get("large").get() == nil)
            #expect(try world.get("small").get() == nil)
            #expect(try !world.remove("large").get())
            world.settle()
            #expect(world.space.largeUsed == before.largeUsed)
        }
        let core = world.core
        let statistics = world.run { await core.statistics }
        #expect(statistics.bytesDeletedButPinned == 0)
        #expect(statistics.removals == 6)
        #expect(world.close() == nil)
        // Without leases every block in use is one of the object that is left.
        #expect(world.space.smallUsed == 1)
        #expect(world.space.largeUsed == 18)
    }

    @Test func `gives all space and buffers back when uploads are abandoned`() throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("kept", content(10, seed: 1)).get()
        world.settle()
        let (before, core) = (world.space, world.core)
        let buffers = world.run { await core.bytesFree }
        for sent in [0, 128 << 10, 640 << 10] {
            let bytes = content(1 << 20, seed: 4)
            let error = world.run { () async -> StoreError? in
                do throws(StoreError) {
                    try await core.abandon("gone", bytes, sent: sent)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(error == nil)
        }
        #expect(world.space == before)
        #expect(world.run { await core.bytesFree } == buffers)
        #expect(try world.get("gone").get() == nil)
        #expect(world.close() == nil)
    }

    @Test func `spreads an object over volumes and refuses what has no room`() throws {
        let world = World(try World.hardware())
        world.volumeBytes = 64 << 20
        world.capacityBytes = 4 * (64 << 20)
        try world.open()
        let bytes = plainContent(70, seed: 8)
        _ = try world.put("wide", bytes).get()
        #expect(world.disk.visible.files["volumes/large-0001"] != nil)
        #expect(try world.get("wide").get() == bytes)
        #expect(world.put("more", plainContent(64, seed: 9)) == .failure(.noSpace))
        #expect(try world.remove("wide").get())
        world.settle()
        let again = plainContent(64, seed: 10)
        _ = try world.put("more", again).get()
        #expect(try world.get("more").get() == again)
        #expect(world.close() == nil)
    }

    @Test func `says in bytes how much space there is`() throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("first", plainContent(1, seed: 1)).get()
        let shared = try #require(world.shared)
        let before = world.run { await shared.volumeSpace() }
        _ = try world.put("second", plainContent(2, seed: 2)).get()
        let after = world.run { await shared.volumeSpace() }
        #expect(before.large.freeBytes - after.large.freeBytes == 2 << 20)
        #expect(before.large.totalBytes == after.large.totalBytes)
        #expect(after.small.totalBytes.isMultiple(of: 64 << 20))
        #expect(after.small.freeBytes < after.small.totalBytes)
        #expect(shared.capacityBytes == world.capacityBytes)
        #expect(world.close() == nil)
    }
}
