// The allocating functions of the C library with a counter a thread in front (glibc).

#include "CCount.h"

#include <errno.h>
#include <stddef.h>

// What glibc's own are called besides.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

// Not by the general model: its first use on a thread may allocate.
static __thread uint64_t allocations __attribute__((tls_model("initial-exec")));

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}

uint64_t ccount_allocations(void)
{
    return allocations;
}

__attribute__((noinline)) void ccount_run(void (*body)(void *subject), void *subject)
{
    body(subject);
    // Else the call would be a jump, and valgrind would not see the end.
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void ccount_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}
