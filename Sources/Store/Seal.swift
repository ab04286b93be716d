/// The seal on records: HMAC-SHA256 under the instance's key, cut to 16 bytes.

import Checksums
import Cryptography
import Volumes

/// For one core: it is not `Sendable`, because the authenticator has one message at a time.
final class Seal: RecordSeal {
    private var authenticator: MessageAuthenticator

    init(key: [UInt8]) throws(StoreError) {
        do throws(CryptographyError) {
            authenticator = try MessageAuthenticator(key: key.span)
        } catch {
            throw .index("no seal: \(error)")
        }
    }

    func tag(_ bytes: RawSpan) -> SealTag {
        let tag = authenticator.tag(of: bytes.octets)
        let sealed = tag.bytes.span.rawBytes
        return SealTag(first: sealed.integer(at: 0), second: sealed.integer(at: 8))
    }

    /// The upload that belongs to a name: see `UploadID.of`.
    func uploadID(of name: [UInt8]) -> UploadID { .of(name: name.span, &authenticator) }
}
