/// What requests say that bytes are, and would like to be told of them (RFC 9530), between HTTP's
/// words and the store's.

import Cryptography
import HTTP
import IO
import Store

/// What a plain PUT says of its bytes. Its content is the whole of the representation, so both
/// fields speak of the same bytes: as they were sent, whatever Content-Encoding says.
///
/// A class, so that the many requests that say nothing carry one word of it.
final class RequestDigests {
    let expected: ObjectDigests
    private let content: Digests
    private let preferred: HTTP.DigestAlgorithm?
    /// What the answer tells, once the bytes were found right.
    private(set) var told: HTTP.Digest?

    init(_ request: Request) throws(Answer) {
        let bytes = request.bytes.span
        let lines = DialectLines(request.head, in: bytes)
        let whole: Digests
        do throws(Refusal) {
            content = try Digests(.contentDigest, lines, in: bytes)
            whole = try Digests(.reprDigest, lines, in: bytes)
        } catch {
            throw Answer(Problem(error))
        }
        guard let joined = ObjectDigests(content).joined(with: ObjectDigests(whole)) else {
            throw Answer(
                Problem(
                    .blank, .badRequest, detail: "Content-Digest and Repr-Digest tell two contents")
            )
        }
        expected = joined
        preferred = DigestPreference.preferred(request.head, bytes, knowingSHA256: true)
    }

    /// What is to be made of the bytes.
    var kinds: DigestKinds { expected.kinds.union(DigestKinds(preferred)) }

    /// Compares what was made with what was said. Answers the value that is another one, and the
    /// field that said it.
    func mismatch(with made: ObjectDigests) -> (digest: HTTP.Digest, field: String)? {
        guard let wrong = expected.mismatch(with: made) else {
            told = preferred.flatMap { made.digest($0) }
            return nil
        }
        let digest = HTTP.Digest(wrong)
        let isOfContent = content.sha256 == digest || content.crc32c == digest
        return (digest, isOfContent ? "Content-Digest" : "Repr-Digest")
    }
}

/// What a request says of the content that it brings for an upload.
struct ContentExpectation {
    /// Nothing of the content counts if it is something else.
    var checksums: [ExpectedChecksum] = []
    /// What its client is told then, in the words of its dialect.
    var refusal = Answer(.checksumMismatch, "the chunk's checksum is another one")
    var whole = WholeDigests()
}

extension Core {
    /// What a PUT says of its bytes; nil if it says nothing.
    @inline(__always)
    func requestDigests(_ request: Request) throws(Answer) -> RequestDigests? {
        guard request.head.hasDigest || request.head.wantsReprDigest else { return nil }
        return try RequestDigests(request)
    }

    func check(_ made: ObjectDigests, _ digests: RequestDigests) throws(Answer) {
        guard let (digest, field) = digests.mismatch(with: made) else { return }
        counters.digestMismatches &+= 1
        throw Answer(Problem(.mismatchingDigest(digest, field: field), .badRequest))
    }

    /// An upload that is something else is abandoned.
    func check(
        _ upload: SmallUpload, _ digests: RequestDigests, _ store: ObjectStore
    ) throws {
        do {
            try check(try store.digests(digests.kinds, of: upload.dataRegion), digests)
        } catch {
            upload.abandon()
            throw error
        }
    }

    func check(_ upload: LargeUpload, _ digests: RequestDigests) async throws {
        do { try check(await upload.digests(), digests) } catch {
            await upload.abandon()
            throw error
        }
    }

    /// Repr-Digest and Want-Repr-Digest of a request with which an upload may end.
    func wholeDigests(
        _ request: Request, _ lines: DialectLines
    ) throws(Answer) -> WholeDigests {
        let bytes = request.bytes.span
        var whole = WholeDigests()
        do throws(Refusal) {
            whole.expected = ObjectDigests(try Digests(.reprDigest, lines, in: bytes))
        } catch {
            throw Answer(Problem(error))
        }
        whole.wanted = DigestKinds(
            DigestPreference.preferred(request.head, bytes, knowingSHA256: true))
        return whole
    }

