/// The ledger's queue to the catalog: batches, one at a time, tried again until they succeed.

import Catalog
import Loop
import Volumes

extension Ledger {
    /// The indexing task's whole life, until `close`: batches as large as may be, because one page
    /// of the catalog is written once for all changes of a batch that fall on it.
    func runIndexing() async {
        var retry = StoreLimits.indexRetryNanosecondsMin
        while true {
            if queue.isEmpty {
                if isClosing { return }
                await waitForChanges()
            }
            await gather()
            guard !queue.isEmpty else { continue }
            if await indexBatch() {
                retry = StoreLimits.indexRetryNanosecondsMin
                continue
            }
            if isClosing { return }
            await loop.sleep(until: loop.now + retry)
            retry = min(2 * retry, StoreLimits.indexRetryNanosecondsMax)
        }
    }

    private func waitForChanges() async {
        let ticket = loop.makeTicket()
        idleIndexer = ticket
        _ = await loop.answer(ticket)
    }

    /// Lets changes come together, until they fill a batch or the first has waited long enough.
    private func gather() async {
        let end = loop.now + StoreLimits.indexGatherNanoseconds
        while !isClosing, !queue.isEmpty, !queue.fillsBatch, loop.now < end {
            await loop.sleep(until: loop.now + StoreLimits.indexGatherNanoseconds / 8)
        }
    }

    func wakeIndexer() {
        guard let ticket = idleIndexer else { return }
        idleIndexer = nil
        loop.wake(ticket)
    }

    /// Returns when the catalog durably has the queue's item of that number, however long it takes.
    func waitUntilIndexed(_ number: UInt64) async {
        while queue.taken < number {
            let ticket = loop.makeTicket()
            indexWaiters.append(ticket)
            _ = await loop.answer(ticket)
        }
    }

    /// The same at once; fails with the first batch that fails, and the change stays in the queue.
    func indexNow(_ number: UInt64) async throws(StoreError) {
        while queue.taken < number {
            if isIndexing {
                let ticket = loop.makeTicket()
                indexWaiters.append(ticket)
                _ = await loop.answer(ticket)
                if indexFailed { throw .indexBehind }
            } else if await !indexBatch() {
                throw .indexBehind
            }
        }
    }

    /// Whether the catalog took the first items of the queue.
    private func indexBatch() async -> Bool {
        guard !isIndexing, !queue.isEmpty else {
            await waitForBatch()
            return !indexFailed
        }
        isIndexing = true
        let batch = queue.firstBatch()
        let error = await indexer.apply(batch.changes, applied: batch.watermark)
        isIndexing = false
        indexFailed = error != nil
        if let error {
            state.report(.indexingDelayed("\(error)"))
        } else {
            state.indexed(queue.removeFirst(batch.items))
        }
        let woken = indexWaiters
        indexWaiters = []
        for ticket in woken { loop.wake(ticket) }
        return error == nil
    }

    private func waitForBatch() async {
        guard isIndexing else { return }
        let ticket = loop.makeTicket()
        indexWaiters.append(ticket)
        _ = await loop.answer(ticket)
    }

    /// Indexes everything, then marks the catalog clean.
    func close() async throws(StoreError) {
        isClosing = true
        while isPreparing {
            let ticket = loop.makeTicket()
            spareWaiters.append(ticket)
            _ = await loop.answer(ticket)
        }
        // Those end with their next look at the clock.
        while restoring > 0 { await loop.sleep(until: loop.now + 1_000_000) }
        if let lease = spare.take() { giveBack(lease) }
        wakeIndexer()
        try await indexNow(queue.appended)
        let last = window.watermark
        if let error = await indexer.apply([], applied: last) { throw .index("\(error)") }
        if let error = await indexer.mark(clean: true) { throw .index("\(error)") }
    }
}
