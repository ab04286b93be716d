/// Every status this server answers with, and its reason phrase.
///
/// Sources: RFC 9110 §15; 104 draft-ietf-httpbis-resumable-upload; 429 and 431 RFC 6585; 460 the
/// checksum extension of tus 1.0; 507 RFC 4918.
public enum Status: UInt16, CaseIterable, BitwiseCopyable, Sendable {
    case `continue` = 100
    case uploadResumptionSupported = 104
    case ok = 200
    case created = 201
    case noContent = 204
    case partialContent = 206
    case notModified = 304
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case conflict = 409
    case gone = 410
    case lengthRequired = 411
    case preconditionFailed = 412
    case contentTooLarge = 413
    case targetTooLong = 414
    case unsupportedMediaType = 415
    case rangeNotSatisfiable = 416
    case expectationFailed = 417
    case tooManyRequests = 429
    case headTooLarge = 431
    case checksumMismatch = 460
    case internalServerError = 500
    case notImplemented = 501
    case serviceUnavailable = 503
    case versionNotSupported = 505
    case insufficientStorage = 507

    /// True for the answers that never have content, whatever the fields say (RFC 9110 §6.4.1).
    public var isWithoutContent: Bool {
        rawValue < 200 || self == .noContent || self == .notModified
    }

    public var reason: String {
        switch self {
        case .continue: "Continue"
        case .uploadResumptionSupported: "Upload Resumption Supported"
        case .ok: "OK"
        case .created: "Created"
        case .noContent: "No Content"
        case .partialContent: "Partial Content"
        case .notModified: "Not Modified"
        case .badRequest: "Bad Request"
        case .unauthorized: "Unauthorized"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .conflict: "Conflict"
        case .gone: "Gone"
        case .lengthRequired: "Length Required"
        case .preconditionFailed: "Precondition Failed"
        case .contentTooLarge: "Content Too Large"
        case .targetTooLong: "URI Too Long"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .rangeNotSatisfiable: "Range Not Satisfiable"
        case .expectationFailed: "Expectation Failed"
        case .tooManyRequests: "Too Many Requests"
        case .headTooLarge: "Request Header Fields Too Large"
        case .checksumMismatch: "Checksum Mismatch"
        case .internalServerError: "Internal Server Error"
        case .notImplemented: "Not Implemented"
        case .serviceUnavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        case .insufficientStorage: "Insufficient Storage"
        }
    }
}
