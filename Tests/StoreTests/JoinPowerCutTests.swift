// Goal:   the power may go at any moment while uploads are put together, and once more while the
//         store recovers: the object is whole and its parts have ended, or they are all there and
//         it can be made of them; and no block is lost.
// Method: the tale of one object's parts on the simulated disk, cut at every operation and commit,
//         with what was not flushed lost at random, and some recoveries cut at theirs.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

private struct JoinCut: Sendable {
    let image: DiskImage
    let catalog: CatalogSnapshot
    let state: JoinState
    let operation: Int
}

private final class JoinStory {
    let world: World
    private let catalog = MemoryCatalog(instance: World.instance)
    private let tale: JoinTale
    private var random: SeededRandom
    private var seen: Set<[UInt64]> = []
    private(set) var cuts: [JoinCut] = []

    init(
        _ state: JoinState, seed: UInt64, cores: Int, faults: StoreFaults = [],
        progress: ProgressPolicy = .never
    ) throws {
        world = World(
            try World.hardware(cores: cores), catalog: catalog, seed: seed, faults: faults,
            progress: progress)
        tale = JoinTale(state)
        random = SeededRandom(seed: seed)
        try world.open()
    }

    func play(removing: Bool = false) throws {
        world.machine.afterStep = { [unowned self] in
            // Before that it is a story of uploads in chunks, which is told elsewhere.
            if !world.disk.wasPreparation, tale.state.isAsked { try? cutPower() }
        }
        defer { world.machine.afterStep = {} }
        tale.tell(world, removing: removing)
        #expect(tale.failures == [])
    }

    private func cutPower() throws {
        let snapshot = try CatalogSnapshot(catalog)
        for _ in 0..<(world.disk.hasVolatileState ? 6 : 1) {
            let (image, choices) = world.disk.powerCut(&random)
            let moment = [
                UInt64(world.disk.durableCount), UInt64(catalog.commitCount), tale.version,
            ]
            guard seen.insert(moment + choices).inserted else { continue }
            cuts.append(
                JoinCut(
                    image: image, catalog: snapshot, state: tale.state,
                    operation: world.disk.operationCount))
        }
    }
}

@Suite struct `Uploads that are put together when the power goes` {
    private static let stories: [(UInt64, Int, Bool)] = [
        (1, 1, false), (2, 2, false), (3, 2, true),
    ]

    @Test(arguments: stories, ProgressPolicy.both)
    func `are an object, or what they were`(
        story: (UInt64, Int, Bool), progress: ProgressPolicy
    ) throws {
        let played = try JoinStory(.odd, seed: story.0, cores: story.1, progress: progress)
        try played.play(removing: story.2)
        #expect(played.world.progressEntries > 0 || progress == .never)
        let kinds = Set(played.cuts.map { cut in cut.state.whole != nil })
        #expect(played.cuts.count > 12 && kinds.count == 2, "\(played.cuts.count)")
        let hardware = try World.hardware(cores: 2)
        for (index, cut) in played.cuts.enumerated() {
            let found = try problems(after: cut, hardware)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
            guard index % 5 == 0 else { continue }
            for second in try cutsDuringRecovery(after: cut, hardware) {
                let found = try problems(after: second, hardware)
                #expect(found == [], "cut \(index), then at operation \(second.operation)")
            }
        }
    }

    @Test func `are an object that is packed, or what they were`() throws {
        let played = try JoinStory(.small, seed: 4, cores: 2)
        try played.play()
        let hardware = try World.hardware(cores: 2)
        for (index, cut) in played.cuts.enumerated() {
            let found = try problems(after: cut, hardware)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
        }
    }

    @Test func `would be noticed to lose what was not flushed`() throws {
        let hardware = try World.hardware(cores: 2)
        for seed in 1...6 as ClosedRange<UInt64> {
            let played = try JoinStory(.odd, seed: seed, cores: 1, faults: .noFlush)
            try played.play()
            for cut in played.cuts {
                guard let found = try? problems(after: cut, hardware), found == [] else { return }
            }
        }
        Issue.record("nobody noticed")
    }

    private func cutsDuringRecovery(
        after cut: JoinCut, _ hardware: [Hardware]
    ) throws -> [JoinCut] {
        let catalog = try cut.catalog.restored()
        let world = World(hardware, disk: SimulatedDisk(cut.image), catalog: catalog)
        var random = SeededRandom(seed: UInt64(cut.operation))
        var cuts: [JoinCut] = []
        world.machine.afterStep = {
            guard !world.disk.wasPreparation, let snapshot = try? CatalogSnapshot(catalog)
            else { return }
            cuts.append(
                JoinCut(
                    image: world.disk.powerCut(&random).image, catalog: snapshot,
                    state: cut.state, operation: world.disk.operationCount))
        }
        try world.open()
        world.machine.afterStep = {}
        _ = world.close()
        // The last ones, in which something is done about what was found.
        return Array(cuts.suffix(8))
    }

    private func problems(after cut: JoinCut, _ hardware: [Hardware]) throws -> [String] {
        let catalog = try cut.catalog.restored()
        let world = World(hardware, disk: SimulatedDisk(cut.image), catalog: catalog)
        try world.open()
        var found = cut.state.problems(in: world)
        if let error = world.close() { found.append("does not close: \(error)") }
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        let object = try again.get("whole").get()
        if again.space.largeUsed != (object == nil ? 0 : cut.state.blocks) {
            found.append("\(again.space.largeUsed) large blocks after one more start")
        }
        if object != nil, try !again.remove("whole").get() { found.append("is not removed") }
        again.settle()
        if again.space.largeUsed != 0 { found.append("blocks stay behind") }
        if let error = again.close() { found.append("does not close: \(error)") }
        return found
    }
}
