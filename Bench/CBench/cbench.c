// sched_setaffinity(2), syncfs(2), O_DIRECT and a file's pages in memory, for the bench.

#define _GNU_SOURCE
#include "CBench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int cbench_bind_to_cpu(unsigned cpu)
{
    cpu_set_t set;
    if (cpu >= CPU_SETSIZE) return -EINVAL;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

int cbench_sync_file_system(int file)
{
    return syncfs(file) < 0 ? -errno : 0;
}

int cbench_open_direct(const char *path)
{
    const int file = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    return file < 0 ? -errno : file;
}

int64_t cbench_resident_bytes(int file)
{
    enum { WINDOW = 1 << 30 };
    const long page = sysconf(_SC_PAGESIZE);
    struct stat facts;
    if (fstat(file, &facts) < 0) return -errno;
    unsigned char *pages = malloc(WINDOW / page);
    if (pages == NULL) return -ENOMEM;
    int64_t resident = 0;
    for (off_t at = 0; at < facts.st_size && resident >= 0; at += WINDOW) {
        const off_t rest = facts.st_size - at;
        const size_t count = rest < WINDOW ? (size_t)rest : WINDOW;
        void *map = mmap(NULL, count, PROT_READ, MAP_SHARED, file, at);
        if (map == MAP_FAILED) {
            resident = -errno;
            break;
        }
        if (mincore(map, count, pages) < 0) resident = -errno;
        for (size_t index = 0; resident >= 0 && index < (count + page - 1) / page; index++)
            if (pages[index] & 1) resident += page;
        munmap(map, count);
    }
    free(pages);
    return resident;
}
