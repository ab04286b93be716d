/// What a client says of its own link, as far as that helps to tell which kind it is. Hints are
/// believed only where nothing was measured, for they are whatever somebody chose to send.

public struct LinkHints: Equatable, Sendable {
    /// The client minds every byte, or thinks that its link is one of 3G at best.
    public var suggestsMobile = false
    public var roundTripNanoseconds: UInt64?
    public var bytesPerSecond: Double?

    public init() {}
}
