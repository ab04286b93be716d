/// How many requests may wait for a core at once while it has more than it can do.
///
/// A core that refuses by a delay alone takes, in one turn of its ring, whatever came with it, and
/// sees what that costs afterwards. So it takes only as many as keep busy what limits it, be that
/// the processor, which one or two keep busy, or a disk, which does several things at once and
/// whose flush is for all who wait for one. Which it is need not be known: as in BBR's startup, the
/// window is doubled as long as that brings more answers, and now and then half as many are tried,
/// or twice as many. As BBR lets a path run dry for the time that it takes with nothing in its
/// queue, nobody is let in now and then until it is seen what is there without new requests.
///
///     draining ──few are left──▶ climbing ──more bring no more──▶ working ◀──intervals──▶ trying
///                                                                    ▲                 or draining
///                                                                    └──few are left──────┘
///
/// What refusals cost is in what is measured: it is not there for answers.
struct WorkWindow: Sendable {
    /// So many may always be under way.
    static let least = 2
    /// An interval with fewer answers goes on, and with fewer than the window.
    private static let answersMin = 16
    /// So many are measured together, behind one in which those are answered that were let in
    /// before.
    private static let intervalsOfLevel = 2
    /// Twice as many must bring so many times the answers: each of them takes nearly twice as long
    /// for it.
    private static let growthMin = 1.12
    /// 131,072 at once.
    private static let levelMax = 16
    /// After so many intervals half as many are tried, and after so many twice as many, which is
    /// at the cost of those who are let in meanwhile: so in less than a hundredth of the time.
    /// Half of that time after each of those, it drains.
    private static let intervalsToHalf = 50
    private static let intervalsToTwice = 400
    /// Who has begun an upload is then answered once more, for its bytes.
    private static let answersOfEach = 2
    /// For longer than so many intervals nobody waits for a line to go away: large transfers are in
    /// it, which last.
    private static let drainingIntervalsMax: UInt64 = 30

    private enum Phase {
        case off
        /// Then on to that level, or to climb.
        case draining(to: Int?)
        case climbing
        case working
        /// Another level.
        case trying(level: Int)
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
    /// Of this interval.
    private var fewest = 0
    /// Of draining: how many answers are to be waited for, since when, and how long the line has
    /// been: the sum of this interval, in requests times nanoseconds, and the mean of the last one.
    private var left = 0
    private var drainsSince: UInt64 = 0
    private var sum = 0.0
    private var changedAt: UInt64 = 0
    private var meanBefore = Double.infinity
    /// The window is `least` times two to the power of this, beside `base`.
    private var level = 0
    /// What is answered now was let in before.
    private var isFresh = false
    /// Of climbing: answers in a nanosecond at each level.
    private var rates: [Double] = []
    /// Of working: the same, as it was of late.
    private var rate = 0.0
    private var intervals = 0

    init(interval: UInt64) { self.interval = interval }

    mutating func open() {
        // Wide enough for all who came.
        if case .climbing = phase { width = max(width, limit) }
        (phase, limit) = (.off, .max)
    }

    /// From now on only so many; fewest at first, because nothing is known. `requests` are not
    /// done with, `count` of which wait for the core now.
    mutating func narrow(_ count: Int, of requests: Int, at now: UInt64) {
        self.count = count
        drain(max(count, requests), to: nil, at: now)
    }

    private mutating func drain(_ requests: Int, to level: Int?, at now: UInt64) {
        (phase, limit) = (.draining(to: level), WorkWindow.least)
        left = requests * WorkWindow.answersOfEach
        (drainsSince, sum, changedAt, meanBefore) = (now, 0, now, .infinity)
        startInterval(at: now)
    }

    private mutating func startInterval(at now: UInt64) {
        (start, answers, answeredAt, fewest) = (now, 0, now, count)
    }

    mutating func changed(to count: Int, at now: UInt64) {
        sum += Double(self.count) * Double(now - min(now, changedAt))
        (self.count, changedAt) = (count, now)
        fewest = min(fewest, count)
        drainOn(at: now)
    }

