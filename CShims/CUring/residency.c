// Which pages of a file are in memory, asked of the kernel in several ways.

#define _GNU_SOURCE
#include "residency.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/// struct cachestat and its range, <linux/mman.h> of Linux 6.5; newer than Debian 12's headers.
struct cache_range { uint64_t offset, count; };
struct cache_answer { uint64_t cached, dirty, writeback, evicted, recently_evicted; };
enum { CACHESTAT_NUMBER = 451, PAGE = 4096 };

static int is_resident_by_mincore(int file, uint64_t start, uint64_t end)
{
    const size_t count = end - start;
    unsigned char pages[1024];
    if (count > sizeof pages * PAGE) return 0;
    void *map = mmap(NULL, count, PROT_READ, MAP_SHARED, file, (off_t)start);
    if (map == MAP_FAILED) return -errno;
    int status = mincore(map, count, pages) < 0 ? -errno : 1;
    munmap(map, count);
    for (size_t i = 0; status == 1 && i < count / PAGE; i++) status = pages[i] & 1;
    return status;
}

/// The kernel reads at least so much at once when it fills the cache ahead of a reader.
enum { READ_UNIT = 128 << 10 };

/// 1 if the first byte of every unit, and the last of all, can be read without waiting.
static int has_bytes(int file, uint64_t start, uint64_t end)
{
    char byte;
    const struct iovec target = {.iov_base = &byte, .iov_len = 1};
    for (uint64_t at = start; at < end; at += READ_UNIT)
        if (preadv2(file, &target, 1, (off_t)at, RWF_NOWAIT) < 0)
            return errno == EAGAIN ? 0 : -errno;
    if (preadv2(file, &target, 1, (off_t)(end - 1), RWF_NOWAIT) < 0)
        return errno == EAGAIN ? 0 : -errno;
    return 1;
}

int curing_is_resident(int file, uint64_t offset, size_t count, bool with_bytes)
{
    const uint64_t start = offset & ~(uint64_t)(PAGE - 1);
    const uint64_t end = (offset + count + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    struct cache_range range = {.offset = start, .count = end - start};
    struct cache_answer answer;
    if (syscall(CACHESTAT_NUMBER, file, &range, &answer, 0) == 0) {
        if (answer.cached < (end - start) / PAGE) return 0;
        const int has = with_bytes ? has_bytes(file, start, end) : 1;
        if (has != -EOPNOTSUPP) return has;
    } else if (errno != ENOSYS && errno != EPERM) {
        return -errno;
    }
    // A sandbox may refuse both; then the bytes are read another way.
    const int resident = is_resident_by_mincore(file, start, end);
    return resident == -EPERM || resident == -ENOSYS ? 0 : resident;
}
