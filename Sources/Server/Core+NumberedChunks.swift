/// Numbered chunks, hmac-file-server's API: `/chunked-upload` takes them in any order and in
/// parallel, `/upload-status` tells which are missing.

import Engine
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    private static let chunkMethods = "PUT, POST, OPTIONS"

    /// The same URL begins an upload and takes its chunks: the session's field tells which.
    func handleNumberedChunk(
        _ request: Request, _ body: inout BodyProgress
    ) async throws(Answer) {
        switch request.head.method {
        case .options: return writeAllowed(request, Core.chunkMethods)
        case .put, .post: break
        case .get, .head, .patch, .delete, .other: throw methodNotAllowed(Core.chunkMethods)
        }
        let uploader = try requireUploader(request)
        try requireServing()
        let bytes = request.bytes.span
        let fields: NumberedChunkFields
        do throws(Refusal) {
            fields = try NumberedChunkFields(
                DialectLines(request.head, in: bytes), in: bytes, limits: settings.limits)
        } catch {
            throw Answer(Problem(error))
        }
        guard let session = fields.sessionID else {
            return try await createNumbered(request, fields, uploader)
        }
        guard let id = UploadID(text: bytes.extracting(session)) else { throw Core.noSuchUpload }
        guard let chunk = fields.chunkNumber else {
            throw Answer(Problem(.blank, .badRequest, detail: "X-Chunk-Number is missing"))
        }
        try await takeNumbered(request, chunk, UploadPlace(id, owner: uploader.owner), &body)
    }

    private static let noSuchUpload = Answer(.notFound, "there is no such upload")

    // MARK: Creation

    private func createNumbered(
        _ request: Request, _ fields: NumberedChunkFields, _ uploader: UploadCredential
    ) async throws(Answer) {
        guard fields.chunkNumber == nil else {
            throw Answer(
                Problem(.blank, .badRequest, detail: "a chunk needs X-Upload-Session-ID"))
        }
        guard let fileName = fields.fileName, let length = fields.totalSize else {
            throw Answer(
                Problem(
                    .blank, .badRequest, detail: "an upload begins with X-Filename and X-Total-Size"
                ))
        }
        guard length <= resumableBytesMax else { throw tooLarge(request) }
        let name = try uploadName(path: nil, file: copy(fileName, of: request))
        let plan = await numberedChunkPlan(request, length: length, owner: uploader.owner)
        let chunkBytes = UInt32(plan.chunkBytes)
        let terms = UploadTerms(
            name: name, owner: uploader.owner, tenant: uploader.tenant,
            mediaType: try uploadType(nil, name), length: length, dialect: .numbered,
            chunkBytes: chunkBytes)
        let created = try await createUpload(request, terms)
        let numbering = ChunkNumbering(length: length, chunkBytes: UInt64(chunkBytes))
        var json = JSONText()
        json.object { json in
            json.key("session_id")
            json.string(created.id.text.span)
            json.key("chunk_size")
            json.integer(numbering.chunkBytes)
            json.key("total_chunks")
            json.integer(numbering.count)
            json.key("parallel_chunks")
            json.integer(UInt64(plan.parallelism))
        }
        json.lineEnd()
        await respond(
            request, .created, type: MediaType.json, json.bytes,
            location: UploadPlace(created.id, owner: uploader.owner).location)
    }

    // MARK: Chunks

    private func takeNumbered(
        _ request: Request, _ chunk: UInt64, _ place: UploadPlace, _ body: inout BodyProgress
    ) async throws(Answer) {
        let startedAt = loop.now
        guard let byteCount = request.bodyCount else {
            throw Answer(
                Problem(.blank, .lengthRequired, detail: "a numbered chunk needs Content-Length"))
        }
        let store = try requireStore()
        if let terms = try await unfinishedTerms(request, place, store) {
            let range = try range(of: chunk, try numbering(of: terms), byteCount)
            let claim = ChunkClaim(
                offset: range.lowerBound, end: range.upperBound, isSequential: false)
            if let taken = try await takeUnlessFinished(request, place, claim, &body) {
                return await tell(
                    request, chunk, taken.status, isRepeated: taken.isRepeated, startedAt)
            }
        }
        // It is finished, and its client may have missed the answer.
        let status = try await numberedStatus(request, place, store)
        guard status.isFinished else { throw Core.noSuchUpload }
        let range = try range(of: chunk, try numbering(of: status.terms), byteCount)
        counters.uploadChunks &+= 1
        try await requireSame(request, status, from: range.lowerBound, store, &body)
        await tell(request, chunk, status, isRepeated: true, startedAt)
    }

    private func unfinishedTerms(
        _ request: Request, _ place: UploadPlace, _ store: ObjectStore
    ) async throws(Answer) -> UploadTerms? {
        do throws(UploadError) {
            return try await store.unfinishedUpload(place.id, owner: place.owner)
        } catch {
            throw answer(for: error, request)
        }
    }

    /// Nil if the upload was finished meanwhile, maybe by this very chunk, which then came twice.
    private func takeUnlessFinished(
        _ request: Request, _ place: UploadPlace, _ claim: ChunkClaim, _ body: inout BodyProgress
    ) async throws(Answer) -> ReceivedChunk? {
        do throws(Answer) {
            return try await takeWholeChunk(request, place, claim, isLast: false, &body)
        } catch {
            if error.problem?.kind == .completedUpload { return nil }
            throw error
        }
    }

    private func numbering(of terms: UploadTerms) throws(Answer) -> ChunkNumbering {
        guard terms.chunkBytes > 0, let length = terms.length else {
            throw Answer(
                Problem(
                    .blank, .badRequest, detail: "this upload did not begin with numbered chunks"))
        }
        return ChunkNumbering(length: length, chunkBytes: UInt64(terms.chunkBytes))
    }

    /// Nothing is taken of a chunk that is not what its number says.
    private func range(
        of chunk: UInt64, _ numbering: ChunkNumbering, _ byteCount: UInt64
    ) throws(Answer) -> Range<UInt64> {
        guard let range = numbering.range(of: chunk) else {
            throw Answer(
                Problem(
                    .blank, .badRequest, detail: "the upload has chunks 0 to \(numbering.count - 1)"
                ))
        }
        let wanted = range.upperBound - range.lowerBound
        guard byteCount == wanted else {
            throw Answer(
                Problem(.blank, .badRequest, detail: "chunk \(chunk) has \(wanted) bytes"))
        }
        return range
    }

    /// Compares a chunk of a finished upload with its object.
    private func requireSame(
        _ request: Request, _ status: UploadStatus, from start: UInt64, _ store: ObjectStore,
        _ body: inout BodyProgress
    ) async throws(Answer) {
        do {
            guard case .present(let existing) = try await store.look(up: status.terms.name) else {
                throw Answer(.notFound, "what was uploaded has been deleted")
            }
            try await compare(request, existing, status, from: start, store, &body)
        } catch let error as StoreError {
            throw answer(for: error, request)
        } catch let error as Answer {
            throw error
        } catch {
            preconditionFailure("the store throws StoreError, and we throw Answer")
        }
    }

    private func compare(
        _ request: Request, _ existing: Pinned, _ status: UploadStatus, from start: UInt64,
        _ store: ObjectStore, _ body: inout BodyProgress
    ) async throws {
        defer { store.release(existing) }
        guard existing.object.length == status.length else { throw Core.conflict }
        let description = UploadDescription(
            name: status.terms.name, length: existing.object.length,
            mediaType: status.terms.mediaType, modified: existing.object.modified)
        switch existing.object.kind {
        case .small: try await compareSmall(request, existing, description, store, &body)
        case .large:
            try await compareLarge(request, existing, description, store, &body, from: start)
        }
    }

    private func tell(
        _ request: Request, _ chunk: UInt64, _ status: UploadStatus, isRepeated: Bool,
        _ startedAt: UInt64
    ) async {
        let duration = durationText(since: startedAt)
        var json = JSONText()
        json.object { json in
            json.key("success")
            json.boolean(true)
            if isRepeated {
                json.key("message")
                json.string("Chunk already uploaded")
            }
            json.key("chunk")
            json.integer(chunk)
            json.progress(of: status)
            json.key("next_chunk_size")
            json.integer(UInt64(status.terms.chunkBytes))
            if status.isFinished {
                json.key("filename")
                json.string(status.fileName.span)
                json.key("size")
                json.integer(status.length ?? 0)
                json.key("duration")
                json.string(duration)
            }
        }
        json.lineEnd()
        await respond(request, type: MediaType.json, json.bytes)
    }

    /// How long a request took, in seconds, as hmac-file-server says it: `1.250s`.
    func durationText(since start: UInt64) -> String {
        let milliseconds = (loop.now - start) / 1_000_000
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(fraction)s"
    }

    // MARK: Status

    func handleUploadStatus(_ request: Request) async throws(Answer) {
        let methods = "GET, HEAD, OPTIONS"
        switch request.head.method {
        case .options: return writeAllowed(request, methods)
        case .get, .head: break
        case .put, .post, .patch, .delete, .other: throw methodNotAllowed(methods)
        }
        let owner = try requireUploader(request).owner
        let store = try requireStore()
        let session = try queryValue("session_id", request)
        guard let id = UploadID(text: session.span) else { throw Core.noSuchUpload }
        let status = try await numberedStatus(request, UploadPlace(id, owner: owner), store)
        var json = JSONText(capacity: 1024)
        json.object { json in json.uploadStatus(status) }
        json.lineEnd()
        await respond(request, type: MediaType.json, json.bytes)
    }

    private func numberedStatus(
        _ request: Request, _ place: UploadPlace, _ store: ObjectStore
    ) async throws(Answer) -> UploadStatus {
        do throws(UploadError) {
            return try await store.uploadStatus(place.id, owner: place.owner, isResuming: false)
        } catch {
            throw answer(for: error, request)
        }
    }
}

