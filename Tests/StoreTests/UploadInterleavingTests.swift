// Goal:   two writers of one upload on two cores, and whatever else may happen to it meanwhile: all
//         get an answer, what was told holds, and every block is accounted for.
// Method: a simulated machine that ends one operation after the other in an order drawn from a
//         seed; a third request begins after some of them; many seeds of each.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `An upload with two writers` {
    private static let bytes = content(300_000, seed: 51)
    private static let count = UInt64(bytes.count)
    /// Within a block, which is both writers'.
    private static let cut = 150_001

    enum Third: CaseIterable, Sendable {
        case nothing, status, look, abort, expiry, rival, repetition
    }

    private struct Scene {
        let world: World
        let catalog: MemoryCatalog
        let id: UploadID
        let idle: [Int]
        var writers: [World.Handle<Result<UploadStatus, UploadError>>] = []
        var third: World.Handle<Result<UploadStatus?, UploadError>>?
    }

    @Test(arguments: Third.allCases)
    func `loses nothing, in any order`(third: Third) throws {
        let hardware = try World.hardware(cores: 2)
        for seed in 1...40 as ClosedRange<UInt64> {
            var scene = try begin(seed, hardware)
            try play(&scene, third, seed)
            let found = try problems(in: scene, third)
            #expect(found == [], "\(third), seed \(seed)")
            #expect(scene.world.close() == nil)
            let again = World(
                hardware, disk: SimulatedDisk(scene.world.disk.visible), catalog: scene.catalog)
            try again.open()
            let later = try after(again, scene, third)
            #expect(later == [], "\(third), seed \(seed), restarted")
            #expect(again.close() == nil)
        }
    }

    private func begin(_ seed: UInt64, _ hardware: [Hardware]) throws -> Scene {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog, seed: seed)
        try world.open()
        world.settle()
        let idle = world.machine.cores.map { $0.loop.ticketsOutstanding }
        let id = try world.ask(on: Int(seed % 2)) { core throws(UploadError) in
            try await core.createUpload("a", length: Self.count, secondsToLive: 3600).id
        }.get()
        return Scene(world: world, catalog: catalog, id: id, idle: idle)
    }

    private func play(_ scene: inout Scene, _ third: Third, _ seed: UInt64) throws {
        let (world, id) = (scene.world, scene.id)
        var random = SeededRandom(seed: seed)
        for (index, range) in [0..<Self.cut, Self.cut..<Self.bytes.count].enumerated() {
            let part = Array(Self.bytes[range])
            let core = world.cores[index]
            scene.writers.append(
                world.start(on: index) {
                    await core.result { core throws(UploadError) in
                        try await core.place(id, at: UInt64(range.lowerBound), part)
                    }
                })
        }
        let wanted = world.disk.operationCount + .random(in: 0...24, using: &random)
        _ = world.machine.run { world.disk.operationCount >= wanted }
        let core = Int.random(in: 0...1, using: &random)
        scene.third = start(third, scene, on: core)
        if third == .expiry {
            world.machine.wallSeconds += 4000
            let (first, second) = (world.cores[0], world.cores[1])
            _ = world.start(on: 0) { await first.endExpiredUploads() }
            _ = world.start(on: 1) { await second.endExpiredUploads() }
        }
        world.settle()
    }

    private func start(
        _ third: Third, _ scene: Scene, on index: Int
    ) -> World.Handle<Result<UploadStatus?, UploadError>>? {
        let (world, id, core) = (scene.world, scene.id, scene.world.cores[index])
        switch third {
        case .nothing, .expiry: return nil
        case .status, .look:
            return world.start(on: index) {
                await core.result { core throws(UploadError) in
                    try await core.uploadStatus(id, isResuming: third == .status)
                }
            }
        case .abort:
            return world.start(on: index) {
                await core.result { core throws(UploadError) in
                    try await core.abortUpload(id)
                    return nil
                }
            }
        case .rival, .repetition:
            // All of it once more; or, in the other's way only, what both of them share.
            let range = third == .rival ? 0..<Self.bytes.count : Self.cut - 3000..<Self.cut
            let part = Array(Self.bytes[range])
            return world.start(on: index) {
                await core.result { core throws(UploadError) in
                    try await core.place(id, at: UInt64(range.lowerBound), part)
                }
            }
        }
    }

    // MARK: What must hold

    private func problems(in scene: Scene, _ third: Third) throws -> [String] {
        let world = scene.world
        var found = world.corruptions.map { "reports \($0)" }
        let answers = scene.writers.compactMap(\.answer)
        if answers.count < 2 { found.append("a writer has no answer") }
        for answer in answers { found += impossible(answer, third) }
        switch (third, scene.third?.answer) {
        case (.nothing, _), (.expiry, _): break
        case (_, nil): found.append("the third has no answer")
        case (_, .failure(.preempted)?), (.abort, .failure(.notFound)?), (_, .success?): break
        case (_, .failure(let error)?):
            if case .finished = error { break }
            found.append("the third is told \(error), the others \(answers)")
        }
        if world.machine.cores.map({ $0.loop.ticketsOutstanding }) != scene.idle {
            found.append("somebody waits for ever")
        }
        for core in world.machine.cores where core.memory.bytesFree != core.memory.bytesTotal {
            found.append("a buffer is lost")
        }
        if world.shared?.bytesReserved != 0 { found.append("bytes stay announced") }
        return found + (try state(of: world, scene, third))
    }

    private func impossible(
        _ answer: Result<UploadStatus, UploadError>, _ third: Third
    ) -> [String] {
        switch answer {
        case .success: return []
        case .failure(.preempted), .failure(.notFound), .failure(.finished):
            return third == .nothing || third == .look ? ["\(answer)"] : []
        case .failure(.expired): return third == .expiry ? [] : ["\(answer)"]
        case .failure: return ["a writer is told \(answer)"]
        }
    }

    /// The upload is an object, goes on, or is gone without a trace.
    private func state(of world: World, _ scene: Scene, _ third: Third) throws -> [String] {
        var found: [String] = []
        let id = scene.id
        let asked = world.ask { core throws(UploadError) in try await core.uploadStatus(id) }
        switch asked {
        case .success(let status):
            if third == .nothing || third == .look, !status.isFinished {
                found.append("it is not finished")
            }
            if !status.isFinished { found += try goOn(world, status) }
            if try world.get("a").get() != Self.bytes { found.append("another object") }
        case .failure(.notFound), .failure(.expired):
            if third != .abort && third != .expiry { found.append("it is lost") }
            // It may have been finished before it was given up: then the object stays.
            if let bytes = try world.get("a").get(), bytes != Self.bytes {
                found.append("half an object")
            }
        case .failure(let error): found.append("\(error)")
        }
        world.settle()
        return found + lostBlocks(in: world)
    }

    private func goOn(_ world: World, _ status: UploadStatus) throws -> [String] {
        let id = status.id
        for range in status.received.missing(in: 0..<Self.count) {
            let part = Array(Self.bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            let sent = world.ask(on: 1) { core throws(UploadError) in
                try await core.place(id, at: range.lowerBound, part)
            }
            if case .failure(let error) = sent { return ["does not go on: \(error)"] }
        }
        return []
    }

    private func after(_ world: World, _ scene: Scene, _ third: Third) throws -> [String] {
        var found = contradictions(world, Expectations())
        let id = scene.id
        let asked = world.ask(on: 1) { core throws(UploadError) in
            try await core.uploadStatus(id)
        }
        switch asked {
        case .success(let status) where status.isFinished: break
        case .failure(.notFound) where third == .abort || third == .expiry: break
        default: found.append("\(asked)")
        }
        if world.shared?.unfinishedUploads != 0 { found.append("an upload stays open") }
        return found
    }
}
