// Writing a response head: status line, fields, empty line, straight into the buffer it is sent
// from.
//
// The caller gives room for the largest head it writes. Running out of it is a bug, and traps: the
// texts are our own, and what comes from clients is held to `Limits` before it gets here.

extension OutputSpan<UInt8> {
    /// `HTTP/1.1 200 OK` and the line's end. Always first, and HTTP/1.1 also to HTTP/1.0 clients
    /// (RFC 9110 §2.5).
    public mutating func appendStatusLine(_ status: Status) {
        append("HTTP/1.1 ")
        append(decimal: UInt64(status.rawValue))
        append(Ascii.space)
        append(status.reason)
        appendLineEnd()
    }

    public mutating func appendField(_ name: String, _ value: String) {
        appendField(name, value.utf8.span)
    }

    /// The value holds no control character; that a client's bytes do not is checked on their way
    /// in, and once more here, because one would let it write fields of its own.
    public mutating func appendField(_ name: String, _ value: Span<UInt8>) {
        precondition(Scan.endOfValue(value, from: 0) == value.count, "a field value has one line")
        appendFieldName(name)
        append(value)
        appendLineEnd()
    }

    public mutating func appendField(_ name: String, decimal value: UInt64) {
        appendFieldName(name)
        append(decimal: value)
        appendLineEnd()
    }

    /// - Parameter seconds: since 1970.
    public mutating func appendField(_ name: String, date seconds: Int64) {
        appendFieldName(name)
        HTTPDate.append(seconds, to: &self)
        appendLineEnd()
    }

    /// `Content-Range: bytes 0-99/1234`, for 206.
    public mutating func appendContentRange(_ range: ClosedRange<UInt64>, of length: UInt64) {
        append("Content-Range: bytes ")
        append(decimal: range.lowerBound)
        append(Ascii.hyphen)
        append(decimal: range.upperBound)
        append(Ascii.slash)
        append(decimal: length)
        appendLineEnd()
    }

    /// `Content-Range: bytes */1234`, for 416.
    public mutating func appendContentRange(unsatisfiedOf length: UInt64) {
        append("Content-Range: bytes */")
        append(decimal: length)
        appendLineEnd()
    }

    /// The empty line behind the fields; content follows.
    public mutating func appendHeadEnd() { appendLineEnd() }

    private mutating func appendFieldName(_ name: String) {
        append(name)
        append(Ascii.colon)
        append(Ascii.space)
    }

    private mutating func appendLineEnd() {
        append(Ascii.carriageReturn)
        append(Ascii.lineFeed)
    }
}

extension OutputSpan<UInt8> {
    public mutating func append(_ bytes: Span<UInt8>) {
        precondition(freeCapacity >= bytes.count, "the output has no room for these bytes")
        for index in bytes.indices { append(bytes[index]) }
    }

    public mutating func append(_ text: String) { append(text.utf8.span) }

    public mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(Ascii.zero &+ UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
