/// Which upload a request is about, who asks, and where it is found again.

import HTTP
import Store
import Volumes

struct UploadPlace: Sendable {
    let id: UploadID
    /// The credential that may go on with it.
    let owner: [UInt8]
    /// The upload's resource, as Location has it: a path, with its query if that is the credential.
    let location: [UInt8]
}

extension UploadPlace {
    /// Below the reserved segment of the API: `/files/` and 32 digits.
    init(_ id: UploadID, owner: [UInt8]) {
        self.init(id: id, owner: owner, location: Array("/files/".utf8) + id.text)
    }
}

extension Core {
    /// What became of an upload's request, as a client may hear it. Where the upload stands is
    /// part of the answer when the client was wrong about that.
    func answer(for error: UploadError, _ request: Request) -> Answer {
        switch error {
        case .notFound: return Answer(.notFound, "there is no such upload")
        case .expired: return Answer(.gone, "the upload was not finished in time")
        case .finished(let status) where !status.terms.parts.isEmpty:
            return Answer(.forbidden, "an upload that was put together takes no bytes")
        case .finished:
            return Answer(Problem(.completedUpload, .badRequest, detail: "the upload is finished"))
        case .refused(let refusal): return answer(for: refusal, request)
        case .contradictingDigests:
            return Answer(
                Problem(.blank, .badRequest, detail: "the upload was said to have another digest"))
        case .mismatch(let checksum):
            counters.digestMismatches &+= 1
            return Answer(
                Problem(
                    .mismatchingDigest(HTTP.Digest(checksum), field: "Repr-Digest"), .badRequest,
                    detail: "the upload is not what it was said to be, and was given up"))
        case .nameTaken: return Core.conflict
        case .preempted:
            return Answer(.conflict, "a newer request goes on with this upload", closes: true)
        case .tooMany(.total), .tooMany(.perOwner):
            return Answer(.tooManyRequests, "too many uploads are unfinished")
        case .tooMany(.bytes), .tooMany(.bytesPerOwner):
            return Answer(.tooManyRequests, "unfinished uploads have too much space")
        case .notJoinable(let refusal): return answer(for: refusal)
        case .store(let error): return answer(for: error, request)
        }
    }

    private func answer(for refusal: JoinRefusal) -> Answer {
        switch refusal {
        case .isRepeated: Answer(.badRequest, "an upload can be a part only once")
        case .isNoPart: Answer(.badRequest, "only partial uploads can be put together")
        case .isUnfinished: Answer(.badRequest, "one of the uploads is not finished")
        case .isTooScattered: Answer(.contentTooLarge, "the uploads are in too many pieces")
        }
    }

    private func answer(for refusal: ChunkRefusal, _ request: Request) -> Answer {
        switch refusal {
        case .wrongOffset(let expected):
            let provided = UploadFields(
                DialectLines(request.head, in: request.bytes.span), in: request.bytes.span
            ).offset
            var answer = Answer(
                Problem(
                    .mismatchingUploadOffset(expected: expected, provided: provided ?? 0),
                    .conflict, detail: "the upload goes on at another offset"))
            answer.uploadOffset = expected
            return answer
        case .tooLong(let limit):
            return Answer(
                Problem(.blank, .contentTooLarge, detail: "the upload ends at \(limit) bytes"))
        case .tooMuchAtOnce(let limit): return Core.tooMuchAtOnce(limit)
        case .inconsistentLength:
            return Answer(Problem(.inconsistentUploadLength, .badRequest))
        case .differs:
            return Answer(
                Problem(.blank, .conflict, detail: "other bytes came for the same place"))
        case .tooScattered:
            var answer = Answer(
                Problem(.blank, .tooManyRequests, detail: "the upload is in too many pieces"))
            // What fills the gaps may be on its way.
            answer.retryAfterSeconds = 1
            return answer
        }
    }
}
