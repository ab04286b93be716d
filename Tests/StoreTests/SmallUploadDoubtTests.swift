// Goal:   an upload that becomes a small object, whose record fails, is what its client was told
//         last: whatever the power leaves, with the catalog or without it.
// Method: all its bytes come, the record fails, and then this or that is told of the upload or of
//         its name. A commit older than all is under way, so that a start believes its eyes.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `An upload of a small object whose record failed` {
    enum Sequel: CaseIterable {
        case none, goesOn, goesOnAndIsRemoved, isGivenUp, isOvertaken, isOvertakenAndRemoved
    }

    @Test(arguments: [OperationKind.write, .sync], Sequel.allCases)
    func `is what was told last`(kind: OperationKind, sequel: Sequel) throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(), catalog: catalog, resilience: .breakingOnly)
        world.volumeBytes = UInt64(VolumeLayout.segmentSize)
        world.capacityBytes = 4 * UInt64(VolumeLayout.segmentSize)
        try world.open()
        var expectations = Expectations()
        _ = try world.put("old", content(3000, seed: 1)).get()
        expectations.acknowledge("old", content(3000, seed: 1))
        world.settle()
        let ledger = try #require(world.shared).ledger
        let slow = try #require(world.run { try? await ledger.claim(Array("slow".utf8), nil) })
        // A record of one block is whole where its write failed.
        let client = UploadClient("name", content(3000, seed: 2))
        client.create(world, on: 0)
        client.send(world, on: 0, to: 1000)
        world.settle()
        world.fail([kind], of: "volumes/small-0000", seconds: 0.5)
        client.send(world, on: 0, to: 3000)
        #expect(client.failures.count == 1 && !client.isFinished)
        #expect(world.shared?.failedVolumes.map(\.description) == ["small-0000"])
        expectations.attempt("name", client.bytes)
        try tell(sequel, client, world, &expectations)
        world.pass(seconds: 0.4)
        #expect(try catalog.makeReader().metadata().applied < slow)
        #expect(try problemsAfterPowerCuts(world, catalog, expectations, hardware) == [])
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: 65)
        if sequel == .isGivenUp {
            client.giveUp(world, on: 0)
            #expect(client.isEnded == true)
            expectations.acknowledge("name", nil)
        } else {
            client.finish(world)
        }
        world.settle()
        #expect(try problemsAfterPowerCuts(world, catalog, expectations, hardware) == [])
        #expect(client.problems == [] && lostBlocks(in: world) == [])
        #expect(world.lateHeaders.isEmpty && world.close() == nil)
    }

    /// Whoever asked before the record failed hears the same as who asks afterwards.
    @Test func `is not given up while its publication fails`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        _ = try world.put("old", content(3000, seed: 1)).get()
        let client = UploadClient("name", content(3000, seed: 2))
        client.create(world, on: 0)
        client.send(world, on: 0, to: 1000)
        world.settle()
        let (core, id, bytes) = (world.core, try #require(client.id), client.bytes)
        world.fail([.sync], of: "volumes/small-0000", seconds: 0.5)
        world.machine.holds = { _, operation, _ in
            if case .sync = operation { true } else { false }
        }
        let sent = world.start {
            await core.result { core throws(UploadError) in
                try await core.append(id, at: 1000, Array(bytes[1000...]))
            }
        }
        world.pass(seconds: 0.1)
        let ended = world.start {
            await core.result { core throws(UploadError) in try await core.abortUpload(id) }
        }
        world.pass(seconds: 0.1)
        #expect(sent.answer == nil && ended.answer == nil)
        world.machine.holds = nil
        _ = world.machine.run { sent.answer != nil && ended.answer != nil }
        for error in [sent.answer?.failure, ended.answer?.failure] {
            #expect(error == .store(.readOnly))
        }
        #expect(world.waitUntilRecovered())
        client.finish(world)
        #expect(client.isFinished && client.problems == [])
        #expect(try world.get("name").get() == bytes)
        world.pass(secondsCleaning: 65)
        #expect(lostBlocks(in: world) == [] && world.close() == nil)
    }

    private func tell(
        _ sequel: Sequel, _ client: UploadClient, _ world: World, _ expectations: inout Expectations
    ) throws {
        switch sequel {
        case .none: break
        case .goesOn, .goesOnAndIsRemoved:
            client.finish(world)
            #expect(client.isFinished)
            expectations.acknowledge("name", client.bytes)
        case .isGivenUp:
            client.giveUp(world, on: 0)
            if client.isEnded == true { expectations.acknowledge("name", nil) }
        case .isOvertaken, .isOvertakenAndRemoved:
            _ = try world.put("name", content(5000, seed: 3)).get()
            expectations.acknowledge("name", content(5000, seed: 3))
            client.finish(world)
            #expect(!client.isFinished)
        }
        if sequel == .goesOnAndIsRemoved || sequel == .isOvertakenAndRemoved {
            #expect(try world.remove("name").get())
            expectations.acknowledge("name", nil)
        }
    }
}
