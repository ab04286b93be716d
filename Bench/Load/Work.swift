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

    /// The body of the current request, if that does not stand behind its head.
    func body(for connection: Int) -> Body?

    /// So many bytes of an answer are received at most before it is judged.
    func receiveCount(for connection: Int) -> Int
}

extension Work where Self: ~Copyable {
    func body(for connection: Int) -> Body? { nil }
    func receiveCount(for connection: Int) -> Int { Int(LoadLoop.receiveCount) }
}

/// A body that is sent out of a file.
struct Body: Equatable {
    let part: FilePart
    /// It leaves once the server has asked for it (100 Continue).
    let awaitsInvitation: Bool
}

enum Judgement: Equatable {
    case incomplete
    /// The object counts now.
    case complete
    /// The answer is whole, but no object counts yet: the connection asks again.
    case continues
    /// The object counts when the pool has made it durable.
    case flushing
    /// The server asks for the body; its answer is still to come.
    case invited
    /// So many bytes are still to come, and only have to be counted.
    case dropping(Int)
}
