// Goal:   an entry of a progress log says no more than is durable, wherever the bytes lie, and
//         speaks of nothing that begins after the next start.
// Method: the log is read off the disk; the power goes when all that was told should be durable;
//         and several processes follow each other on one disk.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `What a progress log says` {
    /// Two uploads that become durable side by side: neither entry says that the other is.
    @Test func `is no more than was durable when it was written`() throws {
        let logged = try LoggedWorld(.ample)
        let (world, core) = (logged.world, logged.world.core)
        let other = UploadClient("b", LoggedWorld.bytes)
        other.create(world, on: 0)
        other.send(world, on: 0, to: 4096)
        let ids = try [logged.client, other].map { try #require($0.id) }
        let chunks = try ids.map { id in
            try #require(world.run { await core.beginSlowly(id, from: 4096, to: 400_000) })
        }
        for end in [100_000, 200_000] {
            for chunk in chunks {
                world.run { await core.sendSlowly(chunk, LoggedWorld.bytes, to: end) }
            }
            world.settle()
        }
        let last = try #require(try logged.entries.map(\.sequence).max())
        let asked = ids.map { id in
            world.start {
                await core.result { core throws(UploadError) in
                    try await core.uploadStatus(id, isResuming: false)
                }
            }
        }
        world.settle()
        for answer in asked { #expect(try answer.answer?.get().offset ?? 0 > 4096) }
        let news = try logged.entries.filter { $0.sequence > last }
        #expect(news.count == 2)
        #expect(news.allSatisfy { $0.confirmed == last })
        // The next one knows better.
        world.run { await core.sendSlowly(chunks[0], LoggedWorld.bytes, to: 340_000) }
        world.settle()
        _ = world.ask { core throws(UploadError) in
            try await core.uploadStatus(ids[0], isResuming: false)
        }
        #expect(try logged.entries.contains { $0.sequence > last + 2 && $0.confirmed == last + 2 })
        for chunk in chunks { world.run { await core.endSlowly(chunk) } }
        #expect(world.close() == nil)
    }

    /// The flush of an entry is none of bytes that lie on another volume.
    @Test func `is durable with bytes on another volume`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 98_304)
        try logged.fillFirstVolume()
        logged.client.send(logged.world, on: 0, to: 196_608)
        #expect(logged.client.told == 196_608)
        #expect(logged.world.progressEntries == 2)
        logged.catalog.crash()
        var random = SeededRandom(seed: 5)
        let hardware = try World.hardware()
        for _ in 0..<12 {
            let (image, _) = logged.world.disk.powerCut(&random)
            let again = World(
                hardware, disk: SimulatedDisk(image),
                catalog: try CatalogSnapshot(logged.catalog).restored())
            try again.open()
            logged.client.ask(again, on: 0)
            #expect(logged.client.told == 196_608 && logged.client.problems == [])
            #expect(again.close() == nil)
        }
    }

    /// A start takes in the log for good: what begins afterwards under an old number is its own.
    @Test func `is said once`() throws {
        let logged = try LoggedWorld(.ample)
        let first = UploadClient("p", LoggedWorld.bytes)
        first.breakOff(logged.world, on: 0, sent: 65_536)
        first.ask(logged.world, on: 0)
        first.send(logged.world, on: 0, to: 200_000)
        let again = try logged.reopened()
        #expect(try logged.logPlaces == [])
        first.ask(again, on: 0)
        #expect(first.told == 200_000)
        first.giveUp(again, on: 0)
        let second = UploadClient("p", content(400_000, seed: 203))
        second.breakOff(again, on: 0, sent: 131_072)
        #expect(second.id == first.id)
        logged.catalog.crash()
        let last = World(
            try World.hardware(), disk: SimulatedDisk(again.disk.visible),
            catalog: logged.catalog)
        try last.open()
        second.ask(last, on: 0)
        #expect(second.told == 131_072)
        second.finish(last)
        #expect(try last.get("p").get() == second.bytes)
        logged.client.finish(last)
        last.settle()
        #expect(lostBlocks(in: last) == [])
        #expect(last.close() == nil)
    }

    /// A commit that fails covers nothing yet: what it was to cover is not written over.
    @Test func `stays until the catalog has it`() throws {
        var policy = ProgressPolicy.ample
        policy.logBlocks = 16
        let logged = try LoggedWorld(policy)
        let (world, core) = (logged.world, logged.world.core)
        let other = UploadClient("b", content(100_000, seed: 204))
        other.create(world, on: 0)
        logged.client.send(world, on: 0, to: 10_000)
        var end = 0
        while world.run({ await core.isLogFilling }) == false {
            end += 4000
            other.send(world, on: 0, to: end)
        }
        // Asks for the oldest, which is the first one's.
        logged.catalog.fail(commit: 1, .before(.diskFull))
        world.run { await core.keepUp() }
        // However far others come then, until a commit succeeds and brings that one along.
        while end < 96_000 {
            end += 4000
            other.send(world, on: 0, to: end)
            let again = World(
                try World.hardware(), disk: SimulatedDisk(world.disk.visible),
                catalog: try CatalogSnapshot(logged.catalog).restored())
            try again.open()
            for client in [logged.client, other] { client.ask(again, on: 0) }
            #expect(logged.client.problems == [] && other.problems == [], "at \(end)")
            #expect(again.close() == nil)
        }
        #expect(other.failures == [])
        #expect(world.close() == nil)
    }

    /// Who has ended leaves its place to others, and nothing for the next start.
    @Test(arguments: [true, false])
    func `is over when its upload is`(isFinished: Bool) throws {
        var policy = ProgressPolicy.ample
        policy.uploadsUnrecordedMax = 1
        let logged = try LoggedWorld(policy)
        logged.client.send(logged.world, on: 0, to: 100_000)
        if isFinished {
            logged.client.finish(logged.world)
        } else {
            logged.client.giveUp(logged.world, on: 0)
        }
        let other = UploadClient("b", LoggedWorld.bytes)
        other.create(logged.world, on: 0)
        let entries = logged.world.progressEntries
        other.send(logged.world, on: 0, to: 100_000)
        #expect(logged.world.progressEntries == entries + 1)
        #expect(logged.world.close() == nil)
        #expect(try logged.logPlaces == [])
    }

    /// A stop has no time for a commit each.
    @Test func `goes into the catalog all at once when the store is closed`() throws {
        let logged = try LoggedWorld(.ample, cores: 2)
        let others = (0..<12).map { UploadClient("n\($0)", content(100_000, seed: UInt64($0))) }
        for other in others {
            other.create(logged.world, on: 1)
            other.send(logged.world, on: 1, to: 4096)
            // Its core gets its log.
            logged.world.settle()
            other.send(logged.world, on: 1, to: 50_000)
        }
        #expect(logged.world.progressEntries >= 12)
        let commits = logged.catalog.commitCount
        #expect(logged.world.close() == nil)
        #expect(logged.catalog.commitCount - commits < 10)
        #expect(try logged.logPlaces == [])
        let again = try logged.reopened()
        for other in others {
            other.ask(again, on: 0)
            #expect(other.told == 50_000 && other.problems == [])
        }
        #expect(again.close() == nil)
    }

    /// Space that was something else before, another log as well, says nothing.
    @Test func `is nothing at first`() throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("x", content(400_000, seed: 205)).get()
        #expect(try world.remove("x").get())
        world.settle()
        let ledger = try #require(world.shared).ledger
        let before = world.disk.visible
        let extent = try #require(
            world.run { () async -> Extent? in await ledger.leaseProgressLog(blocks: 64) })
        let count = Int(extent.byteCount)
        let bytes = [before, world.disk.visible].map { image in
            image.bytes(
                VolumeName(extent.volume).path, offset: extent.byteOffset, count: count)
        }
        #expect(!bytes[0].allSatisfy { $0 == 0 })
        #expect(bytes[1].allSatisfy { $0 == 0 })
        world.run { await ledger.giveBack(progressLog: extent) }
        world.settle()
        #expect(world.close() == nil)
    }
}

extension TestCore {
    fileprivate var isLogFilling: Bool {
        objects.assembler.assumeIsolated { $0.area.pressing != nil }
    }
}
