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
        let owner = try requireUploader(request)
        guard let id else {
            guard request.head.method == .post else { throw methodNotAllowed("POST, OPTIONS") }
            return try await createAtFiles(request, lines, owner, &body)
        }
        let place = UploadPlace(id, owner: owner)
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

    /// POST with Upload-Complete, or without: then the content is the whole.
    private func createAtFiles(
        _ request: Request, _ lines: DialectLines, _ owner: [UInt8], _ body: inout BodyProgress
    ) async throws(Answer) {
        let fields = UploadFields(lines, in: request.bytes.span)
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
            name: name, owner: owner, mediaType: try uploadType(type, name), length: length,
            dialect: .resumable)
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

    /// The owner that a bearer token of scope upload stands for.
    func requireUploader(_ request: Request) throws(Answer) -> [UInt8] {
        guard let token = bearerToken(request) else {
            var answer = Answer(.unauthorized, "an upload token is needed")
            answer.challenge = "Bearer"
            throw answer
        }
        let admin = settings.adminToken
        if constantTimeEquals(token.span, admin.span) {
            return UploadPlace.Credential.adminToken.owner
        }
        if let expected = settings.uploadToken, constantTimeEquals(token.span, expected.span) {
            return UploadPlace.Credential.uploadToken.owner
        }
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
            return Array(MediaType.guess(name: name.span).type.utf8)
        }
        do throws(Refusal) {
            try MediaType.validate(sent.span, limits: settings.limits)
        } catch {
            throw Answer(error)
        }
        return sent
    }
}
