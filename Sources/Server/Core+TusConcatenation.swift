/// tus' concatenation: an upload that is put together from partial ones.

import HTTP
import IO
import Loop
import Store

extension Core {
    /// POST with `Upload-Concat: final;` and the uploads in their order.
    func concatenateTus(
        _ request: Request, _ fields: TusFields, _ list: ByteSlice, _ lines: DialectLines,
        _ uploader: UploadCredential
    ) async throws(Answer) {
        guard fields.length == nil, !fields.isLengthDeferred else {
            throw Answer(.badRequest, "a final upload is as long as its parts: no Upload-Length")
        }
        guard request.bodyCount == 0 else {
            throw Answer(.forbidden, "a final upload has the bytes of its parts, and no others")
        }
        let store = try requireStore()
        var terms = try tusTerms(request, fields, lines, uploader)
        terms.parts = try parts(in: list, of: request)
        let status: UploadStatus
        do throws(UploadError) {
            status = try await store.concatenateUploads(
                terms, secondsToLive: settings.uploadSecondsToLive)
        } catch {
            counters.uploadErrors &+= 1
            throw answer(for: error, request)
        }
        counters.uploads &+= 1
        counters.uploadsCreated &+= 1
        await writeTusCreated(request, status, UploadPlace(status.id, owner: terms.owner))
    }

    private func parts(in list: ByteSlice, of request: Request) throws(Answer) -> [UploadID] {
        var uploads = ConcatenatedUploads(list, host: request.head.host)
        var parts: [UploadID] = []
        while let (path, name) = try nextPart(&uploads, of: request) {
            guard path.reserved == .files, let id = try uploadID(in: name) else {
                throw Answer(.notFound, "there is no such upload")
            }
            parts.append(id)
        }
        return parts
    }

    private func nextPart(
        _ uploads: inout ConcatenatedUploads, of request: Request
    ) throws(Answer) -> (path: RequestPath, name: [UInt8])? {
        let bytes = request.bytes.span
        let base = settings.basePath
        do throws(Refusal) {
            guard let path = try uploads.next(in: bytes) else { return nil }
            return try RequestPath.decode(
                bytes.extracting(path), base: base.span, limits: settings.limits)
        } catch {
            throw Answer(error)
        }
    }
}

extension UploadPlace {
    /// Bytes of one location of ours, and what separates it from the next.
    static let locationBytesMax = 64
}

extension OutputSpan<UInt8> {
    /// What an upload was created to be, if that has to do with others: their resources are told as
    /// paths, however the client wrote them.
    mutating func appendConcatenation(_ terms: UploadTerms) {
        if terms.isPartial { return appendField("Upload-Concat", "partial") }
        guard !terms.parts.isEmpty else { return }
        append("Upload-Concat: final;")
        for (index, part) in terms.parts.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(UploadPlace(part, owner: terms.owner).location.span)
        }
        append("\r\n")
    }
}
