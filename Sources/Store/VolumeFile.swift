/// One volume as one core sees it: reads, writes, and flushes that its requests share.
///
/// A flush starts at the end of a turn, for all whose writes had ended by then:
///
///     writeDurably ──▶ write ends ─┐
///                                  ├─▶ waiting ──end of a turn, none runs──▶ flushing ──▶ durable
///                         flush ───┘
///
/// Its requests wait in two lists; nobody has a task of their own. A write that fails is tried
/// again if its error may pass; one that fails for good, and any flush that does, is the last one
/// on this volume for now: see `VolumeHealth`.

import IO
import Loop
import Resilience
import Volumes

final class VolumeFile: AnswerObserver {
    let id: VolumeID
    /// Read and write, O_DIRECT.
    let direct: Descriptor
    /// Read only, through the page cache: for `sendFile`.
    let buffered: Descriptor
    let loop: EventLoop
    let state: StoreState
    /// Nil: what fails is not tried again.
    let retries: Retries?
    private var epochs = FlushEpochs()
    /// The volume's last failure that this core has acted upon.
    private var failureSeen = VolumeMark.start
    /// Whom the flush that runs is for, and whom the next one.
    private var flushing: [Ticket] = []
    private var waiting: [Ticket] = []
    private var isEndAwaited = false
    /// The kernel has a flush that it has not answered.
    private var isSyncing = false
    /// By tag; those between two records are in `unusedTags`.
    private var records: [RecordUnderway] = []
    private var unusedTags: [UInt32] = []
    /// Other writes that were begun and have not ended.
    private var writesUnderway = 0
    /// Reads that were begun.
    private(set) var readCount: UInt64 = 0
    private var readFailures = FailureRate(StoreResilience.readFailures)
    /// Until then none is tried again: too many have failed.
    private var readsFailUntil: UInt64 = 0
    /// Flushes that were asked of the kernel, and requests that they served.
    private(set) var flushCount: UInt64 = 0
    private(set) var flushedCount: UInt64 = 0

    init(
        _ id: VolumeID, direct: Descriptor, buffered: Descriptor, loop: EventLoop,
        state: StoreState, retries: Retries? = nil
    ) {
        self.id = id
        self.direct = direct
        self.buffered = buffered
        self.loop = loop
        self.state = state
        self.retries = retries
        failureSeen = state.health.lastFailure(of: id)
    }

    var path: String { VolumeName(id).path }

    /// A write that the kernel has; `finishWrite` ends it.
    struct StartedWrite {
        fileprivate let ticket: Ticket
        fileprivate let source: Region
        fileprivate let offset: UInt64
    }

    /// Starts a write of whole blocks, to be flushed with that mark; its answer goes to
    /// `finishWrite`, and the buffer is the kernel's until then.
    func startWrite(
        _ source: Region, at offset: UInt64, since mark: VolumeMark
    ) throws(StoreError) -> StartedWrite {
        // What went before it is lost already.
        guard isIntact(since: mark) else { throw .readOnly }
        writesUnderway += 1
        let ticket = loop.start(.write(file: direct, offset: offset, source: source))
        return StartedWrite(ticket: ticket, source: source, offset: offset)
    }

    func finishWrite(_ write: StartedWrite) async throws(StoreError) {
        defer { writesUnderway -= 1 }
        let result = await loop.answer(write.ticket)
        guard result != Int32(write.source.count) else { return }
        try await writeAgain(write.source, at: write.offset, after: result)
    }

    func write(
        _ source: Region, at offset: UInt64, since mark: VolumeMark
    ) async throws(StoreError) {
        try await finishWrite(startWrite(source, at: offset, since: mark))
    }

    /// The same for who can do without: whether it went well. It is not tried again, and the volume
    /// goes on.
    func tryWrite(
        _ source: Region, at offset: UInt64, since mark: VolumeMark
    ) async throws(StoreError) -> Bool {
        let write = try startWrite(source, at: offset, since: mark)
        defer { writesUnderway -= 1 }
        return await loop.answer(write.ticket) == Int32(source.count)
    }

