// The one place where the command line meets HMAC-SHA256.

internal import Cryptography
internal import Signatures

extension SignatureScheme {
    /// The signature under `key` as 64 hexadecimal digits. `path` is decoded, without leading slash
    /// and base path.
    func signature(key: [UInt8], path: [UInt8], size: Int, type: String) throws -> String {
        do throws(CryptographyError) {
            var authenticator = try MessageAuthenticator(key: key.span)
            let tag = tag(
                path: path.span, size: UInt64(size), type: type.utf8.span, &authenticator)
            return tag.hexadecimal
        } catch {
            throw CommandFailure(text: "cannot sign: \(error)", exitCode: 1)
        }
    }
}
