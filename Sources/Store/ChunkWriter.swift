/// One chunk of an upload on the core that receives it: whole blocks are written from here, at
/// their final place; what fills no block, and the news, goes to the upload's owner.
///
///     next ─▶ receive ─▶ take ─▶ … ─▶ keep, or discard
///
/// Ends with exactly one of `keep` and `discard`, whatever `take` answered.

import Checksums
public import IO
import Loop
public import Volumes

public final class ChunkWriter {
    public let id: UploadID
    /// Where the next byte goes.
    public private(set) var position: UInt64
    /// Bytes of the whole upload, if known.
    public let length: UInt64?
    /// All of its bytes had come before it began: they are only compared.
    public let isRepeated: Bool
    /// Nothing of the chunk counts before `keep`: its checksum is still to be compared.
    public let isWithheld: Bool
    /// Set when a newer request goes on with the upload: receive no more.
    public internal(set) var isCut = false
    /// Told when it is cut, to end a receive that is under way.
    public var whenCut: (() -> Void)?

    let number: UInt64
    /// Of the chunk's bytes in their order, if they are to be compared with what the client says.
    private var check: ChunkCheck?
    /// Of the chunk, if it was made: see `isRight`.
    private var sha256: [UInt8]?
    private let store: ObjectStore
    private let assembler: Assembler
    private let steps: ChunkSteps
    private var space: SpaceMap
    private var bytesReserved: UInt64
    private let startOffset: UInt64
    /// Before its first write.
    private let mark: VolumeMark
    /// Behind the last byte for which space was reserved, where the chunk's end is not known.
    private var spaceEnd: UInt64
    private var isOpen = true
    private let inFlight: WritesInFlight
    private var failure: UploadError?
    /// A write failed for good, and may still come.
    private var lost: StoreError?
    /// What the owner is still to be told.
    private var news = ChunkReport()
    /// Checksums of the whole units at the front of the step that is being received.
    private var unitSums: [UInt32] = []

    init(
        _ grant: ChunkGrant, check: ChunkCheck?, isWithheld: Bool, store: ObjectStore,
        assembler: Assembler
    ) {
        id = grant.id
        self.check = check
        self.isWithheld = isWithheld
        number = grant.writer
        position = grant.offset
        length = grant.length
        isRepeated = grant.isRepeated
        (self.store, self.assembler) = (store, assembler)
        inFlight = WritesInFlight(store)
        steps = ChunkSteps(
            end: grant.end, length: grant.length, stored: grant.stored, held: grant.held)
        space = grant.space
        bytesReserved = grant.bytesReserved
        startOffset = grant.offset
        mark = grant.mark
        spaceEnd = grant.offset
    }

    private static let blockSize = VolumeLayout.blockSize

    /// Of the upload's first bytes, if those are the chunk's, and it was hashed.
    private var uploadStart: UploadStart? {
        guard startOffset == 0, let sha256 else { return nil }
        return UploadStart(end: position, sha256: sha256)
    }

    /// What comes next: so many bytes, in one buffer, from its front. Nil at the chunk's end.
    public func next(countMax: Int) -> ChunkSteps.Step? {
        let whole = max(countMax / StoreLimits.unitBytes, 1) * StoreLimits.unitBytes
        return steps.next(at: position, countMax: whole)
    }

    /// Tells that the first `count` bytes of that step lie at the front of `buffer`: they are
    /// checksummed now, while they are in the processor's cache.
    public func arrived(_ step: ChunkSteps.Step, _ buffer: Region, count: Int) {
        guard step.kind == .write, step.offset % UInt64(StoreLimits.unitBytes) == 0 else { return }
        while (unitSums.count + 1) * StoreLimits.unitBytes <= count {
            let start = unitSums.count * StoreLimits.unitBytes
            let unit = buffer.part(from: start, count: StoreLimits.unitBytes)
            unitSums.append(crc32c(store.memory.arena.bytes(unit)))
        }
    }

