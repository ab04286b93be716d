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

/// What `cchecksum_multiply(factor, a)` is for each value of each byte of `a`: the sum of four of
/// them is the product with any `a`.
static void fill_products(uint32_t products[4][256], uint32_t factor)
{
    for (int byte = 0; byte < 4; byte++) {
        products[byte][0] = 0;
        for (int bit = 0; bit < 8; bit++) {
            uint32_t product = cchecksum_multiply(factor, (uint32_t)1 << (8 * byte + bit));
            for (int lower = 0; lower < 1 << bit; lower++)
                products[byte][1 << bit | lower] = products[byte][lower] ^ product;
        }
    }
}

uint32_t cchecksum_combine_units(
    const uint32_t *crcs, size_t count, uint64_t unit_count, uint64_t last_count)
{
    if (count == 0) return 0;
    uint32_t products[4][256];
    fill_products(products, cchecksum_power(unit_count * 8));
    uint32_t crc = crcs[0];
    for (size_t index = 1; index < count; index++) {
        if (index == count - 1) return cchecksum_combine(crc, crcs[index], last_count);
        crc = products[0][crc & 255] ^ products[1][crc >> 8 & 255] ^ products[2][crc >> 16 & 255]
            ^ products[3][crc >> 24] ^ crcs[index];
    }
    return crc;
}
