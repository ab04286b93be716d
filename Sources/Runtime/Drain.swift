/// How long a stopping server waits, and for what: for requests to finish, then for the connections
/// that it has ended itself to let go.
///
///     finishing ──none left, or the time is over──▶ ending ──none left──▶ ended
///                                                      └──grace is over──▶ stuck

struct Drain {
    /// A connection that was ended lets go as soon as the disk has answered its handler. A disk
    /// that takes longer than this is taken for dead; Linux itself waits 30 s for one (scsi_device
    /// timeout, nvme_core.io_timeout), of which the drain timeout is by default the first part.
    static let graceSeconds: UInt32 = 10
    /// By then a core has said behind that how many are stuck, unless its thread waits for the disk
    /// itself: for a page of the index, say.
    static let answerSeconds: UInt32 = 5
    /// What closing the store may take behind that: what was written becomes durable, and the index
    /// catches up.
    static let closeSeconds: UInt32 = 30

    enum Step: Equatable {
        case wait
        /// End whatever is left; so many connections for objects did not finish by themselves.
        case endRest(unfinished: Int)
        case ended
        case stuck(connections: Int)
    }

    private enum Phase {
        case finishing(deadline: UInt64)
        case ending(deadline: UInt64)
    }

    private var phase: Phase

    /// - Parameter now: monotonic nanoseconds, as for `step`.
    init(now: UInt64, seconds: UInt32) { phase = .finishing(deadline: now + Drain.span(seconds)) }

    /// - Parameters:
    ///   - objects: connections that the drain is for.
    ///   - all: those and the ones of the metrics listener, which hold nothing up.
    mutating func step(now: UInt64, objects: Int, all: Int) -> Step {
        switch phase {
        case .finishing(let deadline):
            guard objects == 0 || now >= deadline else { return .wait }
            phase = .ending(deadline: now + Drain.span(Drain.graceSeconds))
            return .endRest(unfinished: objects)
        case .ending(let deadline):
            if all == 0 { return .ended }
            return now >= deadline ? .stuck(connections: all) : .wait
        }
    }

    static func complaint(connections: Int) -> String {
        "\(connections) \(connections == 1 ? "connection" : "connections") did not end within"
            + " \(graceSeconds) s behind the drain timeout: a disk does not answer; the store was"
            + " not closed, and the next start recovers it"
    }

    static let silenceComplaint =
        "a core did not answer within \(graceSeconds + answerSeconds) s behind the drain timeout: a"
        + " disk does not; the store was not closed, and the next start recovers it"

    static let closingComplaint =
        "the store was not closed within \(closeSeconds) s: a disk does not answer, or is too slow;"
        + " the next start recovers it"

    private static func span(_ seconds: UInt32) -> UInt64 { UInt64(seconds) * 1_000_000_000 }
}
