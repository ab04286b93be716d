/// What is believed of a link, and on how much evidence.

public struct LinkEstimate: Equatable, Sendable {
    /// What the link can carry in the direction that was sampled; nil before there is evidence.
    public var bytesPerSecond: Double?
    /// The least in the window: what a request has to wait at least.
    public var roundTripNanoseconds: UInt64?
    /// The share of segments that were sent again, or came out of order: from 0 to 1.
    public var troubleShare: Double?
    /// Round trips that the evidence spans.
    public var roundTrips: Double = 0

    public init() {}
}

/// How often transfers over a link break: failed connections and requests, by the second of
/// transfer. Lost packets are not failures: TCP mends them.
public struct LinkHazard: Equatable, Sendable {
    public var failures: Double
    public var seconds: Double

    public init(failures: Double = 0, seconds: Double = 0) {
        (self.failures, self.seconds) = (failures, seconds)
    }
}

/// What kind of link a client has.
public enum LinkClass: UInt8, CaseIterable, Sendable {
    case unknown, lan, fibre, broadband, mobile, satellite
}
