/// Which completion of a simulated kernel is not the one that was earned, and what it is instead.
/// Shared by all that play a part of that kernel.

public import IO

public final class FaultPlan {
    public enum Outcome: Equatable, Sendable {
        case error(KernelError)
        /// Half of what was asked for.
        case short
        /// Success, and not a byte: a file's end, a peer's end.
        case nothing
    }

    private var kind: OperationKind?
    private var outcome = Outcome.nothing
    private var left = 0
    /// Whether the completion that was meant has been replaced.
    public private(set) var hasStruck = false
    /// Completions of every kind so far.
    public private(set) var counts: [OperationKind: Int] = [:]

    public init() {}

    /// Replaces the `number`th completion of that kind from now on; 1 is the next.
    public func strike(_ kind: OperationKind, number: Int, with outcome: Outcome) {
        precondition(number > 0, "completions are counted from 1")
        self.kind = kind
        self.outcome = outcome
        left = number
        hasStruck = false
    }

    public func disarm() { left = 0 }

    /// To be asked once for every completion; nil leaves it as it is.
    public func outcome(of kind: OperationKind) -> Outcome? {
        counts[kind, default: 0] += 1
        guard kind == self.kind, left > 0 else { return nil }
        left -= 1
        guard left == 0 else { return nil }
        hasStruck = true
        return outcome
    }
}

/// The operations that a fault can hit, without what they carry.
public enum OperationKind: String, CaseIterable, Sendable {
    case accept, receive, receiveInto, send, sendFile, sendPipe, sendZeroCopy, cork, poll
    case incomingQueue, linkInfo, tune
    case read, write, sync, allocate, dropCached, open, measure, close
    case splice, openPipe, discard
}
