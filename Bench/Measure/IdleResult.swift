/// What idle connections cost one server.
public struct IdleResult: Equatable, Sendable, Codable {
    public let side: Side
    public let connectionCount: Int
    /// Private memory (RssAnon over all processes) before and with the connections, in bytes.
    public let bytesBefore: Int
    public let bytesWith: Int
    /// All resident memory before, in bytes.
    public let residentBefore: Int

    public init(
        side: Side, connectionCount: Int, bytesBefore: Int, bytesWith: Int, residentBefore: Int
    ) {
        (self.side, self.connectionCount) = (side, connectionCount)
        (self.bytesBefore, self.bytesWith) = (bytesBefore, bytesWith)
        self.residentBefore = residentBefore
    }

    public var bytesPerConnection: Double {
        Double(bytesWith - bytesBefore) / Double(connectionCount)
    }

    /// The goal is Millrace's own; nginx's figure stands beside it.
    public var verdict: Verdict? {
        guard side == .millrace else { return nil }
        return bytesPerConnection <= Row.idleBytesGoal ? .met : .notMet
    }
}
