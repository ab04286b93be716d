import CTLS

/// Which digest (FIPS 180-4).
public enum DigestAlgorithm: Equatable, Sendable, CaseIterable, CustomStringConvertible {
    /// Broken where somebody wants two contents with one digest; for clients that know no other.
    case sha1
    case sha256

    public var byteCount: Int {
        switch self {
        case .sha1: Int(CTLS_SHA1_BYTES)
        case .sha256: Int(CTLS_SHA256_BYTES)
        }
    }

    public var description: String {
        switch self {
        case .sha1: "SHA-1"
        case .sha256: "SHA-256"
        }
    }

    fileprivate var number: Int32 {
        switch self {
        case .sha1: Int32(CTLS_SHA1)
        case .sha256: Int32(CTLS_SHA256)
        }
    }
}

/// The digest of bytes that come piece by piece: how they are cut makes no difference.
///
///     init ──▶ update ──▶ … ──▶ update ──▶ finish
///
/// It ends with `finish`, or is dropped where nobody wants it any more.
@safe
public struct Digest: ~Copyable {
    public let algorithm: DigestAlgorithm
    private let handle: OpaquePointer

    /// Fails with `.digestUnavailable` or `.outOfMemory`; later calls need no memory.
    public init(_ algorithm: DigestAlgorithm) throws(CryptographyError) {
        var created: OpaquePointer?
        let status = unsafe ctls_digest_create(algorithm.number, &created)
        guard status != Int32(CTLS_NO_MEMORY) else { throw .outOfMemory }
        guard let created = unsafe created else { throw .digestUnavailable(algorithm) }
        self.algorithm = algorithm
        unsafe handle = created
    }

    deinit { unsafe ctls_digest_destroy(handle) }

    /// Adds `bytes`.
    public mutating func update(_ bytes: RawSpan) {
        let isAdded = unsafe bytes.withUnsafeBytes { bytes in
            unsafe ctls_digest_update(handle, bytes.baseAddress, bytes.count)
        }
        precondition(isAdded, "libcrypto took no more bytes for a digest that is not finished")
    }

    /// Ends it and answers its `algorithm.byteCount` bytes.
    public consuming func finish() -> [UInt8] {
        let count = algorithm.byteCount
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            let isFinished = unsafe ctls_digest_finish(handle, target.baseAddress, count)
            precondition(isFinished, "libcrypto's \(algorithm) is not one")
            filled = count
        }
    }
}

/// `@unchecked` because of the handle, which has no thread of its own: the value cannot be copied,
/// so it has one owner, and only that owner reaches the handle.
extension Digest: @unchecked Sendable {}
