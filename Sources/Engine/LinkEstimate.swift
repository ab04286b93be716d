/// What is believed of a link, and on how much evidence.

public struct LinkEstimate: Equatable, Sendable {
    /// What the link can carry in the direction that was sampled; nil before there is evidence.
    public var bytesPerSecond: Double?
    /// The least in the window: what a request has to wait at least.
    public var roundTripNanoseconds: UInt64?
    /// The share of segments that were lost, from 0 to 1; nil before there were enough of them
    /// (`LossCount`).
    public var lossShare: Double?
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

extension LinkEstimate {
    /// Round trips of evidence from which on an estimate stands for itself.
    public static let roundTripsEnough = 3.0

    /// With what an earlier connection of the same client told, as long as this one has told less:
    /// while TCP opens its window a rate is a lower bound, and the link is what it was.
    public func completed(by earlier: LinkEstimate?) -> LinkEstimate {
        guard let earlier else { return self }
        var estimate = self
        if roundTrips < LinkEstimate.roundTripsEnough, let before = earlier.bytesPerSecond,
            before >= bytesPerSecond ?? 0
        {
            (estimate.bytesPerSecond, estimate.roundTrips) = (before, earlier.roundTrips)
        }
        estimate.roundTripNanoseconds = roundTripNanoseconds ?? earlier.roundTripNanoseconds
        estimate.lossShare = lossShare ?? earlier.lossShare
        return estimate
    }
}
