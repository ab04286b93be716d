/// Which volumes take writes, and which of their writes may still be made durable: what all cores
/// ask before they write or flush.
///
///                a write (after its retries) or a flush failed
///     closed ─────────────────────────────────────────────────────────────▶ open
///        ▲        every core's writes are refused from here on                │
///        │                                                                    ▼
///        │                                                                 fencing
///        │      each core has seen the last of its writes and flushes end     │
///        │                                                                    ▼
///        └──── the probe succeeded ──── half-open ◀──── the delay is over ── fenced ◀─┐
///                                           └──────── the probe failed: longer ───────┘
///
/// Reads go on in every state, and open none: what fails there puts no write in doubt. Each failure
/// has a number, from 1; a `VolumeMark` is the number of the last one as of a moment. Whoever
/// writes takes a mark before, and shows it to who flushes.
///
/// Invariants, which the tests of `StoreFaults` show to be needed:
///
/// 1. A flush makes durable only what was written since the volume's last failure: what was written
///    before shows an older mark and is refused, for good. So no write of a failed epoch is ever
///    trusted, and a failed flush is never made up for by a later one.
/// 2. A flush that ran while another one of the volume failed, on whichever core, is not believed:
///    the device may have dropped what both were to cover. Across cores that is exact only for
///    failures that were handled before: where one core handles its flush's success before another
///    handles the failure that the kernel met earlier, the success is believed. That may do harm: a
///    disk that reports a bad sector for one flush goes on behind it with the next (ATA, FLUSH
///    CACHE EXT), whose success says nothing of that sector. It takes a record there that the first
///    one was to cover, of a core whose own flush began after the first had, and reached the device
///    after the first one's failure (flushes that the kernel merges fail together, blk-flush.c),
///    and ended while the first core was amid one turn: for a thread that sleeps is woken by the
///    failure. To close that, each flush would wait for those of other cores that began before it
///    ended: under load about half a flush more for every durable PUT.
/// 3. A volume is closed only when no core has a write or flush on its way to it: an answer that
///    comes late would be taken for one of the new time.
/// 4. Space that a write was on its way to, or that was handed out for one, when the volume failed,
///    is not handed out again before a minute has passed since the last write to it was answered
///    (`ExtentAllocator.giveBack`, `SegmentAllocator.quarantine`, `CleanupLater.notBefore`): what
///    an old write left there, or may still bring there, harms none.
///    So does space that a write was done again to, though its volume has not failed
///    (`SuspectSpace`), and nothing else is written there before.
/// 5. A record that failed is in doubt, from before its name may be claimed again until its header
///    was zeroed, on a volume that works, after that minute, and flushed. As long as it is, its
///    segment stays leased, so that every start finds it; the space that it speaks of is nobody's;
///    an object that it removes is not relied upon; and what was told later of its name outlives it
///    (`DoubtfulRecords`). So what was refused may at most be there after a restart, as after an
///    answer that was lost, and never in place of what was told. In the order of durability:
///
///        zeros ─▶ flush ─▶ its blocks are free in the segment, its extents are quarantined
///                     └──▶ the removal that outlived it: its block is free, its row dropped
///                             the segment's last one: ─▶ the segment's lease is dropped
///
/// Of the file system: a journal or log that cannot be written makes ext4 read-only (EROFS) and
/// shuts xfs down (EIO) until it is mounted anew; then every probe fails: the volume stays open.
/// What fdatasync reports once a descriptor (errseq) was reported to whoever failed by it. What is
/// written here is never in the page cache, so no kernel can have marked it clean unwritten.

import Resilience
import Synchronization
import Volumes

/// A moment, told by the failures that were before it.
struct VolumeMark: Comparable, Hashable, Sendable {
    fileprivate let number: UInt64

    /// Before any failure.
    static let start = VolumeMark(number: 0)

    static func < (left: VolumeMark, right: VolumeMark) -> Bool { left.number < right.number }
}

final class VolumeHealth: Sendable {
    private struct Health {
        /// Nil: open until a restart.
        var breaker: CircuitBreaker?
        var lastFailure = VolumeMark.start
        var isOpen = false
    }

    /// What the metrics page tells.
    struct Counts: Equatable, Sendable {
        var opened: UInt64 = 0
        var closed: UInt64 = 0
        var probes: UInt64 = 0
        var probesFailed: UInt64 = 0
    }

