/// What a download has asked of the disk ahead of its client.

import Engine
import IO
import Loop
import Store

/// Reads of one download on their way or verified, one behind the other in a segment. Each holds
/// a leased buffer. Ends with `Core.abandon`.
struct ReadAhead {
    private var reads: [LargeRead] = []
    var pace: TransferPace
    /// The first has ended; its buffer is the download's own.
    var isFirstFinished = false
    /// Its client took nothing for as long as it may: see `Core.makesRoom`.
    var isLate = false
    /// It has a share of the pool: see `BufferSelector.began`.
    var isSharing = false

    init(_ pace: TransferPace) { self.pace = pace }

    var isEmpty: Bool { reads.isEmpty }
    var count: Int { reads.count }
    var first: LargeRead { reads[0] }
    /// The first byte of their segment behind all of them.
    var end: UInt64 { reads.last.map { $0.offset + UInt64($0.count) } ?? 0 }

    mutating func append(_ read: LargeRead) { reads.append(read) }

    mutating func removeFirst() {
        reads.removeFirst()
        isFirstFinished = false
    }
}

extension Core {
    /// Starts a read of at most `bytes` around `offset`, as the first; waits for its buffer.
    func start(
        _ large: LargeSegment, _ offset: UInt64, _ range: ClosedRange<UInt64>, bytes: Int,
        _ reads: inout ReadAhead, _ store: ObjectStore
    ) async throws(StoreError) {
        precondition(reads.isEmpty, "whoever holds a buffer does not wait for another")
        let unit = UInt64(StoreLimits.unitBytes)
        let start = offset / unit * unit
        let wanted = Int(min(range.upperBound - start + 1, UInt64(bytes)))
        if !reads.isSharing {
            reads.isSharing = true
            buffers.began()
        }
        let lease = await memory.lease(preferring: wanted, minimum: StoreLimits.unitBytes)
        try await append(large, start, lease, &reads, store)
    }

    /// Starts as many further reads as the client's pace asks for and memory allows.
    func startMore(
        _ large: LargeSegment, _ range: ClosedRange<UInt64>, until end: UInt64,
        _ reads: inout ReadAhead, _ store: ObjectStore
    ) async throws(StoreError) {
        while reads.count < buffers.depth(.download, reads.pace), reads.end < end {
            let bytes = buffers.bufferBytes(.download, reads.pace)
            let wanted = Int(min(range.upperBound - reads.end + 1, UInt64(bytes)))
            guard let lease = memory.leaseSpare(max(wanted, StoreLimits.unitBytes)) else { return }
            try await append(large, reads.end, lease, &reads, store)
        }
    }

    private func append(
        _ large: LargeSegment, _ offset: UInt64, _ lease: consuming BufferLease,
        _ reads: inout ReadAhead, _ store: ObjectStore
    ) async throws(StoreError) {
        let buffer = lease.detach()
        do {
            reads.append(try await store.startRead(large, offset: offset, into: buffer))
        } catch {
            memory.giveBack(BufferLease(attaching: buffer))
            throw error
        }
    }

    /// Sends what of the first read lies in `offset..<end`, once it is verified; its buffer goes
    /// back. Answers how much went out; nil if the connection is gone. Less than there was
    /// if others needed the buffers: all have gone back. All of it at once: in steps that are still
    /// in the processor's cache when they are sent it costs a fifth more.
    func sendFirst(
        _ slot: Int, _ offset: UInt64, _ end: UInt64, _ reads: inout ReadAhead,
        _ store: ObjectStore
    ) async throws(StoreError) -> UInt64? {
        try await finishFirst(&reads, store)
        let read = reads.first
        let count = min(read.offset + UInt64(read.count), end) - offset
        let bytes = read.target.part(from: Int(offset - read.offset), count: Int(count))
        let start = loop.now
        let sent = await sendLeased(
            slot, LeasedBytes(buffer: read.target, bytes: bytes), more: offset + count < end)
        reads.pace.moved(nanoseconds: loop.now - start)
        reads.removeFirst()
        guard let sent else { return nil }
        await moved(.download, sent)
        passed(slot, sent)
        counters.sentDirectBytes &+= UInt64(sent)
        if sent == Int(count) {
            reads.isLate = false
        } else {
            await abandon(&reads, store)
            guard await makesRoom(slot, taken: sent, &reads.isLate) else { return nil }
        }
        return UInt64(sent)
    }

    /// Sends the head that was collected. What was read behind it is given up if others need the
    /// buffers. False if the connection is gone.
    func sendHead(_ slot: Int, before reads: inout ReadAhead, _ store: ObjectStore) async -> Bool {
        let rest = await startHead(slot)
        if let rest, rest.count > 0 { await abandon(&reads, store) }
        return await finishHead(slot, rest)
    }

    /// Waits for the first read.
    func finishFirst(_ reads: inout ReadAhead, _ store: ObjectStore) async throws(StoreError) {
        guard !reads.isFirstFinished else { return }
        defer { reads.isFirstFinished = true }
        try await store.finishRead(reads.first)
    }

    /// Waits until the kernel has let go of all, and gives the buffers back.
    func abandon(_ reads: inout ReadAhead, _ store: ObjectStore) async {
        while !reads.isEmpty {
            let read = reads.first
            if !reads.isFirstFinished { try? await store.finishRead(read) }
            reads.removeFirst()
            memory.giveBack(BufferLease(attaching: read.target))
        }
        endSharing(&reads)
    }

    /// Its next bytes need no buffers.
    func endSharing(_ reads: inout ReadAhead) {
        guard reads.isSharing else { return }
        reads.isSharing = false
        buffers.ended()
    }

    /// Tells the selector of buffers what a transfer has moved, and the time if it wants to know.
    func moved(_ path: BufferSelector.Path, _ count: Int) async {
        guard buffers.moved(path, count, now: loop.now) else { return }
        let microseconds = await loop.perform(.threadTime)
        buffers.measured(
            path, microseconds: UInt32(microseconds),
            leasedBytes: memory.bytesTotal - memory.bytesFree, now: loop.now)
    }
}
