/// What cannot be had from libcrypto.
public enum CryptographyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A key of no bytes would authenticate anybody's message.
    case emptyKey
    /// This OpenSSL offers no HMAC-SHA256 (its configuration may forbid it).
    case unavailable
    /// Nor that digest.
    case digestUnavailable(DigestAlgorithm)
    /// There is no memory for another digest; those under way go on.
    case outOfMemory

    public var description: String {
        switch self {
        case .emptyKey: "the key is empty"
        case .unavailable: "this OpenSSL offers no HMAC-SHA256; look at its openssl.cnf"
        case .digestUnavailable(let algorithm):
            "this OpenSSL offers no \(algorithm); look at its openssl.cnf"
        case .outOfMemory: "libcrypto got no memory for a digest"
        }
    }
}