    let policy: StoreResilience
    /// Some volume has failed since start.
    private let hasFailed = Atomic<Bool>(false)
    private let failureCount = Atomic<UInt64>(0)
    private let volumes = Mutex<[UInt16: Health]>([:])
    private let counted = Mutex(Counts())

    init(_ policy: StoreResilience) { self.policy = policy }

    /// To be taken before the first write that a later flush is to cover.
    @inline(__always)
    var mark: VolumeMark { VolumeMark(number: failureCount.load(ordering: .acquiring)) }

    @inline(__always)
    func takesWrites(_ volume: VolumeID) -> Bool {
        guard hasFailed.load(ordering: .acquiring) else { return true }
        return volumes.withLock { !($0[volume.number]?.isOpen ?? false) }
    }

    /// Whether what was written to the volume since `mark` may become durable.
    @inline(__always)
    func isIntact(_ volume: VolumeID, since mark: VolumeMark) -> Bool {
        guard hasFailed.load(ordering: .acquiring) else { return true }
        return volumes.withLock { volumes in
            guard let health = volumes[volume.number] else { return true }
            return !health.isOpen && health.lastFailure <= mark
        }
    }

    /// The volume's last failure; `start` if there was none.
    @inline(__always)
    func lastFailure(of volume: VolumeID) -> VolumeMark {
        guard hasFailed.load(ordering: .acquiring) else { return .start }
        return volumes.withLock { $0[volume.number]?.lastFailure ?? .start }
    }

    /// Those that take no writes at the moment, in order.
    var open: [VolumeID] {
        guard hasFailed.load(ordering: .acquiring) else { return [] }
        return volumes.withLock { volumes in
            volumes.filter(\.value.isOpen).map { VolumeID($0.key) }.sorted()
        }
    }

    /// Nothing is written to the volume on any core from now on. Answers whether that is news.
    func fail(_ volume: VolumeID, at now: UInt64) -> Bool {
        // Before there is a mark of it: who shows that one is made to look, and waits for the lock.
        hasFailed.store(true, ordering: .releasing)
        let isNew = volumes.withLock { volumes in
            var health = volumes[volume.number] ?? Health(breaker: policy.breaker)
            guard !health.isOpen else { return false }
            _ = health.breaker?.failed(at: now)
            health.isOpen = true
            health.lastFailure = VolumeMark(
                number: failureCount.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue)
            volumes[volume.number] = health
            return true
        }
        if isNew { count { $0.opened += 1 } }
        return isNew
    }

    func count(_ change: (inout Counts) -> Void) { counted.withLock { change(&$0) } }

    var counts: Counts { counted.withLock { $0 } }

    // MARK: For who brings it back

    /// Whether the volume may ever be tried again without a restart.
    var bringsBack: Bool { policy.breaker != nil }

    /// Until the volume may be tried; nil if it takes writes, or will not before a restart.
    func nanosecondsUntilProbe(of volume: VolumeID, at now: UInt64) -> UInt64? {
        volumes.withLock { $0[volume.number]?.breaker?.nanosecondsUntilProbe(at: now) }
    }

    /// Until the first of those that take no writes may be tried.
    func nanosecondsUntilProbe(at now: UInt64) -> UInt64? {
        guard hasFailed.load(ordering: .acquiring) else { return nil }
        return volumes.withLock { volumes in
            volumes.keys.compactMap { volumes[$0]?.breaker?.nanosecondsUntilProbe(at: now) }.min()
        }
    }

    /// Of one that has failed since start, for the metrics page.
    func states() -> [(volume: VolumeID, state: CircuitBreaker.State)] {
        volumes.withLock { volumes in
            volumes.sorted { $0.key < $1.key }.map {
                (VolumeID($0.key), $0.value.breaker?.state ?? .open)
            }
        }
    }

    func startProbe(of volume: VolumeID, at now: UInt64) -> Bool {
        let starts = volumes.withLock {
            $0[volume.number]?.breaker?.startProbe(at: now) ?? false
        }
        if starts { count { $0.probes += 1 } }
        return starts
    }

    /// It goes on if that succeeded: with new writes only.
    func probeEnded(of volume: VolumeID, succeeded: Bool, at now: UInt64) {
        volumes.withLock { volumes in
            volumes[volume.number]?.breaker?.probeEnded(succeeded: succeeded, at: now)
            if succeeded { volumes[volume.number]?.isOpen = false }
        }
        count { counts in
            if succeeded { counts.closed += 1 } else { counts.probesFailed += 1 }
        }
    }
}
