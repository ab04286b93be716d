/// From a request to the handler of its kind.

import HTTP
import IO
import Loop
import Store

extension Core {
    private static let objectMethods = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"

    func handle(_ request: Request, _ body: inout BodyProgress) async throws(Answer) {
        if request.head.hasUnknownExpectation {
            throw Answer(.expectationFailed, "the only expectation known here is 100-continue")
        }
        if connections[request.slot].flags.contains(.isMetrics) {
            return try await handleMetrics(request)
        }
        if request.head.isAsterisk { return writeAllowed(request, Core.objectMethods) }
        let (path, name) = try decodePath(request)
        if let reserved = path.reserved {
            return try await handleReserved(request, reserved, name, &body)
        }
        guard path.isUnderBase, !name.isEmpty else { throw Answer(.notFound, "nothing is here") }
        switch request.head.method {
        case .get: try await download(request, name)
        case .head:
            if try await headSignedUpload(request, name) { return }
            try await download(request, name)
        case .put: try await put(request, name, &body)
        case .patch: try await patchSignedUpload(request, name, &body)
        case .delete:
            if try await deleteSignedUpload(request, name) { return }
            try await delete(request, name)
        case .options: writeAllowed(request, Core.objectMethods)
        case .post, .other:
            throw methodNotAllowed(Core.objectMethods)
        }
    }

    func isAtFiles(_ request: Request) -> Bool {
        !request.head.isAsterisk && (try? decodePath(request))?.path.reserved == .files
    }

    private func decodePath(
        _ request: Request
    ) throws(Answer) -> (path: RequestPath, name: [UInt8]) {
        let base = settings.basePath
        var limits = settings.limits
        limits.nameBytes += Core.adminObjects.count
        do throws(Refusal) {
            let decoded = try RequestPath.decode(
                request.bytes.span.extracting(request.head.path), base: base.span, limits: limits)
            // Only an object's name behind `/admin/objects/` may reach so far.
            guard
                decoded.name.count <= settings.limits.nameBytes
                    || decoded.path.reserved == .admin
            else { throw .pathTooLong }
            return decoded
        } catch {
            throw Answer(error)
        }
    }

    /// PUT of an object: whole, unless the request says otherwise.
    private func put(
        _ request: Request, _ name: [UInt8], _ body: inout BodyProgress
    ) async throws(Answer) {
        guard request.head.hasUploadComplete else {
            return try await upload(request, name, &body)
        }
        let lines = DialectLines(request.head, in: request.bytes.span)
        let fields = UploadFields(lines, in: request.bytes.span)
        try await putSignedResumable(request, name, fields, &body)
    }

    private func handleReserved(
        _ request: Request, _ segment: ReservedSegment, _ name: [UInt8],
        _ body: inout BodyProgress
    ) async throws(Answer) {
        switch segment {
        case .health where name.count == segment.text.utf8.count:
            try requireRead(request)
            writeLine(request, "alive")
        case .ready where name.count == segment.text.utf8.count:
            try requireRead(request)
            try tellWhetherReady(request)
        case .admin:
            try await handleAdmin(request, name, &body)
        case .files: try await handleFiles(request, name, &body)
        case .upload where name.count == segment.text.utf8.count:
            try await handleForm(request, &body)
        case .chunkedUpload where name.count == segment.text.utf8.count:
            try await handleNumberedChunk(request, &body)
        case .uploadStatus where name.count == segment.text.utf8.count:
            try await handleUploadStatus(request)
        case .u where name.count > segment.text.utf8.count:
            try await handleUnnamed(request, name)
        case .health, .ready, .metrics, .upload, .chunkedUpload, .uploadStatus, .download, .u:
            throw Answer(.notFound, "nothing is here")
        }
    }

