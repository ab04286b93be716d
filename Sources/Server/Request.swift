/// A request on its way through a handler: its own copy of the head, because the buffer that it
/// arrived in goes back to the kernel at once.

import HTTP

struct Request: Sendable {
    let slot: Int
    let head: RequestHead
    /// What `head`'s slices point into.
    let bytes: [UInt8]
    /// Names this request in the log.
    let number: UInt64
    /// When it was handed to a handler: monotonic nanoseconds.
    let handedAt: UInt64

    /// Bytes of content announced; nil if chunked.
    var bodyCount: UInt64? {
        switch head.framing {
        case .none: 0
        case .length(let count): count
        case .chunked: nil
        }
    }
}

/// An answer that ends a request: a status, one line of text, and what it means for the connection.
struct Answer: Error {
    let status: Status
    let line: String
    var retryAfterSeconds: UInt64?
    /// For 401: the value of WWW-Authenticate.
    var challenge: String?
    /// For 405: the value of Allow.
    var allowedMethods: String?
    /// What was behind it, for the log only.
    var cause: String?
    /// Whether the operator should hear of it, if it is a failure of ours.
    var isNews = true
    /// For programs: what went wrong, instead of the line.
    var problem: Problem?
    /// Where an upload stands: Upload-Offset.
    var uploadOffset: UInt64?
    /// To a client of tus: `Tus-Resumable` goes with it.
    var isTus = false
    /// The framing is lost, or the body will not be read.
    var closes = false

    init(_ status: Status, _ line: String, retryAfterSeconds: UInt64? = nil, closes: Bool = false) {
        self.status = status
        self.line = line
        self.retryAfterSeconds = retryAfterSeconds
        self.closes = closes
    }

    init(_ refusal: Refusal) { self.init(refusal.status, refusal.line) }

    init(_ problem: Problem) {
        self.init(problem.status, problem.detail ?? problem.status.reason)
        self.problem = problem
    }

    var contentType: String { problem == nil ? "text/plain; charset=utf-8" : MediaType.problem }

    var content: [UInt8] { problem?.json.bytes ?? Array((line + "\n").utf8) }
}

/// How much of a request's body is still to come; decides, reads nothing.
struct BodyProgress {
    private(set) var bytesMissing: UInt64
    /// The client waits for 100 (Continue) before it sends.
    var awaitsContinue: Bool
    private(set) var isChunked: Bool
    private(set) var hasFailed = false

    init(_ head: RequestHead) {
        switch head.framing {
        case .none: (bytesMissing, isChunked) = (0, false)
        case .length(let count): (bytesMissing, isChunked) = (count, false)
        case .chunked: (bytesMissing, isChunked) = (0, true)
        }
        awaitsContinue = head.expectsContinue && (bytesMissing > 0 || isChunked)
    }

    mutating func took(_ count: Int) {
        precondition(UInt64(count) <= bytesMissing, "more body than was announced")
        bytesMissing -= UInt64(count)
    }

    /// The last chunk was read.
    mutating func endedChunks() { isChunked = false }

    /// The peer ended, stalled or was cut off.
    mutating func fail() { hasFailed = true }

    enum End: Equatable {
        /// Nothing is left: the next request follows.
        case clean
        /// Worth reading to keep the connection.
        case drain
        case drainChunked
        /// Close behind the answer.
        case close
    }

    /// What to do with the rest, once the request is answered.
    func end(drainBytesMax: UInt64) -> End {
        if hasFailed { return .close }
        // Nobody knows whether a client that waits for 100 will send its body now.
        if awaitsContinue { return .close }
        if isChunked { return .drainChunked }
        if bytesMissing == 0 { return .clean }
        return bytesMissing <= drainBytesMax ? .drain : .close
    }
}
