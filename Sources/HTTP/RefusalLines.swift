// What each refusal tells the client: one line without any of the client's bytes.

extension Refusal {
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
        case .malformedUploadLength, .malformedUploadOffset, .malformedUploadComplete,
            .inconsistentUploadLength, .malformedDigest, .malformedDigestPreference,
            .malformedDeferLength, .lengthAndDeferral, .malformedMetadata, .metadataTooLarge,
            .malformedChecksum, .unknownChecksumAlgorithm, .malformedConcatenation,
            .foreignUpload, .tooManyConcatenated, .malformedTotalSize, .malformedChunkNumber,
            .malformedFileName, .notForm, .malformedBoundary, .preambleTooLong, .malformedForm,
            .incompleteForm, .partHeadTooLong, .tooManyParts, .malformedDisposition,
            .encodedPart:
            dialectLine
        }
    }

    private var dialectLine: String {
        switch self {
        case .malformedUploadLength: "Upload-Length is not one number of bytes"
        case .malformedUploadOffset: "Upload-Offset is not one number of bytes"
        case .malformedUploadComplete: "Upload-Complete is neither ?0 nor ?1"
        case .inconsistentUploadLength: "the lengths given for the upload disagree"
        case .malformedDigest: "Content-Digest or Repr-Digest is malformed"
        case .malformedDigestPreference: "Want-Content-Digest or Want-Repr-Digest is malformed"
        case .malformedDeferLength: "Upload-Defer-Length is not 1"
        case .lengthAndDeferral: "both Upload-Length and Upload-Defer-Length are given"
        case .malformedMetadata: "Upload-Metadata is malformed or has a key twice"
        case .metadataTooLarge: "Upload-Metadata is too large"
        case .malformedChecksum: "Upload-Checksum is not an algorithm and its value in base64"
        case .unknownChecksumAlgorithm: "the algorithm of Upload-Checksum is not known here"
        case .malformedConcatenation: "Upload-Concat is neither partial nor final; with URLs"
        case .foreignUpload: "Upload-Concat has a URL of another host"
        case .tooManyConcatenated: "Upload-Concat has too many URLs"
        case .malformedTotalSize: "X-Total-Size is not a number of bytes"
        case .malformedChunkNumber: "X-Chunk-Number is not a number"
        case .malformedFileName: "the file name is not a name in UTF-8, or is a path or too long"
        case .notForm: "Content-Type is not multipart/form-data"
        case .malformedBoundary: "Content-Type has no valid boundary"
        case .preambleTooLong: "the form does not start with its boundary"
        case .malformedForm: "a boundary of the form is not followed by a line's end"
        case .incompleteForm: "the form ends before its last boundary"
        case .partHeadTooLong: "the fields of a part of the form are too long"
        case .tooManyParts: "the form has too many parts"
        case .malformedDisposition: "a part's Content-Disposition is not form-data with a name"
        case .encodedPart: "a part of the form has a Content-Transfer-Encoding"
        case .emptyLines, .malformedMethod, .methodTooLong, .malformedRequestLine,
            .malformedTarget, .requestLineTooLong, .malformedVersion, .unsupportedVersion,
            .headTooLarge, .tooManyFields, .bareLineFeed, .bareCarriageReturn, .controlCharacter,
            .foldedField, .spaceBeforeColon, .malformedFieldName, .repeatedField, .missingHost,
            .malformedHost, .malformedContentLength, .lengthAndCoding, .codingInOldVersion,
            .unknownCoding, .malformedChunkSize, .chunkLineTooLong, .malformedChunkEnd,
            .malformedTrailer, .trailerTooLong, .malformedPath, .malformedEscape, .pathTooLong,
            .segmentTooLong, .emptySegment, .dotSegment, .hiddenSegment, .forbiddenCharacter,
            .invalidUnicode, .queryValueTooLong, .malformedContentType, .contentTypeTooLong:
            preconditionFailure("\(self) is not of an upload dialect")
        }
    }
}
