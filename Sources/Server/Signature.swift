/// Signed upload URLs as XMPP servers make them (XEP-0363 and its predecessors): which scheme a
/// query uses, and what its MAC covers. The size is part of every message.

import Cryptography
import HTTP

enum SignatureScheme: CaseIterable {
    /// `path SP size`: Prosody's mod_http_upload_external v1, ejabberd's external_secret.
    case v
    /// `path NUL size NUL content-type`: Prosody v2.
    case v2
    /// As v2: Metronome.
    case token

    var parameter: String {
        switch self {
        case .v: "v"
        case .v2: "v2"
        case .token: "token"
        }
    }

    var coversType: Bool { self != .v }
}

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
        authenticator.begin()
        authenticator.update(path.span)
        authenticator.update(byte: scheme.coversType ? 0 : UInt8(ascii: " "))
        let digits = [UInt8](capacity: 20) { $0.append(decimal: size) }
        authenticator.update(digits.span)
        if scheme.coversType {
            authenticator.update(byte: 0)
            authenticator.update(type)
        }
        return authenticator.finish() == tag
    }
}
