// Several at once: readers of what is being deleted, rivals for one name, two cores.

import Catalog
import IO
import Loop
import Simulator
import Testing

@testable import Store

@Suite struct `Two who want the same` {
    @Test(arguments: [3000, 200_000])
    func `a reader of a deleted object gets all of its old bytes`(size: Int) throws {
        let world = World(try World.hardware(cores: 2))
        world.capacityBytes = 2 * (256 << 20)
        try world.open()
        let bytes = content(size, seed: 1)
        _ = try world.put("x", bytes).get()
        let reader = world.cores[1]
        let found = world.run(on: 1) { try? await reader.pin("x") }
        let pinned = try #require(found ?? nil)
        let before = world.space
        #expect(try world.remove("x").get())
        #expect(try world.get("x", on: 1).get() == nil)
        world.settle()
        let core = world.core
        #expect(world.run { await core.statistics.bytesDeletedButPinned } == UInt64(size))
        #expect(world.space.largeUsed == before.largeUsed)
        for number in 0..<5 {
            _ = try world.put("y\(number)", content(size, seed: UInt64(10 + number))).get()
        }
        let read = world.run(on: 1) { try? await reader.read(pinned) }
        #expect(read == bytes)
        world.run(on: 1) { await reader.release(pinned) }
        world.settle()
        #expect(world.run { await core.statistics.bytesDeletedButPinned } == 0)
        #expect(world.close() == nil)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `one of several uploads under one name is created`(seed: UInt64) throws {
        let world = World(try World.hardware(cores: 2), seed: seed)
        try world.open()
        let size = seed % 2 == 0 ? 2000 : 90_000
        let contents = [content(size, seed: 1), content(size, seed: 2), content(size, seed: 1)]
        let rivals = contents.enumerated().map { index, bytes in
            let core = world.cores[index % 2]
            return world.start(on: index % 2) { () async -> PutOutcome? in
                try? await core.put("same", bytes)
            }
        }
        world.settle()
        let outcomes = rivals.compactMap { $0.answer ?? nil }
        let winners = outcomes.indices.filter {
            if case .created = outcomes[$0] { true } else { false }
        }
        #expect(outcomes.count == 3)
        #expect(winners.count == 1)
        let winner = contents[try #require(winners.first)]
        for (index, outcome) in outcomes.enumerated() where index != winners[0] {
            let isSame = contents[index] == winner
            if case .existsIdentical = outcome { #expect(isSame) } else { #expect(!isSame) }
        }
        #expect(try world.get("same").get() == winner)
        #expect(world.close() == nil)
        #expect(world.space.largeUsed == (size > 65_536 ? 22 : 0))
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `flushes are shared by uploads that wait at the same time`(seed: UInt64) throws {
        let world = World(try World.hardware(), seed: seed)
        try world.open()
        _ = try world.put("first", [1]).get()
        world.settle()
        let core = world.core
        let before = world.disk.counts[.sync] ?? 0
        let uploads = (0..<32).map { number in
            world.start { () async -> PutOutcome? in
                try? await core.put("n\(number)", content(1000, seed: UInt64(number)))
            }
        }
        world.settle()
        #expect(uploads.allSatisfy { $0.answer != nil })
        #expect((world.disk.counts[.sync] ?? 0) - before < 32)
        for number in 0..<32 {
            #expect(try world.get("n\(number)").get() == content(1000, seed: UInt64(number)))
        }
        #expect(world.close() == nil)
    }

    @Test func `a listing shows what is indexed and what is not yet`() throws {
        let world = World(try World.hardware())
        try world.open()
        for name in ["a/1", "a/2", "b/1", "a/3"] { _ = try world.put(name, [1]).get() }
        world.settle()
        _ = try world.put("a/25", [2, 3]).get()
        #expect(try world.remove("a/1").get())
        let core = world.core
        let names = world.run {
            (try? await core.list(prefix: "a/").map { String(decoding: $0.name, as: UTF8.self) })
                ?? []
        }
        #expect(names == ["a/2", "a/25", "a/3"])
        let rest = world.run {
            (try? await core.list(prefix: "a/", after: "a/2", limit: 1).map(\.object.length)) ?? []
        }
        #expect(rest == [2])
        #expect(world.close() == nil)
    }
}

@Suite struct `A catalog` {
    @Test func `that is lost is rebuilt from the volumes`() throws {
        let hardware = try World.hardware()
        let world = World(hardware, seed: 3)
        try world.open()
        var contents: [String: [UInt8]] = [:]
        for number in 0..<12 {
            let bytes = content(number * 13_000, seed: UInt64(number))
            contents["n\(number)"] = bytes
            _ = try world.put("n\(number)", bytes).get()
        }
        #expect(try world.remove("n3").get())
        #expect(try world.remove("n9").get())
        _ = try world.put("n3", content(50, seed: 77)).get()
        contents["n3"] = content(50, seed: 77)
        contents["n9"] = nil
        #expect(world.close() == nil)

        let again = World(hardware, disk: SimulatedDisk(world.disk.visible))
        try again.open()
        var expectations = Expectations()
        for (name, bytes) in contents { expectations.acknowledge(name, bytes) }
        expectations.acknowledge("n9", nil)
        #expect(contradictions(again, expectations) == [])
        #expect(again.list().count == contents.count)
        #expect(again.close() == nil)
    }

    /// Whole records of this very store, inside an object's bytes, at the right distance from each
    /// other: copies, whose address is wrong, and one under another key, whose seal is.
    @Test func `is not fooled by records inside of objects`() throws {
        let hardware = try World.hardware()
        let world = World(hardware)
        try world.open()
        _ = try world.put("victim", content(3000, seed: 1)).get()
        let path = "volumes/small-0000"
        let record = world.disk.visible.bytes(path, offset: 2 << 20, count: 4096)
        var forged: [UInt8] = []
        for number in 0..<14 {
            // Claims the block where it will lie: the data of the next record starts 256 bytes in.
            var copy = record
            copy[56] = UInt8(truncatingIfNeeded: 513 + number)
            copy[57] = 2
            copy[64] ^= 0x40
            forged += copy
        }
        let shifted = Array(repeating: UInt8(0), count: 4096 - 192) + forged
        _ = try world.put("attack", shifted).get()
        #expect(try world.remove("victim").get())
        #expect(world.close() == nil)

        let again = World(hardware, disk: SimulatedDisk(world.disk.visible))
        try again.open()
        #expect(try again.get("victim").get() == nil)
        #expect(try again.get("attack").get() == shifted)
        #expect(again.list().count == 1)
        #expect(again.close() == nil)
    }

    @Test func `that takes no changes for a while loses none`() throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        _ = try world.put("first", [1]).get()
        world.settle()
        for number in 1...3 { catalog.fail(commit: number, .before(.diskFull)) }
        _ = try world.put("second", content(70_000, seed: 2)).get()
        #expect(try world.remove("first").get())
        #expect(try world.get("second").get() == content(70_000, seed: 2))
        world.settle()
        #expect(world.shared?.unindexedCount == 0)
        #expect(world.events.all.contains { if case .indexingDelayed = $0 { true } else { false } })
        #expect(world.close() == nil)

        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(try again.get("second").get() == content(70_000, seed: 2))
        #expect(try again.get("first").get() == nil)
        #expect(again.close() == nil)
    }
}
