// Goal:   digests are those of the standards, however the bytes come; and where there is none, the
//         reason is told.
// Method: RFC 6234's vectors; every cut of a message of several blocks; a process of its own whose
//         OpenSSL has no algorithms, and one in which its Nth allocation fails, for every N.

import Cryptography
import Glibc
import Synchronization
import Testing

extension Digest {
    fileprivate mutating func update(_ bytes: [UInt8]) { unsafe update(bytes.span.bytes) }
}

@Suite struct `A digest` {
    struct Vector: Sendable {
        let message: [UInt8]
        let sha1: String
        let sha256: String
    }

    /// RFC 6234 §8.5, the tests that both have (of whole bytes, TEST1 to TEST4), and no bytes.
    private static let vectors = [
        Vector(
            message: [], sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Vector(
            message: Array("abc".utf8), sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Vector(
            message: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            sha1: "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            sha256: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        Vector(
            message: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            sha1: "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            sha256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        Vector(
            message: (0..<80).flatMap { _ in Array("01234567".utf8) },
            sha1: "dea356a2cddd90c7a7ecedc5ebb563934f460452",
            sha256: "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5"),
    ]

    private func digest(_ algorithm: DigestAlgorithm, _ pieces: [[UInt8]]) throws -> [UInt8] {
        var digest = try Digest(algorithm)
        for piece in pieces { digest.update(piece) }
        return digest.finish()
    }

    @Test(arguments: vectors.indices) func `is what RFC 6234 says`(_ index: Int) throws {
        let vector = `A digest`.vectors[index]
        for (algorithm, expected) in [
            (DigestAlgorithm.sha1, vector.sha1), (.sha256, vector.sha256),
        ] {
            let bytes = try digest(algorithm, [vector.message])
            #expect(bytes.count == algorithm.byteCount)
            #expect(Hexadecimal.string(bytes.span) == expected)
        }
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `does not see how its bytes were cut`(_ algorithm: DigestAlgorithm) throws {
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let whole = try digest(algorithm, [message])
        for first in 0...message.count {
            let inTwo = try digest(algorithm, [Array(message[..<first]), Array(message[first...])])
            #expect(inTwo == whole)
            // And with a piece of one block in between.
            guard first + 64 <= message.count else { continue }
            let (from, to) = (Array(message[..<first]), Array(message[(first + 64)...]))
            let inThree = try digest(algorithm, [from, Array(message[first..<first + 64]), to])
            #expect(inThree == whole)
        }
        #expect(try digest(algorithm, message.map { [$0] }) == whole)
        #expect(try digest(algorithm, [message, [0]]) != whole)
    }

    @Test func `knows nothing of another under way`() throws {
        var one = try Digest(.sha256)
        var other = try Digest(.sha1)
        var given = try Digest(.sha256)
        for byte in Array("abc".utf8) {
            one.update([byte])
            other.update([byte, byte])
            given.update([byte, 0])
        }
        _ = consume given
        let (first, second) = (one.finish(), other.finish())
        #expect(Hexadecimal.string(first.span) == `A digest`.vectors[1].sha256)
        #expect(try second == digest(.sha1, [Array("aabbcc".utf8)]))
    }

    @Test func `says which there is not, if OpenSSL offers none`() async {
        await #expect(processExitsWith: .success) {
            try BareOpenSSL.begin {
                for algorithm in DigestAlgorithm.allCases {
                    #expect(throws: CryptographyError.digestUnavailable(algorithm)) {
                        _ = try Digest(algorithm)
                    }
                }
            }
        }
        let error = CryptographyError.digestUnavailable(.sha1)
        #expect(error.description == "this OpenSSL offers no SHA-1; look at its openssl.cnf")
    }

    @Test func `is refused when memory runs out, and those under way go on`() async {
        await #expect(processExitsWith: .success) {
            let isReplaced = try unsafe Hunger.replaceAllocator()
            try #require(isReplaced)
            var running = try Digest(.sha256)
            running.update(Array("ab".utf8))
            var allocations = 0
            while true {
                Hunger.left.store(allocations, ordering: .relaxed)
                defer { Hunger.left.store(.max, ordering: .relaxed) }
                do throws(CryptographyError) {
                    _ = try Digest(.sha256)
                    break
                } catch {
                    #expect(error == .outOfMemory, "allocation \(allocations) from 0 failed")
                }
                allocations += 1
            }
            #expect(allocations >= 2, "one is ours, one the algorithm's")
            Hunger.left.store(0, ordering: .relaxed)
            running.update(Array("c".utf8))
            let bytes = running.finish()
            #expect(Hexadecimal.string(bytes.span) == `A digest`.vectors[1].sha256)
        }
        #expect(CryptographyError.outOfMemory.description.contains("memory"))
    }
}

/// An allocator for libcrypto that refuses when it is told to.
private enum Hunger {
    /// So many allocations succeed.
    static let left = Atomic(Int.max)

    private typealias Allocate =
        @convention(c) (Int, UnsafePointer<CChar>?, Int32) -> UnsafeMutableRawPointer?
    private typealias Reallocate =
        @convention(c) (UnsafeMutableRawPointer?, Int, UnsafePointer<CChar>?, Int32) ->
        UnsafeMutableRawPointer?
    private typealias Free =
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int32) -> Void
    private typealias Replace = @convention(c) (Allocate, Reallocate, Free) -> Int32

    /// OpenSSL allows it before it has allocated anything (CRYPTO_set_mem_functions(3)).
    @unsafe static func replaceAllocator() throws -> Bool {
        let symbol = unsafe dlsym(dlopen(nil, RTLD_NOW), "CRYPTO_set_mem_functions")
        let replace = unsafe unsafeBitCast(try #require(symbol), to: Replace.self)
        let status = unsafe replace(
            { size, _, _ in Hunger.isFed() ? unsafe malloc(size) : nil },
            { old, size, _, _ in Hunger.isFed() ? unsafe realloc(old, size) : nil },
            { old, _, _ in unsafe free(old) })
        return status == 1
    }

    private static func isFed() -> Bool { left.subtract(1, ordering: .relaxed).oldValue > 0 }
}
