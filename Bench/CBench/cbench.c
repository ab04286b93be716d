// sched_setaffinity(2) and syncfs(2) for the bench.

#define _GNU_SOURCE
#include "CBench.h"

#include <errno.h>
#include <sched.h>
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
