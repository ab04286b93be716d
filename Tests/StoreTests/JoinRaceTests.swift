// Goal:   parts that are being put together are nobody else's meanwhile: whoever comes in between
//         has an answer, and the object is whole or the parts are as they were.
// Method: a simulated machine that ends one operation after the other in an order drawn from a
//         seed; a rival comes before or behind, after some of them; many seeds of each.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Uploads that are put together, and others meanwhile` {
    enum Rival: CaseIterable, Sendable { case whole, abort, status, expiry, append }

    /// Whoever comes in between: one answer each, the object whole or the parts as they were.
    @Test(arguments: Rival.allCases)
    func `leave nobody without an answer`(rival: Rival) throws {
        let hardware = try World.hardware(cores: 2)
        var outcomes: Set<String> = []
        for seed in 1...40 as ClosedRange<UInt64> {
            let world = World(hardware, seed: seed)
            try world.open()
            world.settle()
            let pieces = [70_001, 4097, 100_000].map { content($0, seed: UInt64($0)) }
            let parts = try pieces.enumerated().map {
                try world.part($0.element, on: $0.offset % 2)
            }
            world.settle()
            let idle = world.machine.cores.map { $0.loop.ticketsOutstanding }
            let (first, second) = race(rival, world, parts, seed)
            world.settle()
            let answers = (first.answer, second.answer)
            outcomes.insert("\(try outcome(world, rival, answers, pieces, parts), default: "none")")
            #expect(world.machine.cores.map { $0.loop.ticketsOutstanding } == idle, "\(seed)")
            for core in world.machine.cores {
                #expect(core.memory.bytesFree == core.memory.bytesTotal, "\(seed)")
            }
            #expect(world.close() == nil)
        }
        if rival == .whole || rival == .abort { #expect(outcomes.count == 2, "\(outcomes)") }
    }

    private typealias Answer = Result<UploadStatus?, UploadError>

    private func race(
        _ rival: Rival, _ world: World, _ parts: [UploadID], _ seed: UInt64
    ) -> (World.Handle<Answer>, World.Handle<Answer>) {
        var random = SeededRandom(seed: seed)
        let cores = world.cores
        func begin(_ isFirst: Bool) -> World.Handle<Answer> {
            let core = cores[isFirst ? Int(seed % 2) : Int(seed / 2 % 2)]
            return world.start(on: core.index) {
                await core.result { core throws(UploadError) in
                    if isFirst { return try await core.join("whole", parts) }
                    return try await core.disturb(rival, parts)
                }
            }
        }
        let firstGoes = Int.random(in: 0...3, using: &random) > 0
        var handles = [firstGoes: begin(firstGoes)]
        let wanted = world.disk.operationCount + .random(in: 0...9, using: &random)
        _ = world.machine.run { world.disk.operationCount >= wanted }
        if rival == .expiry, !firstGoes { world.machine.wallSeconds += 4000 }
        handles[!firstGoes] = begin(!firstGoes)
        if rival == .expiry, firstGoes {
            world.machine.wallSeconds += 4000
            for core in cores { _ = world.start(on: core.index) { await core.endExpiredUploads() } }
        }
        guard let first = handles[true], let second = handles[false] else {
            preconditionFailure("both were begun")
        }
        return (first, second)
    }

    /// Which of them won.
    private func outcome(
        _ world: World, _ rival: Rival, _ answers: (Answer?, Answer?), _ pieces: [[UInt8]],
        _ parts: [UploadID]
    ) throws -> Bool? {
        let bytes = pieces.flatMap { $0 }
        let state = JoinState(pieces)
        guard let joined = answers.0, let other = answers.1 else {
            Issue.record("somebody has no answer: \(answers)")
            return nil
        }
        let isJoined = joined.failure == nil
        let isOther = rival == .whole && other.failure == nil
        if rival == .whole { #expect(isJoined != isOther, "\(answers)") }
        #expect(try world.get("whole").get() == (isJoined ? bytes : nil))
        #expect(try world.get("other").get() == (isOther ? pieces[2] + pieces[0] : nil))
        switch joined.failure {
        case nil, .notFound, .expired: break
        case .notJoinable(.isUnfinished) where rival == .append: break
        case .some(let error): Issue.record("\(error), \(rival)")
        }
        if isJoined { #expect(world.space.largeUsed == state.blocks) }
        for part in parts where isJoined { #expect(world.status(part).failure == .notFound) }
        return isJoined
    }
}

extension TestCore {
    fileprivate func disturb(
        _ rival: `Uploads that are put together, and others meanwhile`.Rival, _ parts: [UploadID]
    ) async throws(UploadError) -> UploadStatus? {
        switch rival {
        case .whole: return try await join("other", [parts[2], parts[0]])
        case .abort:
            try await abortUpload(parts[1])
            return nil
        case .status: return try await uploadStatus(parts[2])
        case .append: return try await append(parts[0], at: 70_001, [])
        case .expiry:
            await endExpiredUploads()
            return nil
        }
    }
}
