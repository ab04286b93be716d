/// Signed upload URLs as XMPP servers make them (XEP-0363 and its predecessors): what a signature
/// covers. The size is part of every message.

public import Cryptography

/// Named as the query parameter that carries the signature.
public enum SignatureScheme: String, CaseIterable, Sendable {
    /// `path SP size`: Prosody's mod_http_upload_external v1, ejabberd's external_secret.
    case v
    /// `path NUL size NUL content-type`: Prosody v2.
    case v2
    /// As v2: Metronome.
    case token

    public var parameter: String { rawValue }

    public var coversType: Bool { self != .v }

    /// The tag of an upload of `size` bytes.
    ///
    /// - Parameters:
    ///   - path: decoded, without leading slash and base path.
    ///   - type: the content type; counts only where the scheme covers it.
    public func tag(
        path: Span<UInt8>, size: UInt64, type: Span<UInt8>,
        _ authenticator: inout MessageAuthenticator
    ) -> MessageTag {
        // The longest number has 20 digits; a separator stays in front of it and one behind.
        var middle = InlineArray<22, UInt8>(repeating: coversType ? 0 : UInt8(ascii: " "))
        var start = 21
        var rest = size
        repeat {
            start -= 1
            middle[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        authenticator.begin()
        authenticator.update(path)
        authenticator.update(middle.span.extracting(start - 1..<(coversType ? 22 : 21)))
        if coversType { authenticator.update(type) }
        return authenticator.finish()
    }
}
