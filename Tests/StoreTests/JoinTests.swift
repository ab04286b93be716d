// Goal:   uploads of any lengths become one object whose bytes are theirs in their order; who asks
//         for what cannot be gets an error and loses nothing; every block is accounted for.
// Method: a simulated machine of two cores, parts on both; restarts.

import Catalog
import IO
import Loop
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `Uploads that are put together` {
    private static let lists: [[Int]] = [
        [0], [0, 0], [1], [1, 4095, 0, 60_000], [65_536], [65_537], [65_536, 1],
        [1, 65_536], [65_536, 65_536, 131_072, 5], [4096, 4096, 4096, 200_000],
        [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 200_001], [1_048_577, 3, 1_048_576],
    ]

    private func pieces(_ lengths: [Int]) -> [[UInt8]] {
        lengths.enumerated().map { content($0.element, seed: UInt64(300 + $0.offset)) }
    }

    @Test(arguments: lists)
    func `are one object, and are no more`(lengths: [Int]) throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let hardware = try World.hardware(cores: 2)
        let world = World(hardware, catalog: catalog)
        try world.open()
        let pieces = pieces(lengths)
        let state = JoinState(pieces)
        let parts = try pieces.enumerated().map { try world.part($0.element, on: $0.offset % 2) }
        let status = try world.join("whole", parts, on: 1).get()
        #expect(status.isFinished && status.offset == UInt64(state.bytes.count))
        #expect(status.length == UInt64(state.bytes.count) && status.terms.parts == parts)
        for core in 0...1 {
            #expect(try world.get("whole", on: core).get() == state.bytes)
        }
        for part in parts { #expect(world.status(part).failure == .notFound) }
        #expect(world.shared?.unfinishedUploads == 0)
        #expect(world.space.largeUsed == state.blocks)
        #expect(world.close() == nil)

        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        #expect(try again.get("whole").get() == state.bytes)
        let later = try again.status(status.id).get()
        #expect(later.isFinished && later.terms == status.terms && later.offset == status.offset)
        #expect(later.terms.metadata == Array("said".utf8))
        #expect(again.space.largeUsed == state.blocks)
        #expect(try again.remove("whole").get())
        again.settle()
        #expect(again.space.largeUsed == 0)
        #expect(again.close() == nil)
    }

    /// Any piece of a stored object is compared with what comes, across its segments.
    @Test func `are compared byte by byte`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let pieces = pieces([1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 200_001])
        let bytes = pieces.flatMap { $0 }
        _ = try world.join("whole", pieces.map { try world.part($0) }).get()
        var random = SeededRandom(seed: 5)
        let core = world.core
        for _ in 0..<60 {
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let count = Int.random(in: 1...min(200_000, bytes.count - start), using: &random)
            var part = Array(bytes[start..<start + count])
            #expect(world.run { await core.matches("whole", at: UInt64(start), part) } == true)
            part[Int.random(in: 0..<count, using: &random)] ^= 1
            #expect(world.run { await core.matches("whole", at: UInt64(start), part) } == false)
        }
        #expect(world.close() == nil)
    }

    /// The same bytes may lie in other segments, or in none.
    @Test func `are what they are, however they were sent before or after`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let bytes = content(300_000, seed: 7)
        let cuts = [[100_001, 200_000], [65_536, 131_073], [4, 299_999]]
        func parts(_ cuts: [Int]) throws -> [UploadID] {
            try zip([0] + cuts, cuts + [bytes.count]).map {
                try world.part(Array(bytes[$0..<$1]))
            }
        }
        let first = try world.join("whole", try parts(cuts[0])).get()
        let used = world.space.largeUsed
        for cuts in cuts {
            let status = try world.join("whole", try parts(cuts), on: 1).get()
            #expect(status.isFinished && status.id != first.id)
        }
        world.settle()
        #expect(world.space.largeUsed == used)
        guard case .existsIdentical = try world.put("whole", bytes).get() else {
            Issue.record("a plain upload of the same bytes is another one")
            return
        }
        var other = bytes
        other[250_000] ^= 1
        guard case .existsDifferent = try world.put("whole", other).get() else {
            Issue.record("a plain upload of other bytes is the same")
            return
        }
        _ = try world.put("plain", bytes).get()
        #expect(try world.join("plain", try parts(cuts[1])).get().isFinished)
        world.settle()
        #expect(world.shared?.unfinishedUploads == 0)
        #expect(world.space.largeUsed == used + VolumeLayout.blocks(for: 300_000))
        #expect(world.close() == nil)
    }

    @Test func `are kept when the name is another object's`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let bytes = content(150_000, seed: 8)
        _ = try world.put("whole", content(150_000, seed: 9)).get()
        let parts = [
            try world.part(Array(bytes[..<70_001])), try world.part(Array(bytes[70_001...])),
        ]
        #expect(world.join("whole", parts).failure == .nameTaken)
        #expect(try world.status(parts[0]).get().offset == 70_001)
        #expect(try world.join("free", parts).get().isFinished)
        #expect(try world.get("free").get() == bytes)
        #expect(world.close() == nil)
    }

    // MARK: Parts

    @Test func `are no objects by themselves`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let hardware = try World.hardware(cores: 2)
        let world = World(hardware, catalog: catalog)
        try world.open()
        let bytes = content(90_000, seed: 10)
        let part = try world.part(bytes)
        let deferred = try world.ask { core throws(UploadError) in
            try await core.createPart(length: nil).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        let ended = try world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(deferred, claim, bytes, ending: 90_000)
        }.get()
        #expect(!ended.isFinished && ended.length == 90_000 && ended.offset == 90_000)
        for id in [part, deferred] {
            let status = try world.status(id).get()
            #expect(!status.isFinished && status.terms.isPartial && status.offset == 90_000)
        }
        #expect(world.list().isEmpty)
        #expect(world.close() == nil)
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        try again.open()
        for id in [part, deferred] {
            let status = try again.status(id).get()
            #expect(!status.isFinished && status.terms.isPartial && status.offset == 90_000)
        }
        #expect(again.shared?.unfinishedUploads == 2)
        #expect(try again.join("whole", [deferred, part]).get().isFinished)
        #expect(try again.get("whole").get() == bytes + bytes)
        #expect(again.close() == nil)
    }

    @Test func `end when their time is over`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let part = try world.part(content(90_000, seed: 11), on: 1)
        #expect(world.space.largeUsed == 22)
        world.machine.wallSeconds += 4000
        #expect(world.join("whole", [part]).failure == .expired)
        for core in world.cores { world.run(on: core.index) { await core.endExpiredUploads() } }
        #expect(world.join("whole", [part]).failure == .notFound)
        #expect(world.space.largeUsed == 0 && world.shared?.unfinishedUploads == 0)
        #expect(world.close() == nil)
    }

    // MARK: What is refused

    @Test func `are refused where they cannot be, and stay as they were`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let pieces = pieces([70_001, 5000])
        let parts = [try world.part(pieces[0]), try world.part(pieces[1], on: 1)]
        let others = try world.ask { core throws(UploadError) in
            try await core.createPart(length: 0, owner: "you").id
        }.get()
        let (whole, finished, short, unsaid) = try world.ask { core throws(UploadError) in
            let whole = try await core.createUpload("a", length: 10).id
            let finished = try await core.createUpload("b", length: 3)
            _ = try await core.append(finished.id, at: 0, [1, 2, 3])
            let short = try await core.createPart(length: 10).id
            _ = try await core.append(short, at: 0, [1, 2, 3])
            let unsaid = try await core.createPart(length: nil).id
            return (whole, finished.id, short, unsaid)
        }.get()
        let nobody = UploadID(high: 1, low: 1)
        let wrong: [([UploadID], UploadError)] = [
            ([parts[0], nobody], .notFound), ([others, parts[0]], .notFound),
            ([parts[0], parts[1], parts[0]], .notJoinable(.isRepeated)),
            ([parts[1], whole], .notJoinable(.isNoPart)),
            ([parts[1], finished, parts[0]], .notJoinable(.isNoPart)),
            ([parts[0], short], .notJoinable(.isUnfinished)),
            ([unsaid, parts[0]], .notJoinable(.isUnfinished)),
        ]
        for (ids, error) in wrong {
            for core in 0...1 { #expect(world.join("whole", ids, on: core).failure == error) }
        }
        #expect(world.join("whole", parts, owner: "you").failure == .notFound)
        #expect(try world.get("whole").get() == nil)
        #expect(try world.status(short).get().offset == 3)
        #expect(try world.join("whole", parts).get().isFinished)
        #expect(try world.get("whole").get() == pieces[0] + pieces[1])
        #expect(world.join("again", parts).failure == .notFound)
        #expect(world.close() == nil)
    }

    @Test func `are refused where they are too long, or in too many pieces`() throws {
        let world = World(try World.hardware(cores: 2))
        world.uploadBytesMax = 100_000
        try world.open()
        let parts = try pieces([60_000, 40_001]).map { try world.part($0) }
        #expect(world.join("whole", parts).failure == .refused(.tooLong(limit: 100_000)))
        #expect(try world.status(parts[1]).get().offset == 40_001)
        #expect(try world.join("whole", [parts[0]]).get().isFinished)
        #expect(world.close() == nil)
    }

    /// All whose bytes have come are parts, though somebody may send some of them once more.
    @Test func `do not wait for who sends what is there already`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let bytes = content(200_000, seed: 12)
        let part = try world.part(bytes)
        let core = world.cores[1]
        let repeating = world.start(on: 1) {
            await core.result { core throws(UploadError) in
                try await core.repeatSlowly(part, bytes)
            }
        }
        _ = world.machine.run { false }
        #expect(repeating.answer == nil)
        #expect(try world.join("whole", [part]).get().isFinished)
        world.settle()
        #expect(repeating.answer?.failure == .preempted)
        #expect(try world.get("whole").get() == bytes)
        #expect(world.close() == nil)
    }

    @Test func `are refused where there are more than an upload may have`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let many = (0..<257).map { UploadID(high: 1, low: UInt64($0)) }
        #expect(world.join("whole", many).failure == .notJoinable(.isTooScattered))
        #expect(world.join("whole", Array(many.dropLast())).failure == .notFound)
        #expect(world.close() == nil)
    }

    /// One extent a block.
    @Test(
        arguments: [
            (65_536, 15_000, true), (65_537, 0, true), (65_536, 0, true), (50_000, 0, false),
            (16, 245_760, false), (16, 250_000, false), (4096, 245_760, true),
        ])
    func `are in too many pieces where one record does not tell them`(
        shape: (pieces: Int, units: Int, isTooMany: Bool)
    ) {
        var parts = (0..<shape.pieces).map { index in
            lent(4096, Extent(volume: VolumeID(1), start: UInt32(600 + index), count: 1), units: 1)
        }
        if shape.units > 0 {
            let extent = Extent(volume: VolumeID(2), start: 600, count: UInt32(shape.units * 16))
            parts.append(lent(extent.byteCount, extent, units: shape.units))
        }
        var terms = UploadTerms(
            name: [1], owner: [], mediaType: [], length: nil, dialect: .tus)
        terms.parts = [UploadID(high: 1, low: 1)]
        let upload = OpenUpload(
            UploadID(high: 1, low: 2), terms, UploadState(length: 1 << 40, bytesMax: .max),
            created: 1, lastActivity: 1, expires: 2, outcome: .unfinished, isRecorded: true)
        #expect(JoinedUpload(upload, parts, at: 1).isTooScattered == shape.isTooMany)
    }

    private func lent(_ length: UInt64, _ extent: Extent, units: Int) -> LentPart {
        LentPart(
            length: length, extents: [extent], checksums: Array(repeating: 0, count: units),
            spare: [], recorded: RecordedPart(id: UploadID(high: 1, low: 1), extents: []),
            mark: .start)
    }

    /// Its record is on the disk, but nobody was told; then somebody else has the name. Nobody
    /// knows before a restart whether the parts are an object's: they are not.
    @Test func `are parts again once it is known that they became no object`() throws {
        let catalog = MemoryCatalog(instance: World.instance)
        let hardware = try World.hardware(cores: 2)
        let world = World(hardware, catalog: catalog)
        // One segment a volume: each core writes records to one of its own.
        world.volumeBytes = 64 << 20
        try world.open()
        _ = try world.put("a", [1], on: 0).get()
        _ = try world.put("b", [2], on: 1).get()
        let pieces = pieces([70_001, 5000])
        let parts = [try world.part(pieces[0]), try world.part(pieces[1], on: 1)]
        world.settle()
        // First the data is flushed, then the record.
        world.disk.plan.strike(.sync, number: 2, with: .error(.io))
        #expect(world.join("whole", parts, on: 1).failure == .store(.readOnly))
        #expect(world.disk.plan.hasStruck)
        world.disk.plan.disarm()
        #expect(world.status(parts[0]).failure == .store(.readOnly))
        guard case .created = try world.put("whole", [3], on: 0).get() else {
            Issue.record("the name is not free")
            return
        }
        world.settle()
        _ = world.close()
        let again = World(hardware, disk: SimulatedDisk(world.disk.visible), catalog: catalog)
        again.volumeBytes = 64 << 20
        try again.open()
        #expect(try again.get("whole").get() == [3])
        #expect(try again.status(parts[0]).get().offset == 70_001)
        #expect(try again.join("free", parts).get().isFinished)
        #expect(try again.get("free").get() == pieces[0] + pieces[1])
        again.settle()
        #expect(again.space.largeUsed == 20)
        #expect(again.close() == nil)
    }
}

