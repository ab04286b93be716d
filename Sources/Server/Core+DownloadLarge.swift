/// GET and HEAD of large objects: what has to be verified before the head, then the bytes, by
/// whichever way is the shortest.
///
/// An object of several segments is sent segment by segment; nearly all have one.
///
///     verified here ── in the page cache ──▶ short: sendfile, at once with the head; else corked
///       │                └ missing ── worth it ──▶ a whole window: through pipes into the page
///       │                                         cache and the socket; a part: warmed, sendfile
///       └ not yet, or not worth it ──▶ O_DIRECT ahead of the client, compared, sent

import Engine
import HTTP
import IO
import Loop
import Store

extension Core {
    /// Answers how many bytes of the object the answer has; if its connection has ended by then,
    /// fewer went out.
    func downloadLarge(
        _ request: Request, _ representation: Representation, _ store: ObjectStore
    ) async -> Result<UInt64, StoreError> {
        let pinned = representation.pinned
        let large: LargeObject
        do { large = try await store.describe(pinned) } catch { return .failure(error) }
        let mediaType = representation.mediaType ?? large.mediaType
        let fields = fields(of: representation, checksum: large.checksum, mediaType: mediaType)
        let selection = select(fields, request.head, bytes: request.bytes.span)
        let range = request.head.method == .get ? selection.bodyRange(of: fields.length) : nil
        var reads = ReadAhead(downloadPace(request.slot))
        if let range, !isVerified(large, range, store) {
            do { try await readFirst(large, range, &reads, store) } catch {
                await abandon(&reads, store)
                return .failure(error)
            }
        }
        let slot = request.slot
        let others = otherFields(fields, mediaType: mediaType)
        let digest =
            selection.tellsDigest ? reprDigest(request.head, request.bytes.span, of: large) : nil
        writeSelectionHead(
            slot, fields, selection, digest, otherFields: others.span,
            to: request.head, keepAlive: request.head.keepAlive && phase != .draining)
        guard let range else {
            _ = await sendOutput(slot, more: false)
            return .success(0)
        }
        beginTransfer(request, .download, bytes: UInt64(range.count))
        var rest: ClosedRange<UInt64>? = range
        if reads.isEmpty, let sent = await sendShort(slot, large, range, store) {
            rest = sent < range.count ? range.lowerBound + UInt64(sent)...range.upperBound : nil
        } else if !(await sendHead(slot, before: &reads, store)) {
            endTransfer(slot, isBroken: true)
            rest = nil
        }
        if let rest { await streamCorked(request, large, rest, &reads, store) }
        await abandon(&reads, store)
        // What is left of it broke off here.
        endTransfer(slot, isBroken: false)
        return .success(UInt64(range.count))
    }

    /// Bodies up to this length leave with their head at once. Copied behind it, from pages that no
    /// cache of the processor holds, 16 KiB cost 9 µs (row `range-16k`, `perf/flame`); longer ones
    /// are corked (`streamCorked`).
    private static let shortBytesMax = 64 << 10

    /// Whether as much of the range is verified as has to be before its head goes out: of objects
    /// that one read can bring, all.
    private func isVerified(
        _ large: LargeObject, _ range: ClosedRange<UInt64>, _ store: ObjectStore
    ) -> Bool {
        let end = range.upperBound + 1
        var offset = range.lowerBound
        repeat {
            let piece = large.piece(from: offset, before: end)
            guard isVerified(piece, isLong: large.isLong, store) else { return false }
            offset += UInt64(piece.range.count)
        } while !large.isLong && offset < end
        return true
    }

    private func isVerified(_ piece: LargePiece, isLong: Bool, _ store: ObjectStore) -> Bool {
        guard let file = cachedRange(piece.segment, piece.range.lowerBound, store)
        else { return false }
        return isLong || file.count >= UInt64(piece.range.count)
    }

    private func cachedRange(
        _ large: LargeSegment, _ offset: UInt64, _ store: ObjectStore
    ) -> FileRange? {
        settings.verifiesAlways ? nil : store.fileRange(large, offset: offset)
    }

    /// Reads what has to be verified before the head, so that what is corrupt there is a 500. What
    /// comes first is left in `reads`.
    private func readFirst(
        _ large: LargeObject, _ range: ClosedRange<UInt64>, _ reads: inout ReadAhead,
        _ store: ObjectStore
    ) async throws(StoreError) {
        let end = range.upperBound + 1
        let first = large.piece(from: range.lowerBound, before: end)
        var offset = range.lowerBound + UInt64(first.range.count)
        while !large.isLong, offset < end {
            let piece = large.piece(from: offset, before: end)
            if !isVerified(piece, isLong: false, store) {
                try await readFirst(piece, isLong: false, &reads, store)
                await abandon(&reads, store)
            }
            offset += UInt64(piece.range.count)
        }
        if isVerified(first, isLong: large.isLong, store) { return }
        try await readFirst(first, isLong: large.isLong, &reads, store)
    }

