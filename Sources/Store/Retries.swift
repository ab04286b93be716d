/// Whether one core asks for a failed read or write once more, and after how long.

import IO
import Loop
import Resilience
import Volumes

final class Retries {
    enum Kind { case read, write }

    /// One operation that has failed, and may do so again.
    struct Trial {
        /// Where a write goes; nil for a read.
        fileprivate let place: Extent?
        fileprivate let startedAt: UInt64
        fileprivate var attempts = 0
        fileprivate var kind: Kind { place == nil ? .read : .write }
    }

    private let loop: EventLoop
    private let state: StoreState
    private let backoff: Backoff
    private var budget: RetryBudget
    private var jitter: Jitter

    init(loop: EventLoop, state: StoreState, seed: UInt64) {
        (self.loop, self.state) = (loop, state)
        backoff = state.health.policy.backoff
        budget = RetryBudget(StoreResilience.budget)
        jitter = Jitter(seed: seed &+ UInt64(loop.index))
    }

    func beginRead() -> Trial { Trial(place: nil, startedAt: loop.now) }

    func beginWrite(to place: Extent) -> Trial { Trial(place: place, startedAt: loop.now) }

    /// How long to wait before it is asked once more; nil: that answer is the last one. Nothing is
    /// counted of an operation that is not tried again at all. Space that is written again is
    /// suspect from here on; where there is too much of that already, nothing is.
    func delay(_ trial: inout Trial, after result: Int32) -> UInt64? {
        guard Retries.mayPass(result) else { return end(trial) }
        let elapsed = loop.now - trial.startedAt
        guard trial.attempts < StoreResilience.retriesMax,
            elapsed < StoreResilience.retryNanosecondsMax
        else { return end(trial) }
        guard budget.take(operations: loop.completionCount, at: loop.now),
            trial.place.map({ state.suspects.note($0, at: loop.now) }) ?? true
        else {
            state.count(trial.kind) { $0.refused += 1 }
            return end(trial)
        }
        let delay = backoff.delay(before: trial.attempts, random: jitter.next())
        trial.attempts += 1
        state.count(trial.kind) { $0.retries += 1 }
        return delay
    }

    private func end(_ trial: Trial) -> UInt64? {
        if trial.attempts > 0 { state.count(trial.kind) { $0.exhausted += 1 } }
        return nil
    }

    /// It went well in the end.
    func succeeded(_ trial: Trial) { state.count(trial.kind) { $0.recovered += 1 } }

    /// Whether the same may go well later. A count, which here is one that is too low, may: the
    /// kernel met an error amid the range. What a device says of a bad place (ENODATA, EILSEQ) or
    /// the file system of itself (ENOSPC, EROFS, EINVAL) does not pass by itself.
    static func mayPass(_ result: Int32) -> Bool {
        guard let error = KernelError(result: result) else { return true }
        return transient.contains(error.code)
    }

    /// As blk_status_to_errno (Linux 6.1) and the ring itself have them: EINTR, EIO, EAGAIN,
    /// ENOMEM, EBUSY, ENOLINK (a path to the device is gone), ENOBUFS, ETIMEDOUT.
    private static let transient: [Int32] = [4, 5, 11, 12, 16, 67, 105, 110]
}
