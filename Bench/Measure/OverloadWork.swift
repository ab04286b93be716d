/// What an overloaded server is asked for.
public struct OverloadWork: Equatable, Sendable, Codable {
    public enum Kind: String, Sendable, Codable {
        case put
        /// The same by clients that wait to be asked for the body (100-continue).
        case putAsking
        /// Begun by a request without content, then sent in one (tus): who is refused has sent
        /// nothing, and keeps his connection.
        case creation
        /// Of objects that the hot cache does not hold.
        case get
        /// Of objects that it does.
        case getHot
    }

    public let name: String
    public let kind: Kind
    public let bodyCount: Int

    init(_ name: String, _ kind: Kind, _ bodyCount: Int) {
        (self.name, self.kind, self.bodyCount) = (name, kind, bodyCount)
    }

    public var isUpload: Bool {
        switch kind {
        case .put, .putAsking, .creation: true
        case .get, .getHot: false
        }
    }

    /// Answers of the hot cache are never refused: they are shown, and have no goals.
    public var hasGoals: Bool { kind != .getHot }

    public static let all = [
        OverloadWork("put-64k", .put, 64 << 10),
        OverloadWork("put-64k-expect", .putAsking, 64 << 10),
        OverloadWork("put-1m", .put, 1 << 20),
        OverloadWork("put-1m-expect", .putAsking, 1 << 20),
        OverloadWork("tus-1m", .creation, 1 << 20),
        OverloadWork("get-256k", .get, 256 << 10),
        OverloadWork("get-1m", .get, 1 << 20),
        OverloadWork("get-1k-hot", .getHot, 1 << 10),
    ]
}

/// What became of requests that left on a schedule, at one speed.
public struct OverloadPoint: Equatable, Sendable, Codable {
    /// Of what the server can do.
    public let load: Double
    public let hasAdmission: Bool
    /// Requests that were due a second.
    public let offered: Double
    /// Requests answered with what was asked for, a second of the time that counts.
    public let goodput: Double
    /// Of those, from when they were due.
    public let admitted: Latency?
    /// Requests that were refused with 503 and Retry-After, a second.
    public let refusals: Double
    public let refused: Latency?
    /// Refused without word of when to come again.
    public let refusedWithoutTime: Int
    /// Any other answer, or none at all.
    public let broken: Int
    /// Requests that were due and could not leave: every connection was taken.
    public let unsent: Int
    /// The server's CPU-seconds a second.
    public let serverCPU: Double

    public init(
        load: Double, hasAdmission: Bool, offered: Double, tally: OpenTally, serverCPU: Double
    ) {
        (self.load, self.hasAdmission, self.offered) = (load, hasAdmission, offered)
        goodput = Double(tally.goodCount) / tally.seconds
        admitted = Latency(tally.admitted)
        refusals = Double(tally.refused.count) / tally.seconds
        refused = Latency(tally.refused)
        (refusedWithoutTime, broken) = (tally.refusedWithoutTime, tally.broken)
        unsent = tally.unsent
        self.serverCPU = serverCPU
    }
}

/// What a client counted whose requests leave on a schedule.
public struct OpenTally: Equatable, Sendable {
    /// Length of the time that counts.
    public var seconds = 0.0
    /// Good answers that came in that time.
    public var goodCount = 0
    /// Of requests that were due in that time.
    public var admitted = Histogram()
    public var refused = Histogram()
    public var refusedWithoutTime = 0
    public var broken = 0
    public var unsent = 0
    /// All requests that left, before the time that counts included.
    public var sentCount: UInt64 = 0

    public init() {}
}