    /// Takes the first `count` bytes of that step, at the front of `lease`, which goes back to its
    /// pool by itself. Fewer than the step has mean that no more will come.
    public func take(
        _ step: ChunkSteps.Step, _ lease: consuming BufferLease, count: Int
    ) async throws(UploadError) {
        precondition(isOpen, "a chunk that has ended takes no more bytes")
        precondition(step.offset == position && count > 0 && count <= step.count, "out of order")
        if let failure {
            store.memory.giveBack(lease)
            throw failure
        }
        do throws(UploadError) { try await reserve(through: step.offset + UInt64(count)) } catch {
            store.memory.giveBack(lease)
            failure = error
            throw error
        }
        position += UInt64(count)
        let mark = check?.add(lease.region.part(from: 0, count: count))
        switch step.kind {
        case .write: try await write(step, lease, count, mark)
        case .part:
            news.parts.append(part(lease.region, at: step.offset, count))
            await check?.settle(mark)
            store.memory.giveBack(lease)
        case .compare:
            // What is hashed is only read; the comparison takes longer.
            await check?.settle(mark)
            try await compare(step, lease, count)
        }
        try await tell()
        await inFlight.wait(atMost: StoreLimits.uploadWritesMax - 1)
        if let failure { throw failure }
    }

    /// Whether the bytes that were taken are those that the client meant; to be asked once, at the
    /// chunk's end. True where it did not say.
    public func isRight() async -> Bool {
        guard let check = check.take() else { return true }
        let isRight = await check.isRight()
        sha256 = check.sha256
        return isRight
    }

    /// Ends the chunk: everything that was taken counts, and is durable when this returns.
    /// `length`: the upload ends with this chunk, at that length.
    public func keep(length: UInt64? = nil) async throws(UploadError) -> UploadStatus {
        await end()
        var refusal = failure
        do throws(UploadError) {
            try await report()
        } catch {
            refusal = refusal ?? error
        }
        let isWhole = refusal == nil && !isCut
        let kept = ChunkEnd.kept(
            length: isWhole ? length : nil, start: isWhole ? uploadStart : nil)
        let end = lost.map(ChunkEnd.failed) ?? kept
        do throws(UploadError) {
            let status = try await assembler.endChunk(id, number, end)
            if let refusal { throw refusal }
            return status
        } catch {
            throw refusal ?? error
        }
    }

    /// Ends the chunk as if nothing of it had come. Only for a withheld one.
    public func discard() async throws(UploadError) -> UploadStatus {
        precondition(isWithheld, "what was told already counts")
        await end()
        return try await assembler.endChunk(
            id, number, lost.map(ChunkEnd.failed) ?? .discarded)
    }

    private func end() async {
        precondition(isOpen, "a chunk ends once")
        isOpen = false
        await check?.abandon()
        check = nil
        await inFlight.wait(atMost: 0)
        store.state.endReservation(bytesReserved)
        bytesReserved = 0
        store.forget(self)
    }

    // MARK: Whole blocks

    private func write(
        _ step: ChunkSteps.Step, _ lease: consuming BufferLease, _ count: Int, _ mark: UInt64?
    ) async throws(UploadError) {
        let whole = count / ChunkWriter.blockSize * ChunkWriter.blockSize
        var report = sums(lease.region, step, whole)
        if count > whole {
            let rest = lease.region.part(from: whole, count: count - whole)
            news.parts.append(part(rest, at: step.offset + UInt64(whole), count - whole))
        }
        unitSums.removeAll(keepingCapacity: true)
        guard whole > 0 else {
            await check?.settle(mark)
            return store.memory.giveBack(lease)
        }
        arrivedSpace(UInt64(whole))
        report.written = [step.offset..<step.offset + UInt64(whole)]
        await start(lease.detach(), whole, at: step.offset, report, mark)
    }

    /// Checksums of the first `whole` bytes: of units where they are whole, else of blocks.
    private func sums(_ buffer: Region, _ step: ChunkSteps.Step, _ whole: Int) -> ChunkReport {
        var report = ChunkReport()
        arrived(step, buffer, count: whole)
        let first = step.offset / UInt64(StoreLimits.unitBytes)
        for (index, sum) in unitSums.enumerated() {
            report.units.append(ChunkReport.Sum(number: first + UInt64(index), checksum: sum))
        }
        var done = unitSums.count * StoreLimits.unitBytes
        while done < whole {
            let block = buffer.part(from: done, count: ChunkWriter.blockSize)
            let number = (step.offset + UInt64(done)) / UInt64(ChunkWriter.blockSize)
            report.blocks.append(
                ChunkReport.Sum(
                    number: number, checksum: crc32c(store.memory.arena.bytes(block))))
            done += ChunkWriter.blockSize
        }
        return report
    }

    private func part(_ buffer: Region, at offset: UInt64, _ count: Int) -> BlockPart {
        let span = store.memory.arena.span(buffer.part(from: 0, count: count))
        return BlockPart(offset: offset, bytes: (0..<count).map { span[$0] })
    }

    // MARK: Space

