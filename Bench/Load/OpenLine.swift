/// One connection of the `OpenLoop`, and what is counted of its requests.

import BenchMeasure
import IO

struct OpenLine {
    struct Outcome {
        let status: Int
        let closes: Bool
        /// It says when to come again.
        let hasTime: Bool
        /// When its last byte had come.
        var endedAt: UInt64

        init(_ head: ResponseHead, hasTime: Bool, at now: UInt64) {
            (status, closes, self.hasTime, endedAt) = (head.status, head.closes, hasTime, now)
        }
    }

    var socket: Descriptor
    var generation: UInt32 = 0
    /// Operations that the kernel has not answered.
    var outstanding = 0
    var isEnding = false
    var due: UInt64 = 0
    /// When it was opened, or the last answer came.
    var freeSince: UInt64
    /// Of the request.
    var number: UInt64 = 0
    var requestCount = 0
    var received = 0
    /// What has not been sent of the request's body.
    var body: FilePart?
    var outcome: Outcome?
    /// What the server has begun for this request, whose bytes are to follow.
    var upload: CreatedUpload?
    /// Bytes of the answer that are still to come.
    var rest = 0

    init(socket: Descriptor, at now: UInt64) { (self.socket, freeSince) = (socket, now) }

    mutating func begin(due: UInt64) {
        self.due = due
        (received, rest, body, outcome, upload) = (0, 0, nil, nil, nil)
    }
}

/// When requests are due, and what became of them.
struct OpenCount {
    var tally = OpenTally()
    private var schedule: Schedule?
    private var start: UInt64 = 0
    private(set) var end: UInt64 = 0
    private var isClosed = false

    mutating func begin(at now: UInt64, _ plan: OpenPlan) {
        start = now + UInt64(plan.warmupSeconds * 1e9)
        end = start + UInt64(plan.seconds * 1e9)
        tally.seconds = plan.seconds
        schedule = plan.perSecond.map { Schedule(perSecond: $0, from: now, until: end) }
    }

    /// When the next request was due; without a schedule, now.
    mutating func takeDue(at now: UInt64) -> UInt64? {
        if now >= end {
            close(at: now)
            return nil
        }
        return schedule == nil ? now : schedule?.take(at: now)
    }

    func pause(at now: UInt64) -> Schedule.Pause? { schedule?.pause(at: now) }

    func isOver(_ now: UInt64) -> Bool { now >= end }

    /// Once: what was due and has not left never will.
    private mutating func close(at now: UInt64) {
        guard !isClosed else { return }
        isClosed = true
        while schedule?.take(at: now) != nil { tally.unsent += 1 }
    }

    private func counts(_ due: UInt64) -> Bool { due >= start && due < end }

    mutating func add(_ outcome: OpenLine.Outcome, due: UInt64) {
        switch outcome.status {
        case 200, 201, 204:
            if outcome.endedAt >= start, outcome.endedAt < end { tally.goodCount += 1 }
            if counts(due) { tally.admitted.add(outcome.endedAt - due) }
        case 503:
            guard counts(due) else { return }
            tally.refused.add(outcome.endedAt - due)
            if !outcome.hasTime { tally.refusedWithoutTime += 1 }
        default: addBroken(due: due)
        }
    }

    mutating func addBroken(due: UInt64) {
        if counts(due) { tally.broken += 1 }
    }
}
