// The one place where the command line meets HMAC-SHA256.

internal import Cryptography

/// The HMAC-SHA256 of `message` under `key`, as 64 hexadecimal digits.
func authenticationCode(key: [UInt8], message: [UInt8]) throws -> String {
    do throws(CryptographyError) {
        var authenticator = try MessageAuthenticator(key: key.span)
        return authenticator.tag(of: message.span).hexadecimal
    } catch {
        throw CommandFailure(text: "cannot sign: \(error)", exitCode: 1)
    }
}
