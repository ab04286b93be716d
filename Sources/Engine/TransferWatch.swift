/// When, in the course of one transfer, the kernel is asked what it knows of the link: at the
/// transfer's ends, and in between every 4 MiB or 100 ms, whichever comes first.
///
/// On a fast link a sample costs its core one more turn of the ring in 4 MiB, some 2 µs in 1 ms; on
/// a slow one a buffer takes longer than 100 ms, and there is one sample a buffer. Transfers that
/// are known to be shorter than 256 KiB are not watched: they end before anybody knows their rate.

public struct TransferWatch: Sendable {
    public static let bytesMin: UInt64 = 256 << 10
    static let stepBytes: UInt64 = 4 << 20
    static let stepNanoseconds: UInt64 = 100_000_000

    public let direction: LinkDirection
    public let startedAt: UInt64
    /// What has come or gone.
    public private(set) var bytes: UInt64 = 0
    private var sampledBytes: UInt64 = 0
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
        let isDue =
            bytes - sampledBytes >= TransferWatch.stepBytes
            || now >= sampledAt && now - sampledAt >= TransferWatch.stepNanoseconds
        if isDue { (sampledBytes, sampledAt) = (bytes, now) }
        return isDue
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
