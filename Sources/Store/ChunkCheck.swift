/// What a client says of a chunk's bytes, and what is made of them as they come.

import Checksums
public import Cryptography
import IO
import Loop

/// A checksum or digest that a chunk should have.
public enum ExpectedChecksum: Equatable, Sendable {
    case crc32c(UInt32)
    case digest(DigestAlgorithm, [UInt8])
}

/// Belongs to one `ChunkWriter`. Ends with exactly one of `isRight` and `abandon`.
final class ChunkCheck {
    private let expected: [ExpectedChecksum]
    private var digests: [RunningDigest] = []
    private var crc: UInt32 = 0

    init(_ expected: [ExpectedChecksum], _ store: ObjectStore) throws(CryptographyError) {
        self.expected = expected
        for case .digest(let algorithm, _) in expected {
            digests.append(
                try RunningDigest(
                    algorithm, on: store.hashing, loop: store.loop, arena: store.memory.arena))
        }
    }

    /// Adds the chunk's next bytes, which nobody changes before their mark is settled.
    func add(_ bytes: Region, in arena: Arena) -> UInt64 {
        if hasCRC { crc = crc32c(arena.bytes(bytes), continuing: crc) }
        var mark: UInt64 = 0
        for digest in digests { mark = digest.add(bytes) }
        return mark
    }

    private var hasCRC: Bool {
        expected.contains { if case .crc32c = $0 { true } else { false } }
    }

    func settle(_ mark: UInt64?) async {
        guard let mark else { return }
        for digest in digests { await digest.settle(mark) }
    }

    func isRight() async -> Bool {
        var made: [[UInt8]] = []
        for digest in digests { made.append(await digest.finish()) }
        digests = []
        var next = made.makeIterator()
        var isRight = true
        for value in expected {
            switch value {
            case .crc32c(let wanted): isRight = isRight && wanted == crc
            case .digest(_, let wanted): isRight = isRight && next.next() == wanted
            }
        }
        return isRight
    }

    func abandon() async {
        for digest in digests { await digest.abandon() }
        digests = []
    }
}
