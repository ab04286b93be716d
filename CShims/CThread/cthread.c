// The thread-local loop and the eventfd that wakes a ring from a thread that has none.

#include "CThread.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Thread_local void *cthread_loop __attribute__((tls_model("initial-exec")));

int cthread_doorbell_open(void)
{
    const int doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return doorbell < 0 ? -errno : doorbell;
}

int cthread_doorbell_ring(int doorbell)
{
    const uint64_t one = 1;
    return write(doorbell, &one, sizeof one) == sizeof one || errno == EAGAIN ? 0 : -errno;
}

void cthread_doorbell_silence(int doorbell)
{
    uint64_t count;
    // Empty already is silent too.
    if (read(doorbell, &count, sizeof count) < 0) return;
}
