// sched_setaffinity(2), syncfs(2), O_DIRECT, a file's pages in memory, network namespaces and their
// TUN devices, and waiting for them, for the bench.

#define _GNU_SOURCE
#include "CBench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
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

int cbench_network_current(void)
{
    const int file = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return file < 0 ? -errno : file;
}

int cbench_network_enter(int network)
{
    return setns(network, CLONE_NEWNET) < 0 ? -errno : 0;
}

int cbench_network_make(void)
{
    const int own = cbench_network_current();
    if (own < 0) return own;
    int made = unshare(CLONE_NEWNET) < 0 ? -errno : cbench_network_current();
    const int back = cbench_network_enter(own);
    close(own);
    if (back < 0 && made >= 0) {
        close(made);
        made = back;
    }
    return made;
}

int cbench_open_tun(const char *name)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) return -ENAMETOOLONG;
    strcpy(request.ifr_name, name);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    const int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return -errno;
    if (ioctl(file, TUNSETIFF, &request) < 0) {
        const int error = -errno;
        close(file);
        return error;
    }
    return file;
}

int cbench_make_bell(void)
{
    const int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell < 0 ? -errno : bell;
}

void cbench_ring(int bell)
{
    // Fails only if it rings already.
    (void)eventfd_write(bell, 1);
}

void cbench_hush(int bell)
{
    eventfd_t count;
    (void)eventfd_read(bell, &count);
}

void cbench_wait_readable(const int *files, unsigned count, uint64_t nanoseconds)
{
    enum { FILES_MAX = 8 };
    struct pollfd polled[FILES_MAX];
    if (count > FILES_MAX) count = FILES_MAX;
    for (unsigned i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = files[i], .events = POLLIN};
    const struct timespec time = {
        .tv_sec = (time_t)(nanoseconds / 1000000000),
        .tv_nsec = (long)(nanoseconds % 1000000000),
    };
    (void)ppoll(polled, count, &time, NULL);
}