    /// A chunk of which nobody knows how long it will be gets its space bit by bit.
    private func reserve(through end: UInt64) async throws(UploadError) {
        guard steps.end == nil else { return }
        // The upload may end, or have a limit, amid these bytes: then the second time says which.
        while end > spaceEnd {
            let needed = end - spaceEnd
            let wanted = min(
                max(spaceEnd - startOffset, StoreLimits.growingSpaceBytesMin),
                StoreLimits.growingSpaceBytesMax)
            do throws(UploadError) {
                try await extend(by: max(needed, wanted))
            } catch {
                guard error.isWantOfSpace, wanted > needed else { throw error }
                try await extend(by: needed)
            }
        }
    }

    private func extend(by bytes: UInt64) async throws(UploadError) {
        let more = try await assembler.extend(id, number, from: spaceEnd, bytes: bytes)
        space = more.space
        bytesReserved += more.bytesReserved
        spaceEnd = more.end
    }

    private func arrivedSpace(_ count: UInt64) {
        let ended = min(count, bytesReserved)
        bytesReserved -= ended
        store.state.endReservation(ended)
    }

    // MARK: Writes in flight

    /// Asks for the writes; a task of its own gives the buffer back, and notes the news, when the
    /// last has ended.
    private func start(
        _ lease: Region, _ count: Int, at offset: UInt64, _ report: ChunkReport, _ mark: UInt64?
    ) async {
        var writes: [(file: VolumeFile, write: VolumeFile.StartedWrite)] = []
        var problem: UploadError?
        for piece in space.writes(at: offset, count: count) {
            do throws(StoreError) {
                let file = try await store.files.file(piece.volume)
                let part = lease.part(from: piece.skipped, count: piece.count)
                let write = try file.startWrite(part, at: piece.fileOffset, since: self.mark)
                writes.append((file, write))
            } catch {
                problem = .store(error)
                break
            }
        }
        inFlight.began()
        store.loop.inBackground { [self, check, problem] in
            var problem = problem
            for (file, write) in writes {
                do throws(StoreError) {
                    try await file.finishWrite(write)
                } catch {
                    problem = .store(error)
                    lost = error
                }
            }
            await check?.settle(mark)
            store.memory.giveBack(BufferLease(attaching: lease))
            // Whatever else has failed meanwhile: these bytes are there.
            if let problem { failure = problem } else { news.append(report) }
            inFlight.ended()
        }
    }

    // MARK: The owner

    private func tell() async throws(UploadError) {
        guard !isWithheld, !news.isEmpty else { return }
        try await report()
    }

    private func report() async throws(UploadError) {
        let told = news
        news = ChunkReport()
        do throws(UploadError) {
            try await assembler.report(id, number, told)
        } catch {
            failure = error
            throw error
        }
    }

    /// Told by the owner: a newer request goes on.
    func cut() {
        isCut = true
        whenCut?()
    }

    // MARK: Bytes that came before

    private func compare(
        _ step: ChunkSteps.Step, _ lease: consuming BufferLease, _ count: Int
    ) async throws(UploadError) {
        let sent = lease.region.part(from: 0, count: count)
        let isSame: Bool
        do throws(StoreError) {
            isSame = try await holds(sent, at: step.offset)
        } catch {
            store.memory.giveBack(lease)
            failure = .store(error)
            throw .store(error)
        }
        store.memory.giveBack(lease)
        guard isSame else {
            failure = .refused(.differs(at: step.offset))
            throw .refused(.differs(at: step.offset))
        }
    }

    /// Whether the volume has the same bytes there.
    private func holds(_ sent: Region, at offset: UInt64) async throws(StoreError) -> Bool {
        let buffer = await store.memory.buffer(4 * StoreLimits.unitBytes)
        defer { store.memory.giveBack(buffer: buffer) }
        let block = UInt64(ChunkWriter.blockSize)
        var done = 0
        while done < Int(sent.count) {
            let position = offset + UInt64(done)
            let skipped = Int(position % block)
            let most = Int(buffer.count) - skipped
            let count = min(most, Int(sent.count) - done)
            let blocks = Int(VolumeLayout.blocks(for: UInt64(skipped + count)))
            for piece in space.writes(
                at: position - UInt64(skipped), count: blocks * ChunkWriter.blockSize)
            {
                let part = buffer.part(from: piece.skipped, count: piece.count)
                try await store.file(piece.volume).read(part, at: piece.fileOffset)
            }
            guard
                store.memory.arena.equal(
                    sent.part(from: done, count: count), buffer.part(from: skipped, count: count))
            else { return false }
            done += count
        }
        return true
    }

    deinit { precondition(!isOpen, "a chunk was neither kept nor discarded") }
}
