// CThread: which event loop runs this thread, in one load; the doorbell of a sleeping one; and the
// lock of its mailbox.

#ifndef CTHREAD_H
#define CTHREAD_H

#include <stdint.h>

extern _Thread_local void *cthread_loop __attribute__((tls_model("initial-exec")));

static inline void *cthread_current_loop(void) { return cthread_loop; }
static inline void cthread_set_current_loop(void *loop) { cthread_loop = loop; }

/// An eventfd, or a negated errno.
int cthread_doorbell_open(void);
/// 0, or a negated errno. Ringing twice before anybody listens is one ring.
int cthread_doorbell_ring(int doorbell);
void cthread_doorbell_silence(int doorbell);

/// A pthread lock with an address of its own; there is always memory for one, or the process ends.
typedef struct cthread_lock cthread_lock;
cthread_lock *cthread_lock_make(void);
void cthread_lock_free(cthread_lock *lock);
void cthread_lock_take(cthread_lock *lock);
void cthread_lock_give(cthread_lock *lock);

#endif
