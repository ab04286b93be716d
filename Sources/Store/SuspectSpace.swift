/// Which space may still be written over by writes that failed and were done again since, on
/// whichever core: noted where a retry is decided (`Retries.delay`), asked for where space is freed
/// or written with something else. Costs one load where no write has failed lately.
///
/// Who waits, by what may come late over what:
///
/// - Data of objects and uploads, over the next owner's: `Ledger.giveBack` waits.
/// - A record, over the zeros in its header, so that it would be back: `Removing.cleanUp`.
/// - A removal's record and a header's zeros, over the next record: `Ledger.giveBack(record:)`.
/// - A segment's zeros, over its first records: `Ledger.prepared` leaves those blocks out.
/// - A progress log's zeros, over its first entries: `Ledger.leaseProgressLog`.
/// - An entry of such a log, over the one that comes round to its place: `ProgressArea.place`.
/// - A chunk that did not count, over the one that is sent in its place: `Assembler.reserve`.
/// - Headers' zeros at a start, over the first records there: `Recovery.opened`.
/// - A superblock, a probe: nothing else is ever written there.
///
/// A write that failed for good needs none of this: then its volume has failed, and all that it had
/// handed out is suspect (`VolumeHealth`).

import Synchronization
import Volumes

final class SuspectSpace: Sendable {
    private let late: Mutex<LateWrites>
    /// Whether `late` may have any.
    private let isAny = Atomic<Bool>(false)
    /// The mistake of `StoreFaults.forgetsAttempts`.
    private let forgets: Bool

    init(_ faults: StoreFaults) {
        forgets = faults.contains(.forgetsAttempts)
        let late = faults.contains(.settlesAtOnce) ? 0 : StoreResilience.lateNanosecondsMax
        self.late = Mutex(
            LateWrites(nanosecondsMax: late, countMax: StoreResilience.suspectPlacesMax))
    }

    /// Before a write is tried again that failed at `now`; not to be if this is false.
    func note(_ extent: Extent, at now: UInt64) -> Bool {
        if forgets { return true }
        return late.withLock { late in
            isAny.store(true, ordering: .releasing)
            return late.failed(extent, at: now)
        }
    }

    /// When nothing comes there any more; nil if nothing does.
    func end(in extent: Extent, at now: UInt64) -> UInt64? {
        ask { $0.end(in: extent, at: now) } ?? nil
    }

    func contains(_ extent: Extent, at now: UInt64) -> Bool { end(in: extent, at: now) != nil }

    /// What of `extent` is suspect.
    func parts(of extent: Extent, at now: UInt64) -> [Extent] {
        ask { $0.parts(of: extent, at: now) } ?? []
    }

    /// All that is suspect.
    func all(at now: UInt64) -> [Extent] { ask { $0.all(at: now) } ?? [] }

    /// Nil where no write has failed lately.
    private func ask<Answer>(_ question: (inout LateWrites) -> Answer) -> Answer? {
        guard isAny.load(ordering: .acquiring) else { return nil }
        return late.withLock { late in
            defer { isAny.store(!late.isEmpty, ordering: .releasing) }
            return question(&late)
        }
    }
}