    /// An object whose upload named no path.
    private func handleUnnamed(_ request: Request, _ name: [UInt8]) async throws(Answer) {
        let methods = "GET, HEAD, DELETE, OPTIONS"
        switch request.head.method {
        case .get, .head: try await download(request, name)
        case .delete: try await delete(request, name)
        case .options: writeAllowed(request, methods)
        case .put, .post, .patch, .other: throw methodNotAllowed(methods)
        }
    }

    /// The one parameter of that name that the query has to have, decoded.
    func queryValue(_ name: String, _ request: Request) throws(Answer) -> [UInt8] {
        let bytes = request.bytes.span
        switch Query(request.head.query).value(of: name, in: bytes) {
        case .none:
            throw Answer(Problem(.blank, .badRequest, detail: "the query has no \(name)"))
        case .several:
            throw Answer(Problem(.blank, .badRequest, detail: "the query has \(name) twice"))
        case .one(let value):
            let text = bytes.extracting(value)
            do throws(Refusal) {
                return try [UInt8](capacity: text.count) { output throws(Refusal) in
                    try Query.decode(text, into: &output)
                }
            } catch {
                throw Answer(Problem(error))
            }
        }
    }

    func writeLine(_ request: Request, _ line: String) {
        writeText(
            request.slot, .ok, line, to: request.head,
            keepAlive: request.head.keepAlive && phase != .draining)
    }

    /// Asked again and again by who balances load: no is as good an answer as yes.
    func tellWhetherReady(_ request: Request) throws(Answer) {
        do throws(Answer) { try requireServing() } catch {
            var refusal = error
            refusal.isNews = false
            throw refusal
        }
        writeLine(request, "ready")
    }

    func requireServing() throws(Answer) {
        switch phase {
        case .serving: return
        case .recovering:
            throw Answer(
                .serviceUnavailable, "recovering: not ready yet", retryAfterSeconds: 1)
        case .draining:
            throw Answer(
                .serviceUnavailable, "draining: about to stop", retryAfterSeconds: 5, closes: true)
        }
    }

    func requireStore() throws(Answer) -> ObjectStore {
        guard let store else {
            throw Answer(.serviceUnavailable, "recovering: not ready yet", retryAfterSeconds: 1)
        }
        return store
    }

    func requireRead(_ request: Request) throws(Answer) {
        guard request.head.method == .get || request.head.method == .head else {
            throw methodNotAllowed("GET, HEAD")
        }
    }

    func methodNotAllowed(_ allowed: String) -> Answer {
        var answer = Answer(.methodNotAllowed, "this resource knows only \(allowed)")
        answer.allowedMethods = allowed
        return answer
    }

    func writeAllowed(_ request: Request, _ allowed: String) {
        writeHead(request.slot, .noContent, keepAlive: request.head.keepAlive) { output in
            output.appendField("Allow", allowed)
            output.appendUploadLimit(uploadLimit())
            askForHints(&output)
        }
    }

    /// What the store said, as a client may hear it.
    func answer(for error: StoreError, _ request: Request) -> Answer {
        var answer: Answer
        switch error {
        case .noSpace:
            answer = Answer(.insufficientStorage, "no space is left for this upload")
        case .readOnly:
            answer = Answer(
                .serviceUnavailable, "uploads are not taken at the moment",
                retryAfterSeconds: store?.secondsUntilProbe)
        case .indexBehind:
            answer = Answer(.serviceUnavailable, "uploads are not taken at the moment")
        case .tooMuchReserved:
            answer = Answer(.serviceUnavailable, "too much is being uploaded")
        case .tooLarge:
            answer = Answer(.contentTooLarge, "the object is too large")
        case .corrupt, .unreadable, .kernel, .index, .noDigest, .noDirectAccess, .newerFormat,
            .otherInstance, .notAVolume, .volumeTooLarge:
            answer = Answer(
                .internalServerError,
                "the server could not read or write its disk"
                    + " (request \(loop.index)-\(request.number))")
        }
        answer.cause = "\(error)"
        return answer
    }
}
