/// Where other threads leave jobs for a loop, and the flag that tells it so.
///
/// Invariant: when the flag is down, nobody has put a job since the loop last took them all; so
/// whoever raises it rings, and nobody else needs to.

import CThread
import Synchronization

@safe
final class Mailbox: @unchecked Sendable {
    // Unchecked: `jobs` is touched with the lock held only. It is a pthread lock because thread
    // sanitizers know those; they do not see the standard library's Mutex when it is contended.
    private let lock: OpaquePointer
    private var jobs: [UnownedJob] = []
    private let isRaised = Atomic<Bool>(false)

    init() { unsafe lock = cthread_lock_make() }

    deinit { unsafe cthread_lock_free(lock) }

    /// Whether there is something to take.
    @inline(__always)
    var hasMail: Bool { isRaised.load(ordering: .relaxed) }

    /// From any thread. True if the loop must be told.
    func put(_ job: UnownedJob) -> Bool {
        unsafe cthread_lock_take(lock)
        jobs.append(job)
        unsafe cthread_lock_give(lock)
        return !isRaised.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// On the loop's thread: swaps what has arrived for `empty`, which keeps its capacity.
    func take(into empty: inout [UnownedJob]) {
        // Down before the look inside: who puts a job after it raises the flag again.
        isRaised.store(false, ordering: .sequentiallyConsistent)
        unsafe cthread_lock_take(lock)
        swap(&jobs, &empty)
        unsafe cthread_lock_give(lock)
    }
}
