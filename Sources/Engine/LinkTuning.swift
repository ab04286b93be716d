/// How a connection's transfers follow the kind of link that it has.
///
/// What each part is worth, and why the others are off unless an operator wants them:
///
/// - *Send window* (TCP_NOTSENT_LOWAT), on slow links. Without it the kernel takes, unsent, as much
///   as the socket's buffer holds: up to 4 MiB for each client, out of its own memory, which no
///   limit of this server covers; and what a download shows of its client is how fast the kernel
///   copies. With it a socket holds what is on its way and 128 KiB, or a fifth of a second.
/// - *Buffers*, on every link whose rate is known: a transfer starts with the size that its link
///   came to before, and on slow links holds no more than the link can use.
/// - *Congestion control*: bbr where segments are lost for no fault of the sender's. With 1 % lost
///   over 20 Mbit/s and 150 ms a download takes 0.06 of cubic's time; without losses it is no
///   faster, and bbr fills buffers, and others' waits, while it finds the rate. Off.
/// - *Pacing* of the others: as fast, with a sixth of the losses in the link's buffer, or none, but
///   that buffer is fuller on average. Off (perf/runs/2026-11-27-51305fc-lab-tuning.md).

public import IO

public struct LinkTuning: Equatable, Sendable {
    /// What may wait in the socket, unsent; 0: as much as the system lets.
    public var unsentBytesMax: UInt32 = 0
    /// nil: as congestion control has it.
    public var pacingBytesPerSecond: UInt64?
    /// nil: the system's.
    public var congestionControl: CongestionControl?
    /// What a download's first buffers are chosen by, in bytes; 0: nothing is known.
    public var startBytes = 0
    /// No buffer of its transfers is larger.
    public var bufferBytesMax = Int.max

    public init() {}

    /// What an operator lets be tuned beside window and buffers.
    public struct Choices: Equatable, Sendable {
        public var paces = false
        /// Among which congestion control may be chosen; empty where it may not be.
        public var congestionControls: [CongestionControl] = []
        /// What connections have from the start, if it is one of those that are known here. Else
        /// none is chosen, for it could not be taken back.
        public var systemControl: CongestionControl?

        public init() {}
    }

    /// 100 Mbit/s. Beyond, the server and its buffers matter as much as the link.
    static let slowBytesPerSecond = 12_500_000.0
    /// For a link of 100 ms, the middle of broadband and mobile, so many bytes are some 10 Mbit/s:
    /// what a socket needs beside what is on its way, to be fed by who waits for a poll.
    static let unsentBytesMin = 128.0 * 1024
    static let unsentSeconds = 0.2
    static let slowBufferBytesMax = 256 << 10
    /// Of what a link carries, in its first second no more leaves than this lets: a burst of twice
    /// the rate fills a queue by no more than lasts as long as the burst.
    static let pacingFactor = 2.0
    /// Before so many round trips without growth the rate is a lower bound: nobody is held to that.
    static let pacingRoundTripsMin = 3.0
    /// A rate that has changed by less asks for nothing new.
    static let rateTolerance = 1.25
    /// As `BufferSelector`'s: what one buffer should last.
    static let bufferSeconds = 0.1
    static let largestBufferBytes = 1.0 * 1024 * 1024

    /// - Parameters:
    ///   - linkClass: of the connection; for `unknown` everything is as the system has it.
    ///   - estimate: of what it carries to the client.
    public static func decide(
        _ linkClass: LinkClass, _ estimate: LinkEstimate, _ choices: Choices
    ) -> LinkTuning {
        var tuning = LinkTuning()
        let rate = estimate.bytesPerSecond.flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
        if linkClass != .unknown, let rate {
            tuning.startBytes = Int(min(rate * bufferSeconds, largestBufferBytes))
        }
        if linkClass.isLossy, rate != nil, choices.congestionControls.contains(.bbr),
            let system = choices.systemControl, system != .bbr
        {
            tuning.congestionControl = .bbr
        }
        guard linkClass.isSlow, let rate, rate < slowBytesPerSecond else { return tuning }
        tuning.bufferBytesMax = slowBufferBytesMax
        let unsent = max(unsentBytesMin, rate * unsentSeconds)
        tuning.unsentBytesMax = UInt32(min(unsent, 4 * largestBufferBytes))
        // bbr paces by what it measures itself.
        if choices.paces, tuning.congestionControl != .bbr,
            estimate.roundTrips >= pacingRoundTripsMin
        {
            tuning.pacingBytesPerSecond = UInt64(max(1, rate * pacingFactor))
        }
        return tuning
    }

    /// Whether a link of the same class that is estimated so has to be decided on anew, after it
    /// was when it was estimated otherwise.
    public static func isOutdated(_ old: LinkEstimate, by new: LinkEstimate) -> Bool {
        let (was, now) = (old.bytesPerSecond ?? 0, new.bytesPerSecond ?? 0)
        if now > was * rateTolerance || was > now * rateTolerance { return true }
        let (wasKnown, isKnown) = (
            old.roundTrips >= pacingRoundTripsMin, new.roundTrips >= pacingRoundTripsMin
        )
        return isKnown && !wasKnown
    }
}

extension LinkClass {
    /// The link may be what a transfer waits for, not the server.
    var isSlow: Bool {
        switch self {
        case .unknown, .lan, .fibre: false
        case .broadband, .mobile, .satellite: true
        }
    }

    /// Segments are lost, or late, for other reasons than a full queue, which cubic and reno take
    /// for one.
    var isLossy: Bool {
        switch self {
        case .unknown, .lan, .fibre, .broadband: false
        case .mobile, .satellite: true
        }
    }
}
