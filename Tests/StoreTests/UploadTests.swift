// Uploads in several chunks: they land where they belong, whatever their cuts, order and cores, and
// what was said to be there stays there.

import IO
import Simulator
import Testing
import Volumes

@testable import Store

@Suite struct `An upload in chunks` {
    let world: World

    init() throws {
        world = World(try World.hardware(cores: 2))
        try world.open()
    }

    private func id(_ name: String, _ length: UInt64?) throws -> UploadID {
        try world.ask { core throws(UploadError) in
            try await core.createUpload(name, length: length).id
        }.get()
    }

    private func restart() throws -> World {
        #expect(world.close() == nil)
        let again = World(
            try World.hardware(cores: 2), disk: SimulatedDisk(world.disk.visible),
            catalog: world.catalog)
        try again.open()
        return again
    }

    @Test func `in one piece is an object like any other`() throws {
        let bytes = content(300_000, seed: 1)
        let id = try id("a", 300_000)
        let status = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, bytes)
        }.get()
        #expect(status.isFinished && status.offset == 300_000)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }

    @Test(arguments: [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 199_999])
    func `goes on behind any byte, on the other core, after a restart`(cut: Int) throws {
        let bytes = content(200_000, seed: UInt64(cut))
        let id = try id("a", 200_000)
        let broken = world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, bytes, sent: cut)
        }
        #expect(try broken.get().offset == UInt64(cut))
        let again = try restart()
        let status = try again.ask(on: 1) { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.offset == UInt64(cut) && !status.isFinished && status.length == 200_000)
        let rest = Array(bytes[cut...])
        let done = try again.ask(on: 1) { core throws(UploadError) in
            try await core.append(id, at: UInt64(cut), rest)
        }.get()
        #expect(done.isFinished)
        #expect(try again.get("a").get() == bytes)
        #expect(again.close() == nil)
    }

    @Test func `may have every cut around a block's edge`() throws {
        let bytes = content(8200, seed: 3)
        for cut in 1...4097 {
            let id = try id("c\(cut)", 8200)
            let first = Array(bytes[..<cut])
            let rest = Array(bytes[cut...])
            let offset = try world.ask { core throws(UploadError) in
                try await core.append(id, at: 0, first).offset
            }.get()
            #expect(offset == UInt64(cut))
            let status = try world.ask(on: cut % 2) { core throws(UploadError) in
                try await core.append(id, at: UInt64(cut), rest)
            }.get()
            #expect(status.isFinished)
        }
        for cut in stride(from: 1, through: 4097, by: 97) {
            #expect(try world.get("c\(cut)").get() == bytes)
        }
        #expect(world.close() == nil)
    }

    @Test func `takes its chunks in any order, from both cores, that share blocks`() throws {
        let bytes = content(400_000, seed: 5)
        let id = try id("a", 400_000)
        let cuts = [0, 1000, 70_001, 140_000, 200_704, 333_333, 399_999, 400_000]
        var chunks = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
        chunks.swapAt(0, 5)
        chunks.swapAt(2, 6)
        for (index, chunk) in chunks.enumerated() {
            let part = Array(bytes[chunk])
            let status = try world.ask(on: index % 2) { core throws(UploadError) in
                try await core.place(id, at: UInt64(chunk.lowerBound), part)
            }.get()
            #expect(status.isFinished == (index == chunks.count - 1))
        }
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }

    @Test func `takes chunks at the same time on both cores`() throws {
        let bytes = content(600_000, seed: 6)
        let id = try id("a", 600_000)
        let cuts = [0, 150_001, 299_999, 450_123, 600_000]
        var handles: [World.Handle<Result<UploadStatus, UploadError>>] = []
        for (index, (start, end)) in zip(cuts, cuts.dropFirst()).enumerated() {
            let part = Array(bytes[start..<end])
            let core = world.cores[index % 2]
            handles.append(
                world.start(on: index % 2) {
                    await core.result { core throws(UploadError) in
                        try await core.place(id, at: UInt64(start), part)
                    }
                })
        }
        world.settle()
        let statuses = try handles.map { try #require($0.answer).get() }
        #expect(statuses.count { $0.isFinished } == 1)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }

    @Test func `of unknown length ends where its last chunk says`() throws {
        let bytes = content(5_000_000, seed: 7)
        let id = try id("a", nil)
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        let first = Array(bytes[..<3_000_001])
        let status = try world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, first)
        }.get()
        #expect(status.offset == 3_000_001 && status.length == nil)
        let rest = Array(bytes[3_000_001...])
        let last = ChunkClaim(offset: 3_000_001, end: nil, isSequential: true)
        let done = try world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(id, last, rest, ending: 5_000_000)
        }.get()
        #expect(done.isFinished && done.length == 5_000_000)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
        #expect(world.space.largeUsed == 1221)
    }

    @Test func `without a byte is an empty object`() throws {
        let id = try id("a", 0)
        let status = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, [])
        }.get()
        #expect(status.isFinished)
        #expect(try world.get("a").get() == [])
        #expect(world.close() == nil)
    }

    @Test func `that is finished says so, after a restart too`() throws {
        let bytes = content(100_000, seed: 8)
        let id = try id("a", 100_000)
        _ = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, bytes)
        }.get()
        try expectFinished(id, in: world)
        try expectFinished(id, in: try restart())
    }

    private func expectFinished(_ id: UploadID, in world: World) throws {
        let status = try world.ask(on: 1) { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.isFinished && status.offset == 100_000)
        let more = world.ask { core throws(UploadError) in
            try await core.append(id, at: 100_000, [1])
        }
        guard case .finished = more.failure else {
            Issue.record("took more: \(more)")
            return
        }
    }

    // MARK: Refused

    @Test func `is told the right offset, and loses nothing by a wrong one`() throws {
        let bytes = content(100_000, seed: 9)
        let id = try id("a", 100_000)
        let first = Array(bytes[..<30_000])
        _ = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, first)
        }.get()
        for wrong in [0, 29_999, 30_001, 99_999] as [UInt64] {
            let refused = world.ask { core throws(UploadError) in
                try await core.append(id, at: wrong, [1])
            }
            #expect(refused.failure == .refused(.wrongOffset(expected: 30_000)))
        }
        let rest = Array(bytes[30_000...])
        _ = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 30_000, rest)
        }.get()
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }

    @Test func `takes no byte past its end, nor another length`() throws {
        let id = try id("a", 1000)
        let tooLong = world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, content(1001, seed: 1))
        }
        #expect(tooLong.failure == .refused(.tooLong(limit: 1000)))
        let other = world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, [1], length: 2000)
        }
        #expect(other.failure == .refused(.inconsistentLength))
        let status = try world.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.offset == 0)
        #expect(world.close() == nil)
        #expect(world.space.largeUsed == 0)
    }

    @Test func `is nobody else's`() throws {
        let id = try id("a", 1000)
        let others = [
            world.ask { core throws(UploadError) in
                _ = try await core.uploadStatus(id, owner: "you")
            },
            world.ask { core throws(UploadError) in try await core.abortUpload(id, owner: "you") },
            world.ask { core throws(UploadError) in
                _ = try await core.sendChunk(
                    id, ChunkClaim(offset: 0, end: 1, isSequential: true), [1], owner: "you")
            },
        ]
        for answer in others { #expect(answer.failure == .notFound) }
        #expect(world.close() == nil)
    }

    @Test func `may send the same bytes again, and no others`() throws {
        let bytes = content(200_000, seed: 10)
        let id = try id("a", 200_000)
        for range in [0..<70_001, 131_072..<150_000] {
            let part = Array(bytes[range])
            _ = try world.ask { core throws(UploadError) in
                try await core.place(id, at: UInt64(range.lowerBound), part)
            }.get()
        }
        var other = bytes
        other[65_600] ^= 1
        let (wrong, all) = (other, bytes)
        let refused = world.ask(on: 1) { core throws(UploadError) in
            try await core.place(id, at: 0, wrong)
        }
        guard case .failure(.refused(.differs)) = refused else {
            Issue.record("was taken: \(refused)")
            return
        }
        let done = try world.ask(on: 1) { core throws(UploadError) in
            try await core.place(id, at: 0, all)
        }.get()
        #expect(done.isFinished)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }

    @Test func `that is given up leaves nothing`() throws {
        let bytes = content(500_000, seed: 11)
        let id = try id("a", 900_000)
        _ = try world.ask { core throws(UploadError) in
            try await core.place(id, at: 100, bytes)
        }.get()
        #expect(world.space.largeUsed > 0)
        _ = try world.ask(on: 1) { core throws(UploadError) in
            try await core.abortUpload(id)
        }.get()
        let status = world.ask { core throws(UploadError) in try await core.uploadStatus(id) }
        #expect(status.failure == .notFound)
        world.settle()
        #expect(world.space.largeUsed == 0)
        #expect(try world.get("a").get() == nil)
        #expect(world.close() == nil)
    }

    @Test func `whose name was taken meanwhile is gone, and the other object stays`() throws {
        let bytes = content(100_000, seed: 12)
        let id = try id("a", 100_000)
        _ = try world.put("a", content(80_000, seed: 13)).get()
        let taken = world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, bytes)
        }
        #expect(taken.failure == .nameTaken)
        #expect(try world.get("a").get() == content(80_000, seed: 13))
        world.settle()
        #expect(world.space.largeUsed == 20)
        #expect(world.close() == nil)
    }

    @Test func `with the bytes that its name has already is finished`() throws {
        let bytes = content(100_000, seed: 14)
        let id = try id("a", 100_000)
        _ = try world.put("a", bytes).get()
        let status = try world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, bytes)
        }.get()
        #expect(status.isFinished)
        world.settle()
        #expect(world.space.largeUsed == 25)
        #expect(world.close() == nil)
    }

    @Test func `whose time is over is refused, then gone, and its space is free`() throws {
        let id = try world.ask { core throws(UploadError) in
            let id = try await core.createUpload("a", length: 200_000, secondsToLive: 0).id
            return id
        }.get()
        let late = world.ask { core throws(UploadError) in
            try await core.append(id, at: 0, content(1000, seed: 1))
        }
        #expect(late.failure == .expired)
        let kept = try world.ask { core throws(UploadError) in
            let id = try await core.createUpload("b", length: 200_000).id
            _ = try await core.append(id, at: 0, content(200_000, seed: 1), sent: 100_000)
            return id
        }.get()
        let core = world.core
        world.run { await core.endExpiredUploads() }
        world.settle()
        let gone = world.ask { core throws(UploadError) in try await core.uploadStatus(id) }
        #expect(gone.failure == .notFound)
        let there = world.ask { core throws(UploadError) in try await core.uploadStatus(kept) }
        #expect(try there.get().offset == 100_000)
        #expect(world.space.largeUsed == 25)
        #expect(world.close() == nil)
    }

    // MARK: Preemption

    /// At several moments: while it waits for space, and with writes under way.
    @Test(arguments: [1, 5, 12, 30])
    func `goes on with a newer request, and the older one ends`(operations: Int) throws {
        let bytes = content(6_000_000, seed: 15)
        let id = try id("a", 6_000_000)
        let (core, begun) = (world.cores[0], world.disk.operationCount)
        let older = world.start {
            await core.result { core throws(UploadError) in
                try await core.append(id, at: 0, bytes)
            }
        }
        _ = world.machine.run { world.disk.operationCount > begun + operations }
        let status = try world.ask(on: 1) { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        world.settle()
        #expect(try #require(older.answer).failure == .preempted)
        #expect(!status.isFinished && status.offset < 6_000_000)
        let rest = Array(bytes[Int(status.offset)...])
        let done = try world.ask(on: 1) { core throws(UploadError) in
            try await core.append(id, at: status.offset, rest)
        }.get()
        #expect(done.isFinished)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
