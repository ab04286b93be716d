/// Resuming on the signed URL itself: the one that a PUT broke off on answers HEAD with how far it
/// came, and takes the rest by PATCH.

import Cryptography
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    /// The unfinished upload that began under this name, if the request's signature is the one for
    /// it: by the secret that began it, for its length and type, which the client need not say
    /// again. Nil where there is none.
    func signedUpload(
        _ request: Request, _ name: [UInt8]
    ) async throws(Answer) -> UploadPlace? {
        guard request.head.query.isPresent,
            let signature = try? RequestSignature(request)
        else { return nil }
        let store = try requireStore()
        let id = store.uploadID(of: name)
        let found: UploadTerms?
        do throws(UploadError) {
            found = try await store.unfinishedUpload(id)
        } catch {
            throw answer(for: error, request)
        }
        guard let terms = found, terms.name == name else { return nil }
        guard isSigned(signature, terms) else {
            counters.signatureRefusals &+= 1
            return nil
        }
        return UploadPlace(
            id: id, owner: terms.owner, location: copy(request.head.target, of: request))
    }

    func copy(_ slice: ByteSlice, of request: Request) -> [UInt8] {
        let span = request.bytes.span.extracting(slice)
        return [UInt8](capacity: span.count) { $0.append(span) }
    }

    /// HEAD on a signed URL: where its upload stands. False where there is none that is unfinished.
    func headSignedUpload(_ request: Request, _ name: [UInt8]) async throws(Answer) -> Bool {
        guard let place = try await signedUpload(request, name) else { return false }
        try await tellUploadState(request, place)
        return true
    }

    /// DELETE on a signed URL gives its unfinished upload up. False where there is none.
    func deleteSignedUpload(_ request: Request, _ name: [UInt8]) async throws(Answer) -> Bool {
        guard let place = try await signedUpload(request, name) else { return false }
        try await cancelUpload(request, place)
        return true
    }

    /// PATCH on a signed URL.
    func patchSignedUpload(
        _ request: Request, _ name: [UInt8], _ body: inout BodyProgress
    ) async throws(Answer) {
        try requireServing()
        guard let place = try await signedUpload(request, name) else {
            throw Answer(.notFound, "no upload on this URL is unfinished, or it is not signed so")
        }
        let lines = DialectLines(request.head, in: request.bytes.span)
        try await appendResumable(request, place, lines, &body)
    }

    /// PUT on a signed URL that says Upload-Complete: its signature covers the whole length.
    func putSignedResumable(
        _ request: Request, _ name: [UInt8], _ fields: UploadFields, _ body: inout BodyProgress
    ) async throws(Answer) {
        try await createSigned(
            request, name, fields, at: copy(request.head.target, of: request), &body)
    }

    /// The same, for an upload that is found at `location`.
    func createSigned(
        _ request: Request, _ name: [UInt8], _ fields: UploadFields, at location: [UInt8],
        _ body: inout BodyProgress
    ) async throws(Answer) {
        try requireServing()
        if let fault = fields.fault { throw Answer(Problem(fault)) }
        let told: UInt64?
        do throws(Refusal) {
            told = try fields.wholeLength(contentLength: request.bodyCount)
        } catch {
            throw Answer(Problem(error))
        }
        // Where nothing is said of more to come, the content is the whole.
        guard let length = told ?? (fields.isComplete == nil ? request.bodyCount : nil) else {
            throw Answer(
                Problem(.blank, .lengthRequired, detail: "a signed upload tells its whole length"))
        }
        let authorized = try authorize(request, name, length)
        let store = try requireStore()
        try await requireFree(name, store, request)
        let signer = settings.secrets[authorized.signer]
        let terms = UploadTerms(
            name: name, owner: signer.owner, tenant: signer.tenant, mediaType: authorized.type,
            length: length, dialect: .resumable)
        try await createResumable(
            request, terms, id: store.uploadID(of: name), location: location, fields, &body)
    }

    /// Refuses an upload whose name another object has.
    func requireFree(
        _ name: [UInt8], _ store: ObjectStore, _ request: Request
    ) async throws(Answer) {
        let finding: Finding
        do throws(StoreError) { finding = try await store.look(up: name) } catch {
            throw answer(for: error, request)
        }
        if case .present(let existing) = finding {
            store.release(existing)
            throw Core.conflict
        }
    }
}
