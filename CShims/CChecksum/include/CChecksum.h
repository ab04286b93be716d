// CChecksum: CRC32C (Castagnoli), by the processor's own instruction where it has one.

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Continues `crc` (0 to start) over `count` bytes at `bytes`, by the fastest way there is here.
uint32_t cchecksum_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same by tables, eight bytes a step: any processor.
uint32_t cchecksum_crc32c_by_table(uint32_t crc, const void *bytes, size_t count);

/// The same by one chain of CRC instructions. Only where `cchecksum_has_instruction`.
uint32_t cchecksum_crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count);

/// The same by three interleaved chains, joined by a carry-less multiplication.
/// Only where `cchecksum_has_multiplication`.
uint32_t cchecksum_crc32c_by_three_chains(uint32_t crc, const void *bytes, size_t count);

/// The same by carry-less multiplications of 64 bytes at once (AVX-512 and VPCLMULQDQ).
/// Only where `cchecksum_has_wide_multiplication`.
uint32_t cchecksum_crc32c_by_folding(uint32_t crc, const void *bytes, size_t count);

bool cchecksum_has_instruction(void);
bool cchecksum_has_multiplication(void);
bool cchecksum_has_wide_multiplication(void);

/// The CRC of A followed by B, from the CRCs of both and the byte count of B.
uint32_t cchecksum_combine(uint32_t crc_a, uint32_t crc_b, uint64_t count_b);

/// The CRC of `count` runs of bytes one behind the other, from the CRC of each. All but the last
/// have `unit_count` bytes, that one `last_count`.
uint32_t cchecksum_combine_units(
    const uint32_t *crcs, size_t count, uint64_t unit_count, uint64_t last_count);

#endif
