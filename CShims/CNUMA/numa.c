// Thin wrappers over libnuma.

#include "CNUMA.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>

bool cnuma_is_available(void) { return numa_available() >= 0; }

int cnuma_highest_node(void) { return numa_max_node(); }

bool cnuma_may_use_node(int node) { return numa_bitmask_isbitset(numa_all_nodes_ptr, node); }

int cnuma_node_of_cpu(int cpu) { return numa_node_of_cpu(cpu); }

int cnuma_place(void *start, size_t count, int node)
{
    struct bitmask *nodes = numa_allocate_nodemask();
    numa_bitmask_setbit(nodes, node);
    // Preferred, not bound: a full node then means slower memory, not the out-of-memory killer.
    // Size + 1, because the kernel reads one bit fewer than it is told; libnuma does the same.
    const long status =
        mbind(start, count, MPOL_PREFERRED, nodes->maskp, nodes->size + 1, MPOL_MF_MOVE);
    const int code = status == 0 ? 0 : errno;
    numa_free_nodemask(nodes);
    return code;
}
