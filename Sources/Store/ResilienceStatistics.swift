/// What an operator is told of disks that fail for a while.

import Loop
import Resilience
import Volumes

public struct ResilienceStatistics: Equatable, Sendable {
    /// Volumes by whether they are written to.
    public var closedVolumes = 0
    public var openVolumes = 0
    public var halfOpenVolumes = 0
    /// Times that one stopped taking writes, and took them again.
    public var opens: UInt64 = 0
    public var closes: UInt64 = 0
    public var probesFailed: UInt64 = 0
    /// Until the next probe; nil where none is due.
    public var secondsUntilProbe: UInt64?
    /// What is not used for a while, until nothing comes there any more of what has failed.
    public var quarantinedBytes: (small: UInt64, large: UInt64) = (0, 0)
    public var reads = RetryCounts()
    public var writes = RetryCounts()

    public init() {}

    public static func == (left: Self, right: Self) -> Bool {
        (left.closedVolumes, left.openVolumes, left.halfOpenVolumes)
            == (right.closedVolumes, right.openVolumes, right.halfOpenVolumes)
            && (left.opens, left.closes, left.probesFailed)
                == (right.opens, right.closes, right.probesFailed)
            && left.secondsUntilProbe == right.secondsUntilProbe
            && left.quarantinedBytes == right.quarantinedBytes
            && (left.reads, left.writes) == (right.reads, right.writes)
    }
}

extension StoreShared {
    /// `now` is that of the caller's loop.
    public func resilience(at now: UInt64) async -> ResilienceStatistics {
        var statistics = ResilienceStatistics()
        let (count, quarantined) = await ledger.quarantine
        statistics.quarantinedBytes = quarantined
        let states = state.health.states().map(\.state)
        statistics.openVolumes = states.count { $0 == .open }
        statistics.halfOpenVolumes = states.count { $0 == .halfOpen }
        statistics.closedVolumes =
            count - min(count, statistics.openVolumes + statistics.halfOpenVolumes)
        let counts = state.health.counts
        (statistics.opens, statistics.closes) = (counts.opened, counts.closed)
        statistics.probesFailed = counts.probesFailed
        statistics.secondsUntilProbe = state.health.secondsUntilProbe(at: now)
        (statistics.reads, statistics.writes) = state.retryCounts
        return statistics
    }
}

extension Ledger {
    /// Volumes in all, and what of each class is not used for a while.
    fileprivate var quarantine: (volumes: Int, bytes: (small: UInt64, large: UInt64)) {
        endQuarantine()
        var bytes: (small: UInt64, large: UInt64) = (0, 0)
        let failed = state.health.states().map(\.volume)
        let waiting = segments.quarantinedVolumes + extents.quarantinedVolumes
        for volume in Set(failed + waiting) {
            switch VolumeName(volume).volumeClass {
            case .small: bytes.small += quarantinedBytes(of: volume)
            case .large: bytes.large += quarantinedBytes(of: volume)
            }
        }
        return (Int(smallCount) + Int(largeCount), bytes)
    }
}

extension ObjectStore {
    /// Until a volume that takes no writes is tried again, rounded up; nil where none is to be.
    public var secondsUntilProbe: UInt64? { state.health.secondsUntilProbe(at: loop.now) }

    /// Whether it is worth waiting for a volume that takes no writes.
    public var bringsVolumesBack: Bool { state.health.bringsBack }
}

extension VolumeHealth {
    fileprivate func secondsUntilProbe(at now: UInt64) -> UInt64? {
        // While one is tried: in a moment.
        nanosecondsUntilProbe(at: now).map { max(1, ($0 + 999_999_999) / 1_000_000_000) }
    }
}
