// The messages that XEP-0363 upload services sign, as mod_http_upload_external and Metronome do.

/// Named as the query parameter that carries the code.
enum SigningScheme: String, CaseIterable {
    /// Prosody's mod_http_upload_external version 1, ejabberd's `external_secret`.
    case v
    /// Prosody's version 2.
    case v2
    /// Metronome; the same message as `v2`.
    case token

    /// What clients send for files of no known type (RFC 2046 §4.5.1).
    static let defaultType = "application/octet-stream"

    /// The bytes under HMAC-SHA256. `path` is decoded, without leading slash and base path.
    func message(path: [UInt8], size: Int, type: String) -> [UInt8] {
        let size = Array("\(size)".utf8)
        switch self {
        case .v: return path + [UInt8(ascii: " ")] + size
        case .v2, .token: return path + [0] + size + [0] + Array(type.utf8)
        }
    }
}
