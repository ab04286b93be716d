// A chunk of which the client says what it is counts only if it is that.

import Checksums
import Cryptography
import Simulator
import Testing
import Volumes

@testable import Store

/// CRC32C and SHA-256.
private func checksums(of bytes: [UInt8]) -> [ExpectedChecksum] {
    guard var digest = try? Digest(.sha256) else { preconditionFailure("no SHA-256") }
    digest.update(bytes.span.rawBytes)
    return [.crc32c(crc32c(bytes.span.rawBytes)), .digest(.sha256, digest.finish())]
}

@Suite struct `A chunk with checksums` {
    @Test func `is taken if it has them, and nothing of it if not`() throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        let bytes = content(300_001, seed: 20)
        let id = try world.ask { core throws(UploadError) in
            try await core.createUpload("a", length: 300_001).id
        }.get()
        let claim = ChunkClaim(offset: 0, end: 200_000, isSequential: true)
        let first = Array(bytes[..<200_000])
        let right = checksums(of: first)
        for wrong in [checksums(of: [1]), [right[0], checksums(of: [1])[1]]] {
            let status = try world.ask { core throws(UploadError) in
                try await core.sendChunk(id, claim, first, expected: wrong)
            }.get()
            #expect(status.offset == 0 && status.received.isEmpty)
        }
        // One that breaks off cannot be judged.
        let broken = try world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(id, claim, first, sent: 150_000, expected: right)
        }.get()
        #expect(broken.offset == 0)
        let taken = try world.ask(on: 1) { core throws(UploadError) in
            try await core.sendChunk(id, claim, first, expected: right)
        }.get()
        #expect(taken.offset == 200_000)
        let last = Array(bytes[200_000...])
        let rest = ChunkClaim(offset: 200_000, end: 300_001, isSequential: true)
        let done = try world.ask { core throws(UploadError) in
            try await core.sendChunk(id, rest, last, expected: checksums(of: last))
        }.get()
        #expect(done.isFinished)
        #expect(try world.get("a").get() == bytes)
        #expect(world.close() == nil)
    }
}
