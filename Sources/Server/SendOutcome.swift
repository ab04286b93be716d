/// How a send has ended that the kernel ends early only when it is cut.

import IO

enum SendOutcome: Equatable {
    /// All of it went out; or the client's time was up, but it is only slow: on with the rest.
    case moved
    /// It was cut because others need the buffer: a part of it went out, or nothing.
    case yielded
    /// The connection is broken, or its client took nothing in all its time.
    case failed

    /// - Parameters:
    ///   - isLate: the client's time was up.
    ///   - hasToYield: others need the buffer.
    init(_ result: Int32, of count: UInt32, isLate: Bool, hasToYield: Bool) {
        if result == Int32(count) {
            self = .moved
        } else if result > 0 {
            self = hasToYield ? .yielded : isLate ? .moved : .failed
        } else {
            let wasCut = KernelError(result: result) == .cancelled
            self = wasCut && hasToYield && !isLate ? .yielded : .failed
        }
    }
}
