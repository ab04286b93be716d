// Whether sendfile would wait for the disk.

#ifndef CURING_RESIDENCY_H
#define CURING_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// 1 if the range can be sent without waiting for the disk, 0 if not, or a negated errno. Unless
/// `with_bytes`, pages whose read may be under way count as well.
///
/// cachestat (Linux 6.5) counts pages whose read is still under way, on which sendfile would wait:
/// it can only say no. Then one byte of each unit that the kernel reads at once tells whether that
/// read has ended; mincore, which is exact, costs four times as much for 2 MiB. Without cachestat,
/// mincore counts the pages whose bytes are there.
int curing_is_resident(int file, uint64_t offset, size_t count, bool with_bytes);

#endif
