// The URL of an object as someone typed it, made into the URL to send and the path to sign.

/// Why a URL cannot name an object.
enum UploadTargetError: Error, Equatable, CustomStringConvertible {
    case noScheme, noHost, badHost, query, noPath
    case outsideBase(String)
    case badSegment(String)
    case reserved(String)

    var description: String {
        switch self {
        case .noScheme: "begin with http:// or https://"
        case .noHost: "there is no host"
        case .badHost: "the host has characters that a URL cannot hold"
        case .query: "write ? as %3F and # as %23: the path is all there may be"
        case .noPath: "there is no path; the object needs a name"
        case .outsideBase(let base): "the path is not under server.base_path, \(base)"
        case .badSegment(let segment):
            segment.isEmpty ? "the path has an empty segment" : "\(segment) cannot be in a path"
        case .reserved(let segment): "/\(segment) is the server's own"
        }
    }
}

/// A URL split into what is sent and what is signed.
struct UploadTarget: Equatable {
    /// Scheme, host and path, percent-encoded.
    let url: String
    /// The decoded bytes of the path below the base path, without leading slash.
    let path: [UInt8]

    /// First segments that the server keeps for itself.
    static let reservedSegments: Set<String> = [
        "health", "ready", "metrics", "admin", "upload", "files", "chunked-upload",
        "upload-status", "download", "u",
    ]

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

        let decoded = UploadTarget.decode(Array(tail.utf8))
        let base = Array(basePath.utf8)
        guard decoded.starts(with: base) else { throw .outsideBase(basePath) }
        let path = Array(decoded.dropFirst(base.count))
        guard !path.isEmpty else { throw .noPath }
        try UploadTarget.check(path)
        self.url = scheme + host + UploadTarget.encode(decoded)
        self.path = path
    }

    /// The server refuses the same segments with 400; better now than after the signature.
    private static func check(_ path: [UInt8]) throws(UploadTargetError) {
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for segment in segments {
            let text = String(decoding: segment, as: UTF8.self)
            let isPlain = segment.allSatisfy {
                $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\")
            }
            guard isPlain else { throw .badSegment("a control character or a backslash") }
            guard !["", ".", ".."].contains(text) else { throw .badSegment(text) }
        }
        let first = String(decoding: segments[0], as: UTF8.self)
        guard !reservedSegments.contains(first) else { throw .reserved(first) }
    }

    /// Replaces every %XX by its byte, once. A "%" before anything else stands for itself.
    private static func decode(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                let high = digit(text[index + 1]), let low = digit(text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
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

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
