/// Which moment of its life a server is in, and what a stop signal means there.
///
///     recovering ──recovered──▶ serving ──stop──▶ draining ──stop──▶ ended at once
///         ├────────────stop: recovery is cut short────▶│
///         └────────────failed─────────────────────────▶┘
///
/// Invariant: nothing is served once a recovery was cut short: what it found is not closed in
/// order, and need not be, because the next start begins it anew.

struct ServerLife: Equatable {
    enum Phase: Equatable { case recovering, serving, draining }

    enum Answer: Equatable {
        /// Whoever waits for recovery to end need not: the connections end, then the process.
        case cutRecovery
        case drain
        case endAtOnce
    }

    private(set) var phase = Phase.recovering
    private var isRecoveryCut = false

    mutating func toldToStop() -> Answer {
        defer { phase = .draining }
        switch phase {
        case .recovering:
            isRecoveryCut = true
            return .cutRecovery
        case .serving: return .drain
        case .draining: return .endAtOnce
        }
    }

    /// The store is open. Whether it may be served: false if the stop came first.
    mutating func recovered() -> Bool {
        guard phase == .recovering else { return false }
        phase = .serving
        return true
    }

    /// The store cannot be opened; what is left is to end. False if nobody waits for it any more.
    mutating func failed() -> Bool {
        phase = .draining
        return !isRecoveryCut
    }
}
