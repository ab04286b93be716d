/// What a request that a handler answers can wait for, and how the metrics page tells how long.
///
/// Times are differences of `EventLoop.now`, which stands still within a turn of the ring: from the
/// beginning of the turn in which a wait began to that of the turn in which it ended. So what a
/// turn did before the wait counts with it, and what went on within one turn took no time.

import Loop
import Store

enum WaitPhase: String, CaseIterable {
    /// For its handler to run; for a buffer, if none was free.
    case queue
    /// For a piece of its body.
    case receive
    /// For a read, for a write of a large body, for pages of the catalog.
    case disk
    /// For a flush, from asking on: one that was under way already ends first.
    case flush
    /// For its record to be written, and for what the ledger has to say where that is not at hand.
    case commit
    /// For its client to take bytes. An answer that leaves while nobody waits is not counted.
    case send
}

extension CoreSnapshot {
    func waits(_ phase: WaitPhase) -> LatencyHistogram {
        switch phase {
        case .queue:
            var waits = counters.queueWaits
            waits.merge(bufferWaits)
            return waits
        case .receive: return counters.receiveWaits
        case .disk: return store.diskWaits
        case .flush: return store.flushWaits
        case .commit: return store.commitWaits
        case .send: return counters.sendWaits
        }
    }
}

extension MetricsDocument {
    /// A histogram for each core and phase: cumulative, and its bounds in seconds.
    static func phaseText(_ snapshots: [CoreSnapshot]) -> String {
        let name = "phase_seconds"
        var text = head(name, "histogram", "How long requests waited, by what for.")
        for snapshot in snapshots {
            for phase in WaitPhase.allCases {
                let labels = "core=\"\(snapshot.core)\",phase=\"\(phase.rawValue)\""
                text += samples(name, labels, snapshot.waits(phase))
            }
        }
        return text
    }

    /// Decimal and exact: 1,500,000,000 is "1.5".
    static func seconds(_ nanoseconds: UInt64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest > 0 else { return "\(whole)" }
        // The leading 1 keeps the zeros behind the point.
        var digits = "\(1_000_000_000 + rest)".dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
