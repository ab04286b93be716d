// Corners of uploads in which something once went wrong: each of these failed, or ended the
// process, before it was put right.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `An upload in a corner` {
    let catalog = MemoryCatalog(instance: World.instance)
    let hardware: [Hardware]
    let world: World

    init() throws {
        hardware = try World.hardware(cores: 2)
        world = World(hardware, catalog: catalog)
        try world.open()
    }

    private func id(_ name: String, _ length: UInt64?) throws -> UploadID {
        try world.ask { core throws(UploadError) in
            try await core.createUpload(name, length: length).id
        }.get()
    }

    private func status(_ id: UploadID, in world: World) throws -> UploadStatus {
        try world.ask(on: 1) { core throws(UploadError) in try await core.uploadStatus(id) }.get()
    }

    /// A world after a power cut in which everything that was not flushed is lost.
    private func afterPowerCut() throws -> World {
        let snapshot = try CatalogSnapshot(catalog)
        var random = SeededRandom(seed: 1)
        var image = world.disk.powerCut(&random)
        // Of the many things that a cut may leave, the one that leaves least.
        for _ in 0..<200 where !image.choices.isEmpty { image = world.disk.powerCut(&random) }
        #expect(image.choices.isEmpty)
        let again = World(
            try World.hardware(cores: 2), disk: SimulatedDisk(image.image),
            catalog: try snapshot.restored())
        try again.open()
        return again
    }

    /// The last block was only told to be the last one, by a request that broke off then.
    @Test func `has every byte in its record, and is finished by who asks`() throws {
        let bytes = content(100_000, seed: 61)
        let id = try id("a", nil)
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        _ = try world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, bytes)
        }.get()
        // Told in the claim, not as the end of a chunk: the writer is there until it is cut.
        let last = ChunkClaim(offset: 100_000, end: 100_000, isSequential: true, length: 100_000)
        let (core, gate) = (world.cores[0], Gate())
        let open = world.start {
            await core.result { core throws(UploadError) in
                try await core.sendLater(id, last, [], gate)
            }
        }
        world.settle()
        let seen = world.ask(on: 1) { core throws(UploadError) in
            try await core.uploadStatus(id, isResuming: false)
        }
        #expect(try seen.get().length == 100_000)
        let again = try afterPowerCut()
        #expect(try status(id, in: again).isFinished)
        #expect(try again.get("a").get() == bytes)
        #expect(again.close() == nil)
        // Where nothing broke the writer ends it.
        world.run { await core.open(gate) }
        world.settle()
        #expect(try #require(open.answer).get().isFinished)
        #expect(world.close() == nil)
    }

    @Test func `keeps a length that was told without a byte`() throws {
        let id = try id("a", nil)
        let bytes = content(70_000, seed: 62)
        _ = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, Array(bytes[..<60_000]))
        }.get()
        let told = world.ask(on: 1) { core throws(UploadError) in
            try await core.append(id, at: 60_000, [], length: 70_000)
        }
        #expect(try told.get().length == 70_000)
        #expect(try status(id, in: world).length == 70_000)
        let other = world.ask { core throws(UploadError) in
            try await core.append(id, at: 60_000, [1], length: 80_000)
        }
        #expect(other.failure == .refused(.inconsistentLength))
        #expect(world.close() == nil)
    }

    /// Blocks that were written before a part of another was refused are there, and flushed.
    @Test func `tells no offset that is not flushed when a part of it is refused`() throws {
        let bytes = content(200_000, seed: 63)
        let id = try id("a", 200_000)
        _ = try world.ask { core throws(UploadError) in
            try await core.place(id, at: 100_000, Array(bytes[100_000..<100_100]))
        }.get()
        var wrong = Array(bytes[..<100_100])
        wrong[100_050] ^= 1
        let sent = wrong
        let claim = ChunkClaim(offset: 0, end: 100_100, isSequential: false)
        let refused = world.ask(on: 1) { core throws(UploadError) in
            let sum = crc32c(sent.span.rawBytes)
            return try await core.sendChunk(id, claim, sent, expected: [.crc32c(sum)])
        }
        guard case .refused(.differs)? = refused.failure else {
            Issue.record("was taken: \(refused)")
            return
        }
        let told = try status(id, in: world)
        let again = try afterPowerCut()
        let found = try status(id, in: again)
        #expect(found.offset >= told.offset)
        let rest = Array(bytes[Int(found.offset)...])
        _ = try again.ask { core throws(UploadError) in
            try await core.append(id, at: found.offset, rest)
        }.get()
        #expect(try again.get("a").get() == bytes)
        #expect(again.close() == nil)
    }

    @Test func `may repeat a part of a block that another writer completes`() throws {
        let bytes = content(80_000, seed: 64)
        let id = try id("a", 80_000)
        _ = try world.ask { core throws(UploadError) in
            try await core.place(id, at: 0, Array(bytes[..<5000]))
        }.get()
        // The first one repeats what is there; it was let in before the second one came.
        let (first, second) = (world.cores[0], world.cores[1])
        let claim = ChunkClaim(offset: 0, end: 5000, isSequential: false)
        let (repeated, gate) = (Array(bytes[..<5000]), Gate())
        let repetition = world.start {
            await first.result { core throws(UploadError) in
                try await core.sendLater(id, claim, repeated, gate)
            }
        }
        world.settle()
        let rest = Array(bytes[5000...])
        _ = try world.run(on: 1) {
            await second.result { core throws(UploadError) in
                try await core.place(id, at: 5000, rest)
            }
        }.get()
        world.run { await first.open(gate) }
        world.settle()
        #expect(try #require(repetition.answer).get().isFinished)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }

    // MARK: Numbers

    @Test func `of somebody else is not made way for`() throws {
        let name = Array("a".utf8)
        let terms = { (owner: String) in
            UploadTerms(
                name: name, owner: Array(owner.utf8), mediaType: [], length: 90_000,
                dialect: .resumable)
        }
        let core = world.core
        let id = world.run { await core.number(of: name) }
        let (mine, yours) = (terms("me"), terms("you"))
        _ = try world.ask { core throws(UploadError) in
            try await core.objects.createUpload(mine, id: id, secondsToLive: 60)
        }.get()
        _ = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, content(50_000, seed: 65), sent: 50_000)
        }.get()
        let refused = world.ask(on: 1) { core throws(UploadError) in
            try await core.objects.createUpload(yours, id: id, secondsToLive: 60)
        }
        #expect(refused.failure == .nameTaken)
        #expect(try status(id, in: world).offset == 50_000)
        #expect(world.shared?.unfinishedUploads == 1)
        #expect(world.close() == nil)
    }

    /// The number belongs to the name: the object that was removed had it as well.
    @Test func `outlives the removed object of the same name`() throws {
        let bytes = content(150_000, seed: 66)
        let first = UploadClient("a", bytes)
        first.breakOff(world, on: 0, sent: 65_536)
        first.finish(world)
        #expect(first.isFinished)
        world.settle()
        // While somebody reads it, its record stays.
        let core = world.core
        let pinned = try #require(world.run { try? await core.pin("a") } ?? nil)
        #expect(try world.remove("a").get())
        let second = UploadClient("a", bytes)
        second.breakOff(world, on: 1, sent: 131_072)
        second.ask(world, on: 0)
        #expect(second.told == 131_072)
        let again = try afterPowerCut()
        second.ask(again, on: 1)
        #expect(second.failures == [] && second.problems == [])
        second.finish(again)
        #expect(try again.get("a").get() == bytes)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
        world.run { await core.release(pinned) }
        #expect(world.close() == nil)
    }

    // MARK: Time

    /// Its time was over when the look began, and no more when its turn came.
    @Test func `is not ended while, or just after, somebody sends`() throws {
        let bytes = content(100_000, seed: 67)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 100_000, secondsToLive: 100).id
        }.get()
        let others = try (0..<5).map { number in
            try world.ask { core throws(UploadError) in
                try await core.createUpload("b\(number)", length: 1000, secondsToLive: 100).id
            }.get()
        }
        let (core, begun) = (world.core, world.disk.operationCount)
        let sending = world.start {
            await core.result { core throws(UploadError) in
                try await core.append(id, at: 0, Array(bytes[..<90_000]))
            }
        }
        _ = world.machine.run { world.disk.operationCount > begun }
        world.machine.wallSeconds += 200
        let ending = world.start { await core.endExpiredUploads() }
        world.settle()
        #expect(ending.answer != nil)
        #expect(try #require(sending.answer).get().offset == 90_000)
        #expect(try status(id, in: world).offset == 90_000)
        for other in others {
            let asked = world.ask { core throws(UploadError) in try await core.uploadStatus(other) }
            #expect(asked.failure == .notFound)
        }
        #expect(world.close() == nil)
    }
}

/// What a chunk that was let in waits for.
private final class Gate: @unchecked Sendable {
    var ticket: Ticket?
}

extension TestCore {
    /// Is let in, and sends once the gate is open.
    fileprivate func sendLater(
        _ id: UploadID, _ claim: ChunkClaim, _ bytes: [UInt8], _ gate: Gate
    ) async throws(UploadError) -> UploadStatus {
        let chunk = try await objects.beginChunk(id, owner: Array("me".utf8), claim)
        let ticket = loop.makeTicket()
        gate.ticket = ticket
        _ = await loop.answer(ticket)
        var done = 0
        while done < bytes.count, let step = chunk.next(countMax: uploadBufferBytes) {
            let lease = await memory.value.lease(uploadBufferBytes)
            fill(lease.region, Array(bytes[done..<done + step.count]))
            try await chunk.take(step, lease, count: step.count)
            done += step.count
        }
        return try await chunk.keep()
    }

    fileprivate func number(of name: [UInt8]) -> UploadID { objects.uploadID(of: name) }

    fileprivate func open(_ gate: Gate) {
        if let ticket = gate.ticket.take() { loop.wake(ticket) }
    }
}
