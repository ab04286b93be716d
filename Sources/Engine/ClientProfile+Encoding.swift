/// A client's profile as bytes.
///
///     0         1            2         3       8             16          24
///     format 1  link class   dialect   0 …     chunk bytes   transfers   seen   history …
///
/// Numbers have 8 bytes, little-endian. Whatever the bytes are, what is read from them is bounded.

extension ClientProfile {
    private static let format: UInt8 = 1
    private static let headBytes = 8
    static let encodedBytes = headBytes + 8 * (3 + LinkHistory.fieldCount)
    /// Longer chunks than an operator can allow are no advice of ours.
    private static let chunkBytesMax: UInt64 = 1 << 30

    public var encoded: [UInt8] {
        var bytes: [UInt8] = [ClientProfile.format, linkClass.rawValue, dialect]
        bytes += [UInt8](repeating: 0, count: ClientProfile.headBytes - bytes.count)
        for number in [chunkBytes, transfers, seenSeconds] + history.fields {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        return bytes
    }

    /// Nil for bytes of another format, or that make no sense.
    public init?(encoded bytes: [UInt8]) {
        guard bytes.count == ClientProfile.encodedBytes, bytes[0] == ClientProfile.format,
            let linkClass = LinkClass(rawValue: bytes[1])
        else { return nil }
        let numbers = stride(from: ClientProfile.headBytes, to: bytes.count, by: 8).map { start in
            (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[start + $1]) }
        }
        guard numbers[0] <= ClientProfile.chunkBytesMax,
            let history = LinkHistory(fields: Array(numbers[3...]))
        else { return nil }
        self.linkClass = linkClass
        dialect = bytes[2]
        (chunkBytes, transfers, seenSeconds) = (numbers[0], numbers[1], numbers[2])
        self.history = history
    }
}
