/// What the connections of a `LoadLoop` ask for, and what counts as an answer.

import IO

/// One kind of load. A connection asks, judges what arrives until the answer is whole, and asks
/// again.
protocol Work: ~Copyable {
    /// The next request of `connection`, written into its `scratch` or prepared elsewhere in the
    /// arena; nil once there is nothing left to ask.
    mutating func request(for connection: Int, scratch: Region, in arena: Arena) -> Region?

    /// What the bytes received so far for the current request are.
    mutating func judge(
        _ received: Region, for connection: Int, in arena: Arena
    ) throws(LoadFailure) -> Judgement
}

enum Judgement {
    case incomplete
    /// The object counts now.
    case complete
    /// The object counts when the pool has made it durable.
    case flushing
}
