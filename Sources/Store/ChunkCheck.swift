/// What a client says of a chunk's bytes, and what is made of them as they come: to be compared,
/// or because the chunk may turn out to be the whole.

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
    private let store: ObjectStore
    private var digests: [RunningDigest] = []
    private let algorithms: [DigestAlgorithm]
    private var crc: UInt32 = 0
    /// Of all that was added, once that is asked whether it is right, if it was made.
    private(set) var sha256: [UInt8]?

    init(
        _ expected: [ExpectedChecksum], makesSHA256: Bool, _ store: ObjectStore
    ) throws(StoreError) {
        self.expected = expected
        self.store = store
        var algorithms: [DigestAlgorithm] = []
        for case .digest(let algorithm, _) in expected { algorithms.append(algorithm) }
        // Behind the others: a system that lacks one lacks SHA-1, and then none is running yet.
        if makesSHA256, !algorithms.contains(.sha256) { algorithms.append(.sha256) }
        self.algorithms = algorithms
        for algorithm in algorithms { digests.append(try store.makeDigest(algorithm)) }
    }

    /// Adds the chunk's next bytes, which nobody changes before their mark is settled.
    func add(_ bytes: Region) -> UInt64 {
        if hasCRC { crc = crc32c(store.memory.arena.bytes(bytes), continuing: crc) }
        var mark: UInt64 = 0
        for digest in digests {
            mark = digest.add(bytes)
            store.count { $0.bytesHashed += UInt64(bytes.count) }
        }
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
        if let index = algorithms.firstIndex(of: .sha256) { sha256 = made[index] }
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
