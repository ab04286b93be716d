/// What tests do with uploads that may be resumed.

import IO
import Loop
import Volumes

@testable import Store

extension TestCore {
    func createUpload(
        _ name: String, length: UInt64?, owner: String = "me", secondsToLive: UInt64 = 3600,
        expected: ObjectDigests = ObjectDigests()
    ) async throws(UploadError) -> UploadStatus {
        var terms = UploadTerms(
            name: Array(name.utf8), owner: Array(owner.utf8), mediaType: Array("a/b".utf8),
            length: length, dialect: .resumable)
        terms.expected = expected
        return try await objects.createUpload(terms, secondsToLive: secondsToLive)
    }

    func uploadStatus(
        _ id: UploadID, owner: String = "me", isResuming: Bool = true
    ) async throws(UploadError) -> UploadStatus {
        try await objects.uploadStatus(id, owner: Array(owner.utf8), isResuming: isResuming)
    }

    func abortUpload(_ id: UploadID, owner: String = "me") async throws(UploadError) {
        try await objects.abortUpload(id, owner: Array(owner.utf8))
    }

    func endExpiredUploads() async { await objects.endExpiredUploads() }

    /// Sends `bytes` as a chunk that says of itself what `claim` says; only the first `sent` of
    /// them, if the connection breaks.
    func sendChunk(
        _ id: UploadID, _ claim: ChunkClaim, _ bytes: [UInt8], sent: Int? = nil,
        owner: String = "me", expected: [ExpectedChecksum] = [],
        whole: WholeDigests = WholeDigests(), ending: UInt64? = nil
    ) async throws(UploadError) -> UploadStatus {
        let chunk = try await objects.beginChunk(
            id, owner: Array(owner.utf8), claim, expected: expected, whole: whole)
        let limit = sent ?? bytes.count
        do throws(UploadError) {
            var done = 0
            while done < limit, !chunk.isCut,
                let step = chunk.next(countMax: uploadBufferBytes)
            {
                let count = min(step.count, limit - done)
                let lease = await memory.value.lease(uploadBufferBytes)
                fill(lease.region, Array(bytes[done..<done + count]))
                chunk.arrived(step, lease.region, count: count / 2)
                try await chunk.take(step, lease, count: count)
                done += count
            }
        } catch {
            _ = try? await chunk.keep()
            throw error
        }
        if chunk.isCut {
            _ = try? await chunk.keep()
            throw .preempted
        }
        let isRight = sent == nil ? await chunk.isRight() : !chunk.isWithheld
        if !isRight { return try await chunk.discard() }
        return try await chunk.keep(length: sent == nil ? ending : nil)
    }

    /// The same, to where an upload goes on that is sent from front to back.
    func append(
        _ id: UploadID, at offset: UInt64, _ bytes: [UInt8], sent: Int? = nil,
        length: UInt64? = nil
    ) async throws(UploadError) -> UploadStatus {
        let claim = ChunkClaim(
            offset: offset, end: offset + UInt64(bytes.count), isSequential: true, length: length)
        return try await sendChunk(id, claim, bytes, sent: sent)
    }

    /// The same, anywhere.
    func place(
        _ id: UploadID, at offset: UInt64, _ bytes: [UInt8], sent: Int? = nil
    ) async throws(UploadError) -> UploadStatus {
        let claim = ChunkClaim(
            offset: offset, end: offset + UInt64(bytes.count), isSequential: false)
        return try await sendChunk(id, claim, bytes, sent: sent)
    }
}

extension World {
    /// What an upload's request on a core answers.
    func ask<Answer: Sendable>(
        on index: Int = 0,
        _ work: @escaping @Sendable (isolated TestCore) async throws(UploadError) -> Answer
    ) -> Result<Answer, UploadError> {
        let core = cores[index]
        return run(on: index) { await core.result(of: work) }
    }
}

extension TestCore {
    func result<Answer: Sendable>(
        of work: @Sendable (isolated TestCore) async throws(UploadError) -> Answer
    ) async -> Result<Answer, UploadError> {
        do throws(UploadError) { return .success(try await work(self)) } catch {
            return .failure(error)
        }
    }
}

extension ProgressPolicy {
    /// No core ever gets a log.
    static let never = ProgressPolicy(settlesBefore: .max)
    /// Every core gets a log at once; a small one, that comes round soon.
    static let always = ProgressPolicy(
        settlesBefore: 0, logBlocks: 40, bytesUnrecordedMax: 150_000)
    static let both = [never, always]
}

extension World {
    /// Blocks that the cores' progress logs hold.
    var progressBlocks: UInt64 {
        cores.indices.reduce(0) { sum, index in
            let core = cores[index]
            return sum + run(on: index) { await core.progressBlocks }
        }
    }

    /// Entries that the cores' logs have had since start.
    var progressEntries: UInt64 {
        let start = shared?.state.progressSequence ?? 0
        return cores.indices.reduce(0) { sum, index in
            let core = cores[index]
            return sum + run(on: index) { await core.progressEntries(after: start) }
        }
    }

    /// What the server does once a second.
    func keepUp() {
        for (index, core) in cores.enumerated() {
            run(on: index) { await core.keepUp() }
        }
        settle()
    }
}

extension TestCore {
    var progressBlocks: UInt64 {
        objects.assembler.assumeIsolated { UInt64($0.area.blockCount) }
    }

    func progressEntries(after start: UInt64) -> UInt64 {
        objects.assembler.assumeIsolated { ($0.area.lastSequence ?? start) - start }
    }

    func keepUp() { objects.keepUpUploads() }

    func cleanUpLate() { objects.cleanUpLate() }

    /// Uploads of this core that are in memory.
    var uploadsInMemory: Int { objects.assembler.assumeIsolated { $0.uploads.count } }
}
