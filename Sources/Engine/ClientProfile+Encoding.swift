/// A client's profile as bytes.
///
///     0         1            2        3    8            16         24    32
///     format 2  link class   dialect  0 …  chunk bytes  transfers  seen  reliability …
///
/// The estimate and the history follow. Numbers have 8 bytes, little-endian. Whatever the bytes
/// are, what is read from them is bounded. Format 1, which has a shorter history, is read as well.

extension ClientProfile {
    private static let format: UInt8 = 2
    private static let formatBefore: UInt8 = 1
    private static let headBytes = 8
    static let encodedBytes = bytes(historyFields: LinkHistory.fieldCount)
    static let encodedBytesBefore = bytes(historyFields: LinkHistory.firstFormatCount)
    /// Longer chunks than an operator can allow are no advice of ours.
    private static let chunkBytesMax: UInt64 = 1 << 30

    private static func bytes(historyFields count: Int) -> Int { headBytes + 8 * (8 + count) }

    public var encoded: [UInt8] {
        var bytes: [UInt8] = [ClientProfile.format, linkClass.rawValue, dialect]
        bytes += [UInt8](repeating: 0, count: ClientProfile.headBytes - bytes.count)
        let own = [chunkBytes, transfers, seenSeconds, reliability.bitPattern]
        for number in own + estimate.fields + history.fields {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        return bytes
    }

    /// Nil for bytes of another format, or that make no sense.
    public init?(encoded bytes: [UInt8]) {
        let isBefore =
            bytes.count == ClientProfile.encodedBytesBefore
            && bytes[0] == ClientProfile.formatBefore
        let isOurs =
            bytes.count == ClientProfile.encodedBytes && bytes[0] == ClientProfile.format
        guard isOurs || isBefore, let linkClass = LinkClass(rawValue: bytes[1]) else { return nil }
        let numbers = stride(from: ClientProfile.headBytes, to: bytes.count, by: 8).map { start in
            (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[start + $1]) }
        }
        guard numbers[0] <= ClientProfile.chunkBytesMax,
            0...1 ~= Double(bitPattern: numbers[3]),
            let estimate = LinkEstimate(fields: Array(numbers[4..<8])),
            let history = isOurs
                ? LinkHistory(fields: Array(numbers[8...]))
                : LinkHistory(firstFormat: Array(numbers[8...]))
        else { return nil }
        self.linkClass = linkClass
        dialect = bytes[2]
        (chunkBytes, transfers, seenSeconds) = (numbers[0], numbers[1], numbers[2])
        reliability = Double(bitPattern: numbers[3])
        (self.estimate, self.history) = (estimate, history)
    }
}

extension LinkEstimate {
    /// 0 for what is not known.
    fileprivate var fields: [UInt64] {
        [
            (bytesPerSecond ?? 0).bitPattern, roundTripNanoseconds ?? 0,
            (lossShare ?? 0).bitPattern, roundTrips.bitPattern,
        ]
    }

    /// Nil for numbers that no estimate has.
    fileprivate init?(fields: [UInt64]) {
        let (rate, loss) = (Double(bitPattern: fields[0]), Double(bitPattern: fields[2]))
        let roundTrips = Double(bitPattern: fields[3])
        guard 0...LinkEstimator.bytesPerSecondMax ~= rate, 0...1 ~= loss,
            0...1e12 ~= roundTrips, Double(fields[1]) <= LinkEstimator.roundTripMax
        else { return nil }
        self.init()
        if rate > 0 { bytesPerSecond = rate }
        if fields[1] > 0 { roundTripNanoseconds = fields[1] }
        if loss > 0 { lossShare = loss }
        self.roundTrips = roundTrips
    }
}
