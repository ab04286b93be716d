/// Signed uploads: which scheme a query uses, and whether its signature is the right one.

import Cryptography
import HTTP
import Signatures

/// The signature that a request carries.
struct RequestSignature {
    let scheme: SignatureScheme
    let tag: MessageTag

    enum Fault: Error {
        case missing, several, malformed
    }

    /// Exactly one scheme, exactly once: two readers must not see different ones.
    init(_ request: Request) throws(Fault) {
        guard request.head.query.isPresent else { throw .missing }
        let query = Query(request.head.query)
        var found: (SignatureScheme, ByteSlice)?
        for scheme in SignatureScheme.allCases {
            switch query.value(of: scheme.parameter, in: request.bytes.span) {
            case .none: continue
            case .several: throw .several
            case .one(let value):
                guard found == nil else { throw .several }
                found = (scheme, value)
            }
        }
        guard let (scheme, value) = found else { throw .missing }
        guard let tag = MessageTag(hexadecimal: request.bytes.span.extracting(value)) else {
            throw .malformed
        }
        self.scheme = scheme
        self.tag = tag
    }

    /// Whether the tag is the one for these values. `type` counts only where the scheme covers it.
    func matches(
        path: [UInt8], size: UInt64, type: Span<UInt8>, _ authenticator: inout MessageAuthenticator
    ) -> Bool {
        scheme.tag(path: path.span, size: size, type: type, &authenticator) == tag
    }
}
