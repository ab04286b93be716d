// Goal:   the whole of an upload is held against what was said of it before anybody sees it, also
//         where the disk fails meanwhile; and what was made of it outlives the server.
// Method: uploads with digests on the simulated disk; reads that fail, blocks that rot, restarts.

import Catalog
import Checksums
import Cryptography
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

extension ObjectDigests {
    static func of(_ bytes: [UInt8]) -> ObjectDigests {
        ObjectDigests(
            sha256: try? reference(.sha256, bytes), crc32c: Checksums.crc32c(bytes.span.rawBytes))
    }
}

extension TestCore {
    /// What is kept with an object.
    func sha256(_ name: String) async throws(StoreError) -> [UInt8]? {
        guard let pinned = try await objects.find(Array(name.utf8)) else { return nil }
        defer { objects.release(pinned) }
        return try await objects.describe(pinned).sha256
    }

    func digests(_ name: String) async throws(StoreError) -> ObjectDigests? {
        guard let pinned = try await objects.find(Array(name.utf8)) else { return nil }
        defer { objects.release(pinned) }
        return try await objects.digests([.sha256, .crc32c], of: pinned)
    }
}

extension World {
    fileprivate func sha256(_ name: String) throws -> [UInt8]? {
        let core = core
        return try run { () async -> Result<[UInt8]?, StoreError> in
            do throws(StoreError) { return .success(try await core.sha256(name)) } catch {
                return .failure(error)
            }
        }.get()
    }

    fileprivate func digests(_ name: String) -> Result<ObjectDigests?, StoreError> {
        let core = core
        return run { () async -> Result<ObjectDigests?, StoreError> in
            do throws(StoreError) { return .success(try await core.digests(name)) } catch {
                return .failure(error)
            }
        }
    }
}

