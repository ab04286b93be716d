// CChecksum: CRC32C (Castagnoli), hardware-accelerated where the CPU can, table-driven where not.

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Continues `crc` (0 to start) over `count` bytes at `bytes`.
uint32_t cchecksum_crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
