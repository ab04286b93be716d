// The world's errors: operations that fail, disks that are refused, bytes that rot or lie.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A failing disk` {
    @Test(arguments: [SimulatedDisk.Kind.write, .sync])
    func `acknowledges nothing and takes no more writes, but reads go on`(
        kind: SimulatedDisk.Kind
    ) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let hardware = try World.hardware()
        let world = World(hardware, catalog: catalog)
        try world.open()
        _ = try world.put("old", content(3000, seed: 1)).get()
        world.settle()
        world.disk.fail(kind, number: 1)
        guard case .failure = world.put("new", content(3000, seed: 2)) else {
            Issue.record("acknowledged what failed")
            return
        }
        let syncs = world.disk.counts[.sync]
        #expect(world.put("newer", content(3000, seed: 3)) == .failure(.readOnly))
        #expect(world.remove("old") == .failure(.readOnly))
        #expect(world.disk.counts[.sync] == syncs, "a flush was tried again")
        #expect(try world.get("new").get() == nil)
        #expect(try world.get("old").get() == content(3000, seed: 1))
        #expect(world.shared?.failedVolumes.map(\.description) == ["small-0000"])
        _ = world.close()

        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(try again.get("old").get() == content(3000, seed: 1))
        _ = try again.put("new", content(3000, seed: 4)).get()
        #expect(try again.get("new").get() == content(3000, seed: 4))
        #expect(again.close() == nil)
    }

    @Test(arguments: [3000, 100_000])
    func `answers durable for what was written only once that is durable`(size: Int) throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("old", content(size, seed: 1)).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        let bytes = content(size, seed: 2)
        guard case .created = try world.put("new", bytes, .written).get() else {
            Issue.record("not created")
            return
        }
        // The flush that the first promise waits for fails: the second must not rest on it, neither
        // by looking the object up nor by bringing the same bytes.
        let core = world.core
        let isSettled = world.run { () async -> Bool? in
            guard let pinned = try? await core.pin("new") else { return nil }
            let isSettled = try? await core.settle(pinned)
            await core.release(pinned)
            return isSettled
        }
        #expect(isSettled == false)
        if case .success(.existsIdentical) = world.put("new", bytes, .durable) {
            Issue.record("acknowledged as durable before it was")
        }
        world.settle()
        _ = world.close()
    }

    @Test(arguments: [SimulatedDisk.Kind.write, .sync])
    func `withdraws what was acknowledged as written only`(kind: SimulatedDisk.Kind) throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("old", content(100_000, seed: 1)).get()
        world.settle()
        world.disk.fail(kind, number: kind == .write ? 2 : 1)
        guard case .created = try world.put("new", content(100_000, seed: 2), .written).get()
        else {
            Issue.record("not created")
            return
        }
        world.settle()
        #expect(try world.get("new").get() == nil)
        let core = world.core
        #expect(world.run { await core.forgotten.count } == 1)
        #expect(try world.get("old").get() == content(100_000, seed: 1))
        _ = world.close()
    }

    @Test func `shows an object that was written before its record is durable`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        for size in [500, 100_000] {
            let bytes = content(size, seed: 3)
            _ = try world.put("w\(size)", bytes, .written).get()
            #expect(try world.get("w\(size)", on: 1).get() == bytes)
            world.settle()
            #expect(try world.get("w\(size)", on: 1).get() == bytes)
        }
        #expect(world.close() == nil)
    }

    /// Whatever operation fails: no trap, no false promise, and afterwards no block is lost.
    @Test(arguments: 0..<4)
    func `may fail at any operation`(part: Int) throws {
        let hardware = try World.hardware()
        var number = 1 + part
        while try failing(number, hardware) { number += 4 }
        #expect(number > 60, "the scenario was shorter than expected")
    }

    /// Whether the scenario was long enough to reach that operation.
    private func failing(_ number: Int, _ hardware: [Hardware]) throws -> Bool {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog, seed: UInt64(number))
        world.disk.failingOperation = number
        var expectations = Expectations()
        do {
            try world.open()
            let story = Story(world, catalog, seed: 1, cutsPerOperation: 0)
            try story.play(`After a power cut`.steps)
            expectations = story.expectations
            let wrong = contradictions(world, expectations, checksSpace: false)
            #expect(wrong.filter { !$0.contains("cannot be read") } == [], "operation \(number)")
            _ = world.close()
        } catch is StoreError {
            world.settle()
        }
        let cut = PowerCut(
            image: world.disk.visible, catalog: try CatalogSnapshot(catalog),
            expectations: expectations, operation: number)
        #expect(problems(after: cut, hardware: hardware, tryingWrites: true) == [])
        return world.disk.operationCount >= number
    }

    @Test func `without direct access is refused by name`() throws {
        let world = World(try World.hardware())
        world.disk.refusesDirectAccess = true
        #expect(throws: StoreError.noDirectAccess(path: "volumes/small-0000")) {
            try world.open()
        }
    }

    @Test func `with a newer format or another owner is refused`() throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        _ = try world.put("x", [1, 2, 3]).get()
        #expect(world.close() == nil)
        let path = "volumes/small-0000"

        var newer = world.disk.visible
        newer.rewriteSuperblock(path) { $0[8] = 9 }
        #expect(throws: StoreError.newerFormat(path: path, version: 9)) {
            try World(hardware, disk: SimulatedDisk(newer), catalog: catalog).open()
        }
        var other = world.disk.visible
        other.rewriteSuperblock(path) { $0[24] ^= 1 }
        #expect(throws: StoreError.otherInstance(path: path)) {
            try World(hardware, disk: SimulatedDisk(other), catalog: catalog).open()
        }
        var damaged = world.disk.visible
        damaged.overwrite(path, offset: 100, with: [1])
        #expect(throws: StoreError.notAVolume(path: path)) {
            try World(hardware, disk: SimulatedDisk(damaged), catalog: catalog).open()
        }
    }

    @Test func `that rots what is still to be replayed is found out by the replay`() throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        let bytes = content(200_000, seed: 1)
        _ = try world.put("rotten", bytes).get()
        _ = try world.put("sound", content(200_000, seed: 2)).get()
        let snapshot = try CatalogSnapshot(catalog)
        #expect(world.shared?.unindexedCount == 2, "nothing is left to be replayed")
        let at = try #require(
            world.disk.visible.find(Array(bytes.suffix(64)), in: "volumes/large-0000"))
        var image = world.disk.visible
        image.overwrite("volumes/large-0000", offset: at, with: [bytes[199_936] ^ 0xff])
        _ = world.close()

        let again = World(hardware, disk: SimulatedDisk(image), catalog: try snapshot.restored())
        try again.open()
        guard case .corrupt(name: Array("rotten".utf8), .corrupt) = again.corruptions.first else {
            Issue.record("the replay believed rotten bytes")
            return
        }
        guard case .failure(.corrupt) = again.get("rotten") else {
            Issue.record("rotten bytes were read")
            return
        }
        #expect(try again.get("sound").get() == content(200_000, seed: 2))
        #expect(again.list().count == 2)
        #expect(try again.remove("rotten").get())
        #expect(again.close() == nil)
        let last = World(hardware, disk: SimulatedDisk(again.disk.visible), catalog: again.catalog)
        try last.open()
        #expect(contradictions(last, Expectations()) == [])
        #expect(last.close() == nil)
    }

    @Test(arguments: ["volumes/small-0000", "volumes/large-0000"])
    func `with a file larger than any volume is refused by name`(path: String) throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        _ = try world.put("x", content(100_000, seed: 1)).get()
        #expect(world.close() == nil)
        // Beyond what a volume may have, beyond 31 bits of blocks, beyond 32.
        for bytes in [StoreLimits.volumeBytesMax + 4096, 1 << 43, 1 << 44, 1 << 62] {
            var image = world.disk.visible
            image.files[path]?.byteCount = bytes
            #expect(throws: StoreError.volumeTooLarge(path: path)) {
                try World(hardware, disk: SimulatedDisk(image), catalog: catalog).open()
            }
        }
    }

    @Test(arguments: [3000, 100_000])
    func `that rots is found out before a byte leaves`(size: Int) throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        let bytes = content(size, seed: 1)
        _ = try world.put("x", bytes).get()
        #expect(world.close() == nil)
        let path = size > 65_536 ? "volumes/large-0000" : "volumes/small-0000"
        let at = try #require(world.disk.visible.find(Array(bytes.suffix(64)), in: path))
        var image = world.disk.visible
        image.overwrite(path, offset: at, with: [bytes[size - 64] ^ 0xff])

        let again = World(hardware, disk: SimulatedDisk(image), catalog: catalog)
        try again.open()
        guard case .failure(.corrupt) = again.get("x") else {
            Issue.record("rotten bytes were read")
            return
        }
        #expect(again.corruptions.count == 1)
        #expect(try again.remove("x").get())
        #expect(again.close() == nil)
    }
}

extension DiskImage {
    /// Changes a superblock and makes its checksum right again.
    mutating func rewriteSuperblock(_ path: String, _ change: (inout [UInt8]) -> Void) {
        var block = bytes(path, offset: 0, count: 4096)
        change(&block)
        let checksum = crc32c(block[0..<4092].span.rawBytes)
        for index in 0..<4 {
            block[4092 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index)))
        }
        overwrite(path, offset: 0, with: block)
    }

    /// Where in the file those bytes lie.
    func find(_ wanted: [UInt8], in path: String) -> UInt64? {
        guard let file = files[path] else { return nil }
        for (number, block) in file.blocks where block.count == 4096 {
            for start in 0...(4096 - wanted.count)
            where block[start] == wanted[0] && Array(block[start..<start + wanted.count]) == wanted
            {
                return number * 4096 + UInt64(start)
            }
        }
        return nil
    }
}
