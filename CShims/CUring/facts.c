// What is answered at once, without the ring: the size of a file, the cost of a thread.

#include "CUring.h"

#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

int32_t curing_block_count(int file)
{
    enum { BLOCK = 4096 };
    struct stat facts;
    if (fstat(file, &facts) < 0) return -errno;
    const int64_t blocks = facts.st_size / BLOCK;
    return blocks > INT32_MAX ? -EFBIG : (int32_t)blocks;
}

int32_t curing_thread_time(void)
{
    struct timespec time;
    // It fails for clocks that do not exist only.
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    const uint64_t microseconds = (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
    return (int32_t)(microseconds & 0x3fffffff);
}
