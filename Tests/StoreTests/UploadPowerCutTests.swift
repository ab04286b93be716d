// The power may go at any moment of an upload: what a client was told of its offset is there, and
// whatever it sends from there on makes the object whole.

import Catalog
import IO
import Simulator
import Testing
import Volumes

@testable import Store

/// What a client of one upload was told, and does next.
private struct UploadCut: Sendable {
    let image: DiskImage
    let catalog: CatalogSnapshot
    let id: UploadID
    /// The last offset that was said to be durable.
    let offset: UInt64
    let isFinished: Bool
    /// The client has asked for its end, or sends what it must not become.
    let isGivenUp: Bool
    /// It was said to be something else.
    let isWrong: Bool
    let operation: Int
}

/// Uploads with breaks in it, power cut after every operation.
private final class UploadStory {
    static let bytes = content(210_000, seed: 77)

    let world: World
    private let expected: ObjectDigests
    private let catalog: MemoryCatalog
    private var random: SeededRandom
    private var id: UploadID?
    private var offset: UInt64 = 0
    private var isFinished = false
    private var isGivenUp = false
    private(set) var cuts: [UploadCut] = []
    private var seen: Set<[UInt64]> = []
    private var version: UInt64 = 0

    init(
        seed: UInt64, cores: Int, faults: StoreFaults = [], progress: ProgressPolicy = .never,
        expected: ObjectDigests = ObjectDigests()
    ) throws {
        self.expected = expected
        catalog = MemoryCatalog(instance: World.instance)
        world = World(
            try World.hardware(cores: cores), catalog: catalog, seed: seed, faults: faults,
            progress: progress)
        random = SeededRandom(seed: seed)
        try world.open()
    }

    private var isWrong: Bool {
        !expected.isEmpty && expected.mismatch(with: .of(UploadStory.bytes)) != nil
    }

    /// - Parameter ends: where each request's bytes end; the client goes on where the last one did.
    func play(_ ends: [Int], givesUp: Bool = false) throws {
        world.machine.afterStep = { [unowned self] in
            if !world.disk.wasPreparation { try? cutPower() }
        }
        defer { world.machine.afterStep = {} }
        let expected = expected
        let begun = try world.ask { core throws(UploadError) in
            try await core.createUpload(
                "a", length: UInt64(UploadStory.bytes.count), expected: expected
            ).id
        }.get()
        id = begun
        var start = 0
        for (index, end) in ends.enumerated() {
            let part = Array(UploadStory.bytes[start..<end])
            let from = UInt64(start)
            isGivenUp = isWrong && index == ends.count - 1
            let answer = world.ask(on: index % world.cores.count) { core throws(UploadError) in
                try await core.append(begun, at: from, part)
            }
            if isGivenUp, case .mismatch = answer.failure { break }
            let status = try answer.get()
            offset = status.offset
            isFinished = status.isFinished
            version += 1
            start = end
            // From the second chunk on there is a log, if there is to be one.
            if index == 0 { world.settle() }
        }
        if givesUp {
            isGivenUp = true
            version += 1
            _ = try world.ask { core throws(UploadError) in
                try await core.abortUpload(begun)
            }.get()
        }
        world.settle()
    }

    private func cutPower() throws {
        guard let id else { return }
        let snapshot = try CatalogSnapshot(catalog)
        for _ in 0..<(world.disk.hasVolatileState ? 6 : 1) {
            let (image, choices) = world.disk.powerCut(&random)
            let moment = [
                UInt64(world.disk.durableCount), UInt64(catalog.commitCount), version,
            ]
            guard seen.insert(moment + choices).inserted else { continue }
            cuts.append(
                UploadCut(
                    image: image, catalog: snapshot, id: id, offset: offset,
                    isFinished: isFinished, isGivenUp: isGivenUp, isWrong: isWrong,
                    operation: world.disk.operationCount))
        }
    }
}

