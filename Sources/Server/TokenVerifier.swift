/// Bearer tokens that say themselves whose they are: JSON Web Tokens under a key that whoever
/// issues them has, too.

import Cryptography
import HTTP
import Loop
import Store

/// Tells genuine tokens from others; its key is hashed already.
final class TokenVerifier {
    private var authenticator: MessageAuthenticator

    init(key: [UInt8]) throws(CryptographyError) {
        authenticator = try MessageAuthenticator(key: key.span)
    }

    /// Whether the key made the signature of `token`, which was read from `text`.
    func isGenuine(_ token: JSONWebToken, from text: Span<UInt8>) -> Bool {
        let tag = authenticator.tag(of: text.extracting(0..<token.signedByteCount))
        return MessageTag(bytes: token.signature.span) == tag
    }
}

extension Core {
    /// Subjects are stored with this in front, which keeps them apart from other credentials.
    static let subjectPrefix = Array("sub:".utf8)
    static let subjectBytesMax = StoreLimits.ownerBytesMax - subjectPrefix.count

    /// Whom the token stands for; nil if it is not one under our key. A genuine one that does not
    /// count says why: its client may get another (RFC 6750 §3.1).
    func subject(of text: Span<UInt8>) throws(Answer) -> UploadCredential? {
        guard let verifier = tokenVerifier else { return nil }
        let token: JSONWebToken
        do throws(JSONWebToken.Fault) { token = try JSONWebToken(parsing: text) } catch {
            return nil
        }
        guard verifier.isGenuine(token, from: text) else { return nil }
        switch token.fault(at: loop.wallSeconds, audience: settings.jwtAudience) {
        case .expired: throw Core.invalidToken("the token has expired")
        case .notYetValid: throw Core.invalidToken("the token is not valid yet")
        case .foreignAudience: throw Core.invalidToken("the token is for another audience")
        case .malformed, .unsupported, .incomplete: return nil
        case nil: break
        }
        guard token.allows("upload") || token.allows("admin") else {
            var answer = Answer(.forbidden, "the token's scope is not upload")
            answer.challenge = "Bearer error=\"insufficient_scope\", scope=\"upload\""
            throw answer
        }
        guard token.subject.count <= Core.subjectBytesMax else {
            throw Answer(
                .forbidden, "the token's subject is longer than \(Core.subjectBytesMax) bytes")
        }
        let owner = String(decoding: Core.subjectPrefix + token.subject, as: UTF8.self)
        return UploadCredential(owner: owner, secret: [])
    }

    private static func invalidToken(_ line: String) -> Answer {
        var answer = Answer(.unauthorized, line)
        answer.challenge = "Bearer error=\"invalid_token\", error_description=\"\(line)\""
        return answer
    }
}
