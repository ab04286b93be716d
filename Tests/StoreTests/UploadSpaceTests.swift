// Goal:   what unfinished uploads hold is counted for their owners to the byte, whatever becomes of
//         them: sent, broken off, given up, finished, out of time, or met again after a restart;
//         and nobody holds more than the limits say.
// Method: random histories on two cores; after each step the count is held against the records in
//         the catalog, which say where every block lies.

import Catalog
import Checksums
import IO
import Simulator
import Synchronization
import Testing
import Volumes

@testable import Store

@Suite struct `The space of unfinished uploads` {
    private static let perOwner: UInt64 = 2 << 20
    private static let total: UInt64 = 3 << 20

    private struct Upload {
        let id: UploadID
        let owner: String
        let bytes: [UInt8]
        let tellsLength: Bool
    }

    private func world(
        disk: SimulatedDisk = SimulatedDisk(), catalog: MemoryCatalog, scale: UInt64 = 1
    ) throws -> World {
        let world = World(try World.hardware(cores: 2), disk: disk, catalog: catalog)
        world.unfinishedBytesMax = Self.total / scale
        world.unfinishedBytesPerOwnerMax = Self.perOwner / scale
        try world.open()
        return world
    }

    private func heldBy(_ world: World) throws -> [[UInt8]: UploadBudget.Holding] {
        try #require(world.shared).state.uploads.withLock { $0.heldBy }
    }