@Suite struct `The digests of an object` {
    @Test func `that are said are compared one by one`() {
        let made = ObjectDigests(sha256: [1], crc32c: 2)
        #expect(ObjectDigests().mismatch(with: made) == nil)
        #expect(made.mismatch(with: made) == nil)
        #expect(
            ObjectDigests(sha256: [2], crc32c: 3).mismatch(with: made) == .digest(.sha256, [2]))
        #expect(ObjectDigests(sha256: [1], crc32c: 3).mismatch(with: made) == .crc32c(3))
        #expect(ObjectDigests(crc32c: 2).mismatch(with: made) == nil)
    }

    @Test func `are joined unless they contradict each other`() {
        let (first, second) = (ObjectDigests(sha256: [1]), ObjectDigests(crc32c: 2))
        #expect(first.joined(with: second) == ObjectDigests(sha256: [1], crc32c: 2))
        #expect(first.joined(with: ObjectDigests()) == first)
        #expect(first.joined(with: ObjectDigests(sha256: [1], crc32c: 2))?.crc32c == 2)
        #expect(first.joined(with: ObjectDigests(sha256: [2])) == nil)
        #expect(second.joined(with: ObjectDigests(crc32c: 1)) == nil)
        #expect(first.kinds == .sha256 && second.kinds == .crc32c && !first.isEmpty)
    }

    @Test func `trap where nobody has made what is to be compared`() async {
        await #expect(processExitsWith: .failure) {
            _ = ObjectDigests(sha256: [1]).mismatch(with: ObjectDigests(crc32c: 1))
        }
    }

    @Test(arguments: [0, 1, 65_536, 65_537, 131_072, 3_000_001])
    func `are made of what lies on the disk`(size: Int) throws {
        let world = World(try World.hardware())
        try world.open()
        let bytes = content(size, seed: UInt64(size))
        _ = try world.put("a", bytes).get()
        #expect(try world.digests("a").get() == .of(bytes))
        let core = world.machine.cores[0]
        #expect(core.memory.bytesFree == core.memory.bytesTotal)
        #expect(world.close() == nil)
    }

    @Test func `are not made of what cannot be read`() throws {
        let world = World(try World.hardware())
        try world.open()
        let idle = world.machine.cores[0].loop.ticketsOutstanding
        _ = try world.put("a", content(3_000_001, seed: 1)).get()
        world.settle()
        // The first is the record's.
        for number in 2...4 {
            world.disk.plan.strike(.read, number: number, with: .error(.io))
            guard case .failure(.unreadable) = world.digests("a") else {
                Issue.record("read \(number)")
                return
            }
            let core = world.machine.cores[0]
            #expect(core.memory.bytesFree == core.memory.bytesTotal)
            #expect(core.loop.ticketsOutstanding == idle)
            _ = world.remove("a")
            world.settle()
            _ = try world.put("a", content(3_000_001, seed: 1)).get()
        }
        #expect(world.close() == nil)
    }

    /// A write that fails, a client that goes: the digest that was running ends, too.
    @Test func `are given up with what they are made of`() throws {
        let world = World(try World.hardware())
        world.keepsSHA256 = true
        try world.open()
        world.settle()
        let core = world.machine.cores[0]
        let idle = core.loop.ticketsOutstanding
        let (owner, bytes) = (world.core, content(1_000_001, seed: 3))
        for sent in [131_072, 917_504, 1_000_001] {
            let outcome = world.run { () async -> StoreError? in
                do throws(StoreError) {
                    try await owner.abandon("a", bytes, sent: sent)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(outcome == nil)
            let kept = world.run { await owner.breakOff("b", bytes, sent: min(sent, 917_504)) }
            #expect(kept != nil)
        }
        world.settle()
        #expect(core.loop.ticketsOutstanding == idle)
        #expect(core.memory.bytesFree == core.memory.bytesTotal)
        world.disk.plan.strike(.write, number: 4, with: .error(.io))
        guard case .failure(.kernel) = world.put("c", bytes) else {
            Issue.record("it should not have been written")
            return
        }
        world.settle()
        #expect(core.loop.ticketsOutstanding == idle)
        #expect(core.memory.bytesFree == core.memory.bytesTotal)
        #expect(world.close() == nil)
    }

    /// Whatever needs one fails, and nothing else does; nothing is left of it.
    @Test func `are not to be had where the system has none`() throws {
        let world = World(try World.hardware(), faults: .noDigest)
        world.keepsSHA256 = true
        try world.open()
        world.settle()
        let idle = world.machine.cores[0].loop.ticketsOutstanding
        guard case .failure(.noDigest) = world.put("a", content(100_000, seed: 1)) else {
            Issue.record("it should have been hashed")
            return
        }
        #expect(world.space.largeUsed == 0 && world.shared?.bytesReserved == 0)
        _ = try world.put("small", [1, 2, 3]).get()
        guard case .failure(.noDigest) = world.digests("small") else {
            Issue.record("a small one, too")
            return
        }
        let bytes = content(5000, seed: 2)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("b", length: 5000).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: 3000, isSequential: true)
        let refused = world.ask { core throws(UploadError) in
            try await core.sendChunk(
                id, claim, Array(bytes[..<3000]), expected: [.digest(.sha256, [1])])
        }
        guard case .failure(.store(.noDigest)) = refused else {
            Issue.record("it should have been compared")
            return
        }
        _ = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, Array(bytes[..<3000]))
        }.get()
        var whole = WholeDigests()
        whole.expected = .of(bytes)
        let (rest, said) = (ChunkClaim(offset: 3000, end: 5000, isSequential: true), whole)
        let last = world.ask { core throws(UploadError) in
            try await core.sendChunk(id, rest, Array(bytes[3000...]), whole: said)
        }
        guard case .failure(.store(.noDigest)) = last else {
            Issue.record("the whole should have been compared")
            return
        }
        #expect(world.shared?.unfinishedUploads == 1)
        #expect(try world.get("b").get() == nil)
        world.settle()
        let core = world.machine.cores[0]
        #expect(core.memory.bytesFree == core.memory.bytesTotal)
        #expect(core.loop.ticketsOutstanding == idle)
        #expect(world.close() == nil)
    }

    /// A record's digest is found by whoever opens the store.
    @Test func `outlive the server where all are kept`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let world = World(try World.hardware(), catalog: catalog)
        world.keepsSHA256 = true
        try world.open()
        let bytes = content(200_001, seed: 2)
        _ = try world.put("durable", bytes).get()
        _ = try world.put("written", bytes, .written).get()
        // Before its record is on the disk, too.
        #expect(try world.sha256("written") == reference(.sha256, bytes))
        #expect(world.close() == nil)
        let again = World(
            try World.hardware(), disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        for name in ["durable", "written"] {
            #expect(try again.sha256(name) == reference(.sha256, bytes))
            #expect(try again.get(name).get() == bytes)
        }
        _ = try again.put("plain", bytes).get()
        #expect(try again.sha256("plain") == nil)
        #expect(again.close() == nil)
        // Rebuilt from the volumes alone.
        let rebuilt = World(try World.hardware(), disk: SimulatedDisk(again.disk.visible))
        rebuilt.rebuilds = true
        try rebuilt.open()
        #expect(try rebuilt.sha256("durable") == reference(.sha256, bytes))
        #expect(rebuilt.close() == nil)
    }
}

