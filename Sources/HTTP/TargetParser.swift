/// The request target (RFC 9112 §3.2): origin form, absolute form reduced to it, `*` for OPTIONS.
///
/// Any visible ASCII but `#` passes: clients send unescaped `|` or `{`, and no two readers
/// disagree where such a target ends. Paths are judged when they are decoded (`RequestPath`).
enum TargetParser {
    @inline(__always)
    static func parse(
        _ bytes: Span<UInt8>, from start: Int, _ head: inout RequestHead,
        _ authority: inout ByteSlice
    ) throws(HeadParser.Stop) -> Int {
        let questionMark = UInt8(ascii: "?")
        let pathEnd = Scan.endOfTarget(bytes, from: start, orAt: questionMark)
        var end = pathEnd
        if pathEnd < bytes.count, bytes[pathEnd] == questionMark {
            end = Scan.endOfTarget(bytes, from: pathEnd &+ 1, orAt: UInt8(ascii: "#"))
            head.query = ByteSlice(pathEnd &+ 1, end)
        }
        guard end < bytes.count else { throw .incomplete }
        guard bytes[end] == Ascii.space else {
            let isLineEnd =
                bytes[end] == Ascii.carriageReturn || bytes[end] == Ascii.lineFeed
            throw .refused(isLineEnd ? .malformedRequestLine : .malformedTarget)
        }
        head.target = ByteSlice(start, end)
        head.path = ByteSlice(start, pathEnd)
        if pathEnd == start || bytes[start] != Ascii.slash {
            try reduce(bytes, &head, &authority)
        }
        return end &+ 1
    }

    @inline(never)
    private static func reduce(
        _ bytes: Span<UInt8>, _ head: inout RequestHead, _ authority: inout ByteSlice
    ) throws(HeadParser.Stop) {
        let path = head.path
        if path.count == 1, bytes[path.start] == UInt8(ascii: "*"), !head.query.isPresent,
            head.method == .options
        {
            head.isAsterisk = true
            return
        }
        guard let hostStart = endOfScheme(bytes, path) else { throw .refused(.malformedTarget) }
        var hostEnd = hostStart
        while hostEnd < path.end, bytes[hostEnd] != Ascii.slash { hostEnd &+= 1 }
        authority = ByteSlice(hostStart, hostEnd)
        guard authority.count > 0, HostRule.allows(bytes.extracting(authority)) else {
            throw .refused(.malformedTarget)
        }
        head.path = ByteSlice(hostEnd, path.end)
    }

    /// The position behind `http://` or `https://`, in any case; nil for another scheme.
    static func endOfScheme(_ bytes: Span<UInt8>, _ path: ByteSlice) -> Int? {
        let scheme = ByteSlice(offset: path.offset, count: min(path.count, 8))
        let http = word("h", "t", "t", "p", ":", "/", "/")
        if scheme.count >= 7,
            bytes.hasToken(ByteSlice(offset: scheme.offset, count: 7), 7, http)
        {
            return scheme.start &+ 7
        }
        let https = word("h", "t", "t", "p", "s", ":", "/", "/")
        return bytes.hasToken(scheme, 8, https) ? scheme.end : nil
    }
}

/// Which values of Host are taken (RFC 9110 §7.2): a name or an address, then perhaps a port.
///
/// Stricter than RFC 3986: no user, and of the sub-delimiters none, because lists such as `a,b`
/// are how one proxy's host becomes another's. Empty is allowed: a target without authority.
enum HostRule {
    static func allows(_ host: Span<UInt8>) -> Bool {
        guard host.count > 0 else { return true }
        var position = 0
        if host[0] == UInt8(ascii: "[") {
            position = 1
            while position < host.count, isAddress(host[position]) { position &+= 1 }
            guard position > 1, position < host.count, host[position] == UInt8(ascii: "]") else {
                return false
            }
            position &+= 1
        } else {
            while position < host.count, isName(host[position]) { position &+= 1 }
            guard position > 0 else { return false }
        }
        guard position < host.count else { return true }
        guard host[position] == Ascii.colon else { return false }
        position &+= 1
        while position < host.count, Ascii.isDigit(host[position]) { position &+= 1 }
        return position == host.count
    }

    /// Letters, digits and `- . _ ~ %`.
    @inline(__always)
    private static func isName(_ byte: UInt8) -> Bool {
        Ascii.contains(byte, low: 0x03ff_6020_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    }

    private static func isAddress(_ byte: UInt8) -> Bool {
        Ascii.hexadecimalValue(byte) != nil || byte == Ascii.colon || byte == Ascii.dot
    }
}
