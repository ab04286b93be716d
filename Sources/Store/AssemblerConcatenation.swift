/// Putting uploads together: an object out of the space of several, which end with it.
///
///     owner of the whole                     owners of the parts
///      lend each, by ascending number ──────▶ nobody may write any more, every block is written
///      data flushed, record, flush, queue
///      end each loan ───────────────────────▶ used: gone; else as it was before
///
/// Nothing is recorded of the whole before it is an object: whatever fails until then, the parts
/// are there. In the queue to the catalog the object's change ends the parts as well. A power cut
/// before the catalog has it leaves their records beside the object's, in whose extents they lie:
/// so recovery tells that they have ended. Only a whole so small that it is packed with its record
/// lies elsewhere; after such a cut its parts are there beside it, until their time is over.

import Catalog
import Checksums
import Cryptography
import IO
import Loop
import Volumes

/// A part that nobody else touches until its owner hears how the loan ended.
struct LentPart: Sendable {
    let length: UInt64
    /// Exactly the blocks of its bytes, in their order.
    let extents: [Extent]
    let checksums: [UInt32]
    /// Blocks behind its last byte.
    let spare: [Extent]
    let recorded: RecordedPart
    /// Before the first write of its bytes that may not be flushed yet.
    let mark: VolumeMark
}

enum LoanEnd: Sendable {
    /// The catalog is about to hear that the part is no more.
    case used
    case returned
    /// The whole was not published. If that was recorded, an object may be on the disk that has
    /// its space: only that its record is settled, or a restart, can tell.
    case failed(StoreError, at: PublicationStage)
}

extension OpenUpload {
    /// Every byte has come. A part waits for the others.
    var isReadyToPublish: Bool { state.isComplete && !terms.isPartial }
}

extension Assembler {
    // MARK: The whole

    func concatenate(
        _ id: UploadID, _ terms: UploadTerms, secondsToLive: UInt64
    ) async throws(UploadError) -> UploadStatus {
        guard terms.parts.count <= UploadRecordLimits.partsMax
        else { throw .notJoinable(.isTooScattered) }
        guard Set(terms.parts).count == terms.parts.count else { throw .notJoinable(.isRepeated) }
        do throws(StoreError) { try store.admit() } catch { throw .store(error) }
        let parts = try await borrow(terms)
        let whole: JoinedUpload
        do throws(UploadError) {
            whole = try joined(id, terms, parts, secondsToLive: secondsToLive)
            try await verify(whole)
        } catch {
            await endLoans(of: terms.parts, .returned)
            throw error
        }
        let outcome: PutOutcome
        do throws(StoreError) {
            outcome = try await publish(whole)
        } catch {
            // Of one that is packed with its record that stays `claiming`.
            let stage = error.leavesDoubt ? whole.recorded.stage : .claiming
            await endLoans(of: terms.parts, .failed(error, at: stage))
            throw .store(error)
        }
        switch outcome {
        case .created(let object), .existsIdentical(let object):
            return try await conclude(whole, outcome, sequence: object.sequence)
        case .existsDifferent:
            await endLoans(of: terms.parts, .returned)
            throw .nameTaken
        }
    }