    /// The line is gone if there is none on average; or else, once all who were there have been
    /// answered, and what their answers brought, when it grows no shorter: who is there then goes
    /// on with something, which is never refused, and there will always be such.
    private mutating func drainOn(at now: UInt64) {
        guard case .draining(let level) = phase, now - start >= interval else { return }
        let mean = sum / Double(now - start)
        let isEmpty = mean <= Double(WorkWindow.least)
        // An eighth shorter is shorter.
        let isSettled = left <= 0 && mean >= meanBefore * 7 / 8
        let isTooLong = now - drainsSince >= interval * WorkWindow.drainingIntervalsMax
        guard isEmpty || isSettled || isTooLong else {
            (sum, meanBefore) = (0, mean)
            return startInterval(at: now)
        }
        base = isEmpty ? 0 : fewest
        if let level {
            self.level = level
            workOn(at: now)
        } else {
            phase = .climbing
            rates.removeAll(keepingCapacity: true)
            begin(0, at: now)
        }
    }

    private mutating func begin(_ level: Int, at now: UInt64) {
        limit = base + WorkWindow.least << level
        isFresh = true
        startInterval(at: now)
    }

    mutating func answered(at now: UInt64) {
        switch phase {
        case .off: return
        case .draining:
            left -= 1
            drainOn(at: now)
        case .climbing, .working, .trying:
            if now > answeredAt { endInterval() }
            answers += 1
            answeredAt = now
        }
    }

    private mutating func endInterval() {
        let elapsed = answeredAt - min(answeredAt, start)
        let length = isFresh ? interval : interval * UInt64(WorkWindow.intervalsOfLevel)
        guard elapsed >= length, answers >= WorkWindow.answersMin, answers >= limit else { return }
        let rate = Double(answers) / Double(elapsed)
        // More than may be were there all the time: nobody new was let in.
        let isStarved = fewest >= limit
        startInterval(at: answeredAt)
        guard !isFresh else { return isFresh = false }
        switch phase {
        case .off, .draining: break
        case .climbing: climb(rate)
        case .working:
            if isStarved { drain(count, to: level, at: answeredAt) } else { work(rate) }
        case .trying(let level):
            let isMore = level > self.level
            let needed = isMore ? WorkWindow.growthMin : 1 / WorkWindow.growthMin
            if rate >= self.rate * needed { (self.level, self.rate) = (level, rate) }
            workOn(at: answeredAt)
        }
    }

    /// Two levels in a row must be worse than the best, so that one bad moment is not the end.
    private mutating func climb(_ rate: Double) {
        rates.append(rate)
        var (best, most, needed) = (0, 0.0, 1.0)
        for (level, rate) in rates.enumerated() {
            if rate > most * needed { (best, most, needed) = (level, rate, 1) }
            needed *= WorkWindow.growthMin
        }
        let isEnough = rates.count > best + 2 || rates.count > WorkWindow.levelMax
        guard isEnough else { return begin(rates.count, at: answeredAt) }
        (level, self.rate, intervals) = (best, most, 0)
        workOn(at: answeredAt)
    }

    private mutating func workOn(at now: UInt64) {
        phase = .working
        begin(level, at: now)
        width = limit
    }

    private mutating func work(_ rate: Double) {
        // As TCP smooths round trips (RFC 6298 §2).
        self.rate += (rate - self.rate) / 8
        intervals += WorkWindow.intervalsOfLevel
        let (twice, half) = (WorkWindow.intervalsToTwice, WorkWindow.intervalsToHalf)
        if intervals % twice == twice / 2 {
            drain(count, to: level, at: answeredAt)
        } else if intervals % twice == 0, level < WorkWindow.levelMax {
            begin(trying: level + 1)
        } else if intervals % half == 0, level > 0 {
            begin(trying: level - 1)
        }
    }

    private mutating func begin(trying level: Int) {
        phase = .trying(level: level)
        begin(level, at: answeredAt)
    }
}
