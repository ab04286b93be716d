// The machine as Linux shows it to one process: processors, threads on them, file systems.

#define _GNU_SOURCE
#include "CMachine.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

int cmachine_allowed_cpus(uint64_t *words, size_t word_count)
{
    memset(words, 0, word_count * sizeof *words);
    cpu_set_t *set = (cpu_set_t *)words;
    return sched_getaffinity(0, word_count * sizeof *words, set) < 0 ? -errno : 0;
}

/// A mask of one processor; larger than cpu_set_t, which ends at 1024.
typedef struct { uint64_t words[CMACHINE_CPUS_MAX / 64]; } one_cpu;

static int fill(one_cpu *mask, uint32_t cpu)
{
    if (cpu >= CMACHINE_CPUS_MAX) return -EINVAL;
    memset(mask, 0, sizeof *mask);
    mask->words[cpu / 64] = 1ull << (cpu % 64);
    return 0;
}

int cmachine_pin(uint32_t cpu)
{
    one_cpu mask;
    if (fill(&mask, cpu) < 0) return -EINVAL;
    return sched_setaffinity(0, sizeof mask, (cpu_set_t *)&mask) < 0 ? -errno : 0;
}

int cmachine_current_cpu(void)
{
    const int cpu = sched_getcpu();
    return cpu < 0 ? -errno : cpu;
}

static int place(pthread_attr_t *attributes, int cpu)
{
    one_cpu mask;
    if (cpu < 0) return 0;
    if (fill(&mask, (uint32_t)cpu) < 0) return EINVAL;
    return pthread_attr_setaffinity_np(attributes, sizeof mask, (cpu_set_t *)&mask);
}

int cmachine_thread_start(int cpu, void *(*body)(void *), void *argument, uint64_t *thread)
{
    pthread_attr_t attributes;
    int status = pthread_attr_init(&attributes);
    if (status != 0) return -status;
    pthread_t started = 0;
    status = place(&attributes, cpu);
    if (status == 0) status = pthread_create(&started, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    *thread = (uint64_t)started;
    return -status;
}

int cmachine_thread_join(uint64_t thread)
{
    return -pthread_join((pthread_t)thread, NULL);
}

int cmachine_thread_set_name(const char *name)
{
    return -pthread_setname_np(pthread_self(), name);
}

int cmachine_thread_name(char *name)
{
    return -pthread_getname_np(pthread_self(), name, 16);
}

int cmachine_file_system_of(const char *path, cmachine_file_system *facts)
{
    struct statfs answer;
    if (statfs(path, &answer) < 0) return -errno;
    const uint64_t unit = (uint64_t)(answer.f_frsize > 0 ? answer.f_frsize : answer.f_bsize);
    *facts = (cmachine_file_system){
        .bytes_total = answer.f_blocks * unit,
        .bytes_free = answer.f_bavail * unit,
        .magic = (uint64_t)answer.f_type,
    };
    return 0;
}

int cmachine_device_of(const char *path, uint32_t *major_number, uint32_t *minor_number)
{
    struct stat facts;
    if (stat(path, &facts) < 0) return -errno;
    *major_number = major(facts.st_dev);
    *minor_number = minor(facts.st_dev);
    return 0;
}