extension UploadStatus {
    /// What its client called it, or its path's last segment.
    fileprivate var fileName: [UInt8] {
        let start = terms.name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return Array(terms.name[start...])
    }

    fileprivate var bytesReceived: UInt64 { isFinished ? length ?? 0 : received.byteCount }
}

extension JSONText {
    /// As a part of an object. Sizes are null while nobody has said them.
    fileprivate mutating func progress(of status: UploadStatus) {
        key("uploaded_bytes")
        integer(status.bytesReceived)
        key("total_size")
        if let length = status.length { integer(length) } else { null() }
        key("progress")
        if status.isFinished {
            decimal(thousandths: 1000)
        } else if let length = status.length {
            decimal(thousandths: length == 0 ? 0 : status.bytesReceived * 1000 / length)
        } else {
            null()
        }
        key("completed")
        boolean(status.isFinished)
    }

    /// Chunks are null for an upload that did not begin with numbered ones.
    fileprivate mutating func uploadStatus(_ status: UploadStatus) {
        key("session_id")
        string(status.id.text.span)
        key("filename")
        string(status.fileName.span)
        progress(of: status)
        key("last_activity")
        timestamp(status.lastActivity)
        key("offset")
        integer(status.offset)
        guard status.terms.chunkBytes > 0, let length = status.length else {
            key("chunks")
            null()
            key("missing")
            return null()
        }
        let numbering = ChunkNumbering(
            length: length, chunkBytes: UInt64(status.terms.chunkBytes))
        let missing = status.isFinished ? [] : numbering.missing(from: status.received)
        key("chunks")
        integer(missing.reduce(numbering.count) { $0 - UInt64($1.count) })
        key("missing")
        array { json in
            for run in missing { json.range(run) }
        }
    }
}
