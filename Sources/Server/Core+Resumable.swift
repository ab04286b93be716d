/// The IETF's resumable uploads (draft-ietf-httpbis-resumable-upload, interop version 8), on signed
/// URLs and at `/files`: creation, append, state, cancellation.

import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    /// No upload that may be resumed may be longer.
    var resumableBytesMax: UInt64 {
        min(settings.uploadBytesMax, shared?.uploadBytesMax ?? .max)
    }

    /// What this server tells of its limits before and during uploads.
    func uploadLimit(expires: UInt64? = nil) -> HTTP.UploadLimit {
        var limit = HTTP.UploadLimit()
        limit.maxSize = resumableBytesMax
        limit.maxAppendSize = settings.appendBytesMax
        limit.maxAge =
            expires.map { $0 - min($0, loop.wallSeconds) } ?? settings.uploadSecondsToLive
        return limit
    }

    // MARK: Creation

    /// Creates an upload from a request that says Upload-Complete, and takes what comes with it.
    /// `id`: nil for one that nobody can guess.
    func createResumable(
        _ request: Request, _ terms: UploadTerms, id: UploadID?, location: [UInt8]?,
        _ fields: UploadFields, _ body: inout BodyProgress
    ) async throws(Answer) {
        try requireServing()
        if let length = terms.length, length > resumableBytesMax { throw tooLarge(request) }
        let lines = DialectLines(request.head, in: request.bytes.span)
        let isLast = fields.isComplete ?? true
        var expected = try contentExpectation(request, lines)
        expected.whole = try wholeDigests(request, lines)
        if !isLast { expected.whole.wanted = [] }
        var terms = terms
        terms.expected = expected.whole.expected
        let claim = try claim(
            request, offset: 0, length: terms.length, contentBytesMax: settings.appendBytesMax)
        let created = try await createUpload(request, terms, id: id)
        var place = UploadPlace(created.id, owner: terms.owner)
        if let location {
            place = UploadPlace(id: created.id, owner: terms.owner, location: location)
        }
        if fields.speaksThisVersion { try await sendResumptionSupported(request, place) }
        let status = try await takeChunk(
            request, place, claim, isLast: isLast, expected: expected, &body)
        await writeUploadState(
            request, status, place, status.isFinished || !isLast ? .created : .ok,
            telling: expected.whole.wanted)
    }

    /// A new upload as its dialect describes it, counted. `id` is for one that its name finds.
    func createUpload(
        _ request: Request, _ terms: UploadTerms, id: UploadID? = nil
    ) async throws(Answer) -> UploadStatus {
        let store = try requireStore()
        let created: UploadStatus
        do throws(UploadError) {
            created = try await store.createUpload(
                terms, id: id, secondsToLive: settings.uploadSecondsToLive)
        } catch {
            throw answer(for: error, request)
        }
        counters.uploads &+= 1
        counters.uploadsCreated &+= 1
        noteHints(request)
        return created
    }

    func tooLarge(_ request: Request) -> Answer {
        Answer(
            Problem(
                .blank, .contentTooLarge,
                detail: "the limit is \(resumableBytesMax) bytes"))
    }

    /// The bytes of a request's content, from `offset` on.
    func claim(
        _ request: Request, offset: UInt64, length: UInt64?, contentBytesMax: UInt64? = nil
    ) throws(Answer) -> ChunkClaim {
        var end: UInt64?
        if let count = request.bodyCount {
            if let most = contentBytesMax, count > most { throw Core.tooMuchAtOnce(most) }
            let (sum, isTooLarge) = offset.addingReportingOverflow(count)
            if isTooLarge { throw tooLarge(request) }
            end = sum
        }
        return ChunkClaim(
            offset: offset, end: end, isSequential: true, length: length,
            byteCountMax: contentBytesMax)
    }

    static func tooMuchAtOnce(_ limit: UInt64) -> Answer {
        Answer(
            Problem(
                .blank, .contentTooLarge,
                detail: "one request brings \(limit) bytes at most; the rest comes in others"))
    }

    /// 104: the client may come back to Location if this request breaks off.
    private func sendResumptionSupported(
        _ request: Request, _ place: UploadPlace
    ) async throws(Answer) {
        guard let room = outputRoom(request.slot, Core.headRoom + place.location.count)
        else { throw Core.lost }
        var output = arena.output(room)
        output.appendStatusLine(.uploadResumptionSupported)
        output.appendField("Location", place.location.span)
        output.appendField("Upload-Draft-Interop-Version", decimal: UploadFields.interopVersion)
        output.appendUploadLimit(uploadLimit())
        output.appendHeadEnd()
        connections[request.slot].outputCount += UInt32(output.count)
        counters.answered(104)
        guard await sendOutput(request.slot, more: false) else { throw Core.lost }
    }

    // MARK: Append

    /// PATCH: more bytes, where the upload's first ones end.
    func appendResumable(
        _ request: Request, _ place: UploadPlace, _ lines: DialectLines,
        _ body: inout BodyProgress
    ) async throws(Answer) {
        let bytes = request.bytes.span
        let fields = UploadFields(lines, in: bytes)
        if let fault = fields.fault { throw Answer(Problem(fault)) }
        let type = MediaType.withoutParameters(bytes.extracting(request.head.contentType))
        guard type.equals(MediaType.partialUpload.utf8.span) else {
            throw Answer(
                Problem(
                    .blank, .unsupportedMediaType,
                    detail: "an append has the type \(MediaType.partialUpload)"))
        }
        guard let offset = fields.offset else {
            throw Answer(Problem(.blank, .badRequest, detail: "Upload-Offset is missing"))
        }
        let length: UInt64?
        do throws(Refusal) {
            length = try fields.wholeLength(contentLength: request.bodyCount)
        } catch {
            throw Answer(Problem(error))
        }
        let claim = try claim(
            request, offset: offset, length: length, contentBytesMax: settings.appendBytesMax)
        let isLast = fields.isComplete ?? false
        var expected = try contentExpectation(request, lines)
        // Of a part that is not the last one it would be the digest of nothing that is kept.
        if isLast { expected.whole = try wholeDigests(request, lines) }
        let status = try await takeChunk(
            request, place, claim, isLast: isLast, expected: expected, &body)
        await writeUploadState(
            request, status, place, status.isFinished ? .created : .noContent,
            telling: expected.whole.wanted)
    }

    // MARK: State, cancellation

    func tellUploadState(_ request: Request, _ place: UploadPlace) async throws(Answer) {
        let store = try requireStore()
        do throws(UploadError) {
            let status = try await store.uploadStatus(
                place.id, owner: place.owner, isResuming: true)
            await writeUploadState(request, status, place, .noContent)
        } catch {
            throw answer(for: error, request)
        }
    }

    func cancelUpload(
        _ request: Request, _ place: UploadPlace, isTus: Bool = false
    ) async throws(Answer) {
        let store = try requireStore()
        do throws(UploadError) {
            try await store.abortUpload(place.id, owner: place.owner)
        } catch {
            throw answer(for: error, request)
        }
        writeHead(request.slot, .noContent, keepAlive: keepsAlive(request)) { output in
            if isTus { output.appendField("Tus-Resumable", TusFields.version) }
        }
    }

    func keepsAlive(_ request: Request) -> Bool { request.head.keepAlive && phase != .draining }

    /// `wanted`: which digest of the whole is told, if it is there.
    func writeUploadState(
        _ request: Request, _ status: UploadStatus, _ place: UploadPlace, _ code: Status,
        telling wanted: DigestKinds = []
    ) async {
        let plan =
            status.isFinished
            ? nil
            : await chunkPlan(
                request, .resumable, length: status.length, offset: status.offset,
                owner: status.terms.owner, bytesMax: settings.appendBytesMax)
        let limit = uploadLimit(expires: status.expires)
        let location = status.isFinished ? objectPath(status.terms.name) : place.location
        writeHead(
            request.slot, code, keepAlive: keepsAlive(request), longBytes: location.count
        ) { output in
            if code == .created { output.appendField("Location", location.span) }
            output.appendUploadComplete(status.isFinished)
            output.appendField("Upload-Offset", decimal: status.offset)
            if let length = status.length { output.appendField("Upload-Length", decimal: length) }
            if !status.isFinished { output.appendUploadLimit(limit) }
            // One behind the other: there is no other way.
            if let plan { output.appendChunkAdvice(plan, tellsParallelism: false) }
            if code == .created, !status.isFinished { askForHints(&output) }
            if status.isFinished, let digest = status.digests.digest(of: wanted) {
                output.appendReprDigest(digest)
            }
            output.append("Cache-Control: no-store\r\n")
            if code != .noContent { output.appendField("Content-Length", decimal: 0) }
        }
    }

    /// Where an object is found.
    func objectPath(_ name: [UInt8]) -> [UInt8] { settings.basePath + Core.percentEncoded(name) }

    /// As a path of a URI has it (RFC 3986 §3.3).
    static func percentEncoded(_ name: [UInt8]) -> [UInt8] {
        let plain = Array("-._~!$&'()*+,;=:@/".utf8)
        return name.flatMap { byte -> [UInt8] in
            let isLetter = UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
            let isDigit = UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            if isLetter || isDigit || plain.contains(byte) { return [byte] }
            let digits = Array("0123456789ABCDEF".utf8)
            return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
