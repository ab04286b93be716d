// Goal:   what the progress log says is durable is so, the catalog hears of it in time, and who has
//         no log, or no room in it, is served all the same.
// Method: one upload after the other on the simulated disk, with small limits; the process dies, or
//         the power goes, and another one opens what is left. Images of the disk are damaged by
//         hand where the power would have to go at one very moment.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Progress of an upload` {
    @Test func `is durable without a word to the catalog`() throws {
        let logged = try LoggedWorld(.ample)
        let commits = logged.catalog.commitCount
        for end in [8192, 20_001, 65_537, 200_000] {
            logged.client.send(logged.world, on: 0, to: end)
        }
        #expect(logged.client.told == 200_000 && logged.client.failures == [])
        #expect(logged.catalog.commitCount == commits)
        #expect(logged.world.progressEntries == 4)
        #expect(try logged.recordedOffset == 4096)
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 200_000 && logged.client.problems == [])
        logged.client.finish(again)
        #expect(try again.get("a").get() == LoggedWorld.bytes)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
    }

    @Test func `is in the catalog after some seconds, and no longer in memory`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 100_000)
        logged.world.keepUp()
        #expect(try logged.recordedOffset == 4096)
        let core = logged.world.core
        #expect(logged.world.run { await core.uploadsInMemory } == 1)
        logged.pass(seconds: 5)
        logged.world.keepUp()
        #expect(try logged.recordedOffset == 100_000)
        #expect(logged.world.run { await core.uploadsInMemory } == 0)
        // Read back from the catalog, and logged once more.
        logged.client.send(logged.world, on: 0, to: 150_000)
        #expect(try logged.recordedOffset == 100_000)
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 150_000 && logged.client.problems == [])
        logged.client.finish(again)
        #expect(try again.get("a").get() == LoggedWorld.bytes)
        #expect(again.close() == nil)
    }

    @Test func `is in the catalog after so many bytes`() throws {
        var policy = ProgressPolicy.ample
        policy.bytesUnrecordedMax = 100_000
        let logged = try LoggedWorld(policy)
        logged.client.send(logged.world, on: 0, to: 90_000)
        #expect(try logged.recordedOffset == 4096)
        logged.client.send(logged.world, on: 0, to: 104_096)
        #expect(try logged.recordedOffset == 104_096)
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 104_096 && logged.client.problems == [])
    }

    @Test func `of more uploads than that goes into the catalog`() throws {
        var policy = ProgressPolicy.ample
        policy.uploadsUnrecordedMax = 1
        let logged = try LoggedWorld(policy)
        logged.client.send(logged.world, on: 0, to: 50_000)
        let other = UploadClient("b", content(100_000, seed: 202))
        other.create(logged.world, on: 0)
        let entries = logged.world.progressEntries
        other.send(logged.world, on: 0, to: 60_000)
        #expect(logged.world.progressEntries == entries)
        logged.client.send(logged.world, on: 0, to: 60_000)
        #expect(logged.world.progressEntries == entries + 1)
        let again = try logged.reopened()
        for client in [logged.client, other] {
            client.finish(again)
            #expect(client.isFinished && client.problems == [] && client.failures == [])
        }
    }

    @Test func `finds room in a log that comes round, and goes on without any`() throws {
        var policy = ProgressPolicy.ample
        policy.logBlocks = 16
        let logged = try LoggedWorld(policy)
        let others = (0..<4).map { UploadClient("n\($0)", content(100_000, seed: UInt64($0))) }
        for other in others { other.create(logged.world, on: 0) }
        // What nobody touches any more stands in the way until it is recorded.
        logged.client.send(logged.world, on: 0, to: 10_000)
        for end in 1...24 {
            for other in others { other.send(logged.world, on: 0, to: 4000 * end) }
            if end % 5 == 0 { logged.world.keepUp() }
        }
        #expect(logged.world.progressEntries > 40)
        let all = others + [logged.client]
        let again = try logged.reopened()
        for client in all {
            client.ask(again, on: 0)
            client.finish(again)
            #expect(client.isFinished && client.problems == [] && client.failures == [])
            #expect(try again.get(client.name).get() == client.bytes)
        }
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
    }

    @Test func `needs no log where there is no space for one`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(
            try World.hardware(), catalog: catalog, progress: ProgressPolicy(settlesBefore: 0))
        (world.volumeBytes, world.capacityBytes) = (64 << 20, 128 << 20)
        try world.open()
        let ledger = try #require(world.shared).ledger
        let taken = try #require(
            world.run { () async -> [Extent]? in try? await ledger.reserve(61 << 20) })
        let client = UploadClient("a", LoggedWorld.bytes)
        client.create(world, on: 0)
        for end in [4096, 100_000, 400_000] { client.send(world, on: 0, to: end) }
        #expect(client.isFinished && client.failures == [])
        #expect(world.progressEntries == 0 && world.progressBlocks == 0)
        world.run { await ledger.giveBack(taken) }
        world.shared?.state.endReservation(61 << 20)
        world.settle()
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }

    /// While the catalog refuses, each second asks for no more than the one before.
    @Test func `is told to a catalog that refuses once, not every second`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 100_000)
        let ledger = try #require(logged.world.shared).ledger
        for number in 1...500 { logged.catalog.fail(commit: number, .before(.diskFull)) }
        let core = logged.world.core
        for _ in 0..<8 {
            logged.pass(seconds: 6)
            logged.world.run { await core.keepUp() }
            logged.pass(seconds: 1)
        }
        #expect(logged.world.run { await ledger.queue.count } == 1)
        #expect(try logged.recordedOffset == 4096)
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 100_000 && logged.client.problems == [])
    }

    /// An orderly stop leaves nothing in the log, and no lease.
    @Test func `is in the catalog once the store is closed`() throws {
        let logged = try LoggedWorld(.ample, cores: 2)
        logged.client.send(logged.world, on: 1, to: 100_000)
        #expect(logged.world.progressBlocks > 0)
        #expect(logged.world.close() == nil)
        #expect(try logged.recordedOffset == 100_000)
        let leases = try logged.catalog.makeReader().leases()
        #expect(leases.allSatisfy { $0.progressLog == nil })
    }
}

