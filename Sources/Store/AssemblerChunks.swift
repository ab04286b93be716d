/// Letting chunks in: who may write where, for how long, and what of it is taken over.

import Catalog
import IO
import Loop
import Volumes

/// What the core that receives a chunk needs to know.
struct ChunkGrant: Sendable {
    let id: UploadID
    let writer: UInt64
    let offset: UInt64
    let end: UInt64?
    let length: UInt64?
    let space: SpaceMap
    /// Before anything of it is written.
    let mark: VolumeMark
    /// Bytes for which space was reserved, which count as announced.
    let bytesReserved: UInt64
    let stored: ExtentMap
    let held: Set<UInt64>
    /// All of its bytes have come before.
    let isRepeated: Bool
    /// It may turn out to be the whole, whose SHA-256 is needed.
    let makesSHA256: Bool
}

struct MoreSpace: Sendable {
    let space: SpaceMap
    let bytesReserved: UInt64
    /// Behind the last byte that has a place.
    let end: UInt64
}

/// How a chunk ends.
enum ChunkEnd: Sendable, Equatable {
    /// What was reported of it counts. The upload ends here, if `length` says so; its first bytes
    /// have the digest of `start`, if that was made.
    case kept(length: UInt64?, start: UploadStart?)
    /// Its checksum was wrong: nothing of it was reported.
    case discarded
    /// A write of it failed for good. What comes next has to go elsewhere, for that may come late.
    case failed(StoreError)
}

/// The SHA-256 of an upload's bytes up to `end`.
struct UploadStart: Sendable, Equatable {
    let end: UInt64
    let sha256: [UInt8]
}

extension Assembler {
    /// Lets a chunk in, after whoever stands in its way has been cut short. Fails with
    /// `.wrongOffset` only when that offset is durable.
    func beginChunk(
        _ id: UploadID, _ owner: [UInt8], _ claim: ChunkClaim, _ whole: WholeDigests,
        from core: Int
    ) async throws(UploadError) -> ChunkGrant {
        let upload = try enter(id, owner)
        do throws(UploadError) {
            let grant = try await admit(upload, claim, whole, from: core)
            // From here on the grant reaches its core before whoever cuts it short.
            if upload.cutWriters.contains(grant.writer) {
                state.endReservation(grant.bytesReserved)
                close(upload, grant.writer)
                throw .preempted
            }
            // Stays entered until `endChunk`.
            return grant
        } catch {
            leave(upload)
            throw error
        }
    }

    private func admit(
        _ upload: OpenUpload, _ claim: ChunkClaim, _ whole: WholeDigests, from core: Int
    ) async throws(UploadError) -> ChunkGrant {
        while true {
            while upload.ending == .underWay { await upload.wait(on: loop) }
            try checkPresent(upload)
            try checkUnfinished(upload)
            guard let expected = upload.terms.expected.joined(with: whole.expected)
            else { throw .contradictingDigests }
            let admission: UploadState.Admission
            do throws(ChunkRefusal) {
                admission = try upload.state.admit(claim)
            } catch {
                if case .wrongOffset = error { _ = try await settle(upload) }
                throw .refused(error)
            }
            switch admission {
            case .granted:
                expect(expected, whole.wanted, of: upload)
                let writer = open(upload, claim, from: core)
                return try await grant(upload, claim, to: writer)
            case .preempts(let writers): await cut(upload, writers)
            }
        }
    }

    private func open(_ upload: OpenUpload, _ claim: ChunkClaim, from core: Int) -> UInt64 {
        if claim.length != upload.state.length, claim.length != nil { upload.changeCount += 1 }
        let writer = upload.state.open(claim)
        upload.cores[writer] = core
        upload.marks[writer] = state.health.mark
        touch(upload)
        return writer
    }

    private func grant(
        _ upload: OpenUpload, _ claim: ChunkClaim, to writer: UInt64
    ) async throws(UploadError) -> ChunkGrant {
        let range = claim.offset..<(claim.end ?? claim.offset)
        let reserved: UInt64
        do throws(UploadError) {
            reserved = try await reserve(upload, range)
        } catch {
            close(upload, writer)
            throw error
        }
        return ChunkGrant(
            id: upload.id, writer: writer, offset: claim.offset, end: claim.end,
            length: upload.state.length, space: upload.state.space,
            mark: upload.marks[writer] ?? .start, bytesReserved: reserved,
            stored: upload.state.stored(in: claim.range), held: Set(upload.state.fragments.keys),
            isRepeated: !range.isEmpty && upload.state.received.contains(range),
            makesSHA256: mayBeWhole(claim, of: upload) && needsSHA256(upload))
    }