    /// Reads exactly `target.count` bytes.
    func read(_ target: Region, at offset: UInt64) async throws(StoreError) {
        try await finishRead(startRead(target, at: offset), target, at: offset)
    }

    func startRead(_ target: Region, at offset: UInt64) -> Ticket {
        readCount &+= 1
        return loop.start(.read(file: direct, offset: offset, target: target))
    }

    func finishRead(
        _ ticket: Ticket, _ target: Region, at offset: UInt64
    ) async throws(StoreError) {
        let result = await loop.answer(ticket)
        guard result != Int32(target.count) else { return }
        try await readAgain(target, at: offset, after: result)
    }

    // MARK: Durability

    private struct RecordUnderway {
        let waiter: Ticket
        let byteCount: UInt32
        /// When the write had ended, of one that did not fail.
        var writtenAt: UInt64?
    }

    /// How `writeDurably` went.
    struct Outcome {
        /// When the write had ended and the wait for the flush began; nil if it failed.
        let writtenAt: UInt64?
        /// Nil once the record is durable.
        let error: StoreError?
    }

    /// A ticket's answer where a flush was refused, or failed; and where a write was short.
    private static let refused: Int32 = 1
    private static let short: Int32 = 2
    private static let flushTag = UInt32.max
    /// That of the mistake of `StoreFaults.retriesFlush`.
    private static let secondFlushTag = UInt32.max - 1

    /// Writes whole blocks and makes them durable. Suspends once for both.
    @inline(__always)
    func writeDurably(_ source: Region, at offset: UInt64) async -> Outcome {
        guard state.health.takesWrites(id) else {
            return Outcome(writtenAt: nil, error: .readOnly)
        }
        let waiter = loop.makeTicket()
        let record = RecordUnderway(waiter: waiter, byteCount: source.count)
        let tag = unusedTags.popLast() ?? UInt32(records.count)
        if Int(tag) == records.count { records.append(record) } else { records[Int(tag)] = record }
        loop.start(.write(file: direct, offset: offset, source: source), for: self, tag: tag)
        let result = await loop.answer(waiter)
        let writtenAt = records[Int(tag)].writtenAt
        if result == 0 {
            unusedTags.append(tag)
            return Outcome(writtenAt: writtenAt, error: nil)
        }
        // The record is under way until then: see `quiesce`.
        defer { unusedTags.append(tag) }
        guard result != VolumeFile.refused else {
            return Outcome(writtenAt: writtenAt, error: .readOnly)
        }
        return await writeDurablyAgain(
            source, at: offset, after: result == VolumeFile.short ? 0 : result)
    }

    private func writeDurablyAgain(
        _ source: Region, at offset: UInt64, after result: Int32
    ) async -> Outcome {
        do throws(StoreError) {
            try await writeAgain(source, at: offset, after: result)
        } catch {
            return Outcome(writtenAt: nil, error: error)
        }
        let writtenAt = loop.now
        let ticket = loop.makeTicket()
        join(ticket)
        let isDurable = await loop.answer(ticket) == 0
        return Outcome(writtenAt: writtenAt, error: isDurable ? nil : .readOnly)
    }

    /// Returns when every write to this volume whose end this core has seen is durable. What the
    /// caller wants to be was written since `mark`.
    func flush(since mark: VolumeMark) async throws(StoreError) {
        guard isIntact(since: mark) else { throw .readOnly }
        let ticket = loop.makeTicket()
        join(ticket)
        guard await loop.answer(ticket) == 0 else { throw .readOnly }
    }

    private func isIntact(since mark: VolumeMark) -> Bool {
        if state.faults.contains(.trustsOldWrites) { return state.health.takesWrites(id) }
        return state.health.isIntact(id, since: mark)
    }

