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

    /// A while in which operations of some files fail: all of those kinds, each time.
    public struct Outage {
        public var kinds: Set<OperationKind>
        /// What the file's path begins with; the kinds that name no file are not hit.
        public var path: String
        /// The machine's time, in nanoseconds.
        public var times: Range<UInt64>
        public var outcome: Outcome

        public init(
            _ kinds: Set<OperationKind>, of path: String, _ times: Range<UInt64>,
            with outcome: Outcome = .error(.io)
        ) {
            (self.kinds, self.path, self.times) = (kinds, path, times)
            self.outcome = outcome
        }
    }

    public var outages: [Outage] = []
    /// The machine's time, for them.
    public var now: UInt64 = 0
    /// Completions that an outage has hit.
    public private(set) var hitCount = 0

    public init() {}

    /// To be asked beside `outcome(of:)`, of operations on files.
    func outage(of kind: OperationKind, _ path: String) -> Outcome? {
        for outage in outages
        where outage.kinds.contains(kind) && path.hasPrefix(outage.path)
            && outage.times.contains(now)
        {
            hitCount += 1
            return outage.outcome
        }
        return nil
    }

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
    case dropReceived
    case incomingQueue, peerAddress, linkInfo, tune
    case read, write, sync, allocate, dropCached, open, measure, close
    case splice, openPipe, discard
}