extension TestCore {
    /// Whether those bytes are in the object there; nil if there is none.
    fileprivate func matches(_ name: String, at offset: UInt64, _ bytes: [UInt8]) async -> Bool? {
        guard let pinned = try? await pin(name) else { return nil }
        defer { release(pinned) }
        guard let large = try? await objects.describe(pinned) else { return nil }
        let lease = await memory.value.lease(bytes.count)
        let received = lease.region.part(from: 0, count: bytes.count)
        fill(received, bytes)
        let isEqual = try? await objects.matches(large, offset: offset, received: received)
        memory.value.giveBack(lease)
        return isEqual
    }

    /// Sends what is there already, and goes on only when it is cut.
    fileprivate func repeatSlowly(
        _ id: UploadID, _ bytes: [UInt8]
    ) async throws(UploadError) -> UploadStatus {
        let claim = ChunkClaim(offset: 0, end: UInt64(bytes.count), isSequential: false)
        let chunk = try await objects.beginChunk(id, owner: Array("me".utf8), claim)
        let ticket = loop.makeTicket()
        let loop = loop
        chunk.whenCut = { loop.wake(ticket) }
        _ = await loop.answer(ticket)
        chunk.whenCut = nil
        _ = try? await chunk.keep()
        throw .preempted
    }
}
