/// How many requests may wait for a core at once while it has more than it can do.
///
/// A core that refuses by a delay alone takes, in one turn of its ring, whatever came with it, and
/// sees what that costs afterwards. So it takes only as many as keep busy what limits it, be that
/// the processor, which one or two keep busy, or a disk, which does several things at once and
/// whose flush is for all who wait for one. Which it is need not be known: as in BBR's startup, the
/// window is doubled as long as that brings more answers.
///
///     draining ──few are left──▶ climbing ──twice as many bring no more──▶ working
///        ▲                                                                    │
///        └────────────────────────── many intervals ──────────────────────────┘
///
/// What refusals cost is in what is measured: it is not there for answers.
struct WorkWindow: Sendable {
    /// So many may always be under way.
    static let least = 2
    /// An interval with fewer answers goes on, and with fewer than twice the window's: those that
    /// are answered first were let in by another.
    private static let answersMin = 16
    /// By which factor twice as many must bring more answers, to be tried again.
    private static let growthMin = 1.1
    /// The narrowest that brings such a part of the most answers is taken.
    private static let shareMin = 0.9
    /// 131,072 at once.
    private static let levelsMax = 17
    /// Then all is measured anew.
    private static let intervalsOfWork = 200
    /// For longer than so many intervals nobody waits for a line to go away.
    private static let drainingIntervalsMax: UInt64 = 100

    private enum Phase {
        case off
        case draining
        case climbing
        case working
    }

    private let interval: UInt64
    private var phase = Phase.off
    private(set) var limit = Int.max
    /// What `climbing` has come to last; 0: it has never begun.
    private(set) var width = 0
    private var count = 0
    /// When the interval began, and what has been answered in it.
    private var start: UInt64 = 0
    private var answers = 0
    /// A flush answers many at once: they belong to the time before it.
    private var answeredAt: UInt64 = 0
    /// How many are always there.
    private var base = 0
    /// Of draining: how many of those that were there have not been answered, if the others come
    /// after them.
    private var left = 0
    /// Of climbing: answers in a nanosecond with `least`, twice as many, and so on.
    private var rates: [Double] = []
    private var intervals = 0

    init(interval: UInt64) { self.interval = interval }

    mutating func open() {
        // Wide enough for all who came.
        if phase == .climbing { width = max(width, limit) }
        (phase, limit) = (.off, .max)
    }

    /// From now on only so many; fewest at first, because nothing is known.
    mutating func narrow(_ count: Int, at now: UInt64) {
        self.count = count
        drain(at: now)
        changed(to: count, at: now)
    }

    private mutating func drain(at now: UInt64) {
        (phase, limit, left) = (.draining, WorkWindow.least, count)
        startInterval(at: now)
    }

    private mutating func startInterval(at now: UInt64) {
        (start, answers, answeredAt) = (now, 0, now)
    }

    mutating func changed(to count: Int, at now: UInt64) {
        guard phase != .off else { return }
        self.count = count
        if phase == .draining { drainOn(at: now) }
    }

    /// The line is gone once as many have been answered as there were: who is there then goes on
    /// with something, which is never refused, and there will always be such.
    private mutating func drainOn(at now: UInt64) {
        let isOver = left <= 0 || now - start >= interval * WorkWindow.drainingIntervalsMax
        guard count <= WorkWindow.least || isOver else { return }
        base = count <= WorkWindow.least ? 0 : count
        (phase, limit) = (.climbing, base + WorkWindow.least)
        rates.removeAll(keepingCapacity: true)
        startInterval(at: now)
    }

    mutating func answered(at now: UInt64) {
        guard phase != .off else { return }
        if phase == .draining {
            left -= 1
            return drainOn(at: now)
        }
        if now > answeredAt { endInterval() }
        answers += 1
        answeredAt = now
    }

    private mutating func endInterval() {
        let elapsed = answeredAt - min(answeredAt, start)
        guard elapsed >= interval, answers >= WorkWindow.answersMin, answers / 2 >= limit else {
            return
        }
        switch phase {
        case .climbing: climb(Double(answers) / Double(elapsed))
        case .working:
            intervals += 1
            if intervals >= WorkWindow.intervalsOfWork { return drain(at: answeredAt) }
        case .off, .draining: break
        }
        startInterval(at: answeredAt)
    }

    private mutating func climb(_ rate: Double) {
        let before = rates.last ?? 0
        rates.append(rate)
        if rate > before * WorkWindow.growthMin, rates.count < WorkWindow.levelsMax {
            limit = base + WorkWindow.least << rates.count
            return
        }
        let most = rates.max() ?? rate
        let level = rates.firstIndex { $0 >= most * WorkWindow.shareMin } ?? 0
        width = base + WorkWindow.least << level
        (phase, limit, intervals) = (.working, width, 0)
    }
}
