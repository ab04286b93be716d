// Goal:   a chunk of which nobody knows how long it will be takes no byte past the upload's end;
//         the space that was reserved for what never came is free again.

import Testing
import Volumes

@testable import Store

@Suite struct `A chunk of unknown length` {
    @Test(arguments: [100_001, 102_400, 102_401, 150_000, 3_000_000])
    func `is refused where it is longer than its upload, and nothing past the end is taken`(
        sent: Int
    ) throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let bytes = content(sent, seed: UInt64(sent))
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 100_000).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: nil, isSequential: true)
        let refused = world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, bytes)
        }
        #expect(refused.failure == .refused(.tooLong(limit: 100_000)))
        let status = try world.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        #expect(status.offset <= 100_000 && !status.isFinished)
        let rest = Array(bytes[Int(status.offset)..<100_000])
        let done = try world.ask { core throws(UploadError) in
            try await core.append(id, at: status.offset, rest)
        }.get()
        #expect(done.isFinished)
        #expect(try world.get("a").get() == Array(bytes[..<100_000]))
        #expect(world.close() == nil)
    }
}

@Suite struct `Space that was reserved for a chunk` {
    /// Of which nothing came: one that says how long it is, and one that does not.
    @Test(arguments: [1_000_000, nil] as [UInt64?])
    func `is free again once the chunk has ended`(end: UInt64?) throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        _ = try world.put("a", content(100_000, seed: 1)).get()
        let used = world.space.largeUsed
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("b", length: 1_000_000).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: end, isSequential: true)
        let bytes = content(1_000_001, seed: 2)
        _ = world.ask { core throws(UploadError) in
            try await core.sendChunk(id, claim, bytes, sent: end == nil ? nil : 0)
        }
        let status = try world.ask { core throws(UploadError) in
            try await core.uploadStatus(id)
        }.get()
        if end != nil {
            #expect(status.offset == 0)
            #expect(world.space.largeUsed == used)
        }
        _ = try world.ask { core throws(UploadError) in try await core.abortUpload(id) }.get()
        #expect(world.space.largeUsed == used)
        #expect(world.close() == nil)
    }
}
