/// What the head of a PUT says of its object, and whether whoever sends it may put it there.

import HTTP
import IO
import Loop
import Store
import Volumes

/// Who lets a PUT in, and so says when the object was modified.
enum UploadAuthority {
    /// Whoever made its URL; the object is from now.
    case signature
    /// The operator, whose token was compared already; see `Core.adminTerms`.
    case admin
}

extension Core {
    /// What the head says of the object, if whoever sends it may put it there.
    func describe(
        _ request: Request, _ name: [UInt8], by authority: UploadAuthority
    ) throws(Answer) -> UploadDescription {
        let length = try wholeLength(request)
        let limit: UInt64
        var description: UploadDescription
        switch authority {
        case .signature:
            let authorized = try authorize(request, name, length)
            let signer = settings.secrets[authorized.signer]
            limit = settings.uploadBytesMax
            description = UploadDescription(
                name: name, length: length, mediaType: authorized.type, owner: signer.owner,
                tenant: signer.tenant, modified: loop.wallSeconds)
        case .admin:
            let terms = try adminTerms(request, name)
            let admin = UploadCredential.admin(settings.adminToken)
            limit = terms.bytesMax
            description = UploadDescription(
                name: name, length: length, mediaType: terms.type, owner: admin.owner,
                tenant: admin.tenant, modified: terms.modified)
        }
        guard length <= limit else {
            throw Answer(.contentTooLarge, "the limit is \(limit) bytes")
        }
        return description
    }

    private func wholeLength(_ request: Request) throws(Answer) -> UInt64 {
        if request.head.contentRange.isPresent {
            throw Answer(.badRequest, "PUT takes whole objects: Content-Range is not for requests")
        }
        guard case .length(let length) = request.head.framing else {
            throw Answer(.lengthRequired, "a PUT needs Content-Length")
        }
        return length
    }

    func durability(_ request: Request) throws(Answer) -> Store.Durability {
        guard request.head.durability.isPresent else { return settings.durability }
        let value = request.bytes.span.extracting(request.head.durability)
        if value.equals("durable") { return .durable }
        if value.equals("written") { return .written }
        throw Answer(.badRequest, "Millrace-Durability is either durable or written")
    }

    // MARK: Authorisation

    /// What a signature allows.
    struct Authorized {
        /// The media type to store.
        let type: [UInt8]
        /// Whose signature it is: which of `settings.secrets`.
        let signer: Int
    }

    /// Checks the signature.
    func authorize(
        _ request: Request, _ name: [UInt8], _ length: UInt64
    ) throws(Answer) -> Authorized {
        let signature: RequestSignature
        do { signature = try RequestSignature(request) } catch { throw answer(for: error) }
        let guess = MediaType.guess(name: name.span)
        if request.head.contentType.isPresent {
            let sent = request.bytes.span.extracting(request.head.contentType)
            do { try MediaType.validate(sent, limits: settings.limits) } catch {
                throw Answer(error)
            }
            let plain = MediaType.withoutParameters(sent)
            let signer =
                signer(of: signature, name, length, sent)
                ?? signer(of: signature, name, length, plain)
            if let signer {
                let type = [UInt8](capacity: sent.count) { $0.append(sent) }
                return Authorized(type: type, signer: signer)
            }
        } else {
            var signer = signer(of: signature, name, length, guess.type.utf8.span)
            if signer == nil, let other = guess.alternative {
                signer = self.signer(of: signature, name, length, other.utf8.span)
            }
            if let signer {
                return Authorized(type: guess.bytes, signer: signer)
            }
        }
        throw wrongSignature()
    }

    func answer(for fault: RequestSignature.Fault) -> Answer {
        counters.signatureRefusals &+= 1
        switch fault {
        case .missing: return Answer(settings.badSignatureStatus, "the upload is not signed")
        case .several: return Answer(.badRequest, "the upload is signed more than once")
        case .malformed: return Answer(settings.badSignatureStatus, "the signature is malformed")
        }
    }

    func wrongSignature() -> Answer {
        counters.signatureRefusals &+= 1
        return Answer(settings.badSignatureStatus, "the signature does not match this upload")
    }

    func signer(
        of signature: RequestSignature, _ name: [UInt8], _ length: UInt64, _ type: Span<UInt8>
    ) -> Int? {
        signers.signer(of: signature, path: name, size: length, type: type)
    }
}
