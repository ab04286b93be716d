/// The door to uploads that may be resumed, on every core: each is handed on to its owner.

import IO
import Loop
public import Volumes

/// Which chunk of which upload.
struct ChunkKey: Hashable {
    let id: UploadID
    let writer: UInt64
}

extension ObjectStore {
    /// An upload of this core under a number that nobody can guess, or under the one that belongs
    /// to its name, in place of an earlier one of the same owner. Durable when this returns.
    public func createUpload(
        _ terms: UploadTerms, id named: UploadID? = nil, secondsToLive: UInt64
    ) async throws(UploadError) -> UploadStatus {
        if let length = terms.length, length > state.uploadBytesMax {
            throw .refused(.tooLong(limit: state.uploadBytesMax))
        }
        let id = named ?? UploadID.random(ownedBy: loop.index)
        let assembler = try assembler(of: id)
        return try await assembler.create(id, terms, secondsToLive: secondsToLive)
    }

    /// Publishes an object out of the partial uploads that `terms.parts` has, all of the terms'
    /// owner and each there to its last byte; no byte of more than `StoreLimits.smallBytesMax` is
    /// moved. They are no more then. On an error each is as it was, unless the error is the
    /// store's: then a restart may find the object all the same.
    public func concatenateUploads(
        _ terms: UploadTerms, secondsToLive: UInt64
    ) async throws(UploadError) -> UploadStatus {
        let id = UploadID.random(ownedBy: loop.index)
        return try await assembler(of: id).concatenate(id, terms, secondsToLive: secondsToLive)
    }

    /// What an upload of that owner that is not finished was to become; nil if there is none.
    /// Without an owner: whosever it is, for who sees to that by what the terms say.
    public func unfinishedUpload(
        _ id: UploadID, owner: [UInt8]? = nil
    ) async throws(UploadError) -> UploadTerms? {
        try await assembler(of: id).unfinished(id, owner)
    }

    /// What an upload is, or was, to become, whosever it is: for who sees to that by what the
    /// terms say. Nil if there is none.
    public func uploadTerms(_ id: UploadID) async throws(UploadError) -> UploadTerms? {
        try await assembler(of: id).terms(id)
    }

    /// How far an upload of that owner has come, durably. `isResuming`: whoever still sends what
    /// follows its beginning is cut short first, for its client has lost it. Chunks that may lie
    /// anywhere go on: who sends them in parallel may ask meanwhile.
    public func uploadStatus(
        _ id: UploadID, owner: [UInt8], isResuming: Bool
    ) async throws(UploadError) -> UploadStatus {
        try await assembler(of: id).status(id, owner, isResuming: isResuming)
    }

    /// Lets a chunk in: see `ChunkWriter`. If checksums are `expected`, nothing of it counts before
    /// they were found right and it is kept. `whole`: what is said of the upload with it.
    public func beginChunk(
        _ id: UploadID, owner: [UInt8], _ claim: ChunkClaim, expected: [ExpectedChecksum] = [],
        whole: WholeDigests = WholeDigests()
    ) async throws(UploadError) -> ChunkWriter {
        let assembler = try assembler(of: id)
        let grant = try await assembler.beginChunk(id, owner, claim, whole, from: loop.index)
        var check: ChunkCheck?
        do throws(StoreError) {
            if grant.makesSHA256 || !expected.isEmpty {
                check = try ChunkCheck(expected, makesSHA256: grant.makesSHA256, self)
            }
        } catch {
            state.endReservation(grant.bytesReserved)
            _ = try? await assembler.endChunk(id, grant.writer, .discarded)
            throw .store(error)
        }
        let writer = ChunkWriter(
            grant, check: check, isWithheld: !expected.isEmpty, store: self, assembler: assembler)
        chunks[ChunkKey(id: id, writer: grant.writer)] = writer
        return writer
    }

    /// Gives an upload up; its space is free again when this returns.
    public func abortUpload(_ id: UploadID, owner: [UInt8]) async throws(UploadError) {
        try await assembler(of: id).abort(id, owner)
    }

    /// Ends this core's uploads whose time is over. To be called now and then.
    public func endExpiredUploads() async { await assembler.endExpired() }

    /// Tells the catalog what only the progress log has had for seconds, and settles what has come
    /// of long chunks. To be called about once a second, on this core.
    public func keepUpUploads() { assembler.assumeIsolated { $0.keepUp() } }

    /// Told by the owner, on whichever core it is: a newer request goes on.
    public func cut(_ id: UploadID, writer: UInt64) {
        chunks[ChunkKey(id: id, writer: writer)]?.cut()
    }

    /// Ends the unfinished upload that belongs to a name, if there is one: an object was published.
    public func endUpload(under name: [UInt8], owner: [UInt8]) async {
        guard state.unfinishedCount > 0 else { return }
        let id = uploadID(of: name)
        _ = try? await assembler(of: id).abort(id, owner)
    }

    func forget(_ writer: ChunkWriter) {
        chunks[ChunkKey(id: writer.id, writer: writer.number)] = nil
    }

    private func assembler(of id: UploadID) throws(UploadError) -> Assembler {
        guard let owner = state.owner(of: id) else { throw .store(.indexBehind) }
        return owner
    }
}

extension Assembler {
    func unfinished(_ id: UploadID, _ owner: [UInt8]?) throws(UploadError) -> UploadTerms? {
        guard let present = known[id], present.isUnfinished else { return nil }
        return try terms(id, owner ?? present.owner)
    }

    func terms(_ id: UploadID) throws(UploadError) -> UploadTerms? {
        guard let owner = known[id]?.owner else { return nil }
        return try terms(id, owner)
    }

    private func terms(_ id: UploadID, _ owner: [UInt8]) throws(UploadError) -> UploadTerms? {
        let upload: OpenUpload
        do throws(UploadError) { upload = try enter(id, owner) } catch .notFound { return nil }
        defer { leave(upload) }
        var terms = upload.terms
        terms.length = upload.state.length
        return terms
    }

    func status(
        _ id: UploadID, _ owner: [UInt8], isResuming: Bool
    ) async throws(UploadError) -> UploadStatus {
        let upload = try enter(id, owner)
        defer { leave(upload) }
        while true {
            while upload.ending == .underWay { await upload.wait(on: loop) }
            try checkPresent(upload)
            if upload.outcome.isPublished { return upload.status }
            try checkUnfinished(upload)
            let lost = isResuming ? upload.state.writers.filter(\.isSequential) : []
            if !lost.isEmpty {
                await cut(upload, lost.map(\.number))
                continue
            }
            // Every byte came, and then publishing failed, or the power: now it may succeed.
            if upload.isReadyToPublish {
                upload.ending = .underWay
                return try await complete(upload)
            }
            return try await settle(upload)
        }
    }
}