    /// Leaves nothing in `reads` if it was verified, but memory for all of it at once is short; it
    /// is read again in its turn.
    private func readFirst(
        _ piece: LargePiece, isLong: Bool, _ reads: inout ReadAhead, _ store: ObjectStore
    ) async throws(StoreError) {
        let range = piece.range
        let bytes =
            isLong ? buffers.bufferBytes(.download, reads.pace) : StoreLimits.transferBytesMax
        var offset = range.lowerBound
        while offset <= range.upperBound {
            try await start(piece.segment, offset, range, bytes: bytes, &reads, store)
            let read = reads.first
            try await finishFirst(&reads, store)
            let end = read.offset + UInt64(read.count)
            if offset == range.lowerBound, isLong || end > range.upperBound { return }
            await abandon(&reads, store)
            offset = end
        }
    }

    // MARK: Through the page cache

    /// Sends the head that was collected and a short body behind it, if all of that is verified and
    /// cached. Answers how many bytes of the body went out, fewer if the socket was full or the
    /// connection is gone; nil if nothing was sent.
    private func sendShort(
        _ slot: Int, _ large: LargeObject, _ range: ClosedRange<UInt64>, _ store: ObjectStore
    ) async -> Int? {
        guard range.count <= Core.shortBytesMax else { return nil }
        let piece = large.piece(from: range.lowerBound, before: range.upperBound + 1)
        guard let file = cachedRange(piece.segment, piece.range.lowerBound, store),
            file.count >= range.count,
            !connections[slot].flags.contains(.ending)
        else { return nil }
        let head = connections[slot].output.part(
            from: 0, count: Int(connections[slot].outputCount))
        let result = await performSend(
            .sendFile(
                socket: connections[slot].socket, head: head, file: file.file,
                offset: file.offset, count: UInt32(range.count), test: file.test))
        // Whatever it was that kept all from leaving, who sends the head alone finds out.
        guard result > 0 else { return nil }
        let headCount = min(Int(result), Int(head.count))
        counters.bytesOut &+= UInt64(headCount)
        noteSent(file: UInt64(Int(result) - headCount))
        let rest = head.part(from: headCount, count: Int(head.count) - headCount)
        _ = await send(slot, rest, more: true)
        giveBackOutput(slot)
        return Int(result) - headCount
    }

    /// Sends page-cached bytes without copying. Nil: read them, for they are not verified, or not
    /// cached and not worth it, or damaged; 0: the connection is gone; else how many went out.
    private func sendFile(
        _ slot: Int, _ large: LargeSegment, _ offset: UInt64, _ range: ClosedRange<UInt64>,
        _ reads: inout ReadAhead, _ store: ObjectStore
    ) async -> UInt64? {
        guard let file = cachedRange(large, offset, store) else { return nil }
        let window = offset..<offset + min(file.count, range.upperBound - offset + 1)
        var (position, wasWarmed) = (offset, false)
        var testedAt: UInt64 = 0
        while position < window.upperBound {
            guard !connections[slot].flags.contains(.ending) else { return 0 }
            let isTested = testedAt > 0 && loop.now - testedAt < Core.residencyNanoseconds
            let test = isTested ? .none : position > offset || wasWarmed ? .readability : file.test
            let asked = position..<window.upperBound
            let result = await performSend(
                .sendFile(
                    socket: connections[slot].socket, file: file.file,
                    offset: file.offset + (position - offset), count: UInt32(asked.count),
                    test: test))
            let error = KernelError(result: result)
            // The file ends here or cannot be read: whoever reads it says so, and where.
            if result == 0 || error == .io || error == .notResident {
                // Dropped behind a slow client, say: what is left is for the next call.
                if position > offset { return position - offset }
                guard error == .notResident, !wasWarmed else { return nil }
                wasWarmed = true
                switch await sendMissing(slot, large, asked, of: range, store) {
                case .sent(0): continue
                case .sent(let count): return count
                case .notBrought: return nil
                case .gone: return 0
                }
            }
            guard result > 0 || error == .wouldBlock else {
                counters.connectionErrors += 1
                end(slot)
                return 0
            }
            // Full sockets pass every test, too.
            if test != .none { testedAt = loop.now }
            if test == .readability, result > 0 { store.found(large, asked) }
            position += UInt64(max(0, result))
            noteSent(file: UInt64(max(0, result)))
            passed(slot, Int(result))
            // Sent in part means that the socket is full.
            if position < window.upperBound {
                guard await makesRoom(slot, taken: Int(result), &reads.isLate) else { return 0 }
            }
        }
        return window.upperBound - offset
    }

