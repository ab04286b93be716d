/// Who a client is, as far as that is remembered: the user that it has shown to be, or else the
/// network that it comes from, never its address.

public struct ClientKey: Hashable, Sendable {
    /// What kind it is, then what tells it from others of that kind.
    public let bytes: [UInt8]

    /// Bytes of the longest key: of a user.
    public static let bytesMax = 1 + userBytesMax
    public static let userBytesMax = 64

    private enum Kind: UInt8 {
        case user = 1
        /// The first 24 bits of an IPv4 address.
        case network4
        /// The first 56 bits of an IPv6 address: as many as homes and offices get (RFC 6177 §2).
        case network6
    }

    private init(_ kind: Kind, _ rest: some Collection<UInt8>) {
        bytes = [kind.rawValue] + rest
    }

    /// Nil for no name, and for a name that is too long.
    public init?(user: [UInt8]) {
        guard 1...ClientKey.userBytesMax ~= user.count else { return nil }
        self.init(.user, user)
    }

    /// Of a `struct sockaddr` as the kernel gives it (getpeername(2)); nil if that is of no
    /// network: a socket of this machine, also by a loopback address, where it says nothing of
    /// the link (a proxy on the same machine speaks for clients everywhere), or cut short.
    public init?(socketAddress bytes: Span<UInt8>) {
        guard bytes.count >= 2 else { return nil }
        // The family is in the machine's order, which is little-endian wherever this is built.
        switch UInt16(bytes[1]) << 8 | UInt16(bytes[0]) {
        case 2:  // AF_INET: port, address
            guard bytes.count >= 8 else { return nil }
            self.init(address4: [bytes[4], bytes[5], bytes[6], bytes[7]])
        case 10:  // AF_INET6: port, flow, address
            guard bytes.count >= 24 else { return nil }
            self.init(address6: (8..<24).map { bytes[$0] })
        default: return nil
        }
    }

    private init?(address4: [UInt8]) {
        guard address4[0] != 127, address4 != [0, 0, 0, 0] else { return nil }
        self.init(.network4, address4.prefix(3))
    }

    private init?(address6: [UInt8]) {
        if address6.prefix(10).allSatisfy({ $0 == 0 }), address6[10] == 255, address6[11] == 255 {
            // An IPv4 address in IPv6's clothes (RFC 4291 §2.5.5.2).
            self.init(address4: Array(address6.suffix(4)))
            return
        }
        // :: and ::1.
        guard address6.prefix(15).contains(where: { $0 != 0 }) || address6[15] > 1 else {
            return nil
        }
        self.init(.network6, address6.prefix(7))
    }

    /// As `bytes` says; nil if no key has those.
    public init?(bytes: [UInt8]) {
        guard let kind = bytes.first.flatMap(Kind.init) else { return nil }
        switch kind {
        case .user: guard 2...ClientKey.bytesMax ~= bytes.count else { return nil }
        case .network4: guard bytes.count == 4 else { return nil }
        case .network6: guard bytes.count == 8 else { return nil }
        }
        self.bytes = bytes
    }

    public var isUser: Bool { bytes[0] == Kind.user.rawValue }

    /// As an operator reads and types it: `user:` and the name, or `network:` and the prefix in
    /// its shortest common form, `192.0.2.0/24` or `2001:db8:0:aa00::/56`.
    public var text: [UInt8] {
        let rest = bytes.dropFirst()
        guard let kind = Kind(rawValue: bytes[0]) else {
            preconditionFailure("a key of no kind")
        }
        switch kind {
        case .user: return Array("user:".utf8) + rest
        case .network4:
            let numbers = rest.map { "\($0)" }.joined(separator: ".")
            return Array("network:\(numbers).0/24".utf8)
        case .network6:
            let padded = rest + [0]
            let groups = stride(from: padded.startIndex, to: padded.endIndex, by: 2).map {
                String(UInt16(padded[$0]) << 8 | UInt16(padded[$0 + 1]), radix: 16)
            }
            return Array("network:\(groups.joined(separator: ":"))::/56".utf8)
        }
    }

    /// What `text` says; nil if it is no key's.
    public init?(text: [UInt8]) {
        let (user, network) = (Array("user:".utf8), Array("network:".utf8))
        if text.starts(with: user) {
            self.init(user: Array(text.dropFirst(user.count)))
            return
        }
        guard text.starts(with: network) else { return nil }
        let prefix = text.dropFirst(network.count)
        guard let key = ClientKey.network(Array(prefix)), key.text == text else { return nil }
        self = key
    }

    /// Whatever is close: only what reads back as it was written is taken.
    private static func network(_ prefix: [UInt8]) -> ClientKey? {
        let text = String(decoding: prefix, as: UTF8.self)
        if text.hasSuffix(".0/24") {
            let numbers = text.dropLast(5).split(separator: ".").compactMap { UInt8($0) }
            return numbers.count == 3 ? ClientKey(.network4, numbers) : nil
        }
        guard text.hasSuffix("::/56") else { return nil }
        let groups = text.dropLast(5).split(separator: ":").compactMap { UInt16($0, radix: 16) }
        guard groups.count == 4 else { return nil }
        return ClientKey(
            .network6,
            groups.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }.prefix(7))
    }
}
