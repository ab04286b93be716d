// Goal:   a write that failed, and was done again at once, may come late as well: over nothing that
//         others were told, whatever has its place by then.
// Method: one write of a story fails once, and all that the store frees is used again at once. Then
//         what failed comes, in part or whole, with a power cut or without; for every write.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `A write that was done again` {
    /// Two objects are put and deleted, and others have their space, for each write of all that.
    static let writes = Array(1...22)

    @Test(arguments: writes) func `comes over nothing`(number: Int) throws {
        #expect(try Tale(number).problems() == [])
    }

    @Test func `is known to have failed`() throws {
        let noticed = try Self.writes.filter { try Tale($0, .forgetsAttempts).problems() != [] }
        // A record, its removal, its header's zeros; data, in two writes, a record, its removal,
        // its header's zeros. The others are of what is still there.
        #expect(noticed == Array(1...8))
        #expect(try Tale(1, .settlesAtOnce).problems() != [])
    }

    /// What was told in a world of one small segment, after all.
    private struct Tale {
        let number: Int
        let faults: StoreFaults

        init(_ number: Int, _ faults: StoreFaults = []) {
            (self.number, self.faults) = (number, faults)
        }

        func problems() throws -> [String] {
            let catalog = MemoryCatalog(instance: World.instance)
            let world = try retryingWorld(catalog, faults, segments: 2)
            var expectations = Expectations()
            _ = try world.put("old", content(100_000, seed: 1)).get()
            expectations.acknowledge("old", content(100_000, seed: 1))
            world.settle()
            let ledger = try #require(world.shared).ledger
            // A commit older than all is under way, so that a start believes its eyes.
            let slow = try #require(world.run { try? await ledger.claim(Array("slow".utf8), nil) })
            let before = world.disk.plan.counts[.write, default: 0]
            world.disk.plan.strike(.write, number: number, with: .error(.io))
            for (name, size) in [("small", 9000), ("large", 150_000)] {
                _ = try world.put(name, content(size, seed: 2)).get()
                #expect(try world.remove(name).get())
                expectations.acknowledge(name, nil)
                world.pass(secondsCleaning: 2)
            }
            try world.giveSegmentsBack(reopening: true)
            for filler in 0..<4 as Range<UInt64> {
                for (size, name) in [(2000, "filler"), (150_000, "block")] {
                    let bytes = content(size, seed: 20 + filler)
                    _ = try world.put("\(name)\(filler)", bytes).get()
                    expectations.acknowledge("\(name)\(filler)", bytes)
                }
            }
            world.pass(seconds: 0.4)
            #expect(try catalog.makeReader().metadata().applied < slow)
            #expect(world.disk.plan.hasStruck && world.opens == 0)
            #expect(world.disk.plan.counts[.write, default: 0] - before >= 22)
            return try problemsOfLateWrites(world, catalog, expectations)
        }
    }

    /// More of them in a minute than are kept in mind: the next one is not done again, and its
    /// volume has failed.
    @Test func `is done again only where that is kept in mind`() throws {
        let world = try retryingWorld(
            MemoryCatalog(instance: World.instance), [], segments: 3)
        _ = try world.put("old", content(100, seed: 1)).get()
        world.settle()
        let state = try #require(world.shared).state
        let now = world.machine.now
        for block in 0..<UInt32(StoreResilience.suspectPlacesMax) {
            let place = Extent(volume: VolumeID(9), start: 2 * block, count: 1)
            #expect(state.suspects.note(place, at: now))
        }
        world.disk.plan.strike(.write, number: 1, with: .error(.io))
        guard case .failure(.kernel(operation: .write, _, _)) = world.put("name", [1]) else {
            Issue.record("it was done again")
            return
        }
        #expect(state.retryCounts.writes == RetryCounts(refused: 1) && world.opens == 1)
        #expect(world.waitUntilRecovered())
        world.pass(seconds: 61)
        world.disk.plan.strike(.write, number: 1, with: .error(.io))
        _ = try world.put("name", [2]).get()
        #expect(state.retryCounts.writes.recovered == 1 && world.opens == 1)
        #expect(world.close() == nil)
    }

    /// What waits is told, though no volume has failed, and is used again.
    @Test func `keeps space from use for a minute`() throws {
        let world = try retryingWorld(
            MemoryCatalog(instance: World.instance), [], segments: 3)
        for size in [100, 100_000] {
            _ = try world.put("old \(size)", content(size, seed: 1)).get()
        }
        world.settle()
        let shared = try #require(world.shared)
        func quarantined() -> [UInt64] {
            let told = world.run { await shared.resilience(at: 1) }
            return [told.quarantinedBytes.small, told.quarantinedBytes.large]
        }
        world.disk.plan.strike(.write, number: 1, with: .error(.io))
        _ = try world.put("name", content(200_000, seed: 1)).get()
        #expect(try world.remove("name").get())
        world.settle()
        #expect(quarantined() == [0, 200_704] && world.space.largeUsed == 25 + 49)
        // A header's zeros: of a record that none may come over.
        _ = try world.put("small", content(9000, seed: 1)).get()
        world.disk.plan.strike(.write, number: 2, with: .error(.io))
        #expect(try world.remove("small").get())
        world.settle()
        #expect(quarantined() == [12_288, 200_704] && world.opens == 0)
        // A record that may come over such zeros: they wait.
        world.disk.plan.strike(.write, number: 1, with: .error(.io))
        _ = try world.put("record", content(3000, seed: 1)).get()
        #expect(try world.remove("record").get())
        world.pass(secondsCleaning: 58)
        #expect(world.lateHeaders.count == 1)
        world.pass(secondsCleaning: 4)
        #expect(world.lateHeaders.isEmpty)
        #expect(quarantined() == [0, 0] && world.space.largeUsed == 25)
        #expect(world.close() == nil)
        #expect(world.space.smallUsed == 2)
    }

    // MARK: Zeros

    /// Of a segment, before its first records.
    @Test(arguments: [2, 3, 4], [[], .forgetsAttempts] as [StoreFaults])
    func `wipes no first record`(number: Int, faults: StoreFaults) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try retryingWorld(catalog, faults, segments: 2)
        // The first is the superblock.
        world.disk.plan.strike(.write, number: number, with: .error(.io))
        var expectations = Expectations()
        for object in 0..<80 as Range<UInt64> {
            let bytes = content(9000, seed: object)
            _ = try world.put("n\(object)", bytes).get()
            expectations.acknowledge("n\(object)", bytes)
        }
        #expect(world.disk.plan.hasStruck && world.opens == 0)
        let found = try problemsOfLateWrites(world, catalog, expectations)
        #expect((found == []) == faults.isEmpty, "\(found)")
        guard faults.isEmpty else { return }
        // And the blocks that were left out are used in the end.
        world.pass(seconds: 61)
        #expect(world.close() == nil)
        #expect(world.space.smallUsed == 80 * 3)
    }

    /// Of dead headers, which a start wipes.
    @Test(arguments: [[], .forgetsAttempts] as [StoreFaults])
    func `wipes nothing that follows a start`(faults: StoreFaults) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try retryingWorld(catalog, [], segments: 1)
        var expectations = Expectations()
        _ = try world.put("small", content(3000, seed: 1)).get()
        _ = try world.put("kept", content(3000, seed: 2)).get()
        expectations.acknowledge("kept", content(3000, seed: 2))
        world.settle()
        // The removal is told, and its object's header still there.
        world.machine.holds = { _, operation, _ in
            guard case .write(_, _, let source) = operation else { return false }
            return world.machine.cores[0].memory.arena.span(source)[0] == 0
        }
        #expect(try world.remove("small").get())
        world.pass(seconds: 0.4)
        let again = try retryingWorld(
            CatalogSnapshot(catalog).restored(), faults, segments: 1,
            opening: world.disk.visible
        ) { $0.plan.strike(.write, number: 1, with: .error(.io)) }
        #expect(again.disk.plan.hasStruck)
        for number in 0..<4 as Range<UInt64> {
            let bytes = content(2000, seed: 10 + number)
            _ = try again.put("n\(number)", bytes).get()
            expectations.acknowledge("n\(number)", bytes)
        }
        again.settle()
        let restored = try #require(again.catalog as? MemoryCatalog)
        let found = try problemsOfLateWrites(again, restored, expectations)
        #expect((found == []) == faults.isEmpty, "\(found)")
    }

    // MARK: Uploads

    /// Of a progress log, its zeros and some entries: it comes round to their places again and
    /// again. Of each upload what its client was told is there.
    @Test(arguments: [3, 7, 16], [[], .forgetsAttempts] as [StoreFaults])
    func `comes over no entry of a log`(number: Int, faults: StoreFaults) throws {
        let found = try LoggedTale(number, faults).problems()
        #expect((found == []) == faults.isEmpty, "\(found)")
    }

    private struct LoggedTale {
        let number: Int
        let faults: StoreFaults

        init(_ number: Int, _ faults: StoreFaults = []) {
            (self.number, self.faults) = (number, faults)
        }

        func problems() throws -> [String] {
            let catalog = MemoryCatalog(instance: World.instance)
            let world = try retryingWorld(catalog, faults, segments: 3, progress: .always)
            let client = UploadClient("a", content(300_000, seed: 1))
            client.create(world, on: 0)
            world.disk.plan.strike(.write, number: number, with: .error(.io))
            var found: [String] = []
            let hardware = try World.hardware()
            for end in stride(from: 4096, to: 240_000, by: 5000) {
                client.send(world, on: 0, to: end)
                // The log is made behind the first that is settled, also where that is done again.
                if end < 10_000 { world.pass(seconds: 0.3) }
                guard world.disk.plan.hasStruck else { continue }
                let again = World(
                    hardware, disk: SimulatedDisk(world.disk.latest),
                    catalog: try CatalogSnapshot(catalog).restored())
                try again.open()
                let twin = client.twin
                twin.finish(again)
                found += twin.problems
                if try again.get("a").get() != client.bytes { found.append("is another object") }
                #expect(again.close() == nil)
            }
            #expect(world.disk.plan.hasStruck && world.opens == 0 && client.told > 230_000)
            client.finish(world)
            return found + client.problems
        }
    }

    /// A chunk whose checksum was wrong does not count, and another comes in its place.
    @Test(arguments: [[], .forgetsAttempts] as [StoreFaults])
    func `comes over no chunk that follows one that was wrong`(faults: StoreFaults) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try retryingWorld(catalog, faults, segments: 2)
        let bytes = content(262_144, seed: 1)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 262_144)
        }.get().id
        func send(
            _ range: Range<Int>, wrong: Bool = false
        ) -> Result<UploadStatus, UploadError> {
            let claim = ChunkClaim(
                offset: UInt64(range.lowerBound), end: UInt64(range.upperBound),
                isSequential: false, length: 262_144)
            let (right, sent) = (bytes[range], wrong ? content(262_144, seed: 2) : bytes)
            let expected = [ExpectedChecksum.crc32c(crc32c(Array(right).span.rawBytes))]
            return world.ask { core throws(UploadError) in
                try await core.sendChunk(id, claim, Array(sent[range]), expected: expected)
            }
        }
        _ = try send(131_072..<262_144).get()
        world.disk.plan.strike(.write, number: 1, with: .error(.io))
        _ = send(65_536..<131_072, wrong: true)
        #expect(world.disk.plan.hasStruck && world.opens == 0)
        _ = try send(65_536..<131_072).get()
        #expect(try send(0..<65_536).get().isFinished)
        world.settle()
        var expectations = Expectations()
        expectations.acknowledge("a", bytes)
        let found = try problemsOfLateWrites(world, catalog, expectations)
        #expect((found == []) == faults.isEmpty, "\(found)")
        guard faults.isEmpty else { return }
        world.pass(seconds: 61)
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }

    /// Two chunks meet in a block. One of them is to go elsewhere, and there is no room: the other
    /// has its place, and ends the upload there.
    @Test func `leaves a chunk that is refused where it was`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = try retryingWorld(catalog, [], segments: 2)
        let bytes = content(100_000, seed: 1)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: nil)
        }.get().id
        let core = world.core
        let chunk = try #require(world.run { await core.beginSlowly(id, from: 0, to: 70_000) })
        let shared = try #require(world.shared)
        let all = Extent(volume: VolumeName(.large, number: 0).id, start: 0, count: 1 << 20)
        #expect(shared.state.suspects.note(all, at: world.machine.now))
        let ledger = shared.ledger
        let rest: [Extent] = world.run {
            var rest: [Extent] = []
            for bytes in [1 << 24, 1 << 18, 4096] as [UInt64] {
                while let more = try? await ledger.reserve(bytes) { rest += more }
            }
            return rest
        }
        #expect(!rest.isEmpty)
        let refused = world.ask { core throws(UploadError) in
            try await core.place(id, at: 70_000, Array(bytes[70_000...]))
        }
        guard case .failure(.store(.noSpace)) = refused else {
            Issue.record("\(refused)")
            return
        }
        world.run { await core.sendSlowly(chunk, bytes, to: 70_000) }
        let end = world.ask { _ throws(UploadError) in
            try await chunk.value.keep(length: 70_000)
        }
        #expect(try end.get().isFinished)
        #expect(try world.get("a").get() == Array(bytes[..<70_000]))
        world.run { await ledger.giveBack(rest) }
        world.pass(seconds: 61)
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }
}