@Suite struct `A chunk that takes its time` {
    /// The client sends on and on in one request; the power goes before its end.
    @Test(arguments: [true, false])
    func `is durable up to what has come lately`(byBytes: Bool) throws {
        var policy = ProgressPolicy.ample
        policy.bytesUnrecordedMax = byBytes ? 131_072 : .max
        let logged = try LoggedWorld(policy)
        let id = try #require(logged.client.id)
        let (world, core) = (logged.world, logged.world.core)
        let loop = world.machine.cores[0].loop
        let chunk = try #require(
            world.run { await core.beginSlowly(id, from: 4096, to: 400_000) })
        for end in [100_000, 200_000, 300_000] {
            world.run { await core.sendSlowly(chunk, LoggedWorld.bytes, to: end) }
            if !byBytes {
                world.run { await loop.sleep(until: loop.now + 6_000_000_000) }
                world.keepUp()
            }
            world.settle()
        }
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        // All but the buffer that was still on its way.
        #expect(logged.client.told >= 300_000 - 131_072 && logged.client.problems == [])
        logged.client.finish(again)
        #expect(try again.get("a").get() == LoggedWorld.bytes)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        world.run { await core.endSlowly(chunk) }
    }

    /// Its client says how much comes, and is not heard of again: by then all that changed with it
    /// is settled.
    @Test(arguments: [ProgressPolicy.never, .ample])
    func `gives back what nobody fills`(progress: ProgressPolicy) throws {
        let logged = try LoggedWorld(progress)
        let id = try #require(logged.client.id)
        let (world, core) = (logged.world, logged.world.core)
        let chunk = try #require(
            world.run { await core.beginSlowly(id, from: 4096, to: 400_000) })
        logged.pass(seconds: 6)
        world.keepUp()
        #expect(world.space.largeUsed - world.progressBlocks == 98)
        world.run { await core.endSlowly(chunk) }
        #expect(world.space.largeUsed - world.progressBlocks == 1)
        #expect(world.shared?.unfinishedBytes == 4096)
        logged.client.finish(world)
        #expect(try world.get("a").get() == LoggedWorld.bytes)
        #expect(world.close() == nil)
    }

    /// What was reserved for the rest of it is free when the power has gone.
    @Test(arguments: [ProgressPolicy.never, .ample])
    func `holds after a start only what has come`(progress: ProgressPolicy) throws {
        let logged = try LoggedWorld(progress)
        let id = try #require(logged.client.id)
        let (world, core) = (logged.world, logged.world.core)
        let chunk = try #require(
            world.run { await core.beginSlowly(id, from: 4096, to: 400_000) })
        logged.pass(seconds: 6)
        world.keepUp()
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 4096 && logged.client.problems == [])
        #expect(again.space.largeUsed == 1)
        #expect(again.shared?.unfinishedBytes == 4096)
        logged.client.finish(again)
        #expect(try again.get("a").get() == LoggedWorld.bytes)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
        world.run { await core.endSlowly(chunk) }
    }
}

extension TestCore {
    func beginSlowly(
        _ id: UploadID, from start: UInt64, to end: UInt64
    ) async -> Box<ChunkWriter>? {
        let claim = ChunkClaim(offset: start, end: end, isSequential: true)
        return (try? await objects.beginChunk(id, owner: Array("me".utf8), claim)).map(Box.init)
    }

    func sendSlowly(_ chunk: Box<ChunkWriter>, _ bytes: [UInt8], to end: Int) async {
        let chunk = chunk.value
        while chunk.position < UInt64(end), let step = chunk.next(countMax: uploadBufferBytes) {
            let start = Int(step.offset)
            let lease = await memory.value.lease(uploadBufferBytes)
            fill(lease.region, Array(bytes[start..<start + step.count]))
            try? await chunk.take(step, lease, count: step.count)
        }
    }

    func endSlowly(_ chunk: Box<ChunkWriter>) async {
        _ = try? await chunk.value.keep()
    }
}
