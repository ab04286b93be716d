/// One core's progress log on the disk: entries that become durable in the same flush as the bytes
/// of uploads that they speak of. Belongs to the core's `Assembler`.
///
///     none ──often needed──▶ preparing ──▶ ready
///      ▲ ▲                       │           │
///      │ └─ no space: a minute ──┘           │
///      └──────── a write or flush failed ────┘
///
/// A log that failed is left: nothing more is written there, and its space is given back once the
/// catalog has, of each upload, what its entries say. The next log may lie on any volume. One of
/// which a write failed and was done again is left, too: the first may come over what comes round
/// to its place.
///
/// Invariants:
///
/// 1. Of one upload the entries that the catalog does not cover are in one log: while a log that
///    was left has one, no other gets one. So what a log says of its durable entries (`confirmed`)
///    counts for no other log's; and an entry that failed is followed by none that is read behind
///    it.
/// 2. Sequences rise from one log to the next: what the catalog has is not taken for older than
///    what a log has that was left.

import Catalog
import IO
import Loop
import Volumes

final class ProgressArea {
    private enum Stage: Equatable {
        case none(notBefore: UInt64)
        case preparing
        case ready
        case closed
    }

    /// One that nothing is written to any more, and that is still needed.
    private struct Left {
        let extent: Extent
        var log: ProgressLog
    }

    private let loop: EventLoop
    private let state: StoreState
    private let ledger: Ledger
    private var stage = Stage.none(notBefore: 0)
    /// Where the log lies and what is in it, while it is ready.
    private var extent: Extent?
    /// Once its volume has failed since then, it is used no more.
    private var mark = VolumeMark.start
    private var log: ProgressLog?
    private var left: [Left] = []
    /// The last sequence of the logs that are no longer used.
    private var ended: UInt64?
    private var settles = Burst()
    private let waiters = WaitQueue()

    /// Between two tries to get space.
    private static let retryNanoseconds: UInt64 = 60_000_000_000
    /// With so many left, whose uploads nobody goes on with, there is none until they end.
    static let leftMax = 4

    init(loop: EventLoop, state: StoreState, ledger: Ledger) {
        (self.loop, self.state, self.ledger) = (loop, state, ledger)
    }

    /// For the record of an upload as it is now: no entry of it that says less is of a higher
    /// sequence. Also while there is no log: entries of those that were left may be there.
    var lastSequence: UInt64? { log?.lastSequence ?? ended }

    var blockCount: UInt32 { log?.blockCount ?? 0 }

    /// The upload that should be recorded before the log is full.
    var pressing: ObjectID? { log?.isFilling == true ? log?.oldest : nil }

    /// A place for an entry; nil while there is no log, or no room in it.
    func place(
        _ count: UInt32, for upload: ObjectID
    ) -> (extent: Extent, place: ProgressLog.Place)? {
        switch stage {
        case .none(let time):
            let isBurst = settles.exceeds(
                state.progress.settlesBefore, within: ProgressPolicy.burstNanoseconds,
                at: loop.now)
            if isBurst, loop.now >= time, left.count < ProgressArea.leftMax { prepare() }
            return nil
        case .preparing, .closed: return nil
        case .ready:
            guard !hasLeft(upload) else { return nil }
            guard let extent, state.health.isIntact(extent.volume, since: mark),
                !state.suspects.contains(extent, at: loop.now)
            else {
                abandon()
                return nil
            }
            guard let place = log?.place(count, for: upload) else { return nil }
            let start = extent.start + place.block
            return (Extent(volume: extent.volume, start: start, count: count), place)
        }
    }

    func confirm(_ sequence: UInt64) { log?.confirm(sequence) }

    /// The catalog durably has what the upload's entries up to that one say, or needs it no more.
    func recorded(_ upload: ObjectID, through sequence: UInt64?) {
        guard let sequence else { return }
        log?.recorded(upload, through: sequence)
        for index in left.indices { left[index].log.recorded(upload, through: sequence) }
        giveBackLeft()
    }

    /// Whether a log that was left has an entry of the upload that the catalog does not cover.
    func hasLeft(_ upload: ObjectID) -> Bool { left.contains { $0.log.needs(upload) } }

    private func giveBackLeft() {
        for done in left where done.log.isEmpty {
            loop.inBackground { [self] in await ledger.giveBack(progressLog: done.extent) }
        }
        left.removeAll { $0.log.isEmpty }
    }

    private func prepare() {
        stage = .preparing
        mark = state.health.mark
        loop.inBackground { [self] in
            extent = await ledger.leaseProgressLog(blocks: state.progress.logBlocks)
            let last = max(ended ?? 0, state.progressSequence)
            log = extent.map { ProgressLog(blockCount: $0.count, after: last) }
            stage =
                extent == nil
                ? .none(notBefore: loop.now + ProgressArea.retryNanoseconds) : .ready
            waiters.wakeAll(on: loop)
        }
    }

    /// Gives the space back if the catalog has all that was in it; else recovery looks there, also
    /// where what is behind this tells the catalog the rest.
    func close() async {
        while stage == .preparing { await waiters.wait(on: loop) }
        end()
        stage = .closed
        let done = left.filter(\.log.isEmpty)
        left = []
        for log in done { await ledger.giveBack(progressLog: log.extent) }
    }

    /// An entry has failed: no more of them follow in this log.
    func abandon() {
        guard stage == .ready else { return }
        end()
        giveBackLeft()
    }

    private func end() {
        stage = .none(notBefore: loop.now)
        ended = lastSequence
        if let extent, let log { left.append(Left(extent: extent, log: log)) }
        (extent, log) = (nil, nil)
    }
}
