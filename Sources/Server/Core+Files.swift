/// `/files`: the resource of every upload, whichever dialect asks. tus is told by its version
/// field; everything else is the IETF's.

import Cryptography
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    private static let uploadMethods = "GET, HEAD, PATCH, DELETE, OPTIONS"

    /// `name` starts with `files`.
    func handleFiles(
        _ request: Request, _ name: [UInt8], _ body: inout BodyProgress
    ) async throws(Answer) {
        let id = try uploadID(in: name)
        let lines = DialectLines(request.head, in: request.bytes.span)
        if lines[.tusResumable].isPresent || request.head.method == .options {
            return try await handleTus(request, id, lines, &body)
        }
        guard let id else {
            // The IETF's may be begun by any method with content, if it says that it is one.
            guard
                request.head.method == .post
                    || (request.head.method == .put && lines[.uploadComplete].isPresent)
            else { throw methodNotAllowed("POST, PUT, OPTIONS") }
            return try await createAtFiles(request, lines, &body)
        }
        let place = try await placeAtFiles(id, request)
        switch request.head.method {
        case .get: try await downloadUpload(request, place)
        case .head: try await tellUploadState(request, place)
        case .patch:
            try requireServing()
            try await appendResumable(request, place, lines, &body)
        case .delete: try await cancelUpload(request, place)
        case .put, .post, .options, .other: throw methodNotAllowed(Core.uploadMethods)
        }
    }

    /// Nil for `/files` itself.
    func uploadID(in name: [UInt8]) throws(Answer) -> UploadID? {
        let prefix = ReservedSegment.files.text.utf8.count
        if name.count == prefix { return nil }
        guard let id = UploadID(text: name.span.extracting(droppingFirst: prefix + 1)) else {
            throw Answer(.notFound, "there is no such upload")
        }
        return id
    }

    /// POST or PUT with Upload-Complete, or POST without: then the content is the whole.
    private func createAtFiles(
        _ request: Request, _ lines: DialectLines, _ body: inout BodyProgress
    ) async throws(Answer) {
        let fields = UploadFields(lines, in: request.bytes.span)
        if let signature = try signatureAtFiles(request) {
            return try await createSignedAtFiles(request, fields, signature, &body)
        }
        let uploader = try requireUploader(request)
        if let fault = fields.fault { throw Answer(Problem(fault)) }
        let length: UInt64?
        do throws(Refusal) {
            length = try fields.wholeLength(contentLength: request.bodyCount)
        } catch {
            throw Answer(Problem(error))
        }
        let name = try uploadName(path: nil, file: nil)
        var type: [UInt8]?
        if request.head.contentType.isPresent {
            let sent = request.bytes.span.extracting(request.head.contentType)
            type = [UInt8](capacity: sent.count) { $0.append(sent) }
        }
        let terms = UploadTerms(
            name: name, owner: uploader.owner, tenant: uploader.tenant,
            mediaType: try uploadType(type, name), length: length, dialect: .resumable)
        try await createResumable(request, terms, id: nil, location: nil, fields, &body)
    }

    /// The finished upload's object, under the upload's own address.
    func downloadUpload(_ request: Request, _ place: UploadPlace) async throws(Answer) {
        let store = try requireStore()
        let status: UploadStatus
        do throws(UploadError) {
            status = try await store.uploadStatus(place.id, owner: place.owner, isResuming: false)
        } catch {
            throw answer(for: error, request)
        }
        guard status.isFinished else { throw Answer(.notFound, "the upload is not finished") }
        try await download(request, status.terms.name)
    }

    // MARK: Who, and where to

    /// Whose bearer token it is.
    func requireUploader(_ request: Request) throws(Answer) -> UploadCredential {
        guard let token = bearerToken(request) else {
            var answer = Answer(.unauthorized, "an upload token is needed")
            answer.challenge = "Bearer"
            throw answer
        }
        let admin = UploadCredential.admin(settings.adminToken)
        for credential in [admin] + settings.tokens
        where constantTimeEquals(token.span, credential.secret.span) {
            return credential
        }
        if let credential = try subject(of: token.span) { return credential }
        throw Answer(.forbidden, "the token is not one for uploads")
    }

    /// Where an upload is published: at the path that its client asked for, or under a number of
    /// its own.
    func uploadName(path: [UInt8]?, file: [UInt8]?) throws(Answer) -> [UInt8] {
        do throws(Refusal) {
            if let path {
                let encoded = Array("/".utf8) + path
                let (decoded, name) = try RequestPath.decode(
                    Core.percentEncoded(encoded).span, base: [UInt8(ascii: "/")].span,
                    limits: settings.limits)
                guard decoded.reserved == nil, !name.isEmpty else { throw Refusal.hiddenSegment }
                return name
            }
            let file = file ?? Array("file".utf8)
            try FileName.validate(file.span, limits: settings.limits)
            return Array("u/".utf8) + UploadID.random(ownedBy: loop.index).text + [
                UInt8(ascii: "/")
            ] + file
        } catch {
            throw Answer(error)
        }
    }

    func uploadType(_ sent: [UInt8]?, _ name: [UInt8]) throws(Answer) -> [UInt8] {
        guard let sent, !sent.isEmpty else {
            return MediaType.guess(name: name.span).bytes
        }
        do throws(Refusal) {
            try MediaType.validate(sent.span, limits: settings.limits)
        } catch {
            throw Answer(error)
        }
        return sent
    }
}
