/// Who may upload: secrets that sign URLs, and tokens; and whose uploads each of them makes.

import Cryptography

/// One of them.
public struct UploadCredential: Sendable, Equatable {
    /// Stored with what it uploads: only who has the same goes on with it. At most 64 bytes.
    public let owner: [UInt8]
    /// For whom it uploads; stored, too. At most 64 bytes.
    public let tenant: [UInt8]
    /// The HMAC's key, or the token.
    public let secret: [UInt8]

    public init(owner: String, tenant: String = "default", secret: [UInt8]) {
        self.owner = Array(owner.utf8)
        self.tenant = Array(tenant.utf8)
        self.secret = secret
    }

    /// The operator's, whose token has every scope. An import on a stopped store says the same.
    static func admin(_ token: [UInt8]) -> UploadCredential {
        UploadCredential(owner: "adminToken", secret: token)
    }
}

/// The secrets of one core, ready to verify: of each the key is hashed already.
///
/// The first is tried first, and costs nothing for there being others.
struct Signers: ~Copyable {
    private final class Signer {
        var authenticator: MessageAuthenticator

        init(_ secret: [UInt8]) throws(CryptographyError) {
            authenticator = try MessageAuthenticator(key: secret.span)
        }
    }

    private var first: MessageAuthenticator
    private let others: [Signer]

    /// At least one.
    init(_ credentials: [UploadCredential]) throws(CryptographyError) {
        var others: [Signer] = []
        for credential in credentials.dropFirst() { others.append(try Signer(credential.secret)) }
        let secret = credentials[0].secret
        first = try MessageAuthenticator(key: secret.span)
        self.others = others
    }

    /// Which of them signed an upload of these values; nil if none did.
    mutating func signer(
        of signature: RequestSignature, path: [UInt8], size: UInt64, type: Span<UInt8>
    ) -> Int? {
        if signature.matches(path: path, size: size, type: type, &first) { return 0 }
        for (index, other) in others.enumerated()
        where signature.matches(path: path, size: size, type: type, &other.authenticator) {
            return index + 1
        }
        return nil
    }

    /// Whether that one did.
    mutating func isSigned(
        _ signature: RequestSignature, by index: Int, path: [UInt8], size: UInt64,
        type: Span<UInt8>
    ) -> Bool {
        index == 0
            ? signature.matches(path: path, size: size, type: type, &first)
            : signature.matches(
                path: path, size: size, type: type, &others[index - 1].authenticator)
    }
}
