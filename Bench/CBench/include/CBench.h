// CBench: what the bench asks of Linux that Swift cannot say: calls that the C library shows only
// under _GNU_SOURCE, and mincore(2).

#ifndef CBENCH_H
#define CBENCH_H

#include <stdint.h>

/// Binds the calling thread to one CPU. 0, or a negated errno.
int cbench_bind_to_cpu(unsigned cpu);

/// syncfs(2) of the file system that holds `file`. 0, or a negated errno.
int cbench_sync_file_system(int file);

/// Opens `path` for reading and writing with O_DIRECT. A descriptor, or a negated errno.
int cbench_open_direct(const char *path);

/// Bytes of `file` that are in the page cache. Or a negated errno.
int64_t cbench_resident_bytes(int file);

/// A network namespace of its own, with nothing in it but a loopback device that is down; the
/// calling thread stays where it is. A descriptor, or a negated errno.
int cbench_network_make(void);

/// The network namespace of the calling thread. A descriptor, or a negated errno.
int cbench_network_current(void);

/// Moves the calling thread to a network namespace. 0, or a negated errno.
int cbench_network_enter(int network);

/// Makes a TUN device of that name in the calling thread's network namespace: reads and writes of
/// the descriptor are whole IP packets. It goes when the descriptor does. Or a negated errno.
int cbench_open_tun(const char *name);

/// A descriptor that is readable once `cbench_ring` was called, until `cbench_hush`. Or a negated
/// errno.
int cbench_make_bell(void);
void cbench_ring(int bell);
void cbench_hush(int bell);

/// Waits until one of the descriptors can be read, at most for so long.
void cbench_wait_readable(const int *files, unsigned count, uint64_t nanoseconds);

#endif
