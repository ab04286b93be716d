/// When the requests of an open loop are due: one every so many nanoseconds from a start on,
/// whatever became of those before.
///
/// A client that waits for an answer before it asks again does not see the requests that a slow
/// server keeps from being sent (coordinated omission). Here every latency counts from when its
/// request was due, also if no connection was free then.
public struct Schedule: Equatable, Sendable {
    private let start: UInt64
    private let perSecond: Double
    private let end: UInt64
    /// Requests that were handed out.
    public private(set) var count: UInt64 = 0

    /// Times are nanoseconds of one clock. Nothing is due at `end` or later.
    public init(perSecond: Double, from start: UInt64, until end: UInt64) {
        precondition(perSecond > 0 && start <= end)
        (self.perSecond, self.start, self.end) = (perSecond, start, end)
    }

    /// When the next request is due; nil once all have been handed out.
    public var next: UInt64? {
        // From the start each time: no error adds up.
        let time = start + UInt64((Double(count) * 1e9 / perSecond).rounded())
        return time < end ? time : nil
    }

    /// When the next request was due, if that is not later than `now`.
    public mutating func take(at now: UInt64) -> UInt64? {
        guard let next, next <= now else { return nil }
        count += 1
        return next
    }

    /// What a client that has nothing else to do should do before the next request.
    public enum Pause: Equatable, Sendable {
        /// Sleep for at most so many nanoseconds.
        case sleep(UInt64)
        /// Too short to sleep.
        case poll
        /// Nothing more is due.
        case over
    }

    /// About twice what waking up costs.
    private static let sleepMin: UInt64 = 20_000

    public func pause(at now: UInt64) -> Pause {
        guard let next else { return .over }
        guard next > now + Schedule.sleepMin else { return .poll }
        return .sleep(next - now - Schedule.sleepMin / 2)
    }
}
