/// One volume as one core sees it: reads, writes, and flushes that its requests share.
///
/// Whoever finds no flush running flushes for all that wait; nobody has a task of their own.
/// A write or flush that fails is the last one on this volume: see `StoreState.stopWrites`.

import IO
import Loop
import Volumes

final class VolumeFile {
    let id: VolumeID
    /// Read and write, O_DIRECT.
    let direct: Descriptor
    /// Read only, through the page cache: for `sendFile`.
    let buffered: Descriptor
    private let loop: EventLoop
    private let state: StoreState
    private var epochs = FlushEpochs()
    private var waiters: [Ticket] = []
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
        let error = KernelError(result: result) ?? .io
        throw fail(.kernel(operation: .write, path: path, error: error))
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

    /// Returns when every write to this volume whose end this core has seen is durable.
    func flush() async throws(StoreError) {
        if state.faults.contains(.noFlush) { return }
        flushedCount += 1
        let epoch = epochs.wrote()
        while true {
            if !state.takesWrites(id) { _ = epochs.turnReadOnly() }
            switch epochs.fate(of: epoch) {
            case .durable: return
            case .failed: throw .readOnly
            case .pending: await flushOrWait()
            }
        }
    }

    private func flushOrWait() async {
        guard epochs.startFlush() != nil else {
            let ticket = loop.makeTicket()
            waiters.append(ticket)
            _ = await loop.answer(ticket)
            return
        }
        flushCount += 1
        let result = await loop.perform(.sync(file: direct))
        switch epochs.flushEnded(succeeded: result >= 0) {
        case .durable: break
        case .failed:
            let error = KernelError(result: result) ?? .io
            _ = fail(.kernel(operation: .sync, path: path, error: error))
        }
        wakeAll()
    }

    private func fail(_ error: StoreError) -> StoreError {
        _ = epochs.turnReadOnly()
        state.stopWrites(to: id, because: error)
        wakeAll()
        return error
    }

    private func wakeAll() {
        let woken = waiters
        waiters = []
        for ticket in woken { loop.wake(ticket) }
    }
}
