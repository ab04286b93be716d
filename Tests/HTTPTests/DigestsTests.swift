// Goal:   a digest that a client gives is the one that is compared, or its request is refused; what
//         it would like to be told is understood.
// Method: RFC 9530's own values, rows of faults, and what is written read back.

import HTTP
import Testing

/// RFC 9530 §B.1: SHA-256 of `{"hello": "world"}` and a line feed; and of nothing.
private let hello = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
private let nothing = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"

private func digests(_ lines: String...) throws(Refusal) -> Digests {
    let spoken = Spoken(lines.map { "Repr-Digest: \($0)" })
    return try Digests(.reprDigest, spoken.lines, in: spoken.bytes)
}

private func preference(_ lines: String...) throws(Refusal) -> DigestPreference {
    let spoken = Spoken(lines.map { "Want-Repr-Digest: \($0)" })
    return try DigestPreference(.wantReprDigest, spoken.lines, in: spoken.bytes)
}

private func bytes(_ digest: Digest?) -> [UInt8] {
    guard let digest else { return [] }
    return digest.bytes.indices.map { digest.bytes[$0] }
}

@Suite struct `A digest field` {
    @Test func `has the values of the algorithms that are known`() throws {
        let read = try digests("\(hello), sha-512=:Zg==:, crc32c=:yZRlqg==:;x=1, md5=?1")
        #expect(bytes(read.sha256).prefix(4) == [0x44, 0xaf, 0xf4, 0xab])
        #expect(bytes(read.sha256).count == 32)
        #expect(read.crc32c?.crc32c == 0xc994_65aa)
        #expect(read.crc32c == Digest(crc32c: 0xc994_65aa))
        #expect(read.sha256?.crc32c == nil)
        #expect(read.sha256 != read.crc32c)
        #expect(!read.isEmpty)
    }

    @Test func `may be on several lines, and the last value counts`() throws {
        let read = try digests("\(hello), crc32c=:AAAAAA==:", "crc32c=:AAAAAQ==:", nothing)
        #expect(read.crc32c?.crc32c == 1)
        #expect(read.sha256 == (try digests(nothing)).sha256)
        #expect(read.sha256 != (try digests(hello)).sha256)
    }

    @Test func `may say nothing that is known`() throws {
        #expect(try digests().isEmpty)
        #expect(try digests("").isEmpty)
        #expect(try digests("sha-512=:Zg==:, id-sha-256=:Zg==:, sha=1").isEmpty)
    }

    @Test func `of the content is another one`() throws {
        let spoken = Spoken("Content-Digest: \(hello)", "Repr-Digest: \(nothing)")
        let content = try Digests(.contentDigest, spoken.lines, in: spoken.bytes)
        let whole = try Digests(.reprDigest, spoken.lines, in: spoken.bytes)
        #expect(content.sha256 == (try digests(hello)).sha256)
        #expect(whole.sha256 == (try digests(nothing)).sha256)
    }

    @Test func `may lack padding`() throws {
        #expect(try digests("crc32c=:yZRlqg:").crc32c?.crc32c == 0xc994_65aa)
    }

    @Test(arguments: [
        "sha-256", "sha-256=1", "sha-256=\"x\"", "sha-256=::", "sha-256=:Zg==:", "crc32c=:AAAA:",
        "crc32c=:AAAAAAA=:", "crc32c=AAAAAA==", "crc32c=:AAA!AA==:", "SHA-256=:Zg==:", "crc32c=",
        "crc32c=:yZRlqg==:,", "crc32c=:yZRlqg==: x", "sha-512=", "crc32c=c99465aa",
        "crc32c=:yZRlqg==:, crc32c=1",
    ])
    func `that is malformed is refused`(value: String) {
        #expect(throws: Refusal.malformedDigest) { try digests(value) }
    }

    @Test func `is written as it is read`() throws {
        let sha256 = try #require(try digests(hello).sha256)
        let text = try written { (output) throws(Refusal) in
            output.appendReprDigest(sha256)
            output.appendContentDigest(Digest(crc32c: 0xc994_65aa))
        }
        #expect(
            String(decoding: text, as: UTF8.self)
                == "Repr-Digest: \(hello)\r\nContent-Digest: crc32c=:yZRlqg==:\r\n")
        let copy = Digest(.sha256, bytes(sha256).span)
        #expect(copy == sha256)
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `has as many bytes as its algorithm`(algorithm: DigestAlgorithm) async {
        let bytes = [UInt8](repeating: 7, count: algorithm.byteCount)
        let digest = Digest(algorithm, bytes.span)
        #expect(digest.bytes.count == algorithm.byteCount)
        #expect(digest.algorithm == algorithm)
    }

    @Test func `traps for our own mistakes`() async {
        await #expect(processExitsWith: .failure) { _ = Digest(.sha256, [1, 2, 3].span) }
        await #expect(processExitsWith: .failure) {
            let digest = Digest(.sha1, [UInt8](repeating: 0, count: 20).span)
            _ = try written { (output) throws(Refusal) in output.appendReprDigest(digest) }
        }
        await #expect(processExitsWith: .failure) {
            let spoken = Spoken("Upload-Offset: 1")
            _ = try Digests(.uploadOffset, spoken.lines, in: spoken.bytes)
        }
        await #expect(processExitsWith: .failure) {
            let spoken = Spoken("Upload-Offset: 1")
            _ = try DigestPreference(.reprDigest, spoken.lines, in: spoken.bytes)
        }
    }
}

@Suite struct `A wish for a digest` {
    @Test(
        arguments: [
            ("sha-256=1", .sha256), ("sha-256=3, crc32c=10", .crc32c),
            ("crc32c=4, sha-256=4", .sha256), ("sha-256=0, crc32c=1", .crc32c),
            ("sha-512=10, sha-256=1", .sha256), ("sha-256=0", nil), ("", nil), ("md5=5", nil),
            ("sha-256=5, sha-256=0", nil), ("md5=x, crc32c=2", .crc32c), ("md5=11", nil),
        ] as [(String, DigestAlgorithm?)])
    func `prefers one`(value: String, expected: DigestAlgorithm?) throws {
        #expect(try preference(value).preferred == expected)
    }

    @Test(
        arguments: [
            ("sha-256=10, crc32c=3", .crc32c), ("sha-256=10", nil), ("sha-256=1, crc32c=0", nil),
            ("crc32c=1", .crc32c), ("", nil),
        ] as [(String, DigestAlgorithm?)])
    func `prefers the best of what can be told`(value: String, expected: DigestAlgorithm?) throws {
        #expect(try preference(value).preferred(knowingSHA256: false) == expected)
    }

    @Test func `tells what is not acceptable from what was not mentioned`() throws {
        let read = try preference("sha-256=0", "x=1")
        #expect(read.sha256 == 0 && read.crc32c == nil)
        #expect(try preference().preferred == nil)
    }

    @Test(arguments: [
        "sha-256", "sha-256=11", "sha-256=-1", "sha-256=-0", "sha-256=1.0", "crc32c=?1",
        "sha-256=high", "sha-256=1,", "sha-256=1;q=", "crc32c=:Zg==:",
    ])
    func `that is malformed is told`(value: String) {
        #expect(throws: Refusal.malformedDigestPreference) { try preference(value) }
    }

    @Test func `for the content is another one`() throws {
        let spoken = Spoken("Want-Content-Digest: crc32c=1", "Want-Repr-Digest: sha-256=1")
        let content = try DigestPreference(.wantContentDigest, spoken.lines, in: spoken.bytes)
        #expect(content.preferred == .crc32c)
    }
}
