// Goal:   uploads that may be resumed go on where they were told to, once the volume that failed
//         under them takes writes again, or a minute later, without a restart; and after one, too.
// Method: the tale of six uploads on two cores, told again and again; each time another write or
//         flush fails. Then all go on in the same process, and once more in another.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `An upload whose volume failed and came back` {
    @Test(arguments: ProgressPolicy.both, [OperationKind.write, .sync])
    func `goes on`(progress: ProgressPolicy, kind: OperationKind) throws {
        let hardware = try World.hardware(cores: 2)
        let count = try count(kind, hardware, progress)
        let wanted = min(count, 20)
        var opened = 0
        for index in 0..<wanted {
            let number = 1 + index * (count - 1) / (wanted - 1)
            opened += try strike(kind, number, hardware, progress)
        }
        // Two volumes are made, and their directory flushed each time: that fails no volume.
        #expect(opened >= wanted - (kind == .sync ? 2 : 0))
    }

    private func count(
        _ kind: OperationKind, _ hardware: [Hardware], _ progress: ProgressPolicy
    ) throws -> Int {
        let world = World(hardware, progress: progress)
        try world.open()
        world.settle()
        let before = world.disk.plan.counts[kind, default: 0]
        UploadTale().tell(world)
        let count = world.disk.plan.counts[kind, default: 0] - before
        #expect(world.close() == nil)
        return count
    }

    private func strike(
        _ kind: OperationKind, _ number: Int, _ hardware: [Hardware], _ progress: ProgressPolicy
    ) throws -> Int {
        let what: Comment = "\(kind) \(number)"
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            hardware, catalog: catalog, seed: UInt64(number), progress: progress,
            resilience: .breakingOnly)
        try world.open()
        world.settle()
        world.disk.plan.strike(kind, number: number, with: .error(.io))
        let tale = UploadTale()
        tale.tell(world)
        world.disk.plan.disarm()
        #expect(world.opens <= 1 && world.waitUntilRecovered(), what)
        let clients = tale.all.filter { $0.id != nil && $0.isEnded == nil }
        for client in clients { client.finish(world) }
        // Only an upload whose object's record failed waits until that is settled.
        let waiting = clients.filter { !$0.isFinished && !$0.isUnheard }
        #expect(waiting.count <= 1, what)
        if !waiting.isEmpty { world.pass(secondsCleaning: 65) }
        for client in waiting { client.finish(world) }
        #expect(clients.allSatisfy { $0.isFinished || $0.isUnheard }, what)
        #expect(clients.flatMap(\.problems) == [], what)
        for client in clients where client.isFinished {
            #expect(try world.get(client.name).get() == client.bytes, what)
        }
        // Whoever begins anew under that number, or any, is let in.
        let other = UploadClient("other", content(150_000, seed: 77))
        other.create(world, on: 0)
        other.finish(world)
        #expect(other.isFinished && other.failures == [], what)
        let opened = world.opens
        #expect(world.close() == nil, what)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(tale.problems(in: again) == [], what)
        #expect(again.close() == nil, what)
        let last = World(hardware, disk: SimulatedDisk(again.disk.visible), catalog: catalog)
        try last.open()
        #expect(contradictions(last, Expectations()) == [], what)
        #expect(last.close() == nil, what)
        return opened
    }

    /// Of a large object: its data, its record; and what tells the catalog of both.
    @Test(arguments: 1...3) func `is published once a record that failed was settled`(
        number: Int
    ) throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        let bytes = content(200_000, seed: 1)
        let client = UploadClient("name", bytes)
        client.create(world, on: 0)
        client.send(world, on: 0, to: 70_000)
        world.disk.fail(.sync, number: number)
        client.send(world, on: 0, to: 200_000)
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: 62)
        client.finish(world)
        #expect(client.isFinished && client.problems == [] && client.failures.count <= 1)
        #expect(try world.get("name").get() == bytes)
        world.settle()
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }

    /// A client need not wait for a restart to begin anew.
    @Test func `may be given up, and its name is as good as new`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        let bytes = content(200_000, seed: 1)
        let client = UploadClient("name", bytes)
        client.create(world, on: 0)
        client.send(world, on: 0, to: 70_000)
        world.disk.fail(.sync, number: 1)
        client.send(world, on: 0, to: 140_000)
        #expect(client.failures.count == 1 && client.told == 70_000)
        client.giveUp(world, on: 0)
        #expect(client.isEnded == true && client.failures.count == 1)
        #expect(world.waitUntilRecovered())
        _ = try world.put("name", content(100_000, seed: 2)).get()
        #expect(world.close() == nil)
    }

    /// Nothing was written of a record for which there was no place.
    @Test func `is published once there is a volume for its record`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", [1]).get()
        let bytes = content(200_000, seed: 1)
        let client = UploadClient("name", bytes)
        client.create(world, on: 0)
        client.send(world, on: 0, to: 70_000)
        world.disk.fail(.sync, number: 1)
        guard case .failure = world.put("other", [2]) else {
            Issue.record("acknowledged what failed")
            return
        }
        client.send(world, on: 0, to: 200_000)
        #expect(!client.isFinished && client.failures.count == 1)
        #expect(world.waitUntilRecovered())
        client.ask(world, on: 0)
        #expect(client.isFinished)
        #expect(try world.get("name").get() == bytes)
        #expect(world.close() == nil)
    }
}
