// CCount: counts this program's allocations, and marks the stretch that valgrind is to count.
//
// Whoever links it has malloc, calloc, realloc, posix_memalign, aligned_alloc and memalign
// replaced: for the bench's own program only.

#ifndef CCOUNT_H
#define CCOUNT_H

#include <stdint.h>

/// How often the calling thread has asked for memory so far.
uint64_t ccount_allocations(void);

/// Calls `body(subject)`. perf/instructions has valgrind count what happens inside.
void ccount_run(void (*body)(void *subject), void *subject);

/// Uses `value` as far as the compiler can know, so that what made it is not left out.
void ccount_keep(uint64_t value);

#endif