    /// Content-Digest of a request in the IETF's dialect.
    func contentExpectation(
        _ request: Request, _ lines: DialectLines
    ) throws(Answer) -> ContentExpectation {
        var expectation = ContentExpectation()
        let digests: Digests
        do throws(Refusal) {
            digests = try Digests(.contentDigest, lines, in: request.bytes.span)
        } catch {
            throw Answer(Problem(error))
        }
        expectation.checksums = [digests.sha256, digests.crc32c].compactMap {
            $0.map(ExpectedChecksum.init)
        }
        if let digest = digests.sha256 ?? digests.crc32c {
            expectation.refusal = Answer(
                Problem(.mismatchingDigest(digest, field: "Content-Digest"), .badRequest))
        }
        return expectation
    }

    // MARK: Downloads

    /// What is told of a small object whose bytes are at hand, if anything was asked for.
    func reprDigest(
        _ head: RequestHead, _ bytes: Span<UInt8>, of data: Region, checksum: UInt32
    ) -> HTTP.Digest? {
        switch DigestPreference.preferred(head, bytes, knowingSHA256: true) {
        case nil: nil
        case .crc32c: HTTP.Digest(crc32c: checksum)
        // It is a wish: where it cannot be made, the object goes out without.
        case .sha256, .sha1: (try? store?.digests(.sha256, of: data))?.digest(.sha256)
        }
    }

    /// Of a large object what is known of it: nothing is read for a wish.
    func reprDigest(
        _ head: RequestHead, _ bytes: Span<UInt8>, of large: LargeObject
    ) -> HTTP.Digest? {
        let knowsSHA256 = large.sha256 != nil
        switch DigestPreference.preferred(head, bytes, knowingSHA256: knowsSHA256) {
        case nil: return nil
        case .crc32c: return HTTP.Digest(crc32c: large.crc32c)
        case .sha256, .sha1: return ObjectDigests(sha256: large.sha256).digest(.sha256)
        }
    }
}

extension DigestPreference {
    /// What Want-Repr-Digest wants most; nil also where it is malformed.
    static func preferred(
        _ head: RequestHead, _ bytes: Span<UInt8>, knowingSHA256: Bool
    ) -> HTTP.DigestAlgorithm? {
        guard head.wantsReprDigest else { return nil }
        let preference = try? DigestPreference(
            .wantReprDigest, DialectLines(head, in: bytes), in: bytes)
        return preference?.preferred(knowingSHA256: knowingSHA256)
    }
}

extension DigestKinds {
    init(_ algorithm: HTTP.DigestAlgorithm?) {
        switch algorithm {
        case nil, .sha1: self = []
        case .sha256: self = .sha256
        case .crc32c: self = .crc32c
        }
    }
}

extension ObjectDigests {
    init(_ digests: Digests) {
        self.init(
            sha256: digests.sha256.map { $0.array }, crc32c: digests.crc32c.flatMap { $0.crc32c })
    }

    /// The one of that kind; nil if there is none.
    func digest(of kind: DigestKinds) -> HTTP.Digest? {
        if kind == .sha256 { return digest(.sha256) }
        return kind == .crc32c ? digest(.crc32c) : nil
    }

    /// Nil if it was not made.
    func digest(_ algorithm: HTTP.DigestAlgorithm) -> HTTP.Digest? {
        switch algorithm {
        case .sha256: sha256.map { HTTP.Digest(.sha256, $0.span) }
        case .crc32c: crc32c.map { HTTP.Digest(crc32c: $0) }
        case .sha1: nil
        }
    }
}

extension HTTP.Digest {
    init(_ checksum: ExpectedChecksum) {
        switch checksum {
        case .crc32c(let value): self.init(crc32c: value)
        case .digest(.sha1, let bytes): self.init(.sha1, bytes.span)
        case .digest(.sha256, let bytes): self.init(.sha256, bytes.span)
        }
    }

    fileprivate var array: [UInt8] {
        [UInt8](capacity: algorithm.byteCount) { $0.append(bytes) }
    }
}

extension ExpectedChecksum {
    init(_ digest: HTTP.Digest) {
        switch digest.algorithm {
        case .crc32c: self = .crc32c(digest.crc32c ?? 0)
        case .sha1: self = .digest(.sha1, digest.array)
        case .sha256: self = .digest(.sha256, digest.array)
        }
    }
}
