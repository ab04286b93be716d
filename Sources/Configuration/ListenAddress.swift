// An address to listen on, "127.0.0.1:8080" or "[::1]:8080", parsed without asking any resolver.

/// An IP address and a port; port 0 lets the kernel choose one.
public struct ListenAddress: Hashable, Sendable {
    public enum Host: Hashable, Sendable {
        /// Most significant byte first in the number: 127.0.0.1 is 0x7f000001.
        case v4(UInt32)
        /// The 16 bytes, as two numbers, most significant byte first.
        case v6(high: UInt64, low: UInt64)
    }

    public let host: Host
    public let port: UInt16

    public init(host: Host, port: UInt16) { (self.host, self.port) = (host, port) }

    public static func loopback(port: UInt16) -> ListenAddress {
        ListenAddress(host: .v4(0x7f00_0001), port: port)
    }

    /// `nil` unless `text` is `a.b.c.d:port` or `[v6]:port`. Host names are not resolved: what a
    /// server listens on should not depend on who answers a name.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = decimal(text[text.index(after: colon)...], max: UInt64(UInt16.max))
        else { return nil }
        let name = text[..<colon]
        if name.first == "[", name.last == "]" {
            guard let host = parseV6(name.dropFirst().dropLast()) else { return nil }
            self.host = host
        } else {
            guard let number = parseV4(name) else { return nil }
            host = .v4(number)
        }
        self.port = UInt16(port)
    }
}

extension ListenAddress: CustomStringConvertible {
    /// As `init(_:)` reads it; IPv6 in the form of RFC 5952.
    public var description: String {
        switch host {
        case .v4(let number):
            let parts = [24, 16, 8, 0].map { String(number >> UInt32($0) & 0xff) }
            return parts.joined(separator: ".") + ":\(port)"
        case .v6(let high, let low):
            return "[\(textV6(high: high, low: low))]:\(port)"
        }
    }
}

/// Digits only and no leading zero: "010" is eight to some readers.
private func decimal(_ text: Substring, max: UInt64) -> UInt64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        text == "0" || text.first != "0", let number = UInt64(text), number <= max
    else { return nil }
    return number
}

private func parseV4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
        guard let byte = decimal(part, max: 255) else { return nil }
        number = number << 8 | UInt32(byte)
    }
    return number
}

/// RFC 4291 §2.2: eight groups, at most one "::", the last two groups possibly dotted. No zone.
private func parseV6(_ text: Substring) -> ListenAddress.Host? {
    var groups: [UInt16] = []
    if let gap = text.firstRange(of: "::") {
        guard let head = parseGroups(text[..<gap.lowerBound], dottedEnd: false),
            let tail = parseGroups(text[gap.upperBound...], dottedEnd: true),
            head.count + tail.count < 8
        else { return nil }
        let zeros = [UInt16](repeating: 0, count: 8 - head.count - tail.count)
        groups = head + zeros + tail
    } else {
        guard let all = parseGroups(text, dottedEnd: true) else { return nil }
        groups = all
    }
    guard groups.count == 8 else { return nil }
    let high = groups[..<4].reduce(0 as UInt64) { $0 << 16 | UInt64($1) }
    let low = groups[4...].reduce(0 as UInt64) { $0 << 16 | UInt64($1) }
    return .v6(high: high, low: low)
}

private func parseGroups(_ text: Substring, dottedEnd: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
        if dottedEnd, index == parts.count - 1, part.contains(".") {
            guard let number = parseV4(part) else { return nil }
            groups += [UInt16(number >> 16), UInt16(truncatingIfNeeded: number)]
        } else {
            guard (1...4).contains(part.utf8.count), part.first != "+",
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
    }
    return groups
}

/// Lower case, no leading zeros, the longest run of two or more zero groups as "::".
private func textV6(high: UInt64, low: UInt64) -> String {
    let groups = [high, low].flatMap { half in
        [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
    }
    var longest = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
        if index - start > max(longest.count, 1) { longest = start..<index }
        start = index + 1
    }
    let hex = { (part: ArraySlice<UInt16>) in
        part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if longest.isEmpty { return hex(groups[...]) }
    return hex(groups[..<longest.lowerBound]) + "::" + hex(groups[longest.upperBound...])
}
