// Goal:   who settles an upload has it for itself, whichever core asks; and no entry of the log
//         builds on what the catalog has not, or is older than what the catalog has.
// Method: requests of another core, which lets others in at every call, begin side by side; a
//         commit, or the log's volume, fails at one moment; then the process dies.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Settling an upload` {
    /// Two of another core ask at once how far it has come: one entry answers both.
    @Test(arguments: 0...4)
    func `is done by one at a time`(turns: Int) throws {
        let logged = try LoggedWorld(.ample, cores: 2)
        let (world, other) = (logged.world, logged.world.cores[1])
        let (id, chunk) = try open(logged)
        let entries = world.progressEntries
        let owner = world.cores[0]
        let asked = [0, turns].map { turns in
            world.start(on: 1) {
                await owner.result { core throws(UploadError) in
                    for _ in 0..<turns { await core.letOthersIn() }
                    return try await core.uploadStatus(id, isResuming: false)
                }
            }
        }
        world.settle()
        let told = try asked.map { try $0.answer?.get().offset }
        #expect(told[0] == told[1] && told[0] ?? 0 > 4096)
        #expect(world.progressEntries == entries + 1)
        world.run(on: 1) { await other.endSlowly(chunk) }
        logged.client.ask(world, on: 1)
        logged.client.finish(world)
        #expect(try world.get("a").get() == LoggedWorld.bytes)
        #expect(world.close() == nil)
    }

    /// A chunk of another core, of which bytes have come that nobody has settled.
    private func open(_ logged: LoggedWorld) throws -> (UploadID, Box<ChunkWriter>) {
        let (world, other) = (logged.world, logged.world.cores[1])
        let id = try #require(logged.client.id)
        let chunk = try #require(
            world.run(on: 1) { await other.beginSlowly(id, from: 4096, to: 400_000) })
        // The owner hears of a buffer with the next one.
        for end in [100_000, 200_000] {
            world.run(on: 1) { await other.sendSlowly(chunk, LoggedWorld.bytes, to: end) }
            world.settle()
        }
        return (id, chunk)
    }
}

@Suite struct `An entry of a progress log` {
    /// An upload whose first commit waits to be tried again: no entry makes it durable.
    @Test func `speaks of no upload that the catalog has not`() throws {
        let logged = try LoggedWorld(.ample)
        logged.catalog.fail(commit: 1, .before(.diskFull))
        let id = logged.world.run { [core = logged.world.core] in await core.numberOfP }
        let created = logged.world.ask { core throws(UploadError) in try await core.createP() }
        #expect(created.failure == .store(.indexBehind))
        let asked = logged.world.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }
        #expect(try asked.get().offset == 0)
        let again = try logged.reopened()
        #expect(
            try again.ask { core throws(UploadError) in try await core.uploadStatus(id) }.get()
                .offset == 0)
        #expect(again.close() == nil)
    }

    /// A record waits to be tried again, and with it a page of checksums that is in no entry.
    @Test func `needs no page that only a commit has that failed`() throws {
        let logged = try LoggedWorld(.ample)
        let far: UInt64 = 64 << 20
        let id = try logged.world.ask { core throws(UploadError) in
            try await core.createUpload("b", length: far + 200_000).id
        }.get()
        logged.catalog.fail(commit: 1, .before(.diskFull))
        // Space that nobody fills is the catalog's to hear of.
        let broken = logged.world.ask { core throws(UploadError) in
            try await core.place(id, at: 0, LoggedWorld.bytes, sent: 131_072)
        }
        #expect(broken.failure == .store(.indexBehind))
        let told = try logged.world.ask { core throws(UploadError) in
            try await core.place(id, at: far, Array(LoggedWorld.bytes[..<65_536]))
        }.get()
        #expect(told.offset == 131_072)
        let again = try logged.reopened()
        let status = try again.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.received.ranges == [0..<131_072, far..<far + 65_536])
        again.settle()
        #expect(again.close() == nil)
    }

    /// The log's volume fails, and the upload goes on on another one, by the catalog alone.
    @Test func `is not believed over a record made when its log was lost`() throws {
        let logged = try LoggedWorld(.ample)
        let shared = try #require(logged.world.shared)
        logged.client.send(logged.world, on: 0, to: 100_000)
        try logged.fillFirstVolume()
        logged.client.send(logged.world, on: 0, to: 200_000)
        let entries = logged.world.progressEntries
        #expect(entries == 2)
        shared.state.stopWrites(to: VolumeName(.large, number: 0).id, because: .readOnly, at: 1)
        logged.client.send(logged.world, on: 0, to: 300_000)
        #expect(logged.client.told == 300_000 && logged.client.failures == [])
        let again = try logged.reopened()
        logged.client.ask(again, on: 0)
        #expect(logged.client.told == 300_000 && logged.client.problems == [])
        logged.client.finish(again)
        #expect(try again.get("a").get() == LoggedWorld.bytes)
        again.settle()
        #expect(lostBlocks(in: again) == [])
        #expect(again.close() == nil)
    }
}

extension TestCore {
    /// For a task of another core.
    fileprivate func letOthersIn() async {}

    fileprivate var numberOfP: UploadID { objects.uploadID(of: Array("p".utf8)) }

    fileprivate func createP() async throws(UploadError) -> UploadStatus {
        let terms = UploadTerms(
            name: Array("p".utf8), owner: Array("me".utf8), mediaType: Array("a/b".utf8),
            length: 100_000, dialect: .resumable)
        return try await objects.createUpload(terms, id: numberOfP, secondsToLive: 3600)
    }
}
