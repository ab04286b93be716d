/// Bytes to a request head: strict HTTP/1.1 and 1.0 (RFC 9112), nothing allocated, nothing kept.
///
/// Each step takes the position where it starts and returns the one where the next does. It stops
/// at the first byte that breaks a rule, so a prefix of a head yields either `incomplete` or the
/// very refusal of the whole.
public enum HeadParser {
    public enum Outcome: Equatable, Sendable {
        /// The head ends before byte `byteCount`; content or the next request starts there.
        case complete(byteCount: Int)
        case incomplete
        case invalid(Refusal)
    }

    /// Why a step did not reach its end.
    enum Stop: Error {
        case incomplete
        case refused(Refusal)
    }

    /// Parses the head at the start of `bytes`. `head` is meaningful only if the outcome is
    /// `complete`. `incomplete` never comes back for `limits.headBytes` bytes or more.
    ///
    /// - Parameter seenCount: how many of these bytes an earlier call found incomplete. The head is
    ///   parsed again only when a line has ended since, so that a client that sends byte by byte
    ///   costs at most one pass a line.
    public static func parse(
        _ bytes: Span<UInt8>, seenCount: Int = 0, into head: inout RequestHead,
        limits: Limits
    ) -> Outcome {
        precondition(limits.headBytes <= Int(UInt16.max), "positions in a head are 16 bits")
        let isFull = bytes.count >= limits.headBytes
        if seenCount > 0, !isFull, !hasLineFeed(bytes, from: seenCount) { return .incomplete }
        let window = isFull ? bytes.extracting(first: limits.headBytes) : bytes
        do throws(Stop) {
            return .complete(byteCount: try parseHead(window, &head, limits))
        } catch {
            switch error {
            case .incomplete: return isFull ? .invalid(.headTooLarge) : .incomplete
            case .refused(let refusal): return .invalid(refusal)
            }
        }
    }

    private static func parseHead(
        _ bytes: Span<UInt8>, _ head: inout RequestHead, _ limits: Limits
    ) throws(Stop) -> Int {
        head = RequestHead()
        var fields = FieldParser()
        var position = try skipEmptyLine(bytes)
        position = try requestLine(bytes, from: position, &head, &fields.authority, limits)
        position = try fields.parse(bytes, from: position, into: &head, limits)
        try fields.conclude(&head)
        return position
    }

    private static func hasLineFeed(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        var position = start
        while position < bytes.count {
            if bytes[position] == Ascii.lineFeed { return true }
            position &+= 1
        }
        return false
    }

    /// RFC 9112 §2.2: a server should ignore at least one empty line before the request line.
    @inline(__always)
    private static func skipEmptyLine(_ bytes: Span<UInt8>) throws(Stop) -> Int {
        guard bytes.count > 0 else { throw .incomplete }
        if bytes[0] > Ascii.carriageReturn { return 0 }
        if bytes[0] == Ascii.lineFeed { throw .refused(.bareLineFeed) }
        guard bytes[0] == Ascii.carriageReturn else { throw .refused(.malformedMethod) }
        guard bytes.count > 1 else { throw .incomplete }
        guard bytes[1] == Ascii.lineFeed else { throw .refused(.bareCarriageReturn) }
        guard bytes.count > 2 else { throw .incomplete }
        if bytes[2] == Ascii.carriageReturn { throw .refused(.emptyLines) }
        if bytes[2] == Ascii.lineFeed { throw .refused(.bareLineFeed) }
        return 2
    }

    /// `method SP target SP version CRLF` (RFC 9112 §3), held to its own limit.
    @inline(__always)
    private static func requestLine(
        _ bytes: Span<UInt8>, from start: Int, _ head: inout RequestHead,
        _ authority: inout ByteSlice, _ limits: Limits
    ) throws(Stop) -> Int {
        let end = start &+ limits.requestLineBytes &+ 2
        let isFull = bytes.count >= end
        let line = isFull ? bytes.extracting(0..<end) : bytes
        do throws(Stop) {
            var position = try method(line, from: start, &head.method, limits)
            position = try TargetParser.parse(line, from: position, &head, &authority)
            return try version(line, from: position, &head.minorVersion)
        } catch {
            if isFull, case .incomplete = error { throw .refused(.requestLineTooLong) }
            throw error
        }
    }

    @inline(__always)
    private static func method(
        _ bytes: Span<UInt8>, from start: Int, _ method: inout RequestHead.Method,
        _ limits: Limits
    ) throws(Stop) -> Int {
        var position = start
        while position < bytes.count, Ascii.isToken(bytes[position]) { position &+= 1 }
        let byteCount = position &- start
        if byteCount > limits.methodBytes { throw .refused(.methodTooLong) }
        guard position < bytes.count else { throw .incomplete }
        guard bytes[position] == Ascii.space, byteCount > 0 else {
            throw .refused(.malformedMethod)
        }
        guard byteCount <= 7 else { return position &+ 1 }
        method = RequestHead.Method(word: bytes.word(at: start, byteCount: byteCount))
        return position &+ 1
    }

    @inline(__always)
    private static func version(
        _ bytes: Span<UInt8>, from start: Int, _ minor: inout UInt8
    ) throws(Stop) -> Int {
        if start &+ 10 <= bytes.count,
            bytes.word(at: start) == word("H", "T", "T", "P", "/", "1", ".", "1"),
            bytes[start &+ 8] == Ascii.carriageReturn, bytes[start &+ 9] == Ascii.lineFeed
        {
            minor = 1
            return start &+ 10
        }
        return try otherVersion(bytes, from: start, &minor)
    }

    @inline(never)
    private static func otherVersion(
        _ bytes: Span<UInt8>, from start: Int, _ minor: inout UInt8
    ) throws(Stop) -> Int {
        for index in 0..<10 {
            guard start &+ index < bytes.count else { throw .incomplete }
            let byte = bytes[start &+ index]
            switch index {
            case 0: guard byte == UInt8(ascii: "H") else { throw .refused(.malformedVersion) }
            case 1, 2: guard byte == UInt8(ascii: "T") else { throw .refused(.malformedVersion) }
            case 3: guard byte == UInt8(ascii: "P") else { throw .refused(.malformedVersion) }
            case 4: guard byte == Ascii.slash else { throw .refused(.malformedVersion) }
            case 5, 7: guard Ascii.isDigit(byte) else { throw .refused(.malformedVersion) }
            case 6: guard byte == Ascii.dot else { throw .refused(.malformedVersion) }
            case 8:
                if byte == Ascii.lineFeed { throw .refused(.bareLineFeed) }
                guard byte == Ascii.carriageReturn else { throw .refused(.malformedVersion) }
            default:
                guard byte == Ascii.lineFeed else { throw .refused(.bareCarriageReturn) }
            }
        }
        minor = bytes[start &+ 7] &- Ascii.zero
        guard bytes[start &+ 5] == UInt8(ascii: "1"), minor <= 1 else {
            throw .refused(.unsupportedVersion)
        }
        return start &+ 10
    }
}
