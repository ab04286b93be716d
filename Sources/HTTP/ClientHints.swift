/// What a client says of its own network: Save-Data, ECT, RTT and Downlink (Network Information
/// API, W3C Community Group draft, §§ 7-8; Save Data API § 3).
///
/// Anybody may send anything: what is not exactly one of the values that exist is none. A client
/// that sends a field twice contradicts itself, so that field is none as well.
public struct ClientHints: Equatable, BitwiseCopyable, Sendable {
    public enum ConnectionType: String, CaseIterable, BitwiseCopyable, Sendable {
        case slow2G = "slow-2g"
        case secondGeneration = "2g"
        case thirdGeneration = "3g"
        case fourthGeneration = "4g"
    }

    /// What clients are asked for, as a value of Accept-CH (RFC 8942 §3.1).
    public static let wanted = "Save-Data, ECT, RTT, Downlink"
    /// A round trip that takes longer is no network's.
    static let roundTripMillisecondsMax: UInt64 = 60_000
    static let kilobitsMax: UInt64 = 100_000_000

    /// The client minds every byte.
    public private(set) var savesData = false
    public private(set) var connectionType: ConnectionType?
    public private(set) var roundTripMilliseconds: UInt32?
    public private(set) var downlinkBitsPerSecond: UInt64?
    /// At least one was sent that says nothing.
    public private(set) var hasAbsurd = false

    public init() {}

    /// `bytes` are those that the head was parsed from.
    public init(_ head: RequestHead, in bytes: Span<UInt8>) {
        var (saves, type, roundTrip, downlink) = (0, 0, 0, 0)
        var fields = FieldCursor(head)
        while let field = fields.next(in: bytes) {
            // By length first: few names get further than that.
            guard [3, 8, 9].contains(field.name.count) else { continue }
            let (name, value) = (bytes.extracting(field.name), bytes.extracting(field.value))
            if name.equalsLowercase("save-data") {
                saves += 1
                savesData = value.equalsLowercase("on")
                if !savesData { hasAbsurd = true }
            } else if name.equalsLowercase("ect") {
                type += 1
                connectionType = ClientHints.connectionType(value)
                if connectionType == nil { hasAbsurd = true }
            } else if name.equalsLowercase("rtt") {
                roundTrip += 1
                roundTripMilliseconds = ClientHints.milliseconds(value)
                if roundTripMilliseconds == nil { hasAbsurd = true }
            } else if name.equalsLowercase("downlink") {
                downlink += 1
                downlinkBitsPerSecond = ClientHints.bitsPerSecond(value)
                if downlinkBitsPerSecond == nil { hasAbsurd = true }
            }
        }
        if saves > 1 { savesData = false }
        if type > 1 { connectionType = nil }
        if roundTrip > 1 { roundTripMilliseconds = nil }
        if downlink > 1 { downlinkBitsPerSecond = nil }
        if max(saves, type, roundTrip, downlink) > 1 { hasAbsurd = true }
    }

    private static func connectionType(_ value: Span<UInt8>) -> ConnectionType? {
        ConnectionType.allCases.first { value.equalsLowercase($0.rawValue) }
    }

    /// Whole milliseconds, digits only.
    private static func milliseconds(_ value: Span<UInt8>) -> UInt32? {
        guard let count = Decimal.parse(value), count <= roundTripMillisecondsMax else {
            return nil
        }
        return UInt32(count)
    }

    /// Megabits in a second, with up to three digits behind the point (RFC 9651 §3.3.2).
    private static func bitsPerSecond(_ value: Span<UInt8>) -> UInt64? {
        var point = 0
        while point < value.count, value[point] != Ascii.dot { point += 1 }
        guard let megabits = Decimal.parse(value.extracting(0..<point)),
            megabits <= kilobitsMax / 1000
        else { return nil }
        var kilobits = megabits * 1000
        if point < value.count {
            let digits = value.extracting(droppingFirst: point + 1)
            guard digits.count <= 3, let fraction = Decimal.parse(digits) else { return nil }
            kilobits += fraction * [0, 100, 10, 1][digits.count]
        }
        return kilobits <= kilobitsMax ? kilobits * 1000 : nil
    }
}
