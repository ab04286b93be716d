// Products and powers modulo the polynomial: what joins the checksums of neighbouring bytes.

#include "polynomial.h"
#include "CChecksum.h"

uint32_t cchecksum_multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (int bit = 31; bit >= 0; bit--) {
        product ^= b & -((a >> bit) & 1);
        b = (b >> 1) ^ (CCHECKSUM_POLYNOMIAL & -(b & 1));
    }
    return product;
}

uint32_t cchecksum_power(uint64_t exponent)
{
    uint32_t power = 0x80000000u;   // x^0
    uint32_t square = 0x40000000u;  // x^1, then x^2, x^4, …
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) power = cchecksum_multiply(power, square);
        square = cchecksum_multiply(square, square);
    }
    return power;
}

uint32_t cchecksum_combine(uint32_t crc_a, uint32_t crc_b, uint64_t count_b)
{
    // A's checksum moves up by as many powers of x as B has bits; the inversions at both ends of
    // a CRC cancel out (zlib's crc32_combine proves it the same way).
    return cchecksum_multiply(cchecksum_power(count_b * 8), crc_a) ^ crc_b;
}
