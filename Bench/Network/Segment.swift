/// TCP segments in IPv4 packets, as far as who breaks connections must know them (RFC 791, 9293).

struct Segment: Equatable {
    struct End: Hashable, Sendable {
        var address: UInt32
        var port: UInt16
    }

    struct Flags: OptionSet, Equatable {
        let rawValue: UInt8
        static let end = Flags(rawValue: 1)
        static let begin = Flags(rawValue: 2)
        static let reset = Flags(rawValue: 4)
        static let acknowledges = Flags(rawValue: 16)
    }

    var source: End
    var target: End
    var number: UInt32
    var acknowledged: UInt32
    var flags: Flags
    /// Numbers that it takes: its payload's bytes, and one each for a begin and an end.
    var length: UInt32

    private static let protocolNumber: UInt8 = 6
    private static let headBytes = 20

    init(
        from source: End, to target: End, number: UInt32, acknowledged: UInt32, _ flags: Flags
    ) {
        (self.source, self.target) = (source, target)
        (self.number, self.acknowledged, self.flags) = (number, acknowledged, flags)
        length = 0
    }

    /// Nil for what is no such segment, or no first part of one.
    init?(_ packet: [UInt8]) {
        guard packet.count >= 2 * Segment.headBytes, packet[0] >> 4 == 4,
            packet[9] == Segment.protocolNumber, packet[6] & 0x1f == 0, packet[7] == 0
        else { return nil }
        let start = Int(packet[0] & 15) * 4
        let total = Int(packet[2]) << 8 | Int(packet[3])
        guard start >= Segment.headBytes, total <= packet.count,
            start + Segment.headBytes <= total
        else { return nil }
        let head = start + Int(packet[start + 12] >> 4) * 4
        guard head >= start + Segment.headBytes, head <= total else { return nil }
        func word(_ at: Int) -> UInt32 {
            packet[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        let ports = word(start)
        source = End(address: word(12), port: UInt16(ports >> 16))
        target = End(address: word(16), port: UInt16(truncatingIfNeeded: ports))
        (number, acknowledged) = (word(start + 4), word(start + 8))
        flags = Flags(rawValue: packet[start + 13])
        length = UInt32(total - head)
        if flags.contains(.begin) { length += 1 }
        if flags.contains(.end) { length += 1 }
    }

    /// What a host without that connection answers (RFC 9293 §3.10.7.1); nil to a reset.
    var refusal: Segment? {
        guard !flags.contains(.reset) else { return nil }
        guard flags.contains(.acknowledges) else {
            return Segment(
                from: target, to: source, number: 0, acknowledged: number &+ length,
                [.reset, .acknowledges])
        }
        return Segment(
            from: target, to: source, number: acknowledged, acknowledged: 0, .reset)
    }

    /// As a packet without payload.
    var packet: [UInt8] {
        func bytes(_ word: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
        }
        let size = UInt8(2 * Segment.headBytes)
        var head: [UInt8] = [0x45, 0, 0, size, 0, 0, 0x40, 0, 64, Segment.protocolNumber, 0, 0]
        head += bytes(source.address) + bytes(target.address)
        let sum = Segment.checksum(head)
        (head[10], head[11]) = (UInt8(sum >> 8), UInt8(sum & 255))
        var body = bytes(UInt32(source.port) << 16 | UInt32(target.port))
        body += bytes(number) + bytes(acknowledged) + [0x50, flags.rawValue, 0, 0, 0, 0, 0, 0]
        // Addresses, protocol and length count as if they stood in front.
        let covered =
            bytes(source.address) + bytes(target.address)
            + [0, Segment.protocolNumber, 0, UInt8(Segment.headBytes)] + body
        let total = Segment.checksum(covered)
        (body[16], body[17]) = (UInt8(total >> 8), UInt8(total & 255))
        return head + body
    }

    /// RFC 1071, of an even number of bytes.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        precondition(bytes.count.isMultiple(of: 2), "sums are of whole words")
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
        return ~UInt16(sum)
    }
}
