/// How many requests may wait for a core at once while it has more than it can do.
///
/// A core that refuses by a delay alone takes, in one turn of its ring, whatever came with it, and
/// sees what that costs afterwards. So it takes only as many as it needs to be busy. How many
/// those are is what BBR knows of a path: what it brings at most, times how long it takes when
/// hardly anything is under way. Twice of that keeps a disk, or a processor, busy at the price of
/// twice the time.
///
///     draining ──few are left──▶ probing ──an interval──▶ working ──many intervals──▶ draining …
///
/// How long a request takes is not measured but follows from how many there are on average and how
/// many are answered (Little's law).
struct WorkWindow: Sendable {
    /// Of those that are taken: so many always may be.
    static let least = 4
    /// While it is measured how long one takes.
    static let probing = 2
    /// An interval with fewer answers goes on.
    private static let answersMin = 8
    /// Times as long as when hardly anything is under way, a request may take.
    private static let gain = 2.0
    /// Then that is measured anew: by a hundredth of the time.
    private static let intervalsOfWork = 100

    private enum Phase {
        case off
        case draining
        case probing
        case working
    }

    private let interval: UInt64
    private var phase = Phase.off
    private(set) var limit = Int.max
    private var count = 0
    private var since: UInt64 = 0
    /// When the interval began.
    private var countBefore = 0

    /// Of the interval: when it began, what was answered, and the requests' nanoseconds.
    private var start: UInt64 = 0
    private var answers = 0
    private var area: UInt64 = 0

    private var intervals = 0
    /// Nanoseconds of one request when hardly any were under way.
    private var leastTime = 0.0
    /// Answers in a nanosecond of the interval before.
    private var previousRate = 0.0

    init(interval: UInt64) { self.interval = interval }

    mutating func open() { (phase, limit) = (.off, .max) }

    /// From now on only so many; fewest at first, because nothing is known.
    mutating func narrow(_ count: Int, at now: UInt64) {
        (self.count, since) = (count, now)
        previousRate = 0
        drain(at: now)
        changed(to: count, at: now)
    }

    private mutating func drain(at now: UInt64) {
        (phase, limit, intervals) = (.draining, WorkWindow.probing, 0)
        countBefore = count
        startInterval(at: now)
    }

    private mutating func startInterval(at now: UInt64) { (start, answers, area) = (now, 0, 0) }

    mutating func changed(to count: Int, at now: UInt64) {
        guard phase != .off else { return }
        area += UInt64(self.count) * (now - since)
        (self.count, since) = (count, now)
        if phase == .draining { drainOn(at: now) }
    }

    /// What goes on with something is never refused: nobody waits for it once the line is no longer
    /// getting shorter.
    private mutating func drainOn(at now: UInt64) {
        let isOver = now - start >= interval
        guard count <= limit || isOver else { return }
        if count <= limit || count >= countBefore { phase = .probing }
        countBefore = count
        startInterval(at: now)
    }

    mutating func answered(at now: UInt64) {
        guard phase == .probing || phase == .working else { return }
        answers += 1
        let elapsed = now - start
        guard elapsed >= interval, answers >= WorkWindow.answersMin else { return }
        if phase == .probing { leastTime = Double(area) / Double(answers) }
        let rate = Double(answers) / Double(elapsed)
        let needed = (WorkWindow.gain * max(rate, previousRate) * leastTime).rounded(.up)
        limit = max(WorkWindow.least, Int(min(needed, 1e9)))
        previousRate = rate
        intervals += 1
        phase = .working
        startInterval(at: now)
        if intervals > WorkWindow.intervalsOfWork { drain(at: now) }
    }
}
