/// tus 1.0.0 at `/files`: core, creation, creation-with-upload, creation-defer-length, expiration,
/// checksum, termination. Concatenation: `Core+TusConcatenation`.

import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    static let tusExtensions =
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
        + "concatenation"

    func handleTus(
        _ request: Request, _ id: UploadID?, _ lines: DialectLines, _ body: inout BodyProgress
    ) async throws(Answer) {
        do throws(Answer) {
            try await answerTus(request, id, lines, &body)
        } catch {
            var answer = error
            answer.isTus = true
            throw answer
        }
    }

    private func answerTus(
        _ request: Request, _ id: UploadID?, _ lines: DialectLines, _ body: inout BodyProgress
    ) async throws(Answer) {
        let fields: TusFields
        do throws(Refusal) {
            fields = try TusFields(
                lines, request.head, in: request.bytes.span, limits: settings.limits)
        } catch {
            throw Answer(error)
        }
        let method = fields.method ?? request.head.method
        if method == .options { return writeTusOptions(request) }
        guard fields.version == .supported else {
            throw Answer(.preconditionFailed, "only tus \(TusFields.version) is spoken here")
        }
        guard let id else {
            guard method == .post else { throw methodNotAllowed("POST, OPTIONS") }
            return try await createTus(request, fields, lines, &body)
        }
        let place = try await placeAtFiles(id, request)
        switch method {
        case .head: try await tellTusState(request, place)
        case .patch: try await appendTus(request, fields, place, &body)
        case .delete: try await cancelUpload(request, place, isTus: true)
        case .get: try await downloadUpload(request, place)
        case .put, .post, .options, .other:
            throw methodNotAllowed("GET, HEAD, PATCH, DELETE, OPTIONS")
        }
    }

    private func writeTusOptions(_ request: Request) {
        writeHead(request.slot, .noContent, keepAlive: keepsAlive(request)) { output in
            output.appendField("Tus-Resumable", TusFields.version)
            output.appendField("Tus-Version", TusFields.version)
            output.appendField("Tus-Extension", Core.tusExtensions)
            output.appendField("Tus-Checksum-Algorithm", TusFields.checksumAlgorithms)
            output.appendField("Tus-Max-Size", decimal: resumableBytesMax)
            output.appendUploadLimit(uploadLimit())
            askForHints(&output)
        }
    }

    // MARK: Creation

    private func createTus(
        _ request: Request, _ fields: TusFields, _ lines: DialectLines, _ body: inout BodyProgress
    ) async throws(Answer) {
        let signature = try signatureAtFiles(request)
        let uploader = signature == nil ? try requireUploader(request) : nil
        try requireServing()
        if fields.concatenation != .none, uploader == nil {
            throw Answer(.forbidden, "a signature is for one whole: parts need an upload token")
        }
        if case .final(let list) = fields.concatenation, let uploader {
            return try await concatenateTus(request, fields, list, lines, uploader)
        }
        guard fields.length != nil || fields.isLengthDeferred else {
            throw Answer(.badRequest, "Upload-Length or Upload-Defer-Length is missing")
        }
        if let length = fields.length, length > resumableBytesMax { throw tooLarge(request) }
        let hasBody = request.bodyCount != 0
        if hasBody { try requireTusType(request) }
        var terms = try tusTerms(request, fields, lines, uploader)
        terms.isPartial = fields.concatenation == .partial
        let created: UploadStatus
        let place: UploadPlace
        if let signature {
            let id = try await authorize(request, signature, &terms)
            created = try await createUpload(request, terms, id: id)
            place = UploadPlace(id, owner: terms.owner, signature)
        } else {
            created = try await createUpload(request, terms)
            place = UploadPlace(created.id, owner: terms.owner)
        }
        var status = created
        if hasBody || terms.length == 0 {
            let claim = try claim(request, offset: 0, length: nil)
            status = try await takeChunk(
                request, place, claim, isLast: false, expected: expectation(fields), &body)
        }
        await writeTusCreated(request, status, place)
    }

    func writeTusCreated(
        _ request: Request, _ status: UploadStatus, _ place: UploadPlace
    ) async {
        await writeTusState(request, status, .created, longBytes: place.location.count) { output in
            output.appendField("Location", place.location.span)
            output.appendConcatenation(status.terms)
            askForHints(&output)
        }
    }

    /// Where it will be published: at the path that the client was authorised for, which a token
    /// does for all; else under its own number.
    func tusTerms(
        _ request: Request, _ fields: TusFields, _ lines: DialectLines,
        _ uploader: UploadCredential?
    ) throws(Answer) -> UploadTerms {
        let bytes = request.bytes.span
        let metadata: [UInt8]
        do throws(Refusal) {
            metadata = try [UInt8](capacity: settings.limits.metadataBytes + 64) {
                output throws(Refusal) in
                try output.append(TusMetadata(lines), in: bytes)
            }
        } catch {
            throw Answer(error)
        }
        let path = try metadataValue("path", lines, bytes)
        var file = try metadataValue("filename", lines, bytes)
        if file == nil { file = try metadataValue("name", lines, bytes) }
        var type = try metadataValue("filetype", lines, bytes)
        if type == nil { type = try metadataValue("type", lines, bytes) }
        let name = try uploadName(path: path, file: file)
        var terms = UploadTerms(
            name: name, owner: uploader?.owner ?? [], tenant: uploader?.tenant ?? [],
            mediaType: try uploadType(type, name), length: fields.length, dialect: .tus,
            metadata: metadata)
        terms.expected = try wholeDigests(request, lines).expected
        return terms
    }

    private func metadataValue(
        _ key: String, _ lines: DialectLines, _ bytes: Span<UInt8>
    ) throws(Answer) -> [UInt8]? {
        do throws(Refusal) {
            guard let value = try TusMetadata.value(of: key, lines, in: bytes) else { return nil }
            let text = bytes.extracting(value)
            guard let count = Base64.decodedCount(text) else { throw .malformedMetadata }
            return [UInt8](capacity: count) { output in
                let isDecoded = Base64.decode(text, into: &output)
                precondition(isDecoded, "it was counted a moment ago")
            }
        } catch {
            throw Answer(error)
        }
    }

    private func requireTusType(_ request: Request) throws(Answer) {
        let type = MediaType.withoutParameters(
            request.bytes.span.extracting(request.head.contentType))
        guard type.equals("application/offset+octet-stream".utf8.span) else {
            throw Answer(
                .unsupportedMediaType, "content comes as application/offset+octet-stream")
        }
    }

    // MARK: Append, state

    private func appendTus(
        _ request: Request, _ fields: TusFields, _ place: UploadPlace, _ body: inout BodyProgress
    ) async throws(Answer) {
        try requireTusType(request)
        guard let offset = fields.offset else {
            throw Answer(.badRequest, "Upload-Offset is missing")
        }
        let claim = try claim(request, offset: offset, length: fields.length)
        let status = try await takeChunk(
            request, place, claim, isLast: false, expected: expectation(fields), &body)
        await writeTusState(request, status, .noContent) { _ in }
    }

    private func expectation(_ fields: TusFields) -> ContentExpectation {
        ContentExpectation(checksums: fields.checksum.map { [ExpectedChecksum($0)] } ?? [])
    }

    private func tellTusState(_ request: Request, _ place: UploadPlace) async throws(Answer) {
        let store = try requireStore()
        let status: UploadStatus
        do throws(UploadError) {
            status = try await store.uploadStatus(place.id, owner: place.owner, isResuming: true)
        } catch {
            throw answer(for: error, request)
        }
        await writeTusState(request, status, .ok) { output in
            if let length = status.length {
                output.appendField("Upload-Length", decimal: length)
            } else {
                output.appendField("Upload-Defer-Length", decimal: 1)
            }
            if !status.terms.metadata.isEmpty {
                output.appendField("Upload-Metadata", status.terms.metadata.span)
            }
            output.appendConcatenation(status.terms)
            output.append("Cache-Control: no-store\r\n")
        }
    }

    private func writeTusState(
        _ request: Request, _ status: UploadStatus, _ code: Status, longBytes: Int = 0,
        _ more: (inout OutputSpan<UInt8>) -> Void
    ) async {
        let terms = status.terms
        let plan =
            status.isFinished
            ? nil
            : await chunkPlan(
                request, .tus, length: status.length, offset: status.offset, owner: terms.owner)
        let partBytes = terms.parts.count * UploadPlace.locationBytesMax
        writeHead(
            request.slot, code, keepAlive: keepsAlive(request),
            longBytes: longBytes + terms.metadata.count + partBytes
        ) { output in
            output.appendField("Tus-Resumable", TusFields.version)
            output.appendField("Upload-Offset", decimal: status.offset)
            if !status.isFinished {
                output.appendField("Upload-Expires", date: Int64(clamping: status.expires))
            }
            // At once is by parts that are put together.
            if let plan { output.appendChunkAdvice(plan, tellsParallelism: true) }
            more(&output)
            if code != .noContent { output.appendField("Content-Length", decimal: 0) }
        }
    }
}