    /// Brings what is verified, and missing in the page cache, there, if that seems worth it; some
    /// of it may be sent on the way.
    private func sendMissing(
        _ slot: Int, _ large: LargeSegment, _ missing: Range<UInt64>, of range: ClosedRange<UInt64>,
        _ store: ObjectStore
    ) async -> PipedOutcome {
        guard store.isWorthCaching(large, missing: missing) else { return .notBrought }
        if missing == large.window(of: missing.lowerBound) {
            return await sendPiped(slot, large, missing.lowerBound..<range.upperBound + 1, store)
        }
        return await store.warm(large, windowOf: missing.lowerBound) ? .sent(0) : .notBrought
    }

    func noteSent(file count: UInt64) {
        counters.bytesOut &+= count
        counters.sentFileBytes &+= count
    }

    /// For so long after a test pages count as cached: the kernel drops none that were just used.
    private static let residencyNanoseconds: UInt64 = 50_000_000

    // MARK: The bytes

    /// Corked, so that what sendfile brings leaves in full segments: 64 KiB at a time it would
    /// push the rest of each batch, which cost a tenth of a large download's CPU.
    private func streamCorked(
        _ request: Request, _ large: LargeObject, _ range: ClosedRange<UInt64>,
        _ reads: inout ReadAhead, _ store: ObjectStore
    ) async {
        let socket = connections[request.slot].socket
        handlers.beginStreaming()
        defer { handlers.endStreaming() }
        if UInt64(range.count) >= RequestsUnderWay.bulkBytesMin { easePressure(request.slot) }
        _ = await loop.perform(.cork(socket: socket, isOn: true))
        let end = range.upperBound + 1
        var offset = range.lowerBound
        do {
            while offset < end {
                let piece = large.piece(from: offset, before: end)
                guard
                    try await stream(request.slot, piece.segment, piece.range, &reads, store)
                else { break }
                offset += UInt64(piece.range.count)
            }
            endTransfer(request.slot, isBroken: offset < end)
        } catch {
            breakOff(request, error)
        }
        _ = await loop.perform(.cork(socket: socket, isOn: false))
    }

    /// False, and early, if the connection is gone. Leaves nothing in `reads` else.
    private func stream(
        _ slot: Int, _ large: LargeSegment, _ range: ClosedRange<UInt64>,
        _ reads: inout ReadAhead, _ store: ObjectStore
    ) async throws(StoreError) -> Bool {
        let end = range.upperBound + 1
        var offset = range.lowerBound
        // Up to there by O_DIRECT.
        var directEnd = reads.isEmpty ? offset : unverifiedEnd(large, from: reads.end, end)
        while offset < end {
            if reads.isEmpty, offset >= directEnd {
                if let sent = await sendFile(slot, large, offset, range, &reads, store) {
                    guard sent > 0 else { return false }
                    offset += sent
                    endSharing(&reads)
                    continue
                }
                // Verified, it is not worth caching: the rest of its window is not, either.
                let windowEnd = min(large.window(of: offset).upperBound, end)
                directEnd = max(unverifiedEnd(large, from: offset, end), windowEnd)
            }
            if reads.isEmpty {
                let bytes = buffers.bufferBytes(.download, reads.pace)
                try await start(large, offset, range, bytes: bytes, &reads, store)
            }
            try await startMore(large, range, until: directEnd, &reads, store)
            guard let sent = try await sendFirst(slot, offset, end, &reads, store) else {
                return false
            }
            offset += sent
        }
        return true
    }

    /// The first byte from `offset` on that need not be verified again; else `end`.
    private func unverifiedEnd(
        _ large: LargeSegment, from offset: UInt64, _ end: UInt64
    ) -> UInt64 {
        guard !settings.verifiesAlways, offset < end else { return end }
        return large.verifiedStart(from: offset, before: end)
    }
}

extension LargeObject {
    /// One read does not bring all of it.
    fileprivate var isLong: Bool { object.length > UInt64(StoreLimits.transferBytesMax) }
}
