/// One flush of a volume by one core, in the order in which they start, from 1.
public struct FlushEpoch: Hashable, Comparable, Sendable {
    public let number: UInt64

    init(_ number: UInt64) { self.number = number }

    public static func < (left: FlushEpoch, right: FlushEpoch) -> Bool {
        left.number < right.number
    }
}

/// Which writes of one core to one volume a flush has made durable.
///
///            wrote            startFlush              success, nobody waits
///     idle ────────▶ waiting ───────────▶ flushing ──────────────────────▶ idle
///                       ▲                  │  │ failure
///                       └──────────────────┘  └────────────▶ readOnly (for good)
///                      success, somebody waits
///
/// A write joins the flush that *starts* after its completion was seen: a flush that is running
/// already may have passed it by. One flush runs at a time. After a failed one the kernel may have
/// dropped the pages and would report the next as fine, so no epoch succeeds any more. A volume
/// that is taken into use again begins with new ones, when the last flush of the old has ended.
public struct FlushEpochs: Equatable, Sendable {
    public enum Fate: Equatable, Sendable { case pending, durable, failed }

    /// What the end of a flush decided.
    public enum Outcome: Equatable, Sendable {
        /// Every epoch up to this one is durable.
        case durable(through: FlushEpoch)
        /// This epoch and all later ones have failed.
        case failed(from: FlushEpoch)
    }

    private enum State: Equatable, Sendable {
        case idle
        case waiting
        case flushing(FlushEpoch, somebodyWaits: Bool)
        case readOnly
    }

    private var state = State.idle
    /// The number of the next flush to start.
    private var next = FlushEpoch(1)
    private var durable = FlushEpoch(0)

    public init() {}

    public var isReadOnly: Bool { state == .readOnly }

    public var isFlushing: Bool {
        switch state {
        case .flushing: true
        case .idle, .waiting, .readOnly: false
        }
    }

    /// The completion of a write was seen: the epoch whose flush will make it durable. On a
    /// read-only volume that epoch has failed already.
    public mutating func wrote() -> FlushEpoch {
        switch state {
        case .idle, .waiting:
            state = .waiting
        case .flushing(let epoch, somebodyWaits: _):
            state = .flushing(epoch, somebodyWaits: true)
        case .readOnly:
            break
        }
        return next
    }

    /// The epoch to flush now; nil when a flush runs, nobody waits, or the volume is read-only.
    public mutating func startFlush() -> FlushEpoch? {
        switch state {
        case .waiting:
            let epoch = next
            state = .flushing(epoch, somebodyWaits: false)
            next = FlushEpoch(epoch.number + 1)
            return epoch
        case .idle, .flushing, .readOnly:
            return nil
        }
    }

    /// The running flush ended. Then `startFlush` says whether the next one starts at once.
    /// A volume that turned read-only meanwhile stays so: even a success counts as failed.
    public mutating func flushEnded(succeeded: Bool) -> Outcome {
        switch state {
        case .flushing(let epoch, let somebodyWaits):
            guard succeeded else {
                state = .readOnly
                return .failed(from: epoch)
            }
            durable = epoch
            state = somebodyWaits ? .waiting : .idle
            return .durable(through: epoch)
        case .readOnly:
            return .failed(from: FlushEpoch(durable.number + 1))
        case .idle, .waiting:
            preconditionFailure("no flush was running")
        }
    }

    /// The volume failed elsewhere (a write, or another core's flush): nothing that is pending
    /// becomes durable. Returns the first epoch that failed by it.
    public mutating func turnReadOnly() -> FlushEpoch {
        state = .readOnly
        return FlushEpoch(durable.number + 1)
    }

    public func fate(of epoch: FlushEpoch) -> Fate {
        if epoch <= durable { return .durable }
        return isReadOnly ? .failed : .pending
    }
}
