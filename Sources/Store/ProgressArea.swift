/// One core's progress log on the disk: entries that become durable in the same flush as the bytes
/// of uploads that they speak of. Belongs to the core's `Assembler`.
///
///     none ──often needed──▶ preparing ──▶ ready ──a write or flush failed──▶ unusable
///                                └── no space, or the disk refuses ──▶ none, for a while

import Catalog
import IO
import Loop
import Volumes

final class ProgressArea {
    private enum Stage: Equatable {
        case none(notBefore: UInt64)
        case preparing
        case ready
        case unusable
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
    /// The last sequence of the log that is no longer used.
    private var ended: UInt64?
    private var settles = Burst()
    private let waiters = WaitQueue()

    /// Between two tries to get space.
    private static let retryNanoseconds: UInt64 = 60_000_000_000

    init(loop: EventLoop, state: StoreState, ledger: Ledger) {
        (self.loop, self.state, self.ledger) = (loop, state, ledger)
    }

    /// For the record of an upload as it is now: no entry of it that says less is of a higher
    /// sequence. Also once the log is unusable: its entries are there until the next start.
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
            if isBurst, loop.now >= time { prepare() }
            return nil
        case .preparing, .unusable: return nil
        case .ready:
            guard let extent, state.health.isIntact(extent.volume, since: mark)
            else {
                end()
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
        if let sequence { log?.recorded(upload, through: sequence) }
    }

    private func prepare() {
        stage = .preparing
        mark = state.health.mark
        loop.inBackground { [self] in
            extent = await ledger.leaseProgressLog(blocks: state.progress.logBlocks)
            log = extent.map { ProgressLog(blockCount: $0.count, after: state.progressSequence) }
            stage =
                extent == nil
                ? .none(notBefore: loop.now + ProgressArea.retryNanoseconds) : .ready
            waiters.wakeAll(on: loop)
        }
    }

    /// Gives the space back if the catalog has all that was in it; else recovery looks there.
    func close() async {
        while stage == .preparing { await waiters.wait(on: loop) }
        if let extent, log?.isEmpty == true { await ledger.giveBack(progressLog: extent) }
        end()
    }

    /// An entry has failed: no more of them follow before the next start.
    func abandon() {
        if stage == .ready { end() }
    }

    private func end() {
        stage = .unusable
        ended = lastSequence
        (extent, log) = (nil, nil)
    }
}
