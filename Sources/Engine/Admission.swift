/// Whether a core takes a new request or sends it away at once, so that what it has taken stays
/// fast when more comes than it can do.
///
/// Overload is what RFC 8289 §3 calls a bad queue: a delay that has been above `delayTarget` for
/// a whole `delayInterval`, its least moments included; whatever comes in bursts has short
/// moments. There are two such delays here. One is that of the processor: how late a probe comes
/// back that stands in the same line as the bytes of clients. The other is that of whoever is
/// first in line for a buffer. A third, how long requests take (`WorkTimes`), has no short moments
/// with disks, which answer in batches: there a mean stands for the least.
///
///     calm ──above the target for an interval──▶ shedding ──few refused in an interval──▶ calm
///
/// CoDel drops one packet and waits for its sender to slow down. Clients here are many, and each
/// asks once: so while it sheds it refuses whatever is new as long as the delay is above the target
/// now, or as many wait for the core as it needs to be busy (`WorkWindow`). The window is what
/// holds delays down: a delay is seen only when the work that makes it has been taken. It goes on
/// until hardly anything had to be refused: were it to end with the first short delay, every
/// interval would begin with a flood.

/// What a core may have to do before it refuses new work. 0 stands for no limit.
public struct AdmissionLimits: Equatable, Sendable {
    /// Nanoseconds.
    public var delayTarget: UInt64
    public var delayInterval: UInt64
    /// What the requests under way may bring, all together.
    public var bytesInFlightMax: UInt64

    public init(
        delayTarget: UInt64 = 5_000_000, delayInterval: UInt64 = 100_000_000,
        bytesInFlightMax: UInt64 = 0
    ) {
        self.delayTarget = delayTarget
        self.delayInterval = delayInterval
        self.bytesInFlightMax = bytesInFlightMax
    }
}

/// What a core has taken and not finished.
public struct AdmissionLoad: Equatable, Sendable {
    /// Requests that are not answered yet, but for those whose length alone keeps them so.
    public var requests: Int
    /// Those that wait for us now, not for their clients; until their answers are sent.
    public var pressing: Int
    /// All that are not done with.
    public var busy: Int
    /// How many that pressed have been answered, ever.
    public var answers: UInt64
    /// What all requests that are not answered have announced.
    public var bytesInFlight: UInt64
    /// How long the first in line for a buffer has waited, in nanoseconds; 0 if there is none.
    public var bufferDelay: UInt64
    /// What clients send is left with the kernel, for want of memory: whoever asks is not heard.
    public var holdsBack: Bool

    public init(
        requests: Int = 0, pressing: Int = 0, busy: Int = 0, answers: UInt64 = 0,
        bytesInFlight: UInt64 = 0, bufferDelay: UInt64 = 0, holdsBack: Bool = false
    ) {
        (self.busy, self.holdsBack) = (busy, holdsBack)
        (self.requests, self.pressing, self.answers) = (requests, pressing, answers)
        self.bytesInFlight = bytesInFlight
        self.bufferDelay = bufferDelay
    }
}

public struct Admission: Sendable {
    /// Why a request is refused.
    public enum Reason: Int, CaseIterable, Sendable {
        /// Whatever is ready waits too long for the processor.
        case delay
        /// Requests wait too long for a buffer.
        case memory
        /// Those under way have announced as much as may come.
        case bytes
        /// Requests take too long, whatever they wait for.
        case work
    }

    /// So many times as long as `delayTarget` requests may take on average: a disk takes what it
    /// takes, and who is refused waits for seconds.
    static let timeTargets: UInt64 = 20

    /// With fewer requests under way nothing is refused for its delay: those would hardly be faster
    /// without it. What makes turns long is then transfers that share a processor, as they should.
    static let requestsMin = 8

    private let limits: AdmissionLimits
    private var processor: DelayWatch
    private var buffers: DelayWatch
    private var work: DelayWatch
    private var times: WorkTimes
    private var window: WorkWindow
    private var futility: FutilityWatch
    /// When the probe that is under way is due.
    private var probeDue: UInt64?

