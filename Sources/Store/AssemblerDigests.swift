/// What the whole of an upload is: made when every byte has come, whichever way and in which order,
/// and compared with what its client said before anybody sees it.

import IO
import Loop
import Volumes

extension Assembler {
    /// Notes what a request says of the whole.
    func expect(_ expected: ObjectDigests, _ wanted: DigestKinds, of upload: OpenUpload) {
        upload.wanted.formUnion(wanted)
        guard expected != upload.terms.expected else { return }
        upload.terms.expected = expected
        upload.changeCount += 1
    }

    /// Small objects are hashed when they are asked for: their records keep no digest.
    func needsSHA256(_ upload: OpenUpload) -> Bool {
        let isSmall = (upload.state.length ?? .max) <= UInt64(StoreLimits.smallBytesMax)
        return upload.terms.expected.sha256 != nil || upload.wanted.contains(.sha256)
            || (state.keepsSHA256 && !isSmall)
    }

    func mayBeWhole(_ claim: ChunkClaim, of upload: OpenUpload) -> Bool {
        guard claim.offset == 0 else { return false }
        return claim.end == nil || claim.end == upload.state.length
    }

    /// Compares an upload of which every byte lies on the volumes, and whose end is under way, with
    /// what its client said. One that is something else is given up: which of its bytes are wrong
    /// nobody knows. If they cannot be read now, it stays to be completed later.
    func verify(_ upload: OpenUpload) async throws(UploadError) {
        do throws(StoreError) {
            upload.digests = try await digests(of: upload)
        } catch {
            upload.ending = .none
            upload.wakeAll(on: loop)
            throw .store(error)
        }
        guard let wrong = upload.terms.expected.mismatch(with: upload.digests) else { return }
        try await giveUp(upload)
        throw .mismatch(wrong)
    }

    private func digests(of upload: OpenUpload) async throws(StoreError) -> ObjectDigests {
        guard let length = upload.state.length,
            let checksums = upload.state.checksums.finish(length: length)
        else { preconditionFailure("an upload was completed before its last byte") }
        var made = ObjectDigests()
        if upload.terms.expected.crc32c != nil || upload.wanted.contains(.crc32c) {
            made.crc32c = ObjectDigests.crc32c(checksums, length: length)
        }
        guard needsSHA256(upload) else { return made }
        if let start = upload.start, start.end == length {
            made.sha256 = start.sha256
            return made
        }
        let manifest = Manifest(
            mediaType: [], checksum: 0, extents: upload.state.space.extents, checksums: checksums)
        let bytes = LargeObject(unpublished: manifest, length: length)
        made.sha256 = try await store.sha256(of: bytes)
        return made
    }
}
