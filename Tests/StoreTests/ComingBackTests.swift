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
    enum Stage: CaseIterable { case claiming, flushing, recording }

    /// Only where a record may be on the disk do parts wait for it to be settled.
    @Test(arguments: Stage.allCases) func `is put together after that`(stage: Stage) throws {
        let world = World(try World.hardware(cores: 2), resilience: .breakingOnly)
        try world.open()
        let pieces = [content(70_000, seed: 1), content(80_000, seed: 2)]
        let parts = try pieces.map { try world.part($0) }
        // So that core 0 has a segment.
        _ = try world.put("before", content(100, seed: 3)).get()
        world.settle()
        let path = stage == .flushing ? "volumes/large" : "volumes/small"
        world.fail([.write, .sync], of: path, seconds: 0.3)
        if stage == .claiming {
            #expect(throws: StoreError.self) { try world.put("other", pieces[0]).get() }
        }
        #expect(throws: UploadError.self) { try world.join("whole", parts).get() }
        #expect(world.waitUntilRecovered())
        world.pass(secondsCleaning: stage == .recording ? 65 : 1)
        #expect(try world.join("whole", parts).get().isFinished)
        #expect(try world.get("whole").get() == pieces[0] + pieces[1])
        world.pass(secondsCleaning: 65)
        let blocks = pieces.map { VolumeLayout.blocks(for: UInt64($0.count)) }
        #expect(world.space.largeUsed == blocks[0] + blocks[1])
        #expect(world.close() == nil)
    }

    /// What is packed with its record has none of the upload's space: it need not be settled.
    @Test func `is published after that, though it is small`() throws {
        let world = World(try World.hardware(), resilience: .breakingOnly)
        try world.open()
        _ = try world.put("before", content(100, seed: 3)).get()
        let client = UploadClient("name", content(30_000, seed: 1))
        client.create(world, on: 0)
        client.send(world, on: 0, to: 10_000)
        world.settle()
        world.fail([.write, .sync], of: "volumes/small", seconds: 0.3)
        client.send(world, on: 0, to: 30_000)
        #expect(client.failures.count == 1 && !client.isFinished)
        #expect(world.waitUntilRecovered())
        client.finish(world)
        #expect(client.isFinished && client.problems == [])
        #expect(try world.get("name").get() == client.bytes)
        world.pass(secondsCleaning: 65)
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }

    /// A record of it was on its way to the catalog when a write failed, and got there.
    @Test func `is read anew also if a commit ended after the failure`() {
        let upload = OpenUpload(
            UploadID(ObjectID(high: 1, low: 2)),
            UploadTerms(
                name: [1], owner: [2], mediaType: [], length: 10_000, dialect: .resumable),
            UploadState(length: 10_000, bytesMax: 10_000), created: 1, lastActivity: 1, expires: 9,
            outcome: .unfinished, isRecorded: true)
        upload.commitsUnderWay = 1
        upload.fail(.readOnly)
        #expect(!upload.isReloadable)
        upload.commitsUnderWay = 0
        #expect(upload.isReloadable)
        upload.doubt(.readOnly)
        #expect(!upload.isReloadable)
        upload.endDoubt()
        #expect(upload.isReloadable)
    }

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

    /// What a failed flush was to cover may reach the disk over what came later in its place.
    enum Later: CaseIterable { case otherBytes, othersBytes, othersBehindABlock }

    @Test(arguments: Later.allCases) func `has no place in common with what came late`(
        later: Later
    ) throws {
        let hardware = try World.hardware()
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(hardware, catalog: catalog, resilience: .breakingOnly)
        try world.open()
        let bytes = content(262_144, seed: 1)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 262_144)
        }.get().id
        func send(
            _ range: Range<Int>, _ bytes: [UInt8], sent: Int? = nil
        ) -> Result<UploadStatus, UploadError> { self.send(world, id, range, bytes, sent: sent) }
        // Amid a block; or a chunk breaks off that came behind its successor.
        let start = later == .othersBehindABlock ? 132_000 : 65_536
        if later != .othersBehindABlock { _ = try send(131_072..<262_144, bytes).get() }
        _ = send(0..<(later == .othersBehindABlock ? start : 131_072), bytes, sent: start)
        world.settle()
        world.fail([.sync], of: "volumes/large", seconds: 0.3)
        let end = later == .othersBehindABlock ? 262_144 : 131_072
        let failed = later == .otherBytes ? content(262_144, seed: 9) : bytes
        #expect(throws: UploadError.self) { try send(start..<end - 4096, failed).get() }
        #expect(world.waitUntilRecovered())
        #expect(try send(start..<end, bytes).get().isFinished)
        var wanted = ["a": bytes]
        if later != .otherBytes {
            #expect(try world.remove("a").get())
            world.settle()
            wanted = [:]
            for number in 0..<4 {
                wanted["b\(number)"] = content(135_168, seed: UInt64(number))
                _ = try world.put("b\(number)", content(135_168, seed: UInt64(number))).get()
            }
        }
        world.settle()
        try expectAfterCuts(world, catalog, wanted)
        #expect(world.close() == nil)
    }

    /// The same for a write that failed for good, of a chunk of which nothing else has come.
    @Test func `has no place in common with a write that came late`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(), catalog: catalog, resilience: .breakingOnly)
        world.disk.keepsFailedWrites = true
        try world.open()
        let bytes = content(262_144, seed: 1)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 262_144)
        }.get().id
        _ = try send(world, id, 131_072..<262_144, bytes, sent: nil).get()
        world.settle()
        world.disk.fail(.write, number: 1)
        let others = content(262_144, seed: 9)
        #expect(throws: UploadError.self) {
            try send(world, id, 65_536..<131_072, others, sent: nil).get()
        }
        #expect(world.waitUntilRecovered())
        _ = try send(world, id, 65_536..<131_072, bytes, sent: nil).get()
        #expect(try send(world, id, 0..<65_536, bytes, sent: nil).get().isFinished)
        world.settle()
        try expectAfterCuts(world, catalog, ["a": bytes])
        #expect(world.disk.bringLate() > 0)
        #expect(try world.get("a").get() == bytes)
        world.pass(secondsCleaning: 65)
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }

    private func send(
        _ world: World, _ id: UploadID, _ range: Range<Int>, _ bytes: [UInt8], sent: Int?
    ) -> Result<UploadStatus, UploadError> {
        let claim = ChunkClaim(
            offset: UInt64(range.lowerBound), end: UInt64(range.upperBound),
            isSequential: false, length: 262_144)
        return world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, Array(bytes[range]), sent: sent)
        }
    }

    private func expectAfterCuts(
        _ world: World, _ catalog: MemoryCatalog, _ wanted: [String: [UInt8]]
    ) throws {
        var random = SeededRandom(seed: 5)
        let snapshot = try CatalogSnapshot(catalog)
        for number in 0..<20 {
            let again = World(
                try World.hardware(), disk: SimulatedDisk(world.disk.powerCut(&random).image),
                catalog: try snapshot.restored())
            try again.open()
            for (name, bytes) in wanted {
                #expect((try? again.get(name).get()) == bytes, "\(name) after cut \(number)")
            }
            #expect(again.close() == nil)
        }
    }
}
