/// Whether something that failed is asked again, and when: a disk, or a service elsewhere.
///
///                 failed                   delay over, startProbe
///     closed ───────────────▶ open(delay) ───────────────────────▶ halfOpen
///        ▲                        ▲                                   │  │
///        │                        └────── failed: a longer delay ─────┘  │
///        └───────────────────────── succeeded ───────────────────────────┘
///
/// The first delay is `delayMin`; each probe that fails doubles it, up to `delayMax`. What fails
/// again soon after it was closed goes on with the doubling, so that what comes and goes is not
/// asked all the time; the delay starts anew once it has been closed for `calm`.
///
/// Times are monotonic nanoseconds and arguments. A clock that steps back makes nothing wait longer
/// than one delay from then on; one that steps forward brings a probe early, which harms nobody.
public struct CircuitBreaker: Equatable, Sendable {
    public struct Policy: Equatable, Sendable {
        public var delayMin: UInt64
        public var delayMax: UInt64
        public var calm: UInt64

        public init(delayMin: UInt64, delayMax: UInt64, calm: UInt64) {
            precondition(delayMin > 0 && delayMin <= delayMax, "a delay is a time")
            (self.delayMin, self.delayMax, self.calm) = (delayMin, delayMax, calm)
        }
    }

    public enum State: Equatable, Sendable {
        /// It is asked.
        case closed
        /// It is not.
        case open
        /// One who tries is under way.
        case halfOpen
    }

    public let policy: Policy
    public private(set) var state = State.closed
    /// How long nobody tries.
    private var delay: UInt64 = 0
    /// When it was last opened, or closed.
    private var changedAt: UInt64 = 0

    public init(_ policy: Policy) { self.policy = policy }

    /// It failed while it was asked. Answers whether that opened it: else it was open already.
    public mutating func failed(at now: UInt64) -> Bool {
        switch state {
        case .closed:
            let isCalm = delay == 0 || elapsed(at: now) >= policy.calm
            delay = isCalm ? policy.delayMin : longer
            open(at: now)
            return true
        case .open, .halfOpen: return false
        }
    }

    /// Lets one try; only when its time has come, and nobody does already.
    public mutating func startProbe(at now: UInt64) -> Bool {
        guard state == .open, nanosecondsUntilProbe(at: now) == 0 else { return false }
        state = .halfOpen
        return true
    }

    /// How that went.
    public mutating func probeEnded(succeeded: Bool, at now: UInt64) {
        precondition(state == .halfOpen, "nobody tried")
        if succeeded {
            state = .closed
            changedAt = now
        } else {
            delay = longer
            open(at: now)
        }
    }

    /// Until somebody may try; nil while it is closed, none while somebody does.
    public mutating func nanosecondsUntilProbe(at now: UInt64) -> UInt64? {
        switch state {
        case .closed: return nil
        case .halfOpen: return 0
        case .open: return delay - min(delay, elapsed(at: now))
        }
    }

    private mutating func elapsed(at now: UInt64) -> UInt64 {
        // The clock was set back: counted anew from there.
        if now < changedAt { changedAt = now }
        return now - changedAt
    }

    private mutating func open(at now: UInt64) {
        state = .open
        changedAt = now
    }

    private var longer: UInt64 {
        delay >= policy.delayMax / 2 ? policy.delayMax : max(policy.delayMin, delay * 2)
    }
}
