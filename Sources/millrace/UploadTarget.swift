// The URL of an object as someone typed it, made into the URL to send and the path to sign.

internal import HTTP

/// Why a URL cannot name an object.
enum UploadTargetError: Error, Equatable, CustomStringConvertible {
    case noScheme, noHost, badHost, query, noPath
    case outsideBase(String)
    /// As the server would.
    case refused(Refusal)
    case reserved(ReservedSegment)

    var description: String {
        switch self {
        case .noScheme: "begin with http:// or https://"
        case .noHost: "there is no host"
        case .badHost: "the host has characters that a URL cannot hold"
        case .query: "write ? as %3F and # as %23: the path is all there may be"
        case .noPath: "there is no path; the object needs a name"
        case .outsideBase(let base): "the path is not under server.base_path, \(base)"
        case .refused(.malformedEscape): "\(Refusal.malformedEscape.line); write % as %25"
        case .refused(let refusal): refusal.line
        case .reserved(let segment): "/\(segment.text) is the server's own"
        }
    }
}

/// A URL split into what is sent and what is signed.
struct UploadTarget: Equatable {
    /// Scheme, host and path, percent-encoded.
    let url: String
    /// The decoded bytes of the path below the base path, without leading slash.
    let path: [UInt8]

    /// - Parameter basePath: begins and ends with "/".
    init(url: String, basePath: String) throws(UploadTargetError) {
        guard let scheme = ["http://", "https://"].first(where: url.hasPrefix) else {
            throw .noScheme
        }
        let rest = url.dropFirst(scheme.count)
        let host = rest.prefix { !"/?#".contains($0) }
        let tail = rest[host.endIndex...]
        guard !host.isEmpty else { throw .noHost }
        guard host.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw .badHost }
        guard !tail.contains("?"), !tail.contains("#") else { throw .query }
        guard !tail.isEmpty, tail != "/" else { throw .noPath }

        let (path, name) = try UploadTarget.decode(Array(tail.utf8), Array(basePath.utf8))
        guard path.isUnderBase else { throw .outsideBase(basePath) }
        guard !name.isEmpty else { throw .noPath }
        if let segment = path.reserved { throw .reserved(segment) }
        self.url = scheme + host + basePath + UploadTarget.encode(name)
        self.path = name
    }

    /// The server's own reading: what it would refuse is better refused before it is signed.
    private static func decode(
        _ path: [UInt8], _ base: [UInt8]
    ) throws(UploadTargetError) -> (path: RequestPath, name: [UInt8]) {
        do throws(Refusal) {
            return try RequestPath.decode(path.span, base: base.span, limits: Limits())
        } catch {
            throw .refused(error)
        }
    }

    /// Leaves what RFC 3986 §2.3 calls unreserved, and "/", which separates segments.
    private static func encode(_ bytes: [UInt8]) -> String {
        let plain = Array("-._~/".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || plain.contains(byte) {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