    /// All space that bytes of `range` need, or an error and none.
    private func reserve(
        _ upload: OpenUpload, _ range: Range<UInt64>
    ) async throws(UploadError) -> UInt64 {
        // Two chunks may meet in a block, which only one of them is to get.
        while upload.isReserving { await upload.wait(on: loop) }
        upload.isReserving = true
        defer {
            upload.isReserving = false
            upload.wakeAll(on: loop)
        }
        let (suspects, now) = (state.suspects, loop.now)
        // What is left keeps its place until there is another one.
        let left = upload.state.suspectSpace(for: range) { suspects.contains($0, at: now) }
        let runs = left + upload.state.missingSpace(for: range)
        let blockSize = UInt64(VolumeLayout.blockSize)
        let wanted = runs.reduce(0) { $0 + UInt64($1.count) * blockSize }
        try hold(wanted, for: upload)
        var found: [(blocks: Range<UInt64>, extents: [Extent])] = []
        var bytes: UInt64 = 0
        do throws(StoreError) {
            for blocks in runs {
                let count = UInt64(blocks.count) * blockSize
                found.append((blocks, try await ledger.reserve(count)))
                bytes += count
            }
        } catch {
            for piece in found { await ledger.giveBack(piece.extents) }
            state.endReservation(bytes)
            letGo(wanted, of: upload)
            throw .store(error)
        }
        for piece in found { upload.lay(piece.extents, under: piece.blocks) }
        return bytes
    }

    /// More space for a chunk of which nobody knows how long it will be: from `offset` on, so many
    /// bytes more, as far as an upload may go.
    func extend(
        _ id: UploadID, _ writer: UInt64, from offset: UInt64, bytes: UInt64
    ) async throws(UploadError) -> MoreSpace {
        let upload = try writing(id, writer)
        let limit = upload.state.length ?? upload.state.bytesMax
        guard offset < limit else { throw .refused(.tooLong(limit: limit)) }
        guard let range = upload.state.writers.first(where: { $0.number == writer })?.range else {
            preconditionFailure("a chunk that was let in has a writer")
        }
        guard offset < range.upperBound else {
            throw .refused(.tooMuchAtOnce(limit: range.upperBound - range.lowerBound))
        }
        let end = min(offset + bytes, limit, range.upperBound)
        let reserved = try await reserve(upload, offset..<end)
        return MoreSpace(space: upload.state.space, bytesReserved: reserved, end: end)
    }

    private func writing(_ id: UploadID, _ writer: UInt64) throws(UploadError) -> OpenUpload {
        guard let upload = uploads[id], upload.cores[writer] != nil else {
            preconditionFailure("a chunk that was never let in")
        }
        if let failure = upload.failure { throw .store(failure) }
        return upload
    }

    /// Takes over what has come of a chunk; returns when the blocks that it completed are written.
    func report(
        _ id: UploadID, _ writer: UInt64, _ report: ChunkReport
    ) async throws(UploadError) {
        let upload = try writing(id, writer)
        guard !report.isEmpty else { return }
        upload.changeCount += 1
        // First: what a refused report has before the part that is refused counts all the same.
        noteUnflushed(upload, report.written, since: upload.marks[writer] ?? .start)
        let blocks: [UploadState.WholeBlock]
        do throws(ChunkRefusal) {
            blocks = try upload.state.take(report, from: writer)
        } catch {
            throw .refused(error)
        }
        upload.blockWrites += blocks.count
        try await write(blocks, of: upload)
        settleIfMuch(upload)
    }

    /// Takes over a plain upload that broke off, whose writes have ended: see `LargeUpload.keep`.
    /// On an error the space is still the caller's.
    func adopt(
        _ id: UploadID, _ terms: UploadTerms, _ extents: [Extent], units: [UInt32],
        since mark: VolumeMark, secondsToLive: UInt64
    ) async throws(UploadError) {
        if let length = terms.length, length > state.uploadBytesMax {
            // What is missing of it could never come.
            throw .refused(.tooLong(limit: state.uploadBytesMax))
        }
        while known[id] != nil { try await makeWay(id, terms.owner) }
        let held = UInt64(units.count) * UInt64(VolumeLayout.checksumUnit)
        let upload = try begin(id, terms, secondsToLive: secondsToLive, holding: held)
        defer { leave(upload) }
        upload.state.adopt(extents, units: units)
        let unused = upload.state.releaseUnused()
        noteUnflushed(upload, upload.state.received.ranges, since: mark)
        // The catalog never heard of it.
        await ledger.giveBack(unused)
        do throws(UploadError) {
            _ = try await settle(upload)
        } catch {
            // It is the upload's now, and ends with it.
            try? await end(upload)
        }
    }

