/// What a refusal tells its client of limits: when to come again, and how much may come then.

import HTTP

/// Decides for all requests alike: whoever refuses need not think of it.
struct RefusalAdvice: Equatable {
    /// In which dialect the client can be told of limits.
    enum Dialect: CaseIterable {
        case tus
        /// The IETF's.
        case resumable
        /// None of them: plain requests, forms, numbered chunks.
        case other
    }

    /// Retry-After, in seconds, unless the refusal knows better; nil where waiting does not help.
    let retryAfterSeconds: UInt64?
    let tellsUploadLimit: Bool
    let tellsTusMaxSize: Bool

    /// None for most refusals: they are not about limits, and `dialect` is not asked for.
    init?(_ status: Status, _ dialect: @autoclosure () -> Dialect) {
        switch status {
        case .contentTooLarge: retryAfterSeconds = nil
        // Uploads end, by their clients or by the minute.
        case .tooManyRequests: retryAfterSeconds = 60
        case .serviceUnavailable: retryAfterSeconds = 10
        // Space comes back when uploads run out of time, or somebody deletes.
        case .insufficientStorage: retryAfterSeconds = 300
        default: return nil
        }
        let dialect = dialect()
        tellsUploadLimit = dialect == .resumable
        tellsTusMaxSize = dialect == .tus && status == .contentTooLarge
    }
}

extension Core {
    /// As which dialect a refused request is answered.
    func dialect(of request: Request, _ answer: Answer) -> RefusalAdvice.Dialect {
        if answer.isTus { return .tus }
        let lines = DialectLines(request.head, in: request.bytes.span)
        let isResumable =
            [.uploadComplete, .uploadOffset, .interopVersion].contains { lines[$0].isPresent }
            || isAtFiles(request)
        return isResumable ? .resumable : .other
    }
}
