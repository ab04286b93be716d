/// Signatures on URLs of `/files`: the right to upload one object, for clients that speak to
/// `/files` and not to the object's own URL.
///
/// They are the same signatures, over the path at which the object will be, its size, and its type
/// where the scheme covers that; so they say as much wherever they stand. An upload that one of
/// them begins has the number that belongs to its name: a signature that is sent once more begins
/// it anew, and never makes two of it.

import Cryptography
import HTTP
import IO
import Loop
import Signatures
import Store
import Volumes

extension Core {
    /// Nil where a token has to say who asks.
    func signatureAtFiles(_ request: Request) throws(Answer) -> RequestSignature? {
        if request.head.authorization.isPresent { return nil }
        do { return try RequestSignature(request) } catch {
            if error == .missing { return nil }
            throw answer(for: error)
        }
    }

    /// The upload's resource, for who has its token, or the signature that it began with.
    func placeAtFiles(_ id: UploadID, _ request: Request) async throws(Answer) -> UploadPlace {
        guard let signature = try signatureAtFiles(request) else {
            return UploadPlace(id, owner: try requireUploader(request).owner)
        }
        let store = try requireStore()
        let found: UploadTerms?
        do throws(UploadError) { found = try await store.uploadTerms(id) } catch {
            throw answer(for: error, request)
        }
        guard let terms = found, isSigned(signature, terms) else {
            counters.signatureRefusals &+= 1
            throw Answer(.notFound, "there is no such upload")
        }
        return UploadPlace(id, owner: terms.owner, signature)
    }

    /// Whether the secret that began the upload made the signature, for just that upload.
    func isSigned(_ signature: RequestSignature, _ terms: UploadTerms) -> Bool {
        guard let length = terms.length,
            let signer = settings.secrets.firstIndex(where: { $0.owner == terms.owner })
        else { return false }
        return signers.isSigned(
            signature, by: signer, path: terms.name, size: length, type: terms.mediaType.span)
    }

    // MARK: Creation

    /// In the IETF's dialect. The query says where the object will be: `path`.
    func createSignedAtFiles(
        _ request: Request, _ fields: UploadFields, _ signature: RequestSignature,
        _ body: inout BodyProgress
    ) async throws(Answer) {
        let name = try uploadName(path: try queryValue("path", request), file: nil)
        let id = try requireStore().uploadID(of: name)
        try await createSigned(
            request, name, fields, at: UploadPlace(id, owner: [], signature).location, &body)
    }

    /// In tus: the metadata say where the object will be, and its type. Fills in whose it is.
    func authorize(
        _ request: Request, _ signature: RequestSignature, _ terms: inout UploadTerms
    ) async throws(Answer) -> UploadID {
        guard let length = terms.length else {
            throw Answer(.lengthRequired, "a signed upload tells its whole length")
        }
        guard let signer = signer(of: signature, terms, length) else { throw wrongSignature() }
        terms.owner = settings.secrets[signer].owner
        terms.tenant = settings.secrets[signer].tenant
        let store = try requireStore()
        try await requireFree(terms.name, store, request)
        return store.uploadID(of: terms.name)
    }
}

extension Core {
    /// The type that the metadata give counts with and without its parameters; one that was guessed
    /// for want of it, as it is guessed for a PUT.
    private func signer(
        of signature: RequestSignature, _ terms: UploadTerms, _ length: UInt64
    ) -> Int? {
        let (name, type) = (terms.name, terms.mediaType)
        if let signer = signer(of: signature, name, length, type.span) { return signer }
        let plain = MediaType.withoutParameters(type.span)
        if let signer = signer(of: signature, name, length, plain) { return signer }
        let guess = MediaType.guess(name: name.span)
        guard let other = guess.alternative, type.elementsEqual(guess.type.utf8) else { return nil }
        return signer(of: signature, name, length, other.utf8.span)
    }
}

extension UploadPlace {
    /// Below `/files`, with the signature that is the credential.
    init(_ id: UploadID, owner: [UInt8], _ signature: RequestSignature) {
        let query = "?\(signature.scheme.parameter)=\(signature.tag.hexadecimal)"
        self.init(
            id: id, owner: owner, location: Array("/files/".utf8) + id.text + Array(query.utf8))
    }
}
