// Goal:   what a volume that failed kept from its clients, none of them waits for longer than it
//         takes the failure to be settled: no restart is needed, nor does a stop trip over it.
// Method: one upload, or two parts of an object, and one failure at each stage of their end.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `What waits for a volume to come back` {
    /// The upload's end reaches the catalog with the last of all, behind the log's.
    @Test func `keeps no stop from ending`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog, progress: .always, resilience: .breakingOnly)
        try world.open()
        let client = UploadClient("a", content(300_000, seed: 1))
        client.create(world, on: 0)
        client.send(world, on: 0, to: 4096)
        world.settle()
        client.send(world, on: 0, to: 50_000)
        #expect(world.progressEntries > 0)
        world.pass(secondsCleaning: 10)
        client.send(world, on: 0, to: 300_000)
        #expect(client.isFinished)
        #expect(world.closeAtOnce() == nil)
        world.settle()
        #expect(try catalog.makeReader().leases().isEmpty)
        #expect(world.space.largeUsed == VolumeLayout.blocks(for: 300_000))
    }
}
