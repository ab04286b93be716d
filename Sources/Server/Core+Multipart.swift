/// Forms (multipart/form-data) at `/upload`: the file goes to the disk as it comes, whatever stands
/// around it.

import Engine
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    private static let formMethods = "POST, OPTIONS"

    /// While a form comes, its upload does not expire, and nobody comes back to it: this is for the
    /// moment between its creation and its first byte. What a crash leaves of it goes at the start.
    private static let formSecondsToLive: UInt64 = 60

    /// What is received at once before the file begins, which is then moved.
    private static let formHeadStepBytes = 4 << 10

    /// A form on its way in.
    private struct FormIntake {
        let uploader: UploadCredential
        var form: UploadForm
        var framing: ChunkBody
        var pace: TransferPace
        var rate: MinimumRate
        var buffer: FormBuffer?
        var upload: UploadPlace?
        var chunk: ChunkWriter?
        var name: [UInt8] = []
        var fileName: [UInt8] = []
        /// When the wait for what is in `buffer` began.
        var startedAt: UInt64
    }

    func handleForm(_ request: Request, _ body: inout BodyProgress) async throws(Answer) {
        let startedAt = loop.now
        switch request.head.method {
        case .options: return writeAllowed(request, Core.formMethods)
        case .post: break
        case .get, .head, .put, .patch, .delete, .other:
            throw methodNotAllowed(Core.formMethods)
        }
        let uploader = try requireUploader(request)
        try requireServing()
        let store = try requireStore()
        let boundary = try formBoundary(request)
        let otherBytesMax = UploadForm.otherBytesMax(settings.limits)
        guard (request.bodyCount ?? 0) <= resumableBytesMax + otherBytesMax else {
            throw tooLarge(request)
        }
        counters.uploads &+= 1
        var intake = FormIntake(
            uploader: uploader, form: UploadForm(boundary, limits: settings.limits),
            framing: ChunkBody(request.head, settings.limits), pace: buffers.pace(.upload),
            rate: MinimumRate(
                startedAt: startedAt, bytesPerSecond: settings.bodyBytesPerSecondMin),
            startedAt: startedAt)
        let status: UploadStatus
        beginTransfer(request, .upload, bytes: request.bodyCount)
        do throws(Answer) {
            try await receiveForm(request, store, &intake, &body)
            endTransfer(request.slot, isBroken: false)
            status = try await endForm(request, &intake)
        } catch {
            endTransfer(
                request.slot, isBroken: body.hasFailed && intake.framing.refusal == nil)
            counters.uploadErrors &+= 1
            // Where in its chunks the body is, nobody knows any more.
            if body.isChunked { body.fail() }
            await giveUp(&intake, store)
            throw error
        }
        counters.uploadBytes &+= status.length ?? 0
        counters.transfers.uploaded(
            status.length ?? 0, nanoseconds: loop.now - request.handedAt)
        await tellUploaded(request, intake, status, startedAt)
    }

    private func formBoundary(_ request: Request) throws(Answer) -> FormBoundary {
        do throws(Refusal) {
            return try FormBoundary(
                contentType: request.bytes.span.extracting(request.head.contentType),
                limits: settings.limits)
        } catch {
            throw Answer(Problem(error))
        }
    }

    private func tellUploaded(
        _ request: Request, _ intake: FormIntake, _ status: UploadStatus, _ startedAt: UInt64
    ) async {
        let duration = durationText(since: startedAt)
        var json = JSONText()
        json.object { json in
            json.key("success")
            json.boolean(true)
            json.key("filename")
            json.string(intake.fileName.span)
            json.key("size")
            json.integer(status.length ?? 0)
            json.key("duration")
            json.string(duration)
            json.key("url")
            json.string(objectPath(intake.name).span)
        }
        json.lineEnd()
        await respond(request, type: MediaType.json, json.bytes)
    }

    // MARK: The whole form

    /// Returns when the form has come whole; all of the file is then with its chunk.
    private func receiveForm(
        _ request: Request, _ store: ObjectStore, _ intake: inout FormIntake,
        _ body: inout BodyProgress
    ) async throws(Answer) {
        buffers.began()
        defer { buffers.ended() }
        guard await sendContinue(request.slot, &body) else { throw lost(intake, &body) }
        await leaseBuffer(&intake, body)
        while true {
            switch try nextStep(&intake) {
            case .file(let part): try await beginFile(part, request, store, &intake)
            case .data: try await writeIfFull(request, &intake, body)
            case .needsMore: try await receiveMore(request, &intake, &body)
            case .end: return try await receiveRest(request, &intake, &body)
            }
        }
    }

    private func nextStep(_ intake: inout FormIntake) throws(Answer) -> UploadForm.Step {
        guard var buffer = intake.buffer else { preconditionFailure("a form without a buffer") }
        defer { intake.buffer = buffer }
        var position = 0
        let step: UploadForm.Step
        do throws(UploadForm.Fault) {
            step = try intake.form.next(in: arena.span(buffer.unread), at: &position)
        } catch {
            throw answer(for: error)
        }
        guard case .data(let range) = step else {
            buffer.read(position)
            return step
        }
        precondition(range.lowerBound == 0, "a file's data stands at the front")
        buffer.readData(range.count)
        return step
    }

    private func answer(for fault: UploadForm.Fault) -> Answer {
        let detail: String
        switch fault {
        case .refused(let refusal): return Answer(Problem(refusal))
        case .noFile: detail = "the form has no file"
        case .severalFiles: detail = "a form brings one file"
        case .pathBehindFile: detail = "the field path stands before the file"
        case .tooLong(let limit):
            return Answer(
                Problem(
                    .blank, .contentTooLarge,
                    detail: "what is no file is longer than \(limit) bytes"))
        }
        return Answer(Problem(.blank, .badRequest, detail: detail))
    }

    /// The file's name and type are known, and where it will be published.
    private func beginFile(
        _ part: FormPart, _ request: Request, _ store: ObjectStore, _ intake: inout FormIntake
    ) async throws(Answer) {
        intake.fileName = part.fileName ?? []
        do throws(Refusal) {
            try FileName.validate(intake.fileName.span, limits: settings.limits)
        } catch {
            throw Answer(Problem(error))
        }
        intake.name = try uploadName(path: intake.form.path, file: intake.fileName)
        let terms = UploadTerms(
            name: intake.name, owner: intake.uploader.owner, tenant: intake.uploader.tenant,
            mediaType: try uploadType(part.contentType, intake.name), length: nil,
            dialect: .multipart)
        do throws(UploadError) {
            let created = try await store.createUpload(
                terms, secondsToLive: Core.formSecondsToLive)
            intake.upload = UploadPlace(created.id, owner: intake.uploader.owner)
            intake.chunk = try await store.beginChunk(
                created.id, owner: intake.uploader.owner,
                ChunkClaim(offset: 0, end: nil, isSequential: true))
        } catch {
            throw answer(for: error, request)
        }
        moveUnreadToFront(&intake)
    }

    /// Publishes the file.
    private func endForm(
        _ request: Request, _ intake: inout FormIntake
    ) async throws(Answer) -> UploadStatus {
        guard let chunk = intake.chunk.take() else {
            preconditionFailure("a form without a file was taken")
        }
        do throws(UploadError) {
            let isRight = await chunk.isRight()
            precondition(isRight, "nobody has said what a form's file is")
            let status = try await chunk.keep(length: chunk.position)
            precondition(status.isFinished, "somebody else was at a form's upload")
            return status
        } catch {
            throw answer(for: error, request)
        }
    }

    /// Nothing is left of a form that is not whole.
    private func giveUp(_ intake: inout FormIntake, _ store: ObjectStore) async {
        if let buffer = intake.buffer.take() {
            memory.giveBack(BufferLease(attaching: buffer.region))
        }
        // What went wrong is what the client is told.
        if let chunk = intake.chunk.take() { _ = try? await chunk.keep() }
        guard let upload = intake.upload else { return }
        // If it is gone already, or cannot be before a restart, that is the end of it, too.
        try? await store.abortUpload(upload.id, owner: upload.owner)
    }

    // MARK: In

    private func receiveMore(
        _ request: Request, _ intake: inout FormIntake, _ body: inout BodyProgress
    ) async throws(Answer) {
        if !intake.form.isInFile {
            try await writeLast(request, &intake, body)
            moveUnreadToFront(&intake)
        }
        guard !intake.framing.isAtEnd else { throw Answer(Problem(.incompleteForm)) }
        guard let buffer = intake.buffer else { preconditionFailure("a form without a buffer") }
        let target = buffer.free(
            countMax: intake.form.isInFile ? Core.receiveStepBytes : Core.formHeadStepBytes)
        let received = try await receive(request.slot, into: target, &intake, &body)
        intake.buffer?.received(received)
        await moved(.upload, received)
        passed(request.slot, received)
    }

    /// Fills `target` from the body, as far as that goes.
    private func receive(
        _ slot: Int, into target: Region, _ intake: inout FormIntake, _ body: inout BodyProgress
    ) async throws(Answer) -> Int {
        precondition(target.count > 0, "a form's buffer is full")
        var (received, wanted) = (0, Int(target.count))
        if intake.framing.decoder == nil {
            wanted = Int(min(UInt64(wanted), body.bytesMissing))
            received = await receiveBody(slot, into: target.part(from: 0, count: wanted))
            body.took(received)
            intake.framing.left(body.bytesMissing)
        } else {
            received = await receiveDecoded(slot, into: target, &intake.framing)
        }
        let isFast = intake.rate.received(received, now: loop.now)
        guard intake.framing.isAtEnd || (received == wanted && isFast) else {
            throw lost(intake, &body)
        }
        return received
    }

    private func lost(_ intake: FormIntake, _ body: inout BodyProgress) -> Answer {
        body.fail()
        return intake.framing.refusal.map { Answer($0) } ?? Core.lost
    }

    /// What follows the last boundary is dropped, but it has to come: only then is the request
    /// whole.
    private func receiveRest(
        _ request: Request, _ intake: inout FormIntake, _ body: inout BodyProgress
    ) async throws(Answer) {
        let count = Int(intake.buffer?.unread.count ?? 0)
        intake.buffer?.read(count)
        try drop(count, &intake)
        try await writeLast(request, &intake, body)
        while !intake.framing.isAtEnd {
            guard let region = intake.buffer?.region else { break }
            let target = region.part(
                from: 0, count: min(Int(region.count), Core.formHeadStepBytes))
            try drop(try await receive(request.slot, into: target, &intake, &body), &intake)
        }
        if let buffer = intake.buffer.take() {
            memory.giveBack(BufferLease(attaching: buffer.region))
        }
        if body.isChunked { body.endedChunks() }
    }

    private func drop(_ count: Int, _ intake: inout FormIntake) throws(Answer) {
        do throws(UploadForm.Fault) { try intake.form.drop(count) } catch {
            throw answer(for: error)
        }
    }

    // MARK: Buffers

    /// One for what is still missing; the smallest that does.
    private func leaseBuffer(
        _ intake: inout FormIntake, _ body: BodyProgress, besides count: Int = 0
    ) async {
        let unit = StoreLimits.unitBytes
        let missing = body.isChunked ? Int.max : Int(clamping: body.bytesMissing) + count
        let lease: BufferLease
        if missing <= unit {
            lease = await memory.lease(max(missing, 1))
        } else {
            // A unit, and behind it what may be a boundary's start.
            let paced = min(buffers.bufferBytes(.upload, intake.pace), missing)
            let needed = max(2 * unit, paced)
            lease = await memory.lease(
                preferring: needed,
                minimum: min(needed, max(2 * unit, buffers.bufferBytesMin(.upload))))
        }
        intake.buffer = FormBuffer(
            lease, carryBytesMax: intake.form.carryBytesMax, unitBytes: unit)
    }

    private func moveUnreadToFront(_ intake: inout FormIntake) {
        guard let buffer = intake.buffer else { return }
        arena.move(buffer.unread, to: buffer.region)
        intake.buffer?.dropRead()
    }

    private func writeIfFull(
        _ request: Request, _ intake: inout FormIntake, _ body: BodyProgress
    ) async throws(Answer) {
        guard let buffer = intake.buffer, let chunk = intake.chunk else {
            preconditionFailure("a file's data without the file")
        }
        guard let step = chunk.next(countMax: buffer.writeBytes) else {
            preconditionFailure("nobody has said where the file ends")
        }
        chunk.arrived(step, buffer.region, count: min(buffer.dataEnd, buffer.writeBytes))
        guard buffer.isFull else { return }
        try await write(buffer.writeBytes, request, &intake, body)
    }

    /// What has come of a file that has ended.
    private func writeLast(
        _ request: Request, _ intake: inout FormIntake, _ body: BodyProgress
    ) async throws(Answer) {
        guard let count = intake.buffer?.dataEnd, count > 0 else { return }
        try await write(count, request, &intake, body)
    }

    /// Writes the first `count` bytes of data, and goes on with another buffer if more is to come.
    private func write(
        _ count: Int, _ request: Request, _ intake: inout FormIntake, _ body: BodyProgress
    ) async throws(Answer) {
        guard let buffer = intake.buffer.take(), let chunk = intake.chunk,
            let step = chunk.next(countMax: buffer.writeBytes)
        else { preconditionFailure("a file's data without the file") }
        // Nobody waits for a buffer while he holds one.
        let rest = copy(buffer.rest(behindData: count))
        do throws(UploadError) {
            try await chunk.take(step, BufferLease(attaching: buffer.region), count: count)
        } catch {
            throw answer(for: error, request)
        }
        intake.pace.moved(nanoseconds: loop.now - intake.startedAt)
        intake.startedAt = loop.now
        guard !rest.isEmpty || !intake.framing.isAtEnd else { return }
        await leaseBuffer(&intake, body, besides: rest.count)
        guard let next = intake.buffer else { return }
        arena.copy(rest.span, to: next.region)
        intake.buffer?.takeOver(buffer, behindData: count)
    }
}