    public init(_ limits: AdmissionLimits) {
        self.limits = limits
        processor = DelayWatch(limits)
        buffers = DelayWatch(limits)
        work = DelayWatch(limits)
        times = WorkTimes(interval: limits.delayInterval)
        window = WorkWindow(interval: limits.delayInterval)
        futility = FutilityWatch(limits)
    }

    /// Whether a new request has to ask at all.
    @inline(__always)
    public var isWatchful: Bool { isShedding || limits.bytesInFlightMax > 0 }

    /// New requests are refused as long as delays are above the target.
    @inline(__always)
    public var isShedding: Bool { processor.isShedding || buffers.isShedding || work.isShedding }

    // MARK: Probes

    /// How often is measured: twice within the target, but no more than 2,000 times a second.
    private var probeInterval: UInt64 { max(limits.delayTarget / 2, 500_000) }

    /// For how many nanoseconds a probe is to be away that starts now; nil if one is, or if nothing
    /// hangs on it. A probe is a timer of the kernel's, whose end waits in the same line as bytes
    /// that have come.
    public mutating func probe(_ load: AdmissionLoad, at now: UInt64) -> UInt64? {
        guard probeDue == nil, limits.delayTarget > 0,
            load.requests >= Admission.requestsMin || isShedding
        else { return nil }
        probeDue = now + probeInterval
        return probeInterval
    }

    /// The probe is back. Answers how late it is.
    @discardableResult
    public mutating func probed(_ load: AdmissionLoad, at now: UInt64) -> UInt64 {
        guard let due = probeDue.take() else { preconditionFailure("no probe was under way") }
        let delay = now - min(now, due)
        watch(delay, load, at: now)
        return delay
    }

    /// With few requests no delay counts, nor while refusing has been found to be in vain.
    private mutating func watch(_ delay: UInt64, _ load: AdmissionLoad, at now: UInt64) {
        let counts = load.requests >= Admission.requestsMin && !futility.isResting(at: now)
        let wasShedding = isShedding
        if load.holdsBack { missAsking() }
        processor.observe(counts ? delay : 0, at: now)
        buffers.observe(counts ? load.bufferDelay : 0, at: now)
        watchTimes(load, at: now)
        guard isShedding else { return window.open() }
        if !wasShedding {
            futility.begin(at: now)
            window.narrow(load.pressing, of: load.busy, at: now)
        } else if futility.isInVain(delay, keeps: load.pressing <= window.limit, at: now) {
            processor.end()
            buffers.end()
            work.end()
            window.open()
        }
    }

    private mutating func missAsking() {
        processor.missAsking()
        buffers.missAsking()
        work.missAsking()
    }

    /// No more under way than were found to keep the core busy are never too many, however long
    /// they take.
    private mutating func watchTimes(_ load: AdmissionLoad, at now: UInt64) {
        guard let finding = times.look(load, at: now) else { return work.goOn(at: now) }
        let isTooMany = finding.count > UInt64(window.width) && !futility.isResting(at: now)
        work.observe(isTooMany ? finding.time / Admission.timeTargets : 0, at: now)
    }

    // MARK: Work

    /// More of those under way wait for us than before, or fewer. Nobody has to tell unless it
    /// sheds.
    public mutating func changed(_ load: AdmissionLoad, at now: UInt64) {
        window.changed(to: load.pressing, at: now)
    }

    /// A request that has waited for us is answered.
    public mutating func answered(_ load: AdmissionLoad, at now: UInt64) {
        window.changed(to: load.pressing, at: now)
        window.answered(at: now)
    }

    // MARK: Requests

