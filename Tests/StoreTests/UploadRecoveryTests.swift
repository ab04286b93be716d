// Goal:   an upload that becomes an object that is removed, while its name is uploaded to again: at
//         whichever operation the power goes, and goes once more during the recovery, the last that
//         was said is so, and no block is lost.
// Method: that story on the simulated disk, cut at every operation, and some recoveries at theirs.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

/// What clients of the name know, and what is under way.
private struct NameState: Sendable {
    var id: UploadID?
    /// Of the first upload, then of the second.
    var told: [UInt64] = []
    var isFinished = false
    var removal: Removal?

    enum Removal { case asked, acknowledged }
}

private struct NameCut: Sendable {
    let image: DiskImage
    let catalog: CatalogSnapshot
    let state: NameState
    let operation: Int
}

private final class NameStory {
    static let bytes = content(150_000, seed: 111)

    let world: World
    private let catalog = MemoryCatalog(instance: World.instance)
    private var random: SeededRandom
    private var state = NameState()
    private var version: UInt64 = 0
    private var seen: Set<[UInt64]> = []
    private(set) var cuts: [NameCut] = []

    init(seed: UInt64, cores: Int, progress: ProgressPolicy) throws {
        world = World(
            try World.hardware(cores: cores), catalog: catalog, seed: seed, progress: progress)
        random = SeededRandom(seed: seed)
        try world.open()
    }

    func play() throws {
        world.machine.afterStep = { [unowned self] in
            if !world.disk.wasPreparation { try? cutPower() }
        }
        defer { world.machine.afterStep = {} }
        let other = world.cores.count - 1
        let first = UploadClient("a", Self.bytes)
        first.breakOff(world, on: other, sent: 65_536)
        first.ask(world, on: 0)
        note { $0.id = first.id }
        note { $0.told = [first.told] }
        first.send(world, on: 0, to: 80_000)
        first.send(world, on: other, to: 100_001)
        first.send(world, on: other, to: 150_000)
        note { $0.isFinished = first.isFinished }
        #expect(first.isFinished && first.problems == [])
        note { $0.removal = .asked }
        #expect(try world.remove("a", on: other).get())
        note { $0.removal = .acknowledged }
        let second = UploadClient("a", Self.bytes)
        second.breakOff(world, on: 0, sent: 131_072)
        second.ask(world, on: other)
        note { $0.told.append(second.told) }
        #expect(second.told == 131_072)
        second.send(world, on: 0, to: 140_000)
        note { $0.told[1] = second.told }
        world.settle()
    }

    private func note(_ change: (inout NameState) -> Void) {
        change(&state)
        version += 1
    }

    private func cutPower() throws {
        let snapshot = try CatalogSnapshot(catalog)
        for _ in 0..<(world.disk.hasVolatileState ? 4 : 1) {
            let (image, choices) = world.disk.powerCut(&random)
            let moment = [
                UInt64(world.disk.durableCount), UInt64(catalog.commitCount), version,
            ]
            guard seen.insert(moment + choices).inserted else { continue }
            cuts.append(
                NameCut(
                    image: image, catalog: snapshot, state: state,
                    operation: world.disk.operationCount))
        }
    }
}

@Suite struct `The upload of a name that is used again` {
    @Test(arguments: [1, 2] as [UInt64], ProgressPolicy.both)
    func `is what was last said of it, wherever the power goes`(
        seed: UInt64, progress: ProgressPolicy
    ) throws {
        let story = try NameStory(seed: seed, cores: Int(seed), progress: progress)
        try story.play()
        #expect(story.world.progressEntries > 1 || progress == .never)
        #expect(story.cuts.count > 40)
        let hardware = try World.hardware(cores: 2)
        for (index, cut) in story.cuts.enumerated() {
            let found = try problems(after: cut, hardware)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
            guard index % 5 == 0 else { continue }
            for second in try cutsDuringRecovery(after: cut, hardware) {
                let found = try problems(after: second, hardware)
                #expect(found == [], "cut \(index), then at operation \(second.operation)")
            }
        }
    }

    private func cutsDuringRecovery(
        after cut: NameCut, _ hardware: [Hardware]
    ) throws -> [NameCut] {
        let catalog = try cut.catalog.restored()
        let world = World(hardware, disk: SimulatedDisk(cut.image), catalog: catalog)
        var random = SeededRandom(seed: UInt64(cut.operation))
        var cuts: [NameCut] = []
        world.machine.afterStep = {
            guard !world.disk.wasPreparation, let snapshot = try? CatalogSnapshot(catalog)
            else { return }
            cuts.append(
                NameCut(
                    image: world.disk.powerCut(&random).image, catalog: snapshot,
                    state: cut.state, operation: world.disk.operationCount))
        }
        try world.open()
        world.machine.afterStep = {}
        _ = world.close()
        // The last ones, in which something is done about what was found.
        return Array(cuts.suffix(12))
    }

    private func problems(after cut: NameCut, _ hardware: [Hardware]) throws -> [String] {
        let catalog = try cut.catalog.restored()
        let world = World(hardware, disk: SimulatedDisk(cut.image), catalog: catalog)
        try world.open()
        var found = world.corruptions.map { "reports \($0)" }
        found += contradictions(of: cut.state, in: world)
        world.settle()
        #expect(world.close() == nil)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        let unfinished = again.shared?.unfinishedUploads ?? 0
        if unfinished > 0 { found.append("\(unfinished) uploads stay open") }
        found += StoreTests.contradictions(again, Expectations())
        #expect(again.close() == nil)
        return found
    }

    private func contradictions(of state: NameState, in world: World) -> [String] {
        var found: [String] = []
        let object = try? world.get("a").get()
        let status = state.id.flatMap { id in
            try? world.ask { core throws(UploadError) in try await core.uploadStatus(id) }.get()
        }
        if object != nil, object != NameStory.bytes { found.append("another object") }
        switch (state.told.count, state.isFinished, state.removal) {
        case (0, _, _): break
        case (1, false, _):
            if let status, status.offset >= state.told[0] { break }
            found.append("the upload is lost: \(String(describing: status))")
        case (1, true, nil):
            if object == nil || status?.isFinished != true { found.append("it was finished") }
        case (1, true, .asked?): break
        case (_, _, _):
            if object != nil { found.append("what was removed is back") }
            guard state.told.count == 2 else { break }
            if let status, !status.isFinished, status.offset >= state.told[1] { break }
            found.append("the second upload is lost: \(String(describing: status))")
        }
        // Whatever goes on is given up, so that every block that is left is an object's.
        if let id = state.id {
            _ = world.ask { core throws(UploadError) in try await core.abortUpload(id) }
        } else {
            world.machine.wallSeconds += 10_000
            for core in world.cores { world.run(on: core.index) { await core.endExpiredUploads() } }
        }
        return found
    }
}
