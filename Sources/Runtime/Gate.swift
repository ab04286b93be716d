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
}