    /// By the records.
    private func recorded(_ catalog: MemoryCatalog) throws -> [[UInt8]: UploadBudget.Holding] {
        var records: [UploadRecord] = []
        var failure: UploadRecordError?
        try catalog.makeReader().forEachUpload { _, value in
            do throws(UploadRecordError) {
                records.append(try UploadRecord.decode(value.span.rawBytes))
            } catch {
                failure = error
            }
        }
        #expect(failure == nil)
        return records.filter { !$0.isFinished }.reduce(into: [:]) { held, record in
            held[record.owner, default: UploadBudget.Holding()].count += 1
            held[record.owner]?.bytes += record.space.byteCount
        }
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `is counted to the byte`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let catalog = MemoryCatalog(instance: World.instance)
        var world = try world(catalog: catalog, scale: 4)
        var uploads: [Upload] = []
        var refusals = 0
        for step in 0..<160 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3: begin(world, step, &uploads, &random)
            case 4...6:
                guard let upload = uploads.randomElement(using: &random) else { continue }
                if send(upload, world, &random) { refusals += 1 }
            case 7:
                guard !uploads.isEmpty else { continue }
                let upload = uploads.remove(at: .random(in: 0..<uploads.count, using: &random))
                _ = world.ask { core throws(UploadError) in
                    try await core.abortUpload(upload.id, owner: upload.owner)
                }
            case 8:
                // Half of them were touched within that time.
                world.machine.wallSeconds += 40
                for core in world.cores {
                    world.run(on: core.index) { await core.endExpiredUploads() }
                }
            default:
                #expect(world.close() == nil)
                world = try self.world(
                    disk: SimulatedDisk(world.disk.visible), catalog: catalog, scale: 4)
            }
            world.settle()
            let held = try heldBy(world)
            #expect(try held == recorded(catalog), "seed \(seed), step \(step)")
            #expect(held.values.allSatisfy { $0.bytes <= Self.perOwner / 4 })
            #expect(held.values.reduce(0) { $0 + $1.bytes } <= Self.total / 4)
        }
        #expect(refusals > 0, "seed \(seed): no limit was reached")
        world.machine.wallSeconds += 10_000
        for core in world.cores { world.run(on: core.index) { await core.endExpiredUploads() } }
        world.settle()
        #expect(try heldBy(world).isEmpty)
        #expect(lostBlocks(in: world) == [])
        #expect(world.close() == nil)
    }

    private func begin(
        _ world: World, _ step: Int, _ uploads: inout [Upload], _ random: inout SeededRandom
    ) {
        let bytes = content(.random(in: 1...524_288, using: &random), seed: UInt64(step))
        let name = "upload \(step)"
        if Int.random(in: 0..<3, using: &random) == 0, bytes.count > 140_000 {
            // A plain PUT that breaks off is its owner's from then on, if there is room.
            let sent = Int.random(in: 0..<bytes.count / 131_072, using: &random) * 131_072
            let core = world.cores[1]
            guard let id = world.run(on: 1, { await core.breakOff(name, bytes, sent: sent) })
            else { return }
            uploads.append(Upload(id: id, owner: "me", bytes: bytes, tellsLength: true))
            return
        }
        let owner = Bool.random(using: &random) ? "me" : "you"
        let tellsLength = Bool.random(using: &random)
        let seconds = UInt64.random(in: 30...100, using: &random)
        let answer = world.ask(on: .random(in: 0...1, using: &random)) { core throws(UploadError) in
            try await core.createUpload(
                name, length: tellsLength ? UInt64(bytes.count) : nil, owner: owner,
                secondsToLive: seconds)
        }
        guard case .success(let status) = answer else { return }
        uploads.append(Upload(id: status.id, owner: owner, bytes: bytes, tellsLength: tellsLength))
    }

    /// A chunk from where the upload is on, or from anywhere. Whether a limit of space was in the
    /// way.
    private func send(_ upload: Upload, _ world: World, _ random: inout SeededRandom) -> Bool {
        let size = upload.bytes.count
        let isSequential = !upload.tellsLength || Bool.random(using: &random)
        var offset = Int.random(in: 0..<size, using: &random)
        if isSequential {
            let asked = world.ask { core throws(UploadError) in
                try await core.uploadStatus(upload.id, owner: upload.owner)
            }
            guard case .success(let status) = asked, !status.isFinished else { return false }
            offset = Int(status.offset)
        }
        let end = Int.random(in: offset...size, using: &random)
        let part = Array(upload.bytes[offset..<end])
        let sent =
            Bool.random(using: &random) ? Int.random(in: 0...part.count, using: &random) : nil
        let claim = ChunkClaim(
            offset: UInt64(offset), end: upload.tellsLength ? UInt64(end) : nil,
            isSequential: isSequential)
        let ending = end == size && !upload.tellsLength ? UInt64(end) : nil
        let answer = world.ask(on: .random(in: 0...1, using: &random)) { core throws(UploadError) in
            try await core.sendChunk(
                upload.id, claim, part, sent: sent, owner: upload.owner, ending: ending)
        }
        switch answer.failure {
        case .tooMany(.bytes), .tooMany(.bytesPerOwner): return true
        default: return false
        }
    }

    // MARK: Corners

    @Test func `is refused before the body, and had once another one ends`() throws {
        let world = try world(catalog: MemoryCatalog(instance: World.instance))
        let bytes = content(1_500_000, seed: 1)
        let ids = try ["a", "b"].map { name in
            try world.ask { core throws(UploadError) in
                try await core.createUpload(name, length: 1_500_000).id
            }.get()
        }
        _ = try world.ask { core throws(UploadError) in
            try await core.append(ids[0], at: 0, bytes, sent: 900_000)
        }.get()
        // It keeps what came, in whole blocks; what was reserved for the rest is free again.
        #expect(world.shared?.unfinishedBytes == 901_120)
        let refused = world.ask { core throws(UploadError) in
            try await core.append(ids[1], at: 0, bytes)
        }
        #expect(refused.failure == .tooMany(.bytesPerOwner(Self.perOwner)))
        #expect(world.shared?.unfinishedBytes == 901_120)
        _ = try world.ask(on: 1) { core throws(UploadError) in
            try await core.abortUpload(ids[0])
        }.get()
        #expect(world.shared?.unfinishedBytes == 0)
        let done = try world.ask { core throws(UploadError) in
            try await core.append(ids[1], at: 0, bytes)
        }.get()
        #expect(done.isFinished && world.shared?.unfinishedBytes == 0)
        #expect(world.close() == nil)
    }

    @Test func `is not for what never could have enough`() throws {
        let world = try world(catalog: MemoryCatalog(instance: World.instance))
        let limit = ChunkRefusal.tooLong(limit: Self.perOwner)
        let told = world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: Self.perOwner + 1)
        }
        #expect(told.failure == .refused(limit))
        // Of unknown length: as far as it may come.
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("b", length: nil).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        let cut = world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, content(Int(Self.perOwner) + 1, seed: 2))
        }
        #expect(cut.failure == .refused(limit))
        let status = try world.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.offset == Self.perOwner)
        #expect(world.shared?.unfinishedBytes == Self.perOwner)
        // A plain PUT may be longer, but is not kept.
        let core = world.core
        _ = world.run { await core.breakOff("c", content(2_500_000, seed: 3), sent: 131_072) }
        #expect(world.shared?.unfinishedUploads == 1)
        _ = try world.put("c", content(2_500_000, seed: 3)).get()
        #expect(world.close() == nil)
    }

    /// The body's end is not known, and there is less than it would get at a time.
    @Test func `is had in small pieces where there are no large ones`() throws {
        let world = try world(catalog: MemoryCatalog(instance: World.instance))
        let bytes = content(1_000_000, seed: 4)
        let first = try world.ask { core throws(UploadError) in
            let id = try await core.createUpload("a", length: 1_200_000).id
            _ = try await core.append(id, at: 0, bytes)
            return id
        }.get()
        let second = try world.ask { core throws(UploadError) in
            try await core.createUpload("b", length: nil).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        let done = try world.ask { core throws(UploadError) in
            try await core.sendChunk(second, claim, bytes, ending: 1_000_000)
        }.get()
        #expect(done.isFinished)
        #expect(try world.get("b").get() == bytes)
        _ = try world.ask { core throws(UploadError) in try await core.abortUpload(first) }.get()
        #expect(world.shared?.unfinishedBytes == 0)
        #expect(world.close() == nil)
    }

    @Test func `that the disk does not have is not counted`() throws {
        let world = World(try World.hardware())
        world.capacityBytes = 256 << 20
        world.unfinishedBytesMax = 1 << 30
        try world.open()
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 1 << 30).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: 1 << 30, isSequential: true)
        let refused = world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, [], sent: 0)
        }
        #expect(refused.failure == .store(.noSpace))
        #expect(world.shared?.unfinishedBytes == 0 && world.shared?.unfinishedUploads == 1)
        #expect(world.close() == nil)
    }
}
