/// Reading large objects: by O_DIRECT and compared, or ready for the kernel to send.

import Checksums
public import IO
import Loop
import Volumes

extension ObjectStore {
    /// Asks for bytes from `offset`, a multiple of `StoreLimits.unitBytes`, to the end of the
    /// segment or as many whole units as `target` holds (at most `StoreLimits.transferBytesMax`).
    /// Suspends only where a volume is still to be opened.
    /// `target` is a buffer of at least `StoreLimits.unitBytes`, as leased.
    public func startRead(
        _ large: LargeSegment, offset: UInt64, into target: Region
    ) async throws(StoreError) -> LargeRead {
        let unit = StoreLimits.unitBytes
        precondition(offset % UInt64(unit) == 0 && offset < large.length)
        let room = min(Int(target.count) / unit * unit, StoreLimits.transferBytesMax)
        precondition(room > 0, "a buffer smaller than one unit")
        let count = Int(min(UInt64(room), large.length - offset))
        let blocks = Int(VolumeLayout.blocks(for: UInt64(count))) * VolumeLayout.blockSize
        let places = large.map.pieces(from: offset, count: blocks)
        // All are opened before any is read, so that a failure leaves nothing on its way.
        for place in places { _ = try await file(place.volume) }
        var pieces: [LargeRead.Piece] = []
        for place in places {
            let file = try await file(place.volume)
            let part = target.part(from: place.skipped, count: place.count)
            pieces.append(
                LargeRead.Piece(
                    file: file, ticket: file.startRead(part, at: place.fileOffset), target: part,
                    fileOffset: place.fileOffset))
        }
        return LargeRead(
            offset: offset, count: count, target: target, segment: large, pieces: pieces)
    }

    /// Waits for the bytes and compares their checksums. Whatever it says, the kernel has let go of
    /// the buffer then: every answer is fetched.
    public func finishRead(_ read: LargeRead) async throws(StoreError) {
        var failure: StoreError?
        let start = loop.now
        for piece in read.pieces {
            do throws(StoreError) {
                try await piece.file.finishRead(piece.ticket, piece.target, at: piece.fileOffset)
            } catch {
                failure = error
            }
        }
        countWait(.disk, since: start)
        if let failure { throw failure }
        let unit = StoreLimits.unitBytes
        for start in stride(from: 0, to: read.count, by: unit) {
            let number = Int(read.offset) / unit + start / unit
            let bytes = read.target.part(from: start, count: min(unit, read.count - start))
            guard crc32c(memory.arena.bytes(bytes)) == read.segment.checksums[number] else {
                throw corrupt(read.segment, at: read.offset + UInt64(start))
            }
            read.segment.markVerified(unit: number)
        }
        count { $0.bytesRead += UInt64(read.count) }
    }

    private func corrupt(_ large: LargeSegment, at offset: UInt64) -> StoreError {
        let piece = large.map.pieces(from: offset, count: 1)[0]
        return corrupt([], VolumeName(piece.volume), offset: piece.fileOffset)
    }

    /// `startRead` and `finishRead` in one. Answers how many bytes of the object lie at the front
    /// of `target`; padding may follow them.
    public func read(
        _ large: LargeSegment, offset: UInt64, into target: Region
    ) async throws(StoreError) -> Int {
        let read = try await startRead(large, offset: offset, into: target)
        try await finishRead(read)
        return read.count
    }

    // MARK: Through the page cache

    /// The bytes from `offset` on that lie in one piece of a file and were verified since start, at
    /// most to the end of the window of 2 MiB; nil if the unit of `offset` was not.
    public func fileRange(_ large: LargeSegment, offset: UInt64) -> FileRange? {
        guard offset < large.length else { return nil }
        let most = large.windows.window(of: offset).upperBound
        let end = large.verifiedEnd(from: offset, before: most)
        guard end > offset else { return nil }
        let piece = large.map.pieces(from: offset, count: Int(end - offset))[0]
        guard let file = files.opened(piece.volume) else { return nil }
        return FileRange(
            file: file.buffered, offset: piece.fileOffset, count: UInt64(piece.count),
            test: large.windows.isFresh(offset, now: loop.now) ? .presence : .readability)
    }

    /// Those bytes passed a test for `readability`.
    public func found(_ large: LargeSegment, _ range: Range<UInt64>) {
        large.windows.found(range, now: loop.now)
    }

    /// Some byte of `range`, which lies in what `fileRange` answered, is not in the page cache.
    /// Whether it seems worth it to bring its window there; else read it another way.
    public func isWorthCaching(_ large: LargeSegment, missing range: Range<UInt64>) -> Bool {
        large.windows.missed(range, now: loop.now)
    }

    /// Brings the window of `offset` into the page cache. False: read it another way.
    public func warm(_ large: LargeSegment, windowOf offset: UInt64) async -> Bool {
        let start = loop.now
        defer { countWait(.disk, since: start) }
        return await fill(large, large.windows.window(of: offset))
    }

    private func fill(_ large: LargeSegment, _ range: Range<UInt64>) async -> Bool {
        for piece in large.map.pieces(from: range.lowerBound, count: range.count) {
            guard let file = files.opened(piece.volume),
                await pages.fill(file.buffered, offset: piece.fileOffset, count: piece.count)
            else { return false }
        }
        return true
    }
}
