/// One volume as one core sees it: reads, writes, and flushes that its requests share.
///
/// A flush starts at the end of a turn, for all whose writes had ended by then:
///
///     writeDurably ──▶ write ends ─┐
///                                  ├─▶ waiting ──end of a turn, none runs──▶ flushing ──▶ durable
///                         flush ───┘
///
/// Its requests wait in two lists; nobody has a task of their own. A write or flush that fails is
/// the last one on this volume: see `StoreState.stopWrites`.

import IO
import Loop
import Volumes

final class VolumeFile: AnswerObserver {
    let id: VolumeID
    /// Read and write, O_DIRECT.
    let direct: Descriptor
    /// Read only, through the page cache: for `sendFile`.
    let buffered: Descriptor
    private let loop: EventLoop
    private let state: StoreState
    private var epochs = FlushEpochs()
    /// Whom the flush that runs is for, and whom the next one.
    private var flushing: [Ticket] = []
    private var waiting: [Ticket] = []
    private var isEndAwaited = false
    /// By tag; those between two records are in `unusedTags`.
    private var records: [RecordUnderway] = []
    private var unusedTags: [UInt32] = []
    /// Flushes that were asked of the kernel, and requests that they served.
    private(set) var flushCount: UInt64 = 0
    private(set) var flushedCount: UInt64 = 0

    init(
        _ id: VolumeID, direct: Descriptor, buffered: Descriptor, loop: EventLoop,
        state: StoreState
    ) {
        self.id = id
        self.direct = direct
        self.buffered = buffered
        self.loop = loop
        self.state = state
    }

    private var path: String { VolumeName(id).path }

    /// Starts a write of whole blocks; its answer goes to `finishWrite`.
    func startWrite(_ source: Region, at offset: UInt64) throws(StoreError) -> Ticket {
        guard state.takesWrites(id) else { throw .readOnly }
        return loop.start(.write(file: direct, offset: offset, source: source))
    }

    func finishWrite(_ ticket: Ticket, count: Int) async throws(StoreError) {
        let result = await loop.answer(ticket)
        guard result != Int32(count) else { return }
        // A short write is a failed one: what it left is unknown.
        let error = StoreError.kernel(
            operation: .write, path: path, error: KernelError(result: result) ?? .io)
        fail(error)
        throw error
    }

    func write(_ source: Region, at offset: UInt64) async throws(StoreError) {
        try await finishWrite(startWrite(source, at: offset), count: Int(source.count))
    }

    /// Reads exactly `target.count` bytes.
    func read(_ target: Region, at offset: UInt64) async throws(StoreError) {
        try await finishRead(startRead(target, at: offset), target, at: offset)
    }

    func startRead(_ target: Region, at offset: UInt64) -> Ticket {
        loop.start(.read(file: direct, offset: offset, target: target))
    }

    func finishRead(
        _ ticket: Ticket, _ target: Region, at offset: UInt64
    ) async throws(StoreError) {
        let result = await loop.answer(ticket)
        if let error = KernelError(result: result) {
            throw .unreadable(volume: VolumeName(id), offset: offset, error: error)
        }
        guard result == Int32(target.count) else {
            throw .corrupt(volume: VolumeName(id), offset: offset + UInt64(result))
        }
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

    /// A ticket's answer where a flush was refused, or failed.
    private static let refused: Int32 = 1
    private static let flushTag = UInt32.max

    /// Writes whole blocks and makes them durable. Suspends once for both.
    @inline(__always)
    func writeDurably(_ source: Region, at offset: UInt64) async -> Outcome {
        guard state.takesWrites(id) else { return Outcome(writtenAt: nil, error: .readOnly) }
        let waiter = loop.makeTicket()
        let record = RecordUnderway(waiter: waiter, byteCount: source.count)
        let tag = unusedTags.popLast() ?? UInt32(records.count)
        if Int(tag) == records.count { records.append(record) } else { records[Int(tag)] = record }
        loop.start(.write(file: direct, offset: offset, source: source), for: self, tag: tag)
        let result = await loop.answer(waiter)
        let writtenAt = records[Int(tag)].writtenAt
        unusedTags.append(tag)
        if result == 0 { return Outcome(writtenAt: writtenAt, error: nil) }
        guard let error = KernelError(result: result) else {
            return Outcome(writtenAt: writtenAt, error: .readOnly)
        }
        return Outcome(
            writtenAt: nil, error: .kernel(operation: .write, path: path, error: error))
    }

    /// Returns when every write to this volume whose end this core has seen is durable.
    func flush() async throws(StoreError) {
        let ticket = loop.makeTicket()
        join(ticket)
        guard await loop.answer(ticket) == 0 else { throw .readOnly }
    }

    func answered(_ tag: UInt32, _ result: Int32) {
        if tag == VolumeFile.flushTag { return flushEnded(result) }
        let record = records[Int(tag)]
        if result == Int32(record.byteCount) {
            records[Int(tag)].writtenAt = loop.now
            join(record.waiter)
        } else {
            // A short write is a failed one: what it left is unknown.
            let error = KernelError(result: result) ?? .io
            fail(.kernel(operation: .write, path: path, error: error))
            loop.wake(record.waiter, with: -error.code)
        }
    }

    /// Has the flush that starts next answer `ticket`.
    private func join(_ ticket: Ticket) {
        if state.faults.contains(.noFlush) { return loop.wake(ticket) }
        flushedCount += 1
        if !state.takesWrites(id) { turnReadOnly() }
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
        if !state.takesWrites(id) { turnReadOnly() }
        guard epochs.startFlush() != nil else { return }
        swap(&flushing, &waiting)
        flushCount += 1
        loop.start(.sync(file: direct), for: self, tag: VolumeFile.flushTag)
    }

    private func flushEnded(_ result: Int32) {
        switch epochs.flushEnded(succeeded: result >= 0) {
        case .durable:
            for ticket in flushing { loop.wake(ticket) }
            flushing.removeAll(keepingCapacity: true)
            if !waiting.isEmpty { awaitEnd() }
        case .failed:
            let error = KernelError(result: result) ?? .io
            fail(.kernel(operation: .sync, path: path, error: error))
        }
    }

    private func fail(_ error: StoreError) {
        turnReadOnly()
        state.stopWrites(to: id, because: error)
    }

    /// Nothing that waits becomes durable any more, not even by the flush that runs.
    private func turnReadOnly() {
        _ = epochs.turnReadOnly()
        for ticket in flushing { loop.wake(ticket, with: VolumeFile.refused) }
        for ticket in waiting { loop.wake(ticket, with: VolumeFile.refused) }
        flushing.removeAll(keepingCapacity: true)
        waiting.removeAll(keepingCapacity: true)
    }
}