    /// Why a new request that brings `bytes` is not taken; nil if it is. `bytes` is nil if nobody
    /// knows how many.
    public mutating func refusal(
        of bytes: UInt64?, _ load: AdmissionLoad, at now: UInt64
    ) -> Reason? {
        // A probe that is late already is at least that late.
        if let probeDue, now > probeDue { processor.raise(to: now - probeDue) }
        buffers.raise(to: load.bufferDelay)
        let counts = load.requests >= Admission.requestsMin
        let isFull = load.pressing >= window.limit
        let isLate = processor.refuses(at: now, late: counts, isFull)
        let isShort = buffers.refuses(at: now, late: counts, isFull)
        let isSlow = work.refuses(at: now, late: false, isFull)
        if !isShedding { window.open() }
        if isLate { return .delay }
        if isShort { return .memory }
        if isSlow { return .work }
        let (sum, isTooMany) = load.bytesInFlight.addingReportingOverflow(bytes ?? 1)
        // Alone it may be as long as it likes: it would be refused for ever.
        let isAlone = load.bytesInFlight == 0 || limits.bytesInFlightMax == 0
        return !isAlone && (isTooMany || sum > limits.bytesInFlightMax) ? .bytes : nil
    }

    /// After how many seconds a refused client should come again: between 1 and 4, so that those
    /// refused together do not come together. `number` is any that differs between them.
    public static func retryAfterSeconds(_ number: UInt64) -> UInt64 {
        // Fibonacci hashing (Knuth, The Art of Computer Programming, vol. 3, §6.4): the two
        // highest bits of the product.
        1 + (number &* 0x9e37_79b9_7f4a_7c15) >> 62
    }
}

/// One delay, and whether it has been too long for too long.
struct DelayWatch: Sendable {
    /// So many of eight requests are refused in an interval, or more, or shedding ends: up to 8/7
    /// of what can be done may have come then. What that adds in the interval after which shedding
    /// begins again is a seventh of an interval's work.
    private static let refusedEighthsMin = 1

    private let target: UInt64
    private let interval: UInt64
    private(set) var isShedding = false
    /// As it was seen last.
    private(set) var delay: UInt64 = 0
    /// Since when it has been above the target each time.
    private var aboveSince: UInt64?
    /// While it sheds: when the interval began, and what was asked and refused in it.
    private var intervalStart: UInt64 = 0
    private var asked = 0
    private var refused = 0
    /// Not all who asked in it were heard.
    private var hasMissed = false

    init(_ limits: AdmissionLimits) {
        target = limits.delayTarget
        interval = limits.delayInterval
    }

    private var isAbove: Bool { target > 0 && delay > target }

    mutating func observe(_ delay: UInt64, at now: UInt64) {
        self.delay = delay
        endInterval(at: now)
        guard isAbove else {
            aboveSince = nil
            return
        }
        let since = aboveSince ?? now
        aboveSince = since
        guard !isShedding, now - since >= interval else { return }
        isShedding = true
        startInterval(at: now)
    }

    /// Nothing new was seen.
    mutating func goOn(at now: UInt64) { endInterval(at: now) }

    /// It is at least so long, whatever was seen last.
    mutating func raise(to delay: UInt64) { self.delay = max(self.delay, delay) }

    /// Whether a new request is refused: for a delay, if that `counts`, or because as many as may
    /// be are under way.
    mutating func refuses(at now: UInt64, late counts: Bool, _ isFull: Bool) -> Bool {
        endInterval(at: now)
        guard isShedding else { return false }
        asked += 1
        guard isFull || (counts && isAbove) else { return false }
        refused += 1
        return true
    }

    /// Nobody can be heard now.
    mutating func missAsking() { hasMissed = true }

    mutating func end() { (isShedding, aboveSince) = (false, nil) }

    private mutating func startInterval(at now: UInt64) {
        (intervalStart, asked, refused, hasMissed) = (now, 0, 0, false)
    }

    private mutating func endInterval(at now: UInt64) {
        guard isShedding, now - intervalStart >= interval else { return }
        // Nobody asked: there is nothing to shed.
        let isCalm = asked == 0 || refused * 8 < asked * DelayWatch.refusedEighthsMin
        if isCalm, !hasMissed {
            end()
        } else {
            startInterval(at: now)
        }
    }
}
