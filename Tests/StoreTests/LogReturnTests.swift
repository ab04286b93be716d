// Goal:   a core whose progress log failed gets another one, and what clients were told holds all
//         the while: no entry of the old log is believed over what came later.
// Method: two uploads of one core; one of their flushes fails; both go on by the next log. The
//         power goes at any operation, and both go on from what they were told.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A progress log that failed` {
    private struct Cut {
        let image: DiskImage
        let catalog: CatalogSnapshot
        let clients: [UploadClient]
    }

    private final class Scene {
        let catalog = MemoryCatalog(instance: World.instance)
        let world: World
        let clients = [
            UploadClient("a", content(300_000, seed: 1)),
            UploadClient("b", content(300_000, seed: 2)),
            UploadClient("later", content(200_000, seed: 4)),
        ]
        private(set) var cuts: [Cut] = []
        private var random: SeededRandom

        /// `isApart`: the log lies on another volume than what it speaks of.
        init(_ hardware: [Hardware], seed: UInt64, isApart: Bool) throws {
            random = SeededRandom(seed: seed)
            world = World(
                hardware, catalog: catalog, seed: seed, progress: .always,
                resilience: .breakingOnly)
            world.volumeBytes = UInt64(VolumeLayout.segmentSize)
            try world.open()
            if isApart { try fillFirstVolume() }
            for client in clients[..<2] {
                client.create(world, on: 0)
                client.send(world, on: 0, to: 4096)
                world.settle()
                client.send(world, on: 0, to: 50_000)
            }
        }

        /// Behind the log, which somebody has the core get.
        private func fillFirstVolume() throws {
            let first = UploadClient("first", content(5000, seed: 3))
            first.create(world, on: 0)
            first.send(world, on: 0, to: 4096)
            first.send(world, on: 0, to: 5000)
            world.settle()
            let ledger = try #require(world.shared).ledger
            for bytes in [1 << 20, 64 << 10, 4 << 10] as [UInt64] {
                while let extents = world.run({ try? await ledger.reserve(bytes) }) {
                    guard extents[0].volume == logVolume else {
                        world.run { await ledger.giveBack(extents) }
                        break
                    }
                    filler += extents
                }
            }
        }

        private(set) var filler: [Extent] = []

        var logVolume: VolumeID? { (try? logPlaces)?.first?.volume }

        func send(to end: Int) {
            for client in clients {
                client.ask(world, on: 0)
                let end = min(end, client.bytes.count)
                client.send(world, on: 0, to: max(end, Int(client.told)))
            }
        }

        /// Somebody new has the core get the next log, before the others come back.
        func beginAnother() {
            clients[2].create(world, on: 0)
            for end in [4096, 30_000, 60_000, 90_000] {
                clients[2].send(world, on: 0, to: end)
                world.settle()
            }
        }

        func cutPower(every spacing: Int) {
            var steps = 0
            world.machine.afterStep = { [unowned self] in
                steps += 1
                guard steps % spacing == 0, !world.disk.wasPreparation,
                    let snapshot = try? CatalogSnapshot(catalog)
                else { return }
                for _ in 0..<2 {
                    cuts.append(
                        Cut(
                            image: world.disk.powerCut(&random).image, catalog: snapshot,
                            clients: clients.map(\.twin)))
                }
            }
        }

        var logPlaces: [Extent] {
            get throws { try catalog.makeReader().leases().compactMap(\.progressLog) }
        }
    }

    @Test(arguments: 1...6, [false, true]) func `is followed by another, and nothing is lost`(
        number: Int, isApart: Bool
    ) throws {
        let hardware = try World.hardware()
        let scene = try Scene(hardware, seed: UInt64(number), isApart: isApart)
        let world = scene.world
        let old = try scene.logPlaces
        #expect(old.count == 1 && world.progressEntries > 1)
        scene.cutPower(every: 2)
        world.disk.fail(.sync, number: number)
        scene.send(to: 90_000)
        scene.send(to: 120_000)
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: 62)
        let entries = world.progressEntries
        scene.beginAnother()
        scene.send(to: 160_000)
        world.settle()
        scene.send(to: 200_000)
        scene.send(to: 240_000)
        world.machine.afterStep = {}
        #expect(world.progressEntries > entries, "it has no log any more")
        #expect(try scene.logPlaces.count == 1)
        for client in scene.clients {
            client.finish(world)
            #expect(client.isFinished && client.problems == [])
            #expect(try world.get(client.name).get() == client.bytes)
        }
        world.pass(secondsCleaning: 65)
        let filler = scene.filler
        let ledger = try #require(world.shared).ledger
        world.run { await ledger.giveBack(filler) }
        world.pass(seconds: 61)
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
        for (index, cut) in scene.cuts.enumerated() {
            #expect(try problems(cut, hardware) == [], "cut \(index)")
        }
    }

    /// With so many that uploads still need, whose clients do not come back, there is no other one
    /// before these do: what comes is told to the catalog.
    @Test func `is followed by none where too many are left, until they are not`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog, progress: .always, resilience: .breakingOnly)
        try world.open()
        let clients = (0..<ProgressArea.leftMax + 2).map {
            UploadClient("n\($0)", content(200_000, seed: UInt64($0)))
        }
        func logs() throws -> Int {
            try catalog.makeReader().leases().compactMap(\.progressLog).count
        }
        for (number, client) in clients.enumerated() {
            client.create(world, on: 0)
            client.send(world, on: 0, to: 4096)
            world.settle()
            let before = world.progressEntries
            client.send(world, on: 0, to: 50_000)
            #expect((world.progressEntries > before) == (number < ProgressArea.leftMax))
            world.disk.fail(.sync, number: 1)
            client.send(world, on: 0, to: 90_000)
            #expect(client.failures.count == 1 && client.told == 50_000)
            #expect(world.waitUntilRecovered())
            #expect(try logs() == min(number + 1, ProgressArea.leftMax))
        }
        for client in clients {
            client.finish(world)
            #expect(client.isFinished && client.problems == [])
        }
        world.pass(secondsCleaning: 65)
        #expect(try logs() <= 1 && lostBlocks(in: world) == [])
        let entries = world.progressEntries
        let last = UploadClient("last", content(200_000, seed: 99))
        last.create(world, on: 0)
        for end in [4096, 30_000, 60_000] {
            last.send(world, on: 0, to: end)
            world.settle()
        }
        #expect(world.progressEntries > entries, "it has no log any more")
        last.finish(world)
        #expect(last.isFinished && world.close() == nil)
    }

    private func problems(_ cut: Cut, _ hardware: [Hardware]) throws -> [String] {
        let again = World(
            hardware, disk: SimulatedDisk(cut.image), catalog: try cut.catalog.restored())
        try again.open()
        var found = again.corruptions.map { "reports \($0)" }
        for client in cut.clients where client.id != nil {
            client.finish(again)
            found += client.problems
            if !client.isFinished { found.append("\(client.name): \(client.failures)") }
            if try again.get(client.name).get() != client.bytes {
                found.append("\(client.name) is another object, or none")
            }
        }
        again.settle()
        found += lostBlocks(in: again)
        if let error = again.close() { found.append("does not close: \(error)") }
        return found
    }
}
