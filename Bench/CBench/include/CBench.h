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

#endif
