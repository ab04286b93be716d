// The power may go at any moment: what was acknowledged is there, what was removed is not, and no
// block is lost. And the test is worth something: it notices each mistake made on purpose.

import Catalog
import IO
import Simulator
import Testing

@testable import Store

@Suite struct `After a power cut` {
    static let steps: [Step] = [
        .put("a", size: 3000, seed: 1), .put("big", size: 150_000, seed: 2),
        .put("b", size: 20_000, seed: 3), .remove("a"), .settle,
        .put("a", size: 5000, seed: 4), .remove("big"), .put("huge", size: 300_000, seed: 5),
        .settle, .put("big", size: 140_000, seed: 6), .put("c", size: 100, seed: 7),
        .remove("huge"), .remove("b"), .put("huge", size: 70_000, seed: 8), .settle,
        .put("b", size: 60_000, seed: 9),
    ]

    static func cuts(
        seed: UInt64, cores: Int = 1, faults: StoreFaults = [], perOperation: Int = 20
    ) throws -> [PowerCut] {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(cores: cores), catalog: catalog, seed: seed, faults: faults)
        try world.open()
        let story = Story(world, catalog, seed: seed, cutsPerOperation: perOperation)
        try story.play(steps)
        _ = world.close()
        return story.cuts
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `every promise is kept, whatever was not yet flushed`(seed: UInt64) throws {
        let cuts = try Self.cuts(seed: seed, cores: seed == 1 ? 1 : 2)
        #expect(cuts.count > 200)
        let hardware = try World.hardware()
        for (index, cut) in cuts.enumerated() {
            let found = problems(after: cut, hardware: hardware, tryingWrites: index % 40 == 0)
            #expect(found == [], "cut \(index), operation \(cut.operation), seed \(seed)")
        }
    }

    static let mistakes: [StoreFaults] = [
        .noFlush, .recordBeforeData, .earlyAcknowledgement, .earlyReuse,
    ]

    @Test(arguments: mistakes)
    func `a broken order of writes and flushes is noticed`(mistake: StoreFaults) throws {
        let hardware = try World.hardware()
        for seed in 1...4 as ClosedRange<UInt64> {
            for cut in try Self.cuts(seed: seed, faults: mistake) {
                if !problems(after: cut, hardware: hardware, tryingWrites: false).isEmpty {
                    return
                }
            }
        }
        Issue.record("nobody noticed mistake \(mistake.rawValue)")
    }
}