@Suite struct `An upload that says what it will be` {
    static let bytes = content(200_001, seed: 40)
    let world: World

    init() throws {
        world = World(try World.hardware(cores: 2))
        try world.open()
    }

    private func begin(_ expected: ObjectDigests) throws -> UploadID {
        try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 200_001, expected: expected).id
        }.get()
    }

    private func place(_ id: UploadID, _ range: Range<Int>) -> Result<UploadStatus, UploadError> {
        world.ask(on: 1) { core throws(UploadError) in
            try await core.place(id, at: UInt64(range.lowerBound), Array(Self.bytes[range]))
        }
    }

    /// In any order, in parts of blocks, from two cores.
    @Test(arguments: [true, false])
    func `is held to it, whatever way its bytes came`(isRight: Bool) throws {
        let id = try begin(.of(isRight ? Self.bytes : [1]))
        for range in [150_000..<200_001, 1..<70_001, 0..<1, 70_001..<149_999] {
            #expect(try !place(id, range).get().isFinished)
        }
        #expect(world.shared?.unfinishedUploads == 1)
        let last = place(id, 149_999..<150_000)
        if isRight {
            let status = try last.get()
            #expect(status.isFinished)
            #expect(status.digests.sha256 == ObjectDigests.of(Self.bytes).sha256)
            #expect(try world.sha256("a") == ObjectDigests.of(Self.bytes).sha256)
        } else {
            let wrong = try reference(.sha256, [1])
            #expect(last.failure == .mismatch(.digest(.sha256, wrong)))
            #expect(place(id, 0..<1).failure == .notFound)
            #expect(try world.get("a").get() == nil)
        }
        world.settle()
        #expect(world.space.largeUsed == (isRight ? 49 : 0))
        #expect(world.shared?.unfinishedUploads == 0)
        #expect(world.close() == nil)
    }

    /// Nothing was said to be wrong with it: whoever asks next completes it.
    @Test func `stays where its bytes cannot be read for a moment`() throws {
        let id = try begin(.of(Self.bytes))
        _ = try place(id, 0..<100_000).get()
        world.disk.plan.strike(.read, number: 1, with: .error(.io))
        guard case .failure(.store(.unreadable)) = place(id, 100_000..<200_001) else {
            Issue.record("it should have been read back")
            return
        }
        #expect(world.disk.plan.hasStruck)
        #expect(try world.get("a").get() == nil)
        let asked = world.ask { core throws(UploadError) in try await core.uploadStatus(id) }
        #expect(try asked.get().isFinished)
        #expect(try world.get("a").get() == Self.bytes)
        for core in world.machine.cores {
            #expect(core.memory.bytesFree == core.memory.bytesTotal)
        }
        #expect(world.close() == nil)
    }

    /// Bytes that the disk has changed are no client's mistake.
    @Test func `is neither published nor given up where the disk has changed it`() throws {
        let id = try begin(.of(Self.bytes))
        _ = try place(id, 0..<100_000).get()
        let path = try #require(world.disk.visible.files.keys.first { $0.contains("large") })
        let blocks = try #require(world.disk.visible.files[path]).blocks
        let place = try #require(blocks.first { $0.value.starts(with: Self.bytes[..<16]) }).key
        world.disk.decay(path, offset: place * 4096 + 77)
        guard case .failure(.store(.corrupt)) = self.place(id, 100_000..<200_001) else {
            Issue.record("it should have been compared with its checksums")
            return
        }
        #expect(world.corruptions.count == 1)
        #expect(try world.get("a").get() == nil)
        #expect(world.shared?.unfinishedUploads == 1)
        #expect(
            world.ask { core throws(UploadError) in try await core.abortUpload(id) }.failure == nil)
        #expect(world.close() == nil)
    }

    /// Whatever fails while it is found out to be wrong, it is never seen.
    @Test(arguments: [OperationKind.read, .write, .sync])
    func `is nothing if it is not that, whatever fails meanwhile`(kind: OperationKind) throws {
        for number in 1...8 {
            let catalog = MemoryCatalog(instance: World.instance)
            let world = World(try World.hardware(cores: 2), catalog: catalog, seed: UInt64(number))
            try world.open()
            world.settle()
            let client = UploadClient("a", Self.bytes, saying: [1])
            world.disk.plan.strike(kind, number: number, with: .error(.io))
            client.create(world, on: 0)
            client.send(world, on: 1, to: 120_001)
            client.send(world, on: 0, to: 200_001)
            world.disk.plan.disarm()
            client.finish(world)
            let what: Comment = "\(kind) \(number): \(client.failures)"
            #expect(try world.get("a").get() == nil, what)
            #expect(world.close() == nil)
            let again = World(
                try World.hardware(cores: 2), disk: SimulatedDisk(world.disk.visible),
                catalog: catalog)
            try again.open()
            client.finish(again)
            #expect(!client.isFinished, what)
            #expect(try again.get("a").get() == nil, what)
            if client.id != nil {
                let isKnown = client.failures.contains {
                    if case .mismatch = $0 { true } else { $0 == .notFound }
                }
                #expect(isKnown, what)
                again.settle()
                #expect(again.space.largeUsed == 0, what)
            }
            #expect(again.close() == nil)
        }
    }

    @Test func `is told the digest that it wants of the whole`() throws {
        let id = try begin(ObjectDigests())
        var whole = WholeDigests()
        whole.wanted = [.sha256, .crc32c]
        let (claim, wanted) = (ChunkClaim(offset: 0, end: 200_001, isSequential: true), whole)
        let reads = world.disk.plan.counts[.read, default: 0]
        let status = try world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(id, claim, Self.bytes, whole: wanted)
        }.get()
        #expect(status.isFinished && status.digests == .of(Self.bytes))
        // Its one chunk was hashed as it came.
        #expect(world.disk.plan.counts[.read, default: 0] == reads)
        let core = world.cores[1]
        #expect(world.run(on: 1) { await core.statistics }.bytesHashed == 200_001)
        #expect(world.close() == nil)
    }

    /// Not the whole's: the first chunk ends before the upload does.
    @Test func `is not taken for what its first part is`() throws {
        let first = Array(Self.bytes[..<150_000])
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: nil, expected: .of(first)).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        _ = try world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, first)
        }.get()
        let rest = ChunkClaim(offset: 150_000, end: 200_001, isSequential: true)
        let last = world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(id, rest, Array(Self.bytes[150_000...]), ending: 200_001)
        }
        #expect(last.failure == .mismatch(.digest(.sha256, try reference(.sha256, first))))
        #expect(world.close() == nil)
    }
}
