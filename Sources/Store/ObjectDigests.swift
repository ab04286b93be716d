/// What all bytes of an object are found to be, or are said to be.

import Checksums
import Cryptography
public import IO
import Loop
import Volumes

public struct ObjectDigests: Equatable, Sendable {
    /// 32 bytes.
    public var sha256: [UInt8]?
    public var crc32c: UInt32?

    public init(sha256: [UInt8]? = nil, crc32c: UInt32? = nil) {
        self.sha256 = sha256
        self.crc32c = crc32c
    }

    public var isEmpty: Bool { sha256 == nil && crc32c == nil }

    public var kinds: DigestKinds {
        var kinds: DigestKinds = []
        if sha256 != nil { kinds.insert(.sha256) }
        if crc32c != nil { kinds.insert(.crc32c) }
        return kinds
    }

    /// The first of these that the bytes have not: `made` has all that are said here.
    public func mismatch(with made: ObjectDigests) -> ExpectedChecksum? {
        precondition(made.kinds.isSuperset(of: kinds), "nobody has made what is to be compared")
        if let sha256, sha256 != made.sha256 { return .digest(.sha256, sha256) }
        if let crc32c, crc32c != made.crc32c { return .crc32c(crc32c) }
        return nil
    }

    /// These and those; nil if they contradict each other.
    public func joined(with others: ObjectDigests) -> ObjectDigests? {
        if let sha256, let other = others.sha256, sha256 != other { return nil }
        if let crc32c, let other = others.crc32c, crc32c != other { return nil }
        return ObjectDigests(
            sha256: sha256 ?? others.sha256, crc32c: crc32c ?? others.crc32c)
    }
}

/// Digests that can be made of an object.
public struct DigestKinds: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let sha256 = DigestKinds(rawValue: 1)
    public static let crc32c = DigestKinds(rawValue: 2)
}

/// What the client of an upload says of the whole, whichever part its request brings.
public struct WholeDigests: Equatable, Sendable {
    /// It must be that, or is not published.
    public var expected = ObjectDigests()
    /// What it would like to be told once the whole is there.
    public var wanted: DigestKinds = []

    public init() {}
}

extension ObjectStore {
    func makeDigest(_ algorithm: DigestAlgorithm) throws(StoreError) -> RunningDigest {
        do throws(CryptographyError) {
            if state.faults.contains(.noDigest) { throw .digestUnavailable(algorithm) }
            return try RunningDigest(algorithm, on: hashing, loop: loop, arena: memory.arena)
        } catch {
            throw .noDigest("\(error)")
        }
    }

    /// Of the whole of a small object, which lies there. SHA-256 of so little is made on the spot:
    /// a hop to the hasher and back is two wake-ups. Fails with `.noDigest`.
    public func digests(
        _ kinds: DigestKinds, of bytes: Region
    ) throws(StoreError) -> ObjectDigests {
        precondition(bytes.count <= StoreLimits.smallBytesMax, "that is a large object")
        var made = ObjectDigests()
        let bytes = memory.arena.bytes(bytes)
        if kinds.contains(.crc32c) { made.crc32c = Checksums.crc32c(bytes) }
        guard kinds.contains(.sha256) else { return made }
        do throws(CryptographyError) {
            if state.faults.contains(.noDigest) { throw .digestUnavailable(.sha256) }
            var digest = try Digest(.sha256)
            digest.update(bytes)
            made.sha256 = digest.finish()
        } catch {
            throw .noDigest("\(error)")
        }
        count { $0.bytesHashed += UInt64(bytes.byteCount) }
        return made
    }

    /// Of a published object, whose bytes are read if need be.
    public func digests(
        _ kinds: DigestKinds, of pinned: Pinned
    ) async throws(StoreError) -> ObjectDigests {
        guard pinned.object.kind == .large else {
            let object = try await readSmall(pinned)
            let data = object.data
            let buffer = object.takeLease().detach()
            defer { memory.giveBack(BufferLease(attaching: buffer)) }
            return try digests(kinds, of: data)
        }
        let large = try await describe(pinned)
        var made = ObjectDigests(
            sha256: large.sha256, crc32c: kinds.contains(.crc32c) ? large.crc32c : nil)
        if kinds.contains(.sha256), made.sha256 == nil { made.sha256 = try await sha256(of: large) }
        return made
    }

    /// Reads all bytes back, compares them with their checksums, and has them hashed: one half of
    /// the buffer while the other is filled.
    func sha256(of large: LargeObject) async throws(StoreError) -> [UInt8] {
        let digest = try makeDigest(.sha256)
        let buffer = await memory.lease(
            preferring: StoreLimits.transferBytesMax, minimum: 2 * StoreLimits.unitBytes
        ).detach()
        let half = Int(buffer.count) / 2
        var marks: InlineArray<2, UInt64> = [0, 0]
        var turn = 0
        var failure: StoreError?
        do throws(StoreError) {
            for segment in large.segments {
                var offset: UInt64 = 0
                while offset < segment.length {
                    await digest.settle(marks[turn])
                    let target = buffer.part(from: turn * half, count: half)
                    let read = try await read(segment, offset: offset, into: target)
                    marks[turn] = digest.add(target.part(from: 0, count: read))
                    count { $0.bytesHashed += UInt64(read) }
                    offset += UInt64(read)
                    turn = 1 - turn
                }
            }
        } catch {
            failure = error
        }
        defer { memory.giveBack(BufferLease(attaching: buffer)) }
        if let failure {
            await digest.abandon()
            throw failure
        }
        return await digest.finish()
    }
}

extension ObjectDigests {
    /// CRC32C of the whole, from that of its units.
    static func crc32c(_ units: [UInt32], length: UInt64) -> UInt32 {
        combineCRC32C(
            units: units.span, unitByteCount: UInt64(StoreLimits.unitBytes), byteCount: length)
    }
}
