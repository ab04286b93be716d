// Arithmetic modulo the Castagnoli polynomial, bit-reflected: the highest bit is x^0.

#ifndef CCHECKSUM_POLYNOMIAL_H
#define CCHECKSUM_POLYNOMIAL_H

#include <stdint.h>

/// 0x1EDC6F41 with its bits reversed (RFC 3720, section 12.1).
#define CCHECKSUM_POLYNOMIAL 0x82f63b78u

/// a(x) · b(x) mod P(x).
uint32_t cchecksum_multiply(uint32_t a, uint32_t b);

/// x^exponent mod P(x).
uint32_t cchecksum_power(uint64_t exponent);

#endif
