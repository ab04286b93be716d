// CNUMA: which memory is near which CPU, as libnuma knows it.

#ifndef CNUMA_H
#define CNUMA_H

#include <stdbool.h>
#include <stddef.h>

/// False where the kernel has no NUMA policy; then none of the functions below may be called.
bool cnuma_is_available(void);

/// The highest node number there may be.
int cnuma_highest_node(void);
/// Whether this process may take memory from `node`.
bool cnuma_may_use_node(int node);
/// The node of a CPU, or -1 for a CPU that is not there.
int cnuma_node_of_cpu(int cpu);

/// Prefers `node` for the pages of a range, moving those that lie elsewhere. 0 or an errno.
int cnuma_place(void *start, size_t count, int node);

#endif
