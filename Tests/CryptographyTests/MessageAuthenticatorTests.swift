import Cryptography
import Testing

/// HMAC-SHA256 against the RFC's vectors, and its misuse.
@Suite struct `A message authenticator` {
    /// RFC 4231 §4.2 to §4.8 (case 5 truncates, which nothing here does).
    private static let vectors: [(key: [UInt8], message: [UInt8], tag: String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xcd, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array(
                """
                This is a test using a larger than block-size key and a larger than block-size \
                data. The key needs to be hashed before being used by the HMAC algorithm.
                """.utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test(arguments: vectors.indices) func `answers what RFC 4231 says`(_ index: Int) throws {
        let vector = `A message authenticator`.vectors[index]
        var authenticator = try MessageAuthenticator(key: vector.key.span)
        let tag = authenticator.tag(of: vector.message.span)
        #expect(tag.hexadecimal == vector.tag)
    }

    @Test func `gives every message the tag that a fresh one would give`() throws {
        let key = Array("secret".utf8)
        var longLived = try MessageAuthenticator(key: key.span)
        for length in 0..<300 {
            let message = [UInt8](repeating: UInt8(truncatingIfNeeded: length), count: length)
            var fresh = try MessageAuthenticator(key: key.span)
            let expected = fresh.tag(of: message.span)
            let tag = longLived.tag(of: message.span)
            #expect(tag == expected)
        }
    }

    @Test func `does not see how a message is cut into pieces`() throws {
        let message = Array("some/path/file.bin 1048576".utf8)
        var authenticator = try MessageAuthenticator(key: [1, 2, 3].span)
        let whole = authenticator.tag(of: message.span)
        for cut in 0...message.count {
            let first = Array(message[..<cut])
            let second = Array(message[cut...])
            let inTwo = authenticator.tag(of: first.span, second.span)
            #expect(inTwo == whole)
        }
        authenticator.begin()
        for byte in message { authenticator.update(byte: byte) }
        let inMany = authenticator.finish()
        #expect(inMany == whole)
    }

    @Test func `refuses a key of no bytes`() {
        #expect(throws: CryptographyError.emptyKey) {
            let key: [UInt8] = []
            _ = try MessageAuthenticator(key: key.span)
        }
        #expect(CryptographyError.emptyKey.description == "the key is empty")
        #expect(CryptographyError.unavailable.description.contains("openssl.cnf"))
    }

    @Test func `is an error where OpenSSL offers no HMAC`() async {
        await #expect(processExitsWith: .success) {
            try BareOpenSSL.begin {
                #expect(throws: CryptographyError.unavailable) {
                    _ = try MessageAuthenticator(key: [1].span)
                }
            }
        }
    }

    @Test func `traps when a message is begun inside another`() async {
        await #expect(processExitsWith: .failure) {
            var authenticator = try MessageAuthenticator(key: [1].span)
            authenticator.begin()
            authenticator.begin()
        }
    }

    @Test func `traps when nothing was begun`() async {
        await #expect(processExitsWith: .failure) {
            var authenticator = try MessageAuthenticator(key: [1].span)
            authenticator.update([1].span)
        }
        await #expect(processExitsWith: .failure) {
            var authenticator = try MessageAuthenticator(key: [1].span)
            _ = authenticator.finish()
        }
    }
}
