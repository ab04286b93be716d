/// Signs upload targets with the scheme `v`: HMAC-SHA256 over the path without its leading slash, a
/// space and the size, in hexadecimal.

import BenchMeasure
import Cryptography

struct RequestSigner: ~Copyable {
    private var authenticator: MessageAuthenticator

    init(secret: String) throws(LoadFailure) {
        do { authenticator = try MessageAuthenticator(key: Array(secret.utf8).span) } catch {
            throw .signing(error)
        }
    }

    /// Appends the 64 digits that allow `bodyCount` bytes at the path of object `number`.
    mutating func appendTag(
        _ number: UInt64, of names: ObjectNames, bodyCount: Int,
        to target: inout OutputSpan<UInt8>
    ) {
        let message = [UInt8](capacity: names.pathCount + 24) { message in
            names.append(number, to: &message)
            message.append(UInt8(ascii: " "))
            RequestText.append(decimal: bodyCount, to: &message)
        }
        let tag = authenticator.tag(of: message.span.extracting(droppingFirst: 1))
        Hexadecimal.append(tag.bytes.span, to: &target)
    }
}
