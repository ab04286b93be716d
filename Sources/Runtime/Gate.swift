/// Opens once; whoever waits goes on then. A POSIX semaphore.

import Glibc

@safe
final class Gate: @unchecked Sendable {
    // Unchecked: a semaphore is made to be shared; its address never changes.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        let status = unsafe sem_init(semaphore, 0, 0)
        precondition(status == 0, "a semaphore refused its initial value")
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func open() { unsafe sem_post(semaphore) }

    func wait() {
        // Interrupted by a signal handler: wait on.
        while unsafe sem_wait(semaphore) != 0 {}
    }

    /// False if it has not opened within so many seconds, by the clock on the wall: POSIX knows no
    /// other here.
    func wait(withinSeconds seconds: UInt32) -> Bool {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += Int(seconds)
        while unsafe sem_timedwait(semaphore, &deadline) != 0 {
            if errno == ETIMEDOUT { return false }
        }
        return true
    }
}
