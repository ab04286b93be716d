// Goal:   a store that is closed has kept what it acknowledged, also what was only written then.
// Method: uploads acknowledged as written, the close at once behind them, then a power cut.

import Catalog
import IO
import Simulator
import Testing

@testable import Store

@Suite struct `A store that is closed` {
    @Test(arguments: [500, 100_000], 1...8 as ClosedRange<UInt64>)
    func `leaves what was acknowledged as written durable`(size: Int, seed: UInt64) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(cores: 2), catalog: catalog, seed: seed)
        try world.open()
        var expectations = Expectations()
        for (index, name) in ["a", "b", "c"].enumerated() {
            let bytes = content(size, seed: UInt64(index))
            guard case .created = try world.put(name, bytes, .written, on: index % 2).get() else {
                Issue.record("\(name) was not created")
                return
            }
            expectations.acknowledge(name, bytes)
        }
        #expect(world.closeAtOnce() == nil)

        var random = SeededRandom(seed: seed)
        let hardware = try World.hardware()
        for _ in 0..<8 {
            let cut = PowerCut(
                image: world.disk.powerCut(&random).image, catalog: try CatalogSnapshot(catalog),
                expectations: expectations, operation: world.disk.operationCount)
            #expect(problems(after: cut, hardware: hardware, tryingWrites: false) == [])
        }
        world.settle()
    }

    @Test(arguments: [500, 100_000])
    func `does not wait for what has failed`(size: Int) throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("old", content(size, seed: 2)).get()
        world.settle()
        world.disk.fail(.sync, number: 1)
        _ = try world.put("a", content(size, seed: 1), .written).get()
        #expect(world.closeAtOnce() == nil)
        #expect(world.shared?.failedVolumes.count == 1)
        world.settle()
    }
}
