/// When, in the course of one transfer, the kernel is asked what it knows of the link: at the
/// transfer's ends, and in between each time that it has lasted a quarter longer, but at least
/// 10 ms and at most 100 ms after the time before.
///
///     ms   0  10  20  30  40  50  63  78  98  122  153  191  238  298  373  466  566  666 …
///
/// So the first round trips are seen one by one, over any link on which one is longer than a few
/// packets (`LinkEstimator.intervalMin`), and what a sample costs, some microseconds beside the
/// bytes, is nothing however fast those are. Over a slow link a buffer takes longer than a step,
/// and there is one sample a buffer. Transfers that are known to be shorter than 256 KiB are not
/// watched: they end before anybody knows their rate.

public struct TransferWatch: Sendable {
    public static let bytesMin: UInt64 = 256 << 10
    static let stepsNanoseconds: ClosedRange<UInt64> = 10_000_000...100_000_000
    /// Of what it has lasted.
    static let stepDivisor: UInt64 = 4

    public let direction: LinkDirection
    public let startedAt: UInt64
    /// What has come or gone.
    public private(set) var bytes: UInt64 = 0
    private var sampledAt: UInt64

    /// - Parameters:
    ///   - bytes: of the whole transfer; nil if nobody knows.
    ///   - now: monotonic nanoseconds, as everywhere here.
    public init?(_ direction: LinkDirection, bytes: UInt64?, now: UInt64) {
        guard bytes ?? .max >= TransferWatch.bytesMin else { return nil }
        self.direction = direction
        (startedAt, sampledAt) = (now, now)
    }

    /// Counts what has passed. True: it is time for a sample.
    public mutating func moved(_ count: UInt64, now: UInt64) -> Bool {
        bytes += count
        // By a clock that went back it is as if the time before had been now.
        sampledAt = min(sampledAt, now)
        let lasted = sampledAt > startedAt ? sampledAt - startedAt : 0
        let steps = TransferWatch.stepsNanoseconds
        let step = min(
            max(lasted / TransferWatch.stepDivisor, steps.lowerBound), steps.upperBound)
        guard now - sampledAt >= step else { return false }
        sampledAt = now
        return true
    }

    /// How long it took; 0 by a clock that went back.
    public func seconds(now: UInt64) -> Double {
        now > startedAt ? Double(now - startedAt) / 1e9 : 0
    }
}

/// One transfer that has ended, and what its link was like.
public struct TransferRecord: Equatable, Sendable {
    public var direction: LinkDirection
    public var linkClass: LinkClass
    /// Of that direction; without evidence where nothing is measured.
    public var estimate: LinkEstimate
    public var bytes: UInt64
    /// While its bytes were under way.
    public var seconds: Double
    /// The connection broke, or stood still for too long, amid its bytes: what counts for
    /// `LinkHazard`. Not what the server or the client's request is to blame for.
    public var hasFailed: Bool

    public init(
        _ direction: LinkDirection, linkClass: LinkClass, estimate: LinkEstimate, bytes: UInt64,
        seconds: Double, hasFailed: Bool
    ) {
        (self.direction, self.linkClass, self.estimate) = (direction, linkClass, estimate)
        (self.bytes, self.seconds, self.hasFailed) = (bytes, seconds, hasFailed)
    }
}
