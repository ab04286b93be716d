/// What is known of a file to be sent, and of the link that it will come by. Anything but the class
/// may be missing.

public struct TransferFacts: Equatable, Sendable {
    /// Of the whole file, in bytes.
    public var size: UInt64?
    /// What of it has not come yet, if the next chunk may be of another length than the ones
    /// before; nil: one length is wanted for the whole file.
    public var bytesLeft: UInt64?
    public var bytesPerSecond: UInt64?
    /// Round trips that `bytesPerSecond` rests on (`LinkEstimate.roundTrips`); nil: enough.
    public var roundTrips: Double?
    public var roundTripNanoseconds: UInt64?
    /// The share of requests that did not fail, from 0 to 1.
    public var reliability: Double?
    /// Failed connections and requests by the second of transfer: `LinkHazard.failuresPerSecond`.
    public var failuresPerSecond: Double?
    public var linkClass = LinkClass.unknown
    /// What earlier transfers of this client told.
    public var history: LinkHistory?
    /// The time that `history` is read at, in milliseconds since 1970.
    public var now: UInt64?

    public init(
        size: UInt64? = nil, bytesPerSecond: UInt64? = nil, roundTripNanoseconds: UInt64? = nil,
        reliability: Double? = nil, failuresPerSecond: Double? = nil
    ) {
        (self.size, self.bytesPerSecond) = (size, bytesPerSecond)
        (self.roundTripNanoseconds, self.reliability) = (roundTripNanoseconds, reliability)
        self.failuresPerSecond = failuresPerSecond
    }
}
