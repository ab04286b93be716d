// CMachine: threads pinned to processors, and the machine facts that Swift's C library module
// does not show because they hide behind _GNU_SOURCE.

#ifndef CMACHINE_H
#define CMACHINE_H

#include <stddef.h>
#include <stdint.h>

/// The most that a Linux kernel can be built for (NR_CPUS on x86-64).
#define CMACHINE_CPUS_MAX 8192

/// All functions answer 0 or a count, or a negated errno.

/// Fills `words` with the calling thread's affinity mask, CPU 0 in the lowest bit of the first.
int cmachine_allowed_cpus(uint64_t *words, size_t word_count);
/// Keeps the calling thread on `cpu`.
int cmachine_pin(uint32_t cpu);
/// The CPU that runs the calling thread now.
int cmachine_current_cpu(void);

/// Starts a thread that runs on `cpu` only, from its first instruction on, or anywhere if `cpu` is
/// negative. -EINVAL if that CPU is not to be had.
int cmachine_thread_start(int cpu, void *(*body)(void *), void *argument, uint64_t *thread);
int cmachine_thread_join(uint64_t thread);
/// Names the calling thread for `top -H` and debuggers: at most 15 bytes, else -ERANGE.
int cmachine_thread_set_name(const char *name);
/// Copies the calling thread's name into `name` (16 bytes).
int cmachine_thread_name(char *name);

/// What statfs(2) says of the file system that holds `path`.
typedef struct {
    uint64_t bytes_total;
    /// Left for unprivileged users.
    uint64_t bytes_free;
    /// <linux/magic.h>
    uint64_t magic;
} cmachine_file_system;

int cmachine_file_system_of(const char *path, cmachine_file_system *facts);

#endif