    /// Every owner lends its parts, or all of them have theirs back. In the order of their numbers:
    /// of two that want the same parts one waits, and holds none that the other waits for.
    private func borrow(_ terms: UploadTerms) async throws(UploadError) -> [LentPart] {
        var lent: [UploadID: LentPart] = [:]
        do throws(UploadError) {
            for id in terms.parts.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }) {
                guard let owner = state.owner(of: id) else { throw .store(.indexBehind) }
                lent[id] = try await owner.lend(id, terms.owner)
            }
        } catch {
            await endLoans(of: Array(lent.keys), .returned)
            throw error
        }
        return terms.parts.compactMap { lent[$0] }
    }

    private func endLoans(of parts: [UploadID], _ end: LoanEnd) async {
        for id in parts {
            guard let owner = state.owner(of: id) else {
                preconditionFailure("a core closed its store in the middle of a request")
            }
            await owner.endLoan(id, end)
        }
    }

    /// Refuses what is too much for one object.
    private func joined(
        _ id: UploadID, _ terms: UploadTerms, _ parts: [LentPart], secondsToLive: UInt64
    ) throws(UploadError) -> JoinedUpload {
        let length = parts.reduce(0 as UInt64) { $0 + $1.length }
        guard length <= state.uploadBytesMax
        else { throw .refused(.tooLong(limit: state.uploadBytesMax)) }
        var terms = terms
        terms.length = length
        let time = loop.wallSeconds
        let upload = OpenUpload(
            id, terms, UploadState(length: length, bytesMax: state.uploadBytesMax),
            created: time, lastActivity: time, expires: time + secondsToLive,
            outcome: .unfinished, isRecorded: true)
        let whole = JoinedUpload(upload, parts, at: time)
        if whole.isTooScattered { throw .notJoinable(.isTooScattered) }
        guard hasRoom(for: whole.changesMost) else { throw .store(.noSpace) }
        return whole
    }

    /// What the client has said of the whole is held against the bytes of the parts, which stay as
    /// they are if they are others.
    private func verify(_ whole: JoinedUpload) async throws(UploadError) {
        let expected = whole.upload.terms.expected
        let keepsSHA256 = state.keepsSHA256 && whole.isLarge
        guard !expected.isEmpty || keepsSHA256 else { return }
        var made = ObjectDigests()
        if expected.crc32c != nil {
            made.crc32c = whole.content.length == 0 ? 0 : whole.data.unpublished.crc32c
        }
        if expected.sha256 != nil || keepsSHA256 {
            do throws(StoreError) { made.sha256 = try await sha256(of: whole) } catch {
                throw .store(error)
            }
        }
        whole.upload.digests = made
        if let wrong = expected.mismatch(with: made) { throw .mismatch(wrong) }
    }

    private func sha256(of whole: JoinedUpload) async throws(StoreError) -> [UInt8] {
        guard whole.content.length > 0 else { return try await store.makeDigest(.sha256).finish() }
        return try await store.sha256(of: whole.data.unpublished)
    }

    private func publish(_ whole: JoinedUpload) async throws(StoreError) -> PutOutcome {
        if whole.isLarge { return try await store.publish(whole.data, .durable) }
        let small = try await store.beginSmall(whole.description)
        do throws(StoreError) {
            var offset = 0
            for part in whole.parts where part.length > 0 {
                let target = small.dataRegion.part(from: offset, count: Int(part.length))
                try await fill(target, from: part.extents, part.checksums[0])
                offset += Int(part.length)
            }
        } catch {
            small.abandon()
            throw error
        }
        return try await small.commit(.durable)
    }

    /// The object is there, and the parts are no more. Who hears of it may rely on its resource:
    /// the catalog has that then.
    private func conclude(
        _ whole: JoinedUpload, _ outcome: PutOutcome, sequence: UInt64
    ) async throws(UploadError) -> UploadStatus {
        var isTold = false
        if case .created = outcome { isTold = whole.isLarge }
        let upload = whole.upload
        upload.outcome = .published(sequence: sequence)
        upload.ending = .ended
        upload.expires = whole.recorded.record.expiresSeconds
        uploads[upload.id] = upload
        remember(upload)
        let number = await ledger.append(isTold ? [] : whole.recorded.changes(sequence: sequence))
        await endLoans(of: upload.terms.parts, .used)
        let freed = whole.parts.flatMap { isTold ? $0.spare : $0.extents + $0.spare }
        forgetWhenIndexed(upload, number, freeing: freed)
        do throws(StoreError) {
            try await ledger.indexNow(number)
        } catch {
            // It stays in the queue, in its place, and is tried again.
            throw .store(error)
        }
        return upload.status
    }

    // MARK: Its parts

    /// Lends a part of that owner that has every byte, all of them written. Until `endLoan` it is
    /// neither written to, nor given up, nor ended by time.
    func lend(_ id: UploadID, _ owner: [UInt8]) async throws(UploadError) -> LentPart {
        let upload = try enter(id, owner)
        do throws(UploadError) {
            try await prepareLoan(of: upload)
        } catch {
            leave(upload)
            throw error
        }
        guard let length = upload.state.length,
            let checksums = upload.state.checksums.finish(length: length)
        else { preconditionFailure("a part was lent before its last byte") }
        var space = upload.state.space
        let spare = space.remove(VolumeLayout.blocks(for: length)..<UInt64.max)
        return LentPart(
            length: length, extents: space.extents, checksums: checksums, spare: spare,
            recorded: RecordedPart(id: id, extents: upload.recorded),
            mark: upload.unflushed.values.min() ?? state.health.mark)
    }

    private func prepareLoan(of upload: OpenUpload) async throws(UploadError) {
        while true {
            while upload.ending == .underWay { await upload.wait(on: loop) }
            try checkPresent(upload)
            guard upload.terms.isPartial else { throw .notJoinable(.isNoPart) }
            try checkUnfinished(upload)
            // Whoever still brings bytes is left in peace.
            guard upload.state.hasEveryByte else { throw .notJoinable(.isUnfinished) }
            if !upload.state.writers.isEmpty {
                // They send what has come already: their clients gave them up.
                await cut(upload, upload.state.writers.map(\.number))
            } else if upload.settledCount < upload.changeCount {
                _ = try await settle(upload)
            } else if upload.unrecordedSince != nil {
                // By its extents in the catalog recovery knows that an object was made of it.
                try await recordAll(of: upload)
            } else {
                break
            }
        }
        upload.ending = .underWay
        while upload.isSettling || upload.blockWrites > 0 { await upload.wait(on: loop) }
        await writeLeftBlocks(of: upload)
        guard let failure = upload.failure else { return }
        upload.ending = .none
        upload.wakeAll(on: loop)
        throw .store(failure)
    }

    func endLoan(_ id: UploadID, _ end: LoanEnd) {
        guard let upload = uploads[id], upload.ending == .underWay else {
            preconditionFailure("a part comes back that was never lent")
        }
        switch end {
        case .used:
            forget(id)
            upload.ending = .ended
            upload.state = UploadState(length: nil, bytesMax: upload.state.bytesMax)
            upload.recorded = []
            upload.settledCount = upload.changeCount
            uploads[id] = nil
        case .returned: upload.ending = .none
        case .failed(let error, let stage):
            upload.fail(error, at: stage)
            upload.ending = .none
        }
        upload.wakeAll(on: loop)
        leave(upload)
    }
}
