// The thread-local loop, its mailbox's lock, and the eventfd that wakes a ring from a thread that
// has none.

#include "CThread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
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

struct cthread_lock { pthread_mutex_t mutex; };

cthread_lock *cthread_lock_make(void)
{
    cthread_lock *lock = malloc(sizeof *lock);
    if (lock == NULL) abort();
    // Never fails with default attributes.
    pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

void cthread_lock_free(cthread_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void cthread_lock_take(cthread_lock *lock) { pthread_mutex_lock(&lock->mutex); }
void cthread_lock_give(cthread_lock *lock) { pthread_mutex_unlock(&lock->mutex); }
