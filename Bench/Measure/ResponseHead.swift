/// The head of an HTTP/1.1 response as far as a load client must know it (RFC 9112 §4, §6).
public struct ResponseHead: Equatable, Sendable {
    public let status: Int
    /// Bytes of the head itself, the empty line included: the body starts here.
    public let headCount: Int
    /// The body's bytes as announced; 0 for a 1xx, 204 or 304.
    public let contentLength: Int
    /// The server ends the connection after this response.
    public let closes: Bool

    /// A head longer than this is not what a server in a bench sends.
    public static let headCountMax = 8 << 10

    /// Reads the head at the front of `bytes`. Nil as long as its end has not arrived.
    public static func read(_ bytes: Span<UInt8>) throws(BadResponse) -> ResponseHead? {
        guard let headCount = headEnd(bytes) else {
            guard bytes.count < headCountMax else { throw .headTooLong }
            return nil
        }
        let status = try readStatus(bytes)
        var contentLength: Int?
        var closes = false
        var start = lineEnd(bytes, from: 0) + 2
        while start < headCount - 2 {
            let end = lineEnd(bytes, from: start)
            let field = bytes.extracting(start..<end)
            if let value = value(of: Word.contentLength, in: field) {
                guard contentLength == nil, let length = decimal(value) else { throw .badLength }
                contentLength = length
            } else if let value = value(of: Word.connection, in: field) {
                closes = isEqual(value, Word.close)
            } else if value(of: Word.transferEncoding, in: field) != nil {
                throw .chunked
            }
            start = end + 2
        }
        let hasNoBody = status < 200 || status == 204 || status == 304
        guard hasNoBody || contentLength != nil else { throw .badLength }
        return ResponseHead(
            status: status, headCount: headCount,
            contentLength: hasNoBody ? 0 : contentLength ?? 0, closes: closes)
    }

    private static func headEnd(_ bytes: Span<UInt8>) -> Int? {
        var index = 3
        while index < min(bytes.count, headCountMax) {
            if bytes[index] == 10, bytes[index - 1] == 13,
                bytes[index - 2] == 10, bytes[index - 3] == 13
            {
                return index + 1
            }
            index += 1
        }
        return nil
    }

    private static func readStatus(_ bytes: Span<UInt8>) throws(BadResponse) -> Int {
        guard bytes.count >= 12, isEqual(bytes.extracting(0..<9), Word.version),
            let status = decimal(bytes.extracting(9..<12)), status >= 100
        else { throw .notHTTP }
        return status
    }

    /// Where the line that starts at `start` ends; there is one, the head's end was found.
    private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while bytes[index] != 13 || bytes[index + 1] != 10 { index += 1 }
        return index
    }

    /// The field's value without the spaces around it, if the field has this lowercase name.
    @_lifetime(copy field)
    private static func value(of name: [UInt8], in field: Span<UInt8>) -> Span<UInt8>? {
        let count = name.count
        guard field.count > count, field[count] == UInt8(ascii: ":"),
            isEqual(field.extracting(0..<count), name)
        else { return nil }
        var (start, end) = (count + 1, field.count)
        while start < end, isBlank(field[start]) { start += 1 }
        while end > start, isBlank(field[end - 1]) { end -= 1 }
        return field.extracting(start..<end)
    }

    /// Equal but for the case of letters; `lowercase` must be lowercase.
    private static func isEqual(_ bytes: Span<UInt8>, _ lowercase: [UInt8]) -> Bool {
        guard bytes.count == lowercase.count else { return false }
        for index in 0..<bytes.count {
            let isUppercase = bytes[index] >= 65 && bytes[index] <= 90
            guard (isUppercase ? bytes[index] | 32 : bytes[index]) == lowercase[index] else {
                return false
            }
        }
        return true
    }

    /// At most 15 digits, so that nothing overflows.
    private static func decimal(_ digits: Span<UInt8>) -> Int? {
        guard (1...15).contains(digits.count) else { return nil }
        var value = 0
        for index in 0..<digits.count {
            let digit = digits[index]
            guard digit >= 48, digit <= 57 else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return value
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
}

private enum Word {
    static let version = Array("http/1.1 ".utf8)
    static let contentLength = Array("content-length".utf8)
    static let connection = Array("connection".utf8)
    static let transferEncoding = Array("transfer-encoding".utf8)
    static let close = Array("close".utf8)
}

/// Why an answer is not one that this client can count.
public enum BadResponse: Error, Equatable, Sendable {
    case notHTTP
    case headTooLong
    /// Content-Length is missing, doubled or no number.
    case badLength
    /// A chunked body: the servers here know every length.
    case chunked
}
