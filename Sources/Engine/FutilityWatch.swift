/// Whether refusing makes anything faster. A refusal costs, too: once that many come that the core
/// has nothing but refusals to do, refusing leaves the delay as it is and takes the place of all
/// work. Then everything is taken again, for a while: late, but done.
struct FutilityWatch: Sendable {
    /// So many intervals in a row without a short delay, and with no more under way than the window
    /// lets in. What stood in line before is gone by then.
    private static let intervalsInVainMax = 10
    /// For so many nothing is tried.
    private static let intervalsOfRest: UInt64 = 100

    private let limits: AdmissionLimits
    private var start: UInt64 = 0
    private var leastDelay = UInt64.max
    private var wasKept = false
    private var intervalsInVain = 0
    private var restUntil: UInt64 = 0

    init(_ limits: AdmissionLimits) { self.limits = limits }

    func isResting(at now: UInt64) -> Bool { now < restUntil }

    mutating func begin(at now: UInt64) {
        intervalsInVain = 0
        startInterval(at: now)
    }

    private mutating func startInterval(at now: UInt64) {
        (start, leastDelay, wasKept) = (now, .max, false)
    }

    /// True if it is to end now. `keeps`: there are no more under way than there should be.
    mutating func isInVain(_ delay: UInt64, keeps: Bool, at now: UInt64) -> Bool {
        leastDelay = min(leastDelay, delay)
        wasKept = wasKept || keeps
        guard now - start >= limits.delayInterval else { return false }
        let isVain = leastDelay > limits.delayTarget && wasKept
        intervalsInVain = isVain ? intervalsInVain + 1 : 0
        startInterval(at: now)
        guard intervalsInVain >= FutilityWatch.intervalsInVainMax else { return false }
        restUntil = now + FutilityWatch.intervalsOfRest * limits.delayInterval
        return true
    }
}
