// CBench: the two calls of the bench that the C library shows only under _GNU_SOURCE.

#ifndef CBENCH_H
#define CBENCH_H

/// Binds the calling thread to one CPU. 0, or a negated errno.
int cbench_bind_to_cpu(unsigned cpu);

/// syncfs(2) of the file system that holds `file`. 0, or a negated errno.
int cbench_sync_file_system(int file);

#endif