/// What is wrong when the server starts again and the client goes on.
private func problems(after cut: UploadCut, hardware: [Hardware]) -> [String] {
    do {
        let world = World(
            hardware, disk: SimulatedDisk(cut.image), catalog: try cut.catalog.restored())
        try world.open()
        var problems = world.corruptions.map { "reports \($0)" }
        let id = cut.id
        let asked = world.ask { core throws(UploadError) in try await core.uploadStatus(id) }
        switch asked {
        case .failure(.notFound) where cut.isGivenUp: break
        case .failure(let error): problems.append("the upload is lost: \(error)")
        case .success(let status):
            if status.offset < cut.offset {
                problems.append("\(status.offset) bytes are there, not \(cut.offset)")
            }
            if cut.isFinished, !status.isFinished { problems.append("it was finished") }
            if !status.isFinished { problems += goOn(world, status, isWrong: cut.isWrong) }
            let bytes = try world.get("a").get()
            let wanted = cut.isWrong ? nil : UploadStory.bytes
            if bytes != wanted { problems.append("the object is another one") }
        }
        world.settle()
        let used = world.space.largeUsed
        let wanted: UInt64 = (try world.get("a").get()) == nil ? 0 : 52
        if used != wanted { problems.append("\(used) blocks are used, not \(wanted)") }
        if let error = world.close() { problems.append("does not close: \(error)") }
        return problems
    } catch {
        return ["does not open: \(error)"]
    }
}

private func goOn(_ world: World, _ status: UploadStatus, isWrong: Bool) -> [String] {
    let rest = Array(UploadStory.bytes[Int(status.offset)...])
    let (id, offset) = (status.id, status.offset)
    let done = world.ask { core throws(UploadError) in
        try await core.append(id, at: offset, rest)
    }
    switch done {
    case .failure(.mismatch) where isWrong: return []
    case .success where isWrong: return ["it ends as what it was not to be"]
    case .success(let status): return status.isFinished ? [] : ["it does not end"]
    case .failure(let error): return ["it does not go on: \(error)"]
    }
}

@Suite struct `An upload whose power is cut` {
    static let stories: [[Int]] = [
        [70_001, 70_002, 135_168, 139_000, 210_000],
        [4096, 65_536, 131_072, 210_000],
        [1, 4095, 4097, 100_000, 209_999, 210_000],
    ]

    @Test(arguments: 0..<3, ProgressPolicy.both)
    func `goes on behind what was said to be there`(
        story: Int, progress: ProgressPolicy
    ) throws {
        let played = try UploadStory(
            seed: UInt64(story) + 1, cores: story == 1 ? 1 : 2, progress: progress)
        try played.play(Self.stories[story])
        #expect(played.cuts.count > 40)
        #expect(played.world.progressEntries > 0 || progress == .never)
        let hardware = try World.hardware()
        for (index, cut) in played.cuts.enumerated() {
            let found = problems(after: cut, hardware: hardware)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
        }
    }

    /// What was said of the whole holds after any cut, whoever brings the rest.
    @Test(arguments: [true, false])
    func `is what it was said to be, or nothing`(isRight: Bool) throws {
        let expected = ObjectDigests.of(isRight ? UploadStory.bytes : [1])
        let played = try UploadStory(seed: 21, cores: 2, expected: expected)
        try played.play([70_001, 135_168, 210_000])
        #expect(played.cuts.count > 30)
        // Some of them when it was about to end.
        #expect(played.cuts.contains { isRight ? $0.isFinished : $0.isGivenUp })
        let hardware = try World.hardware()
        for (index, cut) in played.cuts.enumerated() {
            let found = problems(after: cut, hardware: hardware)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
        }
    }

    @Test(arguments: ProgressPolicy.both)
    func `leaves no block behind when it is given up`(progress: ProgressPolicy) throws {
        let played = try UploadStory(seed: 9, cores: 1, progress: progress)
        try played.play([70_001, 80_000, 150_000, 180_000], givesUp: true)
        #expect(played.world.progressEntries > 0 || progress == .never)
        let hardware = try World.hardware()
        for (index, cut) in played.cuts.enumerated() {
            let found = problems(after: cut, hardware: hardware)
            #expect(found == [], "cut \(index), operation \(cut.operation)")
        }
    }

    @Test func `would be noticed to lose what was not flushed`() throws {
        let hardware = try World.hardware()
        for seed in 1...4 as ClosedRange<UInt64> {
            let played = try UploadStory(seed: seed, cores: 1, faults: .noFlush)
            try played.play(Self.stories[0])
            for cut in played.cuts where !problems(after: cut, hardware: hardware).isEmpty {
                return
            }
        }
        Issue.record("nobody noticed")
    }
}
