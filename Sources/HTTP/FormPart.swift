/// What stands before the data of one part of a form (RFC 7578 §4): its name, and for a file what
/// the client calls it and says of its type.
public struct FormPart: Equatable, Sendable {
    public private(set) var name: [UInt8] = []
    /// As the client has it, not looked at yet (`FileName`); nil if this is no file.
    public private(set) var fileName: [UInt8]?
    /// Not looked at yet (`MediaType.validate`); nil if it was not sent.
    public private(set) var contentType: [UInt8]?

    /// - Parameter head: the field lines and the empty line behind them.
    init(head bytes: Span<UInt8>) throws(Refusal) {
        var position = 0
        var hasDisposition = false
        var hasEncoding = false
        while position < bytes.count, bytes[position] != Ascii.carriageReturn {
            if Ascii.isBlank(bytes[position]) { throw .foldedField }
            let nameEnd = Scan.endOfToken(bytes, from: position)
            guard nameEnd > position, nameEnd < bytes.count, bytes[nameEnd] == Ascii.colon else {
                throw .malformedFieldName
            }
            let field = bytes.extracting(position..<nameEnd)
            var start = nameEnd + 1
            while start < bytes.count, Ascii.isBlank(bytes[start]) { start += 1 }
            let lineEnd = Scan.endOfValue(bytes, from: start)
            guard lineEnd + 1 < bytes.count, bytes[lineEnd] == Ascii.carriageReturn else {
                throw .controlCharacter
            }
            var end = lineEnd
            while end > start, Ascii.isBlank(bytes[end - 1]) { end -= 1 }
            let value = ByteSlice(start, end)
            position = lineEnd + 2
            if field.equalsLowercase("content-disposition") {
                if hasDisposition { throw .repeatedField }
                hasDisposition = true
                try readDisposition(value, bytes)
            } else if field.equalsLowercase("content-type") {
                if contentType != nil { throw .repeatedField }
                contentType = FormPart.copy(bytes.extracting(value))
            } else if field.equalsLowercase("content-transfer-encoding") {
                if hasEncoding { throw .repeatedField }
                hasEncoding = true
                guard FormPart.isPlain(bytes.extracting(value)) else { throw .encodedPart }
            }
        }
        guard hasDisposition else { throw .malformedDisposition }
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        [UInt8](capacity: bytes.count) { output in output.append(bytes) }
    }

    /// RFC 7578 §4.7 has no encodings; these three say that there is none.
    private static func isPlain(_ encoding: Span<UInt8>) -> Bool {
        encoding.equalsLowercase("binary") || encoding.equalsLowercase("8bit")
            || encoding.equalsLowercase("7bit")
    }

    /// `form-data; name="file"; filename="a.jpg"`
    private mutating func readDisposition(
        _ value: ByteSlice, _ bytes: Span<UInt8>
    ) throws(Refusal) {
        let typeEnd = Scan.endOfToken(bytes.extracting(first: value.end), from: value.start)
        guard bytes.extracting(value.start..<typeEnd).equalsLowercase("form-data") else {
            throw .malformedDisposition
        }
        var parameters = ParameterCursor(value, from: typeEnd)
        var name: [UInt8]?
        var plain: [UInt8]?
        var extended: [UInt8]?
        do throws(ParameterCursor.Malformed) {
            while let parameter = try parameters.next(in: bytes) {
                let key = bytes.extracting(parameter.name)
                if key.equalsLowercase("name") {
                    if name != nil { throw ParameterCursor.Malformed() }
                    name = FormPart.unquoted(ParameterCursor.text(parameter, in: bytes))
                } else if key.equalsLowercase("filename") {
                    if plain != nil { throw ParameterCursor.Malformed() }
                    plain = FormPart.unquoted(ParameterCursor.text(parameter, in: bytes))
                } else if key.equalsLowercase("filename*") {
                    if extended != nil { throw ParameterCursor.Malformed() }
                    extended = try FormPart.extendedText(bytes.extracting(parameter.value))
                }
            }
        } catch {
            throw .malformedDisposition
        }
        guard let name else { throw .malformedDisposition }
        self.name = name
        fileName = extended ?? plain
    }

    /// Browsers write a quote as `%22` (HTML, "multipart/form-data encoding algorithm"). They write
    /// line ends as `%0D` and `%0A`, too: no name of a file needs those back.
    private static func unquoted(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for byte in text {
            result.append(byte)
            guard result.count >= 3, byte == UInt8(ascii: "2"),
                result[result.count - 2] == UInt8(ascii: "2"),
                result[result.count - 3] == Ascii.percent
            else { continue }
            result.removeLast(3)
            result.append(Ascii.quote)
        }
        return result
    }

    /// `UTF-8'en'a%20b` (RFC 8187 §3.2). RFC 7578 §4.2 forbids it in forms; some clients send it
    /// all the same, and then it is what they mean. Only UTF-8 is known here, as RFC 8187 allows.
    private static func extendedText(
        _ value: Span<UInt8>
    ) throws(ParameterCursor.Malformed) -> [UInt8] {
        let charset = "utf-8'"
        guard value.count > charset.utf8.count,
            value.extracting(first: charset.utf8.count).equalsLowercase(charset)
        else { throw ParameterCursor.Malformed() }
        var position = charset.utf8.count
        while position < value.count, value[position] != Ascii.apostrophe { position += 1 }
        guard position < value.count else { throw ParameterCursor.Malformed() }
        position += 1
        var text: [UInt8] = []
        text.reserveCapacity(value.count - position)
        do throws(Refusal) {
            while position < value.count {
                let byte = try PercentDecoding.next(in: value, at: &position)
                text.append(byte.value)
            }
        } catch {
            throw ParameterCursor.Malformed()
        }
        return text
    }
}