/// A world in which what fails is tried again, and may come all the same; of one segment a volume.
private func retryingWorld(
    _ catalog: MemoryCatalog, _ faults: StoreFaults, segments: UInt64,
    progress: ProgressPolicy = .never, opening image: DiskImage = DiskImage(),
    preparing prepare: (SimulatedDisk) -> Void = { _ in }
) throws -> World {
    let disk = SimulatedDisk(image)
    disk.keepsFailedWrites = true
    let world = World(
        try World.hardware(), disk: disk, catalog: catalog, faults: faults, progress: progress,
        resilience: .seeded)
    world.volumeBytes = UInt64(VolumeLayout.segmentSize)
    world.capacityBytes = segments * UInt64(VolumeLayout.segmentSize)
    prepare(disk)
    try world.open()
    return world
}

/// What is not as it was told, once what failed has come: to whoever reads on, and to a start
/// after a power cut, with the catalog and without.
private func problemsOfLateWrites(
    _ world: World, _ catalog: MemoryCatalog, _ expectations: Expectations
) throws -> [String] {
    let hardware = try World.hardware()
    let snapshot = try CatalogSnapshot(catalog)
    var images = (0..<6 as Range<UInt64>).map { seed in
        var random = SeededRandom(seed: seed)
        return world.disk.powerCut(&random).image
    }
    #expect(world.disk.bringLate() > 0)
    images.append(world.disk.visible)
    var found = contradictions(world, expectations, checksSpace: false)
    for image in images {
        for catalog in [try snapshot.restored(), MemoryCatalog(instance: World.instance)] {
            let again = World(hardware, disk: SimulatedDisk(image), catalog: catalog)
            do throws(StoreError) { try again.open() } catch {
                found.append("does not open: \(error)")
                continue
            }
            found += contradictions(again, expectations, checksSpace: false)
            #expect(again.close() == nil)
        }
    }
    return found
}
