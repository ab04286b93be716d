/// Why bytes from a client were refused: the status to answer, and one line that says what was
/// wrong without repeating any of the client's bytes.
///
/// After a refusal of a head or of a chunked body nobody knows where the next request starts: the
/// connection is closed behind the answer. All other refusals leave the framing intact.
public enum Refusal: UInt8, Error, CaseIterable, BitwiseCopyable, Sendable {
    // The request line.
    case emptyLines, malformedMethod, methodTooLong, malformedRequestLine, malformedTarget
    case requestLineTooLong, malformedVersion, unsupportedVersion

    // The fields.
    case headTooLarge, tooManyFields, bareLineFeed, bareCarriageReturn, controlCharacter
    case foldedField, spaceBeforeColon, malformedFieldName, repeatedField, missingHost
    case malformedHost, malformedContentLength, lengthAndCoding, codingInOldVersion, unknownCoding

    // A chunked body.
    case malformedChunkSize, chunkLineTooLong, malformedChunkEnd, malformedTrailer, trailerTooLong

    // The path and the query.
    case malformedPath, malformedEscape, pathTooLong, segmentTooLong, emptySegment, dotSegment
    case hiddenSegment, forbiddenCharacter, invalidUnicode, queryValueTooLong

    // Content-Type.
    case malformedContentType, contentTypeTooLong

    // The fields of the upload dialects.
    case malformedUploadLength, malformedUploadOffset, malformedUploadComplete
    case inconsistentUploadLength, malformedDigest, malformedDigestPreference
    case malformedDeferLength, lengthAndDeferral, malformedMetadata, metadataTooLarge
    case malformedChecksum, unknownChecksumAlgorithm
    case malformedConcatenation, foreignUpload, tooManyConcatenated
    case malformedTotalSize, malformedChunkNumber, malformedFileName

    // A form.
    case notForm, malformedBoundary, preambleTooLong, malformedForm, incompleteForm
    case partHeadTooLong, tooManyParts, malformedDisposition, encodedPart

    public var status: Status {
        switch self {
        case .methodTooLong, .unknownCoding: .notImplemented
        case .requestLineTooLong, .pathTooLong: .targetTooLong
        case .unsupportedVersion: .versionNotSupported
        case .headTooLarge, .tooManyFields, .trailerTooLong: .headTooLarge
        case .malformedContentType, .contentTypeTooLong, .notForm, .encodedPart:
            .unsupportedMediaType
        case .metadataTooLarge, .tooManyConcatenated, .partHeadTooLong, .tooManyParts:
            .contentTooLarge
        case .emptyLines, .malformedMethod, .malformedRequestLine, .malformedTarget,
            .malformedVersion, .bareLineFeed, .bareCarriageReturn, .controlCharacter, .foldedField,
            .spaceBeforeColon, .malformedFieldName, .repeatedField, .missingHost, .malformedHost,
            .malformedContentLength, .lengthAndCoding, .codingInOldVersion, .malformedChunkSize,
            .chunkLineTooLong, .malformedChunkEnd, .malformedTrailer, .malformedPath,
            .malformedEscape, .segmentTooLong, .emptySegment, .dotSegment, .hiddenSegment,
            .forbiddenCharacter, .invalidUnicode, .queryValueTooLong, .malformedUploadLength,
            .malformedUploadOffset, .malformedUploadComplete, .inconsistentUploadLength,
            .malformedDigest, .malformedDigestPreference, .malformedDeferLength,
            .lengthAndDeferral, .malformedMetadata, .malformedChecksum,
            .unknownChecksumAlgorithm, .malformedConcatenation, .foreignUpload,
            .malformedTotalSize, .malformedChunkNumber, .malformedFileName, .malformedBoundary,
            .preambleTooLong, .malformedForm, .incompleteForm, .malformedDisposition:
            .badRequest
        }
    }
}
