// Goal:   of what only a progress log has, a start believes what is durable and no more, whoever's
//         log it was; and what has ended is nobody's.
// Method: the process dies, or the disk's image is damaged by hand where the power would have to go
//         at one very moment.

import Catalog
import Checksums
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Progress that only the log has` {
    /// The last entry is on the disk, what it speaks of is not: nobody was told.
    @Test func `is believed as far as the bytes are there`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 100_000)
        let id = try #require(logged.client.id)
        logged.client.send(logged.world, on: 0, to: 200_000)
        let place = try place(of: id, block: 30, in: logged.world)
        let again = try logged.reopened { image in
            image.overwrite("volumes/large-0000", offset: place, with: [1, 2, 3, 4])
        }
        let status = try again.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.offset == 100_000)
        #expect(again.corruptions == [])
        // It is as if the rest had never come.
        let rest = Array(LoggedWorld.bytes[100_000...])
        let finished = try again.ask { core throws(UploadError) in
            try await core.append(id, at: 100_000, rest)
        }.get()
        #expect(finished.isFinished)
        #expect(try again.get("a").get() == LoggedWorld.bytes)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
    }

    /// What was acknowledged before is not read again, like what the catalog has.
    @Test func `is believed unread once a later entry says that it was durable`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 100_000)
        let other = UploadClient("b", content(100_000, seed: 202))
        other.create(logged.world, on: 0)
        other.send(logged.world, on: 0, to: 50_000)
        let id = try #require(logged.client.id)
        let place = try place(of: id, block: 10, in: logged.world)
        let again = try logged.reopened { image in
            image.overwrite("volumes/large-0000", offset: place, with: [1, 2, 3, 4])
        }
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 100_000 && logged.client.problems == [])
    }

    @Test func `of several uploads is told to the catalog at once`() throws {
        let logged = try LoggedWorld(.ample)
        let others = (0..<5).map { UploadClient("n\($0)", content(90_000, seed: UInt64($0))) }
        for other in others {
            other.create(logged.world, on: 0)
            other.send(logged.world, on: 0, to: 40_000)
        }
        #expect(logged.world.progressEntries >= 5)
        func commits() throws -> Int {
            let before = logged.catalog.commitCount
            _ = try logged.reopened()
            return logged.catalog.commitCount - before
        }
        let first = try commits()
        // The logs are there no more: nothing is to be told.
        #expect(try first - commits() == 1)
        let again = try logged.reopened()
        for other in others {
            other.ask(again, on: 0)
            #expect(other.told == 40_000 && other.problems == [])
        }
    }

    /// A start that cannot tell the catalog fails, and the next one finds the log as it was.
    @Test func `is still there after a start that failed`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 200_000)
        logged.catalog.crash()
        logged.catalog.fail(commit: 1, .before(.diskFull))
        let failed = World(
            try World.hardware(), disk: SimulatedDisk(logged.world.disk.visible),
            catalog: logged.catalog)
        #expect(throws: StoreError.self) { try failed.open() }
        #expect(try logged.recordedOffset == 4096)
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 200_000 && logged.client.problems == [])
    }

    /// Its entries lie in the log of a core that is no more.
    @Test func `is found on another number of cores`() throws {
        let logged = try LoggedWorld(.ample, cores: 3)
        let others = (1...2).map { UploadClient("n\($0)", LoggedWorld.bytes) }
        for (index, other) in others.enumerated() {
            other.create(logged.world, on: index + 1)
            other.send(logged.world, on: 0, to: 4096)
            logged.world.settle()
            other.send(logged.world, on: 0, to: 100_000)
        }
        #expect(logged.world.progressEntries >= 2)
        logged.catalog.crash()
        let again = World(
            try World.hardware(), disk: SimulatedDisk(logged.world.disk.visible),
            catalog: logged.catalog, progress: .ample)
        try again.open()
        for other in others {
            other.ask(again, on: 0)
            #expect(other.told == 100_000)
            other.send(again, on: 0, to: 150_000)
            again.settle()
            other.send(again, on: 0, to: 200_000)
        }
        // Sequences go on behind all that were: the new log is believed over the old ones.
        logged.catalog.crash()
        let last = World(
            try World.hardware(cores: 2), disk: SimulatedDisk(again.disk.visible),
            catalog: logged.catalog)
        try last.open()
        for other in others {
            other.ask(last, on: 0)
            #expect(other.told == 200_000)
            other.finish(last)
            #expect(other.problems == [] && other.failures == [])
            #expect(try last.get(other.name).get() == LoggedWorld.bytes)
        }
        #expect(last.close() == nil)
    }

    @Test func `in a newer format stops the start`() throws {
        let logged = try LoggedWorld(.ample)
        logged.client.send(logged.world, on: 0, to: 100_000)
        let extent = try #require(
            try logged.catalog.makeReader().leases().compactMap(\.progressLog).first)
        let seal = try Seal(key: [1, 2, 3])
        #expect(throws: StoreError.newerFormat(path: "volumes/large-0000", version: 9)) {
            try logged.reopened { image in
                var header = image.bytes(
                    "volumes/large-0000", offset: extent.byteOffset, count: 96)
                header[24] = 9
                let tag = seal.tag(header.span.rawBytes.extracting(24..<96))
                for byte in 0..<8 {
                    header[8 + byte] = UInt8(truncatingIfNeeded: tag.first >> UInt64(8 * byte))
                    header[16 + byte] = UInt8(truncatingIfNeeded: tag.second >> UInt64(8 * byte))
                }
                image.overwrite("volumes/large-0000", offset: extent.byteOffset, with: header)
            }
        }
    }

    /// Entries of an upload that is no more are nobody's, also when another one has its number.
    @Test func `of an upload that was given up is forgotten`() throws {
        let logged = try LoggedWorld(.ample)
        let first = UploadClient("p", LoggedWorld.bytes)
        first.breakOff(logged.world, on: 0, sent: 65_536)
        first.ask(logged.world, on: 0)
        first.send(logged.world, on: 0, to: 200_000)
        first.giveUp(logged.world, on: 0)
        #expect(first.isEnded == true && first.failures == [])
        let second = UploadClient("p", content(400_000, seed: 203))
        second.breakOff(logged.world, on: 0, sent: 131_072)
        #expect(second.id == first.id)
        let again = try logged.reopened()
        second.ask(again, on: 0)
        #expect(second.told == 131_072)
        second.finish(again)
        #expect(try again.get("p").get() == second.bytes)
        logged.client.finish(again)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
    }

    private func place(of id: UploadID, block: UInt64, in world: World) throws -> UInt64 {
        let core = world.core
        return try #require(world.run { await core.fileOffset(of: id, block: block) })
    }
}

extension TestCore {
    fileprivate func fileOffset(of id: UploadID, block: UInt64) -> UInt64? {
        objects.assembler.assumeIsolated {
            $0.uploads[id]?.state.space.location(ofBlock: block)?.fileOffset
        }
    }
}
