/// The integrity fields of RFC 9530: what a client says its bytes are, and what it would like to
/// be told.

/// One Content-Digest or Repr-Digest: those of its values whose algorithm is known here. Others
/// are ignored, as §2 lets every recipient do.
public struct Digests: Equatable, BitwiseCopyable, Sendable {
    public private(set) var sha256: Digest?
    public private(set) var crc32c: Digest?

    /// Nothing to compare with: the field was not sent, or has no algorithm that is known here.
    public var isEmpty: Bool { sha256 == nil && crc32c == nil }

    /// `.malformedDigest` if the field is no Dictionary, or a known algorithm's value is no Byte
    /// Sequence of its length: whoever sends one wants it compared.
    ///
    /// - Parameter field: `.contentDigest` or `.reprDigest`.
    public init(
        _ field: DialectField, _ lines: DialectLines, in bytes: Span<UInt8>
    ) throws(Refusal) {
        precondition(field == .contentDigest || field == .reprDigest, "not a field of digests")
        var members = StructuredDictionary(lines.lines(of: field))
        do throws(StructuredDictionary.Malformed) {
            while let member = try members.next(in: bytes) {
                let key = bytes.extracting(member.key)
                guard let algorithm = DigestAlgorithm(fieldKey: key) else { continue }
                guard case .byteSequence(let text) = member.value,
                    let digest = Digest(algorithm, base64: bytes.extracting(text), .lenient)
                else { throw StructuredDictionary.Malformed() }
                switch algorithm {
                case .sha256: sha256 = digest
                case .crc32c: crc32c = digest
                case .sha1: preconditionFailure("SHA-1 has no key in these fields")
                }
            }
        } catch {
            throw .malformedDigest
        }
    }
}

/// One Want-Content-Digest or Want-Repr-Digest.
public struct DigestPreference: Equatable, BitwiseCopyable, Sendable {
    /// 0 (not acceptable) to 10; nil if it was not mentioned.
    public private(set) var sha256: UInt8?
    public private(set) var crc32c: UInt8?

    /// The algorithm that is wanted most; nil if none of those known here is wanted. SHA-256 wins
    /// a tie.
    public var preferred: DigestAlgorithm? { preferred(knowingSHA256: true) }

    /// The same of those that can be told.
    public func preferred(knowingSHA256: Bool) -> DigestAlgorithm? {
        let sha256 = knowingSHA256 ? sha256 ?? 0 : 0
        let crc32c = crc32c ?? 0
        if sha256 == 0 && crc32c == 0 { return nil }
        return sha256 >= crc32c ? .sha256 : .crc32c
    }

    /// `.malformedDigestPreference` if the field is no Dictionary, or the value of a known
    /// algorithm is no Integer from 0 to 10. It is a wish: who would rather fulfil the request
    /// ignores that.
    ///
    /// - Parameter field: `.wantContentDigest` or `.wantReprDigest`.
    public init(
        _ field: DialectField, _ lines: DialectLines, in bytes: Span<UInt8>
    ) throws(Refusal) {
        precondition(
            field == .wantContentDigest || field == .wantReprDigest, "not a field of preferences")
        var members = StructuredDictionary(lines.lines(of: field))
        do throws(StructuredDictionary.Malformed) {
            while let member = try members.next(in: bytes) {
                let key = bytes.extracting(member.key)
                guard let algorithm = DigestAlgorithm(fieldKey: key) else { continue }
                guard let weight = member.value.count, weight <= 10 else {
                    throw StructuredDictionary.Malformed()
                }
                switch algorithm {
                case .sha256: sha256 = UInt8(weight)
                case .crc32c: crc32c = UInt8(weight)
                case .sha1: preconditionFailure("SHA-1 has no key in these fields")
                }
            }
        } catch {
            throw .malformedDigestPreference
        }
    }
}

extension OutputSpan<UInt8> {
    /// `Repr-Digest: sha-256=:…:`.
    public mutating func appendReprDigest(_ digest: Digest) {
        appendDigest("Repr-Digest: ", digest)
    }

    /// `Content-Digest: sha-256=:…:`, of the content of this very answer.
    public mutating func appendContentDigest(_ digest: Digest) {
        appendDigest("Content-Digest: ", digest)
    }

    private mutating func appendDigest(_ start: String, _ digest: Digest) {
        guard let key = digest.algorithm.fieldKey else {
            preconditionFailure("RFC 9530 is not spoken here with this algorithm")
        }
        append(start)
        append(key)
        append("=:")
        append(base64: digest.bytes)
        append(":\r\n")
    }
}
