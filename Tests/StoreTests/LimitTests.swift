// Limits that are reached: whoever asks for more is told so, what was acknowledged stays, and
// afterwards there is room again.

import Catalog
import Foundation
import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `At its limit` {
    @Test func `the index that is held up takes no more uploads until it goes on`() throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        _ = try world.put("old", content(3000, seed: 1)).get()
        world.settle()
        for number in 1...10 { catalog.fail(commit: number, .before(.diskFull)) }
        let state = try #require(world.shared).state
        for number in 1..<StoreLimits.unindexedMax {
            state.publish(state.key(Array("waits \(number)".utf8)), .absent(sequence: 1))
        }
        _ = try world.put("last", content(3000, seed: 2)).get()
        for size in [3000, 100_000] {
            #expect(world.put("late", content(size, seed: 3)) == .failure(.indexBehind))
        }
        #expect(try world.remove("old").get())
        #expect(try world.get("last").get() == content(3000, seed: 2))

        world.settle()
        #expect(world.events.all.contains { if case .indexingDelayed = $0 { true } else { false } })
        _ = try world.put("late", content(100_000, seed: 3)).get()
        #expect(world.close() == nil)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(try again.get("old").get() == nil)
        #expect(try again.get("last").get() == content(3000, seed: 2))
        #expect(try again.get("late").get() == content(100_000, seed: 3))
        #expect(contradictions(again, Expectations()) == [])
        #expect(again.close() == nil)
    }

    @Test func `the commit window refuses uploads and removals, and loses no block`() throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        try world.open()
        _ = try world.put("old", [1]).get()
        world.settle()
        try world.narrowWindow(to: 4)
        let core = world.core
        let uploads = (0..<6).map { number in
            world.start { await core.outcome(of: "n\(number)", content(3000, seed: 1)) }
        }
        let removal = world.start { await core.outcome(removing: "old") }
        world.settle()
        let refused = uploads.indices.filter { uploads[$0].answer == .failure(.indexBehind) }
        #expect(refused.count == 2)
        #expect(removal.answer == .failure(.indexBehind))
        #expect(try world.get("old").get() == [1])
        for number in refused { _ = try world.put("n\(number)", content(3000, seed: 1)).get() }
        #expect(try world.remove("old").get())
        #expect(world.close() == nil)

        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(again.list().count == 6)
        for number in 0..<6 {
            #expect(try again.get("n\(number)").get() == content(3000, seed: 1))
        }
        #expect(contradictions(again, Expectations()) == [])
        #expect(again.close() == nil)
    }

    @Test func `the volume leaves room to delete, and then takes as much again`() throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.capacityBytes = world.volumeBytes
        try world.open()
        let names = try fill(world, "a")
        #expect(names.count > 900)
        // While they are read, removed objects keep their blocks, and so do the removals.
        let core = world.core
        let pins = names.prefix(100).compactMap { name in
            world.run { try? await core.pin(name) } ?? nil
        }
        var removed = 0
        while try removes(world, names[removed]) { removed += 1 }
        #expect(removed == Int(Packer.blocksForRemovals))
        #expect(try world.get(names[removed]).get() == content(60_000, seed: 5))
        #expect(try world.get(names[0]).get() == nil)

        for pinned in pins { world.run { await core.release(pinned) } }
        world.settle()
        for name in names[removed...] { #expect(try world.remove(name).get()) }
        world.settle()
        #expect(world.list().isEmpty)
        #expect(try fill(world, "b").count == names.count)
        #expect(world.close() == nil)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(again.corruptions == [])
        #expect(try again.get("b 0").get() == content(60_000, seed: 5))
        #expect(again.close() == nil)
    }

    /// Puts objects of 16 blocks, then of one, until no more fit; answers their names.
    private func fill(_ world: World, _ prefix: String) throws -> [String] {
        var names: [String] = []
        for size in [60_000, 100] {
            while true {
                let name = "\(prefix) \(names.count)"
                switch world.put(name, content(size, seed: 5)) {
                case .success: names.append(name)
                case .failure(let error):
                    #expect(error == .noSpace)
                }
                if names.last != name { break }
            }
        }
        return names
    }

    /// Whether there was room for the removal.
    private func removes(_ world: World, _ name: String) throws -> Bool {
        switch world.remove(name) {
        case .success(let isRemoved):
            #expect(isRemoved)
            return true
        case .failure(let error):
            #expect(error == .noSpace)
            return false
        }
    }

    @Test func `an object's length is refused before anything is reserved`() throws {
        let world = World(try World.hardware())
        try world.open()
        let core = world.core
        let answer = world.run {
            await core.begin("x", length: Int(StoreLimits.objectBytesMax) + 1)
        }
        guard case .failure(.tooLarge) = answer else {
            Issue.record("accepted")
            return
        }
        #expect(world.space.largeUsed == 0)
        #expect(world.shared?.state.bytesReserved == 0)
        _ = try world.put("x", content(100_000, seed: 1)).get()
        #expect(world.close() == nil)
    }
}

extension TestCore {
    func outcome(of name: String, _ bytes: [UInt8]) async -> Result<PutOutcome, StoreError> {
        do throws(StoreError) { return .success(try await put(name, bytes)) } catch {
            return .failure(error)
        }
    }

    func outcome(removing name: String) async -> Result<Bool, StoreError> {
        do throws(StoreError) { return .success(try await remove(name)) } catch {
            return .failure(error)
        }
    }
}
