/// A JSON Web Token (RFC 7519) as a signed one travels (RFC 7515 §7.1): what it claims, and what of
/// it the signature covers. Reads only; whether the signature is right says who has the key.
public struct JSONWebToken: Equatable, Sendable {
    public enum Fault: Error, Equatable, Sendable {
        /// It is no such token.
        case malformed
        /// Signed in another way than HS256, or with extensions that have to be understood.
        case unsupported
        /// It never expires, or does not say whose it is.
        case incomplete
        case expired
        case notYetValid
        /// It is for somebody else.
        case foreignAudience
    }

    /// A longer one is malformed.
    public static let bytesMax = 8 << 10
    /// Clocks may differ by so many seconds.
    public static let skewSeconds: Double = 60

    /// Bytes from its start on that the signature covers.
    public let signedByteCount: Int
    /// 32 bytes.
    public let signature: [UInt8]
    /// Whose it is: `sub`, not empty.
    public let subject: [UInt8]
    /// Seconds since 1970, UTC.
    public let expires: Double
    public let notBefore: Double?
    /// Whom it is for; empty if it does not say.
    public let audiences: [[UInt8]]
    /// What it allows (RFC 8693 §4.2).
    public let scopes: [[UInt8]]

    public init(parsing token: Span<UInt8>) throws(Fault) {
        guard token.count <= JSONWebToken.bytesMax else { throw .malformed }
        var dots: [Int] = []
        for index in token.indices where token[index] == Ascii.dot { dots.append(index) }
        guard dots.count == 2,
            let header = JSONWebToken.object(token.extracting(0..<dots[0])),
            let claims = JSONWebToken.object(token.extracting(dots[0] + 1..<dots[1])),
            let signature = Base64.decodeURL(token.extracting(dots[1] + 1..<token.count)),
            signature.count == 32
        else { throw .malformed }
        // RFC 7515 §4.1.11: what is critical has to be understood, and nothing is here.
        guard header["alg"] == .string(Array("HS256".utf8)), header["crit"] == nil
        else { throw .unsupported }
        guard case .number(let expires) = claims["exp"], case .string(let subject) = claims["sub"],
            !subject.isEmpty
        else { throw .incomplete }
        signedByteCount = dots[1]
        self.signature = signature
        self.subject = subject
        self.expires = expires
        notBefore = try JSONWebToken.time(claims["nbf"])
        audiences = try JSONWebToken.audiences(claims["aud"])
        scopes = try JSONWebToken.scopes(claims["scope"])
    }

    /// Why it does not count at that time, for who is called `audience`; nil if it does.
    public func fault(at seconds: UInt64, audience: [UInt8]?) -> Fault? {
        let now = Double(seconds)
        if expires + JSONWebToken.skewSeconds <= now { return .expired }
        if let notBefore, notBefore - JSONWebToken.skewSeconds > now { return .notYetValid }
        // RFC 7519 §4.1.3: who is not named must refuse it.
        let isForUs = audience.map { audiences.contains($0) } ?? audiences.isEmpty
        return isForUs ? nil : .foreignAudience
    }

    public func allows(_ scope: String) -> Bool {
        scopes.contains { $0.elementsEqual(scope.utf8) }
    }

    private static func object(_ text: Span<UInt8>) -> JSONValue? {
        guard let bytes = Base64.decodeURL(text), let value = JSONValue(parsing: bytes.span),
            case .object = value
        else { return nil }
        return value
    }

    private static func time(_ value: JSONValue?) throws(Fault) -> Double? {
        switch value {
        case nil: return nil
        case .number(let seconds): return seconds
        case .null, .boolean, .string, .array, .object: throw .malformed
        }
    }

    /// One string or several.
    private static func audiences(_ value: JSONValue?) throws(Fault) -> [[UInt8]] {
        switch value {
        case nil: return []
        case .string(let text): return [text]
        case .array(let values):
            var texts: [[UInt8]] = []
            for value in values {
                guard case .string(let text) = value else { throw .malformed }
                texts.append(text)
            }
            // For nobody is not for anybody.
            return texts.isEmpty ? [[]] : texts
        case .null, .boolean, .number, .object: throw .malformed
        }
    }

    /// Words with a space between them.
    private static func scopes(_ value: JSONValue?) throws(Fault) -> [[UInt8]] {
        switch value {
        case nil: return []
        case .string(let text): return text.split(separator: Ascii.space).map { Array($0) }
        case .null, .boolean, .number, .array, .object: throw .malformed
        }
    }
}
