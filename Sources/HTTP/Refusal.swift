/// Why bytes from a client were refused: the status to answer, and one line that says what was
/// wrong without repeating any of the client's bytes.
///
/// After a refusal of a head or of a chunked body nobody knows where the next request starts: the
/// connection is closed behind the answer. Refusals of a path or query leave the framing intact.
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

    public var status: Status {
        switch self {
        case .methodTooLong, .unknownCoding: .notImplemented
        case .requestLineTooLong, .pathTooLong: .targetTooLong
        case .unsupportedVersion: .versionNotSupported
        case .headTooLarge, .tooManyFields, .trailerTooLong: .headTooLarge
        case .malformedContentType, .contentTypeTooLong: .unsupportedMediaType
        case .emptyLines, .malformedMethod, .malformedRequestLine, .malformedTarget,
            .malformedVersion, .bareLineFeed, .bareCarriageReturn, .controlCharacter, .foldedField,
            .spaceBeforeColon, .malformedFieldName, .repeatedField, .missingHost, .malformedHost,
            .malformedContentLength, .lengthAndCoding, .codingInOldVersion, .malformedChunkSize,
            .chunkLineTooLong, .malformedChunkEnd, .malformedTrailer, .malformedPath,
            .malformedEscape, .segmentTooLong, .emptySegment, .dotSegment, .hiddenSegment,
            .forbiddenCharacter, .invalidUnicode, .queryValueTooLong:
            .badRequest
        }
    }

    public var line: String {
        switch self {
        case .emptyLines: "more than one empty line before the request"
        case .malformedMethod: "the method is not a token"
        case .methodTooLong: "the method is longer than any known one"
        case .malformedRequestLine: "the request line is not method, target and version"
        case .malformedTarget: "the request target is malformed or of a form not served here"
        case .requestLineTooLong: "the request line is too long"
        case .malformedVersion: "the protocol version is malformed"
        case .unsupportedVersion: "only HTTP/1.1 and HTTP/1.0 are spoken here"
        case .headTooLarge: "the request head is too large"
        case .tooManyFields: "the request head has too many fields"
        case .bareLineFeed: "a line ends in LF without CR"
        case .bareCarriageReturn: "a CR is not followed by LF"
        case .controlCharacter: "a field value contains a control character"
        case .foldedField: "a field line starts with white space"
        case .spaceBeforeColon: "white space between a field name and its colon"
        case .malformedFieldName: "a field name is not a token followed by a colon"
        case .repeatedField: "a field that may appear once is repeated"
        case .missingHost: "the Host field is missing"
        case .malformedHost: "the Host field is malformed"
        case .malformedContentLength: "Content-Length is not one decimal number"
        case .lengthAndCoding: "both Content-Length and Transfer-Encoding are given"
        case .codingInOldVersion: "Transfer-Encoding in an HTTP/1.0 request"
        case .unknownCoding: "only the transfer coding chunked is known here"
        case .malformedChunkSize: "a chunk's size line is malformed"
        case .chunkLineTooLong: "a chunk's size line is too long"
        case .malformedChunkEnd: "a chunk's data is not followed by CRLF"
        case .malformedTrailer: "a trailer field is malformed"
        case .trailerTooLong: "the trailer fields are too long"
        case .malformedPath: "the path does not start with a slash"
        case .malformedEscape: "a percent sign is not followed by two hexadecimal digits"
        case .pathTooLong: "the path is too long"
        case .segmentTooLong: "a segment of the path is too long"
        case .emptySegment: "the path has an empty segment"
        case .dotSegment: "the path has a segment . or .."
        case .hiddenSegment: "the path starts with a dot"
        case .forbiddenCharacter: "the path has a control character, backslash or encoded slash"
        case .invalidUnicode: "the path is not valid UTF-8"
        case .queryValueTooLong: "a query value is too long"
        case .malformedContentType: "Content-Type is not a media type in visible ASCII"
        case .contentTypeTooLong: "Content-Type is too long"
        }
    }
}
