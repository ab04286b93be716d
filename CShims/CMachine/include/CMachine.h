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
/// The device of the file system that holds `path`; one without a block device has major 0.
int cmachine_device_of(const char *path, uint32_t *major_number, uint32_t *minor_number);

/// Opens a listening TCP socket with SO_REUSEPORT, TCP_NODELAY (accepted sockets inherit it) and a
/// long backlog. `address` holds 4 bytes, or 16 if `is_v6`. -EADDRINUSE if `is_first` and anybody
/// listens there already, even one who would share. `bound_port` is the real one.
int cmachine_listen(
    const uint8_t *address, int is_v6, uint16_t port, int is_first, uint16_t *bound_port);

/// One instruction of classic BPF, laid out as struct sock_filter.
typedef struct {
    uint16_t code;
    uint8_t if_true;
    uint8_t if_false;
    uint32_t constant;
} cmachine_instruction;

/// Has `program` choose among the listeners that share the port of `listener`.
int cmachine_steer(int listener, const cmachine_instruction *program, size_t count);

/// Opens (making it with `mode`) and locks a file for this process: -EWOULDBLOCK if another has it.
/// The lock ends with the process.
int cmachine_lock_file(const char *path);
/// Opens a directory, making it if it is not there.
int cmachine_open_directory(const char *path);

/// Makes and removes a file there, opened with O_DIRECT: -EINVAL if the file system has none.
int cmachine_try_direct_access(const char *path);

/// Bytes on disk of the regular files in a directory.
int64_t cmachine_bytes_in_directory(const char *path);

/// Blocks SIGTERM, SIGINT and SIGHUP in this thread and those it starts, and ignores SIGPIPE.
int cmachine_prepare_signals(void);
/// Waits for one of the blocked signals and answers its number.
int cmachine_wait_for_signal(void);

#endif
