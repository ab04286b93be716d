/// One core's way to place records: a leased segment, filled from the front.
///
/// A segment goes back to the ledger once it is used up and every record placed in it is resolved
/// (published or abandoned): from then on recovery need not look there.

import Loop
import Volumes

final class Packer {
    /// A place for one record.
    struct Place {
        let extent: Extent
        fileprivate let segment: LeasedSegment
    }

    fileprivate final class LeasedSegment {
        var lease: SegmentLease?
        var unresolved = 0
        var isActive = true
        /// Once its volume has failed since then, nothing more is placed here.
        let mark: VolumeMark

        init(_ lease: consuming SegmentLease, since mark: VolumeMark) {
            self.lease = consume lease
            self.mark = mark
        }
    }

    /// Blocks of the last segment that only removals may take, so that a full store can be emptied.
    static let blocksForRemovals: UInt32 = 64

    private let ledger: Ledger
    private let state: StoreState
    private let loop: EventLoop
    private var active: LeasedSegment?
    private var isLeasing = false
    private var segmentsOnTheWay = 0
    private let waiters = WaitQueue()

    init(loop: EventLoop, ledger: Ledger, state: StoreState) {
        self.loop = loop
        self.ledger = ledger
        self.state = state
    }

    /// A place for `blocks` blocks, to be resolved once; nil if this segment has none.
    func placeNow(blocks: UInt32) -> Place? {
        placeInActive(blocks, keeping: Packer.blocksForRemovals)
    }

    /// The same; waits for another segment if need be.
    func place(blocks: UInt32, isRemoval: Bool = false) async throws(StoreError) -> Place {
        let kept = isRemoval ? 0 : Packer.blocksForRemovals
        while true {
            if let place = placeInActive(blocks, keeping: kept) { return place }
            if isLeasing {
                await waiters.wait(on: loop)
                continue
            }
            isLeasing = true
            defer {
                isLeasing = false
                waiters.wakeAll(on: loop)
            }
            try await replaceActive(atLeast: blocks, keeping: kept)
        }
    }

    private func replaceActive(
        atLeast blocks: UInt32, keeping kept: UInt32
    ) async throws(StoreError) {
        var found: SegmentLease?
        var mark = state.health.mark
        do throws(StoreError) {
            found = try await ledger.leaseSegment(atLeast: blocks, keeping: kept)
        } catch .noSpace {
            // What was freed in the active segment since it was leased joins when it goes back.
        }
        retireActive()
        await waitUntilGivenBack()
        if let lease = found.take() {
            active = LeasedSegment(lease, since: mark)
        } else {
            mark = state.health.mark
            let lease = try await ledger.leaseSegment(atLeast: blocks, keeping: kept)
            active = LeasedSegment(lease, since: mark)
        }
    }

    /// The record at that place is durable and published, or no write to it was ever started
    /// (`isUnused`), or its write failed, and then the blocks stay taken until a restart.
    func resolve(_ place: Place, isUnused: Bool = false) {
        let segment = place.segment
        segment.unresolved -= 1
        if isUnused { segment.lease?.giveBack(place.extent) }
        if !segment.isActive { giveBackIfResolved(segment) }
    }

    /// Gives the active segment back; nothing is being placed. Returns when the ledger has all.
    func close() async {
        retireActive()
        await waitUntilGivenBack()
    }

    private func placeInActive(_ blocks: UInt32, keeping kept: UInt32) -> Place? {
        guard let segment = active, let volume = segment.lease?.volume,
            state.health.isIntact(volume, since: segment.mark),
            let left = segment.lease?.remainingBlocks, left >= blocks + kept,
            let address = segment.lease?.allocate(blocks: blocks)
        else { return nil }
        segment.unresolved += 1
        let extent = Extent(volume: address.volume, start: address.block, count: blocks)
        return Place(extent: extent, segment: segment)
    }

    private func retireActive() {
        guard let segment = active else { return }
        active = nil
        segment.isActive = false
        giveBackIfResolved(segment)
    }

    private func waitUntilGivenBack() async {
        while segmentsOnTheWay > 0 { await waiters.wait(on: loop) }
    }

    private func giveBackIfResolved(_ segment: LeasedSegment) {
        guard segment.unresolved == 0, segment.lease != nil else { return }
        segmentsOnTheWay += 1
        loop.inBackground { [self] in
            if let lease = segment.lease.take() { await ledger.giveBack(lease) }
            segmentsOnTheWay -= 1
            waiters.wakeAll(on: loop)
        }
    }
}