    func answered(_ tag: UInt32, _ result: Int32) {
        if tag == VolumeFile.flushTag, result < 0, state.faults.contains(.retriesFlush) {
            let second = VolumeFile.secondFlushTag
            return loop.start(.sync(file: direct), for: self, tag: second)
        }
        if tag >= VolumeFile.secondFlushTag { return flushEnded(result) }
        let record = records[Int(tag)]
        if result == Int32(record.byteCount) {
            records[Int(tag)].writtenAt = loop.now
            join(record.waiter)
        } else {
            // Whoever waits has the bytes still, and tries again or gives up.
            loop.wake(record.waiter, with: result < 0 ? result : VolumeFile.short)
        }
    }

    /// Has the flush that starts next answer `ticket`.
    private func join(_ ticket: Ticket) {
        if state.faults.contains(.noFlush) { return loop.wake(ticket) }
        flushedCount += 1
        catchUp()
        let epoch = epochs.wrote()
        guard epochs.fate(of: epoch) == .pending else {
            return loop.wake(ticket, with: VolumeFile.refused)
        }
        waiting.append(ticket)
        if !epochs.isFlushing { awaitEnd() }
    }

    /// The jobs of this turn may bring more for the next flush.
    private func awaitEnd() {
        guard !isEndAwaited else { return }
        isEndAwaited = true
        loop.tellAtEnd(self)
    }

    func turnEnds() {
        isEndAwaited = false
        catchUp()
        guard epochs.startFlush() != nil else { return }
        swap(&flushing, &waiting)
        flushCount += 1
        isSyncing = true
        loop.start(.sync(file: direct), for: self, tag: VolumeFile.flushTag)
    }

    private func flushEnded(_ result: Int32) {
        isSyncing = false
        // Where another core's has failed meanwhile, this one is not believed.
        catchUp()
        if result < 0 {
            let error = KernelError(result: result) ?? .io
            return fail(.kernel(operation: .sync, path: path, error: error))
        }
        guard epochs.isFlushing else { return }
        _ = epochs.flushEnded(succeeded: true)
        for ticket in flushing { loop.wake(ticket) }
        flushing.removeAll(keepingCapacity: true)
        if !waiting.isEmpty { awaitEnd() }
    }

    // MARK: Failures

    func fail(_ error: StoreError) {
        state.stopWrites(to: id, because: error, at: loop.now)
        catchUp()
    }

    /// Whether a read that failed is worth another try: not while the volume is known to fail, and
    /// then nobody is kept waiting.
    var triesReadsAgain: Bool { loop.now >= readsFailUntil && state.health.takesWrites(id) }

    /// Reading failed, also when it was tried again. However much does, the volume takes writes:
    /// none of them is in doubt.
    func noteFailedRead(at offset: UInt64) {
        guard state.health.bringsBack,
            readFailures.failed(at: offset, asked: readCount, now: loop.now)
        else { return }
        readsFailUntil = loop.now + StoreResilience.readFailures.nanoseconds
    }

    /// Acts upon what other cores have seen: nothing that waits becomes durable once the volume has
    /// failed, not even by the flush that runs; and once it takes writes again, all begins anew.
    private func catchUp() {
        let last = state.health.lastFailure(of: id)
        if last != failureSeen {
            failureSeen = last
            _ = epochs.turnReadOnly()
            for ticket in flushing { loop.wake(ticket, with: VolumeFile.refused) }
            for ticket in waiting { loop.wake(ticket, with: VolumeFile.refused) }
            flushing.removeAll(keepingCapacity: true)
            waiting.removeAll(keepingCapacity: true)
        }
        if epochs.isReadOnly, state.health.takesWrites(id) { epochs = FlushEpochs() }
    }

    /// Returns when the kernel has answered every write and flush of this core, and whoever waited
    /// for one knows. The volume takes no writes meanwhile.
    func quiesce() async {
        catchUp()
        while isSyncing || writesUnderway > 0 || records.count > unusedTags.count {
            await loop.sleep(until: loop.now + 1_000_000)
        }
    }
}
