/// What the store does about disks that fail for a while, each part with its switch.

import Resilience
import Volumes

public struct StoreResilience: Equatable, Sendable {
    /// Reads, and writes that nobody was told of, are asked again if their error may pass.
    public var retries: Bool
    /// Each time after a longer delay; else always the same.
    public var backsOff: Bool
    /// A volume that failed is tried again, and takes writes once that succeeded; else a restart
    /// has to come first.
    public var breaksCircuits: Bool
    /// Of the jitter; nil draws one.
    var seed: UInt64?

    public init(retries: Bool, backsOff: Bool, breaksCircuits: Bool) {
        (self.retries, self.backsOff) = (retries, backsOff)
        self.breaksCircuits = breaksCircuits
    }

    /// A failure is one, and a restart mends it.
    public static let none = StoreResilience(
        retries: false, backsOff: false, breaksCircuits: false)

    /// A path that is switched over, or a controller that resets, takes about a second.
    var breaker: CircuitBreaker? {
        guard breaksCircuits else { return nil }
        return CircuitBreaker(
            CircuitBreaker.Policy(
                delayMin: 1_000_000_000, delayMax: 60_000_000_000, calm: 300_000_000_000))
    }

    /// Four retries take 150 ms at most: a client hardly notices, nor waits long for nothing.
    var backoff: Backoff {
        Backoff(base: 10_000_000, longest: 250_000_000, isExponential: backsOff)
    }

    /// Added to a minute, before a place is zeroed once more that failed while its volume worked:
    /// an hour at most. A disk finds another place for a bad one when it pleases.
    var cleanupBackoff: Backoff {
        Backoff(base: 60_000_000_000, longest: 3_600_000_000_000, isExponential: backsOff)
    }

    /// What the kernel has called failed may still reach the disk for so long, if a path or a
    /// controller had taken it: frames linger in a fabric for 10 s (R_A_TOV of Fibre Channel), a
    /// target of NVMe over Fabrics ends what it had three keep-alive times (of 5 s in Linux) after
    /// it lost its host. What that space held waits as long before it is anything else's.
    static let lateNanosecondsMax: UInt64 = 60_000_000_000

    /// Places of writes that were tried again and may come late, of all volumes. With more than a
    /// dozen such writes a second, for a minute, a disk is no better than one that has failed: then
    /// the next one is not tried again, and its volume fails.
    static let suspectPlacesMax = 1024

    static let retriesMax = 4
    /// However few they were, none begins later than this after the first failure.
    static let retryNanosecondsMax: UInt64 = 1_000_000_000
    /// Of one core: one for 20 operations, four a second, 32 at once.
    static let budget = RetryBudget.Limits(
        burst: 32, operationsPerRetry: 20, nanosecondsPerRetry: 250_000_000)
    /// Reads of so many places within ten seconds, and half of all: for as long from then on, none
    /// is asked again.
    static let readFailures = FailureRate.Limits(places: 8, nanoseconds: 10_000_000_000)
}

/// What became of operations that failed at first, all cores together.
public struct RetryCounts: Equatable, Sendable {
    /// Times that one was asked again.
    public var retries: UInt64 = 0
    /// Operations that succeeded in the end.
    public var recovered: UInt64 = 0
    /// Those that failed all the same.
    public var exhausted: UInt64 = 0
    /// Those that would have been asked again, had there not been too many already.
    public var refused: UInt64 = 0
}