    private func noteUnflushed(
        _ upload: OpenUpload, _ ranges: [Range<UInt64>], since mark: VolumeMark
    ) {
        for range in ranges where !range.isEmpty {
            var block = range.lowerBound / UInt64(VolumeLayout.blockSize)
            let end = VolumeLayout.blocks(for: range.upperBound)
            while block < end {
                guard let place = upload.state.space.location(ofBlock: block) else {
                    preconditionFailure("bytes were written where nothing is reserved")
                }
                upload.noteUnflushed(place.volume, since: mark)
                block += UInt64(place.contiguousBlocks)
            }
        }
    }

    /// The end of a chunk: its writer has no write under way any more.
    func endChunk(
        _ id: UploadID, _ writer: UInt64, _ end: ChunkEnd
    ) async throws(UploadError) -> UploadStatus {
        guard let upload = uploads[id], upload.cores[writer] != nil else {
            preconditionFailure("a chunk that was never let in")
        }
        defer { leave(upload) }
        var refusal: UploadError?
        if case .kept(.some(let length), _) = end {
            do throws(ChunkRefusal) { try upload.state.end(at: length) } catch {
                refusal = .refused(error)
            }
            upload.changeCount += 1
        }
        if case .kept(_, let start) = end { upload.start = start ?? upload.start }
        if case .failed(let error) = end { upload.fail(error) }
        close(upload, writer)
        touch(upload)
        try await write(blocksToWrite(of: upload), of: upload)
        if let refusal {
            _ = try await settle(upload)
            throw refusal
        }
        guard upload.isReadyToPublish, upload.ending == .none
        else { return try await settle(upload) }
        upload.ending = .underWay
        return try await complete(upload)
    }

    private func close(_ upload: OpenUpload, _ writer: UInt64) {
        upload.state.close(writer)
        // Also where all that came is settled: the next settling gives the rest back.
        if upload.state.hasUnusedSpace { upload.changeCount += 1 }
        upload.cores[writer] = nil
        upload.marks[writer] = nil
        upload.cutWriters.remove(writer)
        upload.wakeAll(on: loop)
    }

    private func touch(_ upload: OpenUpload) {
        upload.touch(at: loop.wallSeconds)
        remember(upload)
    }

    /// Ends the writers of those numbers, however far they have come; returns when all have ended.
    func cut(_ upload: OpenUpload, _ writers: [UInt64]) async {
        for writer in writers {
            guard let core = upload.cores[writer] else { continue }
            // One that still waits for its space is no chunk yet on its core.
            upload.cutWriters.insert(writer)
            await state.cut(upload.id, writer, on: core)
        }
        while upload.state.writers.contains(where: { writers.contains($0.number) }) {
            await upload.wait(on: loop)
        }
    }

    // MARK: Blocks that became whole

    /// Those that are whole, which are under way from now on.
    func blocksToWrite(of upload: OpenUpload) -> [UploadState.WholeBlock] {
        let blocks = upload.state.wholeBlocks()
        upload.blockWrites += blocks.count
        return blocks
    }

    /// Blocks that `blockWrites` has counted already.
    func write(
        _ blocks: [UploadState.WholeBlock], of upload: OpenUpload
    ) async throws(UploadError) {
        var failure: StoreError?
        for block in blocks {
            let mark = state.health.mark
            do throws(StoreError) {
                let volume = try await write(block, of: upload, since: mark)
                upload.noteUnflushed(volume, since: mark)
                upload.state.wrote(block)
                upload.changeCount += 1
            } catch {
                failure = error
            }
            upload.blockWrites -= 1
        }
        upload.wakeAll(on: loop)
        guard let failure else { return }
        upload.fail(failure)
        throw .store(failure)
    }

    private func write(
        _ block: UploadState.WholeBlock, of upload: OpenUpload, since mark: VolumeMark
    ) async throws(StoreError) -> VolumeID {
        guard let place = upload.state.space.location(ofBlock: block.number) else {
            preconditionFailure("a block came for which nothing is reserved")
        }
        let file = try await store.file(place.volume)
        let buffer = await store.memory.buffer(VolumeLayout.blockSize)
        defer { store.memory.giveBack(buffer: buffer) }
        let region = buffer.part(from: 0, count: VolumeLayout.blockSize)
        store.memory.arena.zero(region)
        store.memory.arena.copy(block.bytes.span, to: region)
        try await file.write(region, at: place.fileOffset, since: mark)
        return place.volume
    }
}
