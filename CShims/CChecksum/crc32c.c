// CRC32C four ways, and the choice between them, made once when the program is loaded.
//
// The instruction has a latency of three cycles and a throughput of one: three independent chains
// over three neighbouring stripes keep it busy. Shifting a chain's state past the stripes behind
// it is one carry-less multiplication by x^(8·bytes - 33); the instruction itself then reduces the
// 64-bit product, which contributes the 33rd and further powers.
//
// Where one instruction multiplies four pairs at once, sixteen 128-bit pieces of the message are
// carried along side by side: each is multiplied by x^2048, which moves it past the 256 bytes that
// follow, and added to the piece that it meets there (Gopal et al., "Fast CRC Computation for
// Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009). What is left of the message is
// then 16 bytes, which the CRC instruction finishes.

#include <string.h>

#include "CChecksum.h"
#include "polynomial.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define WITH_MULTIPLICATION __attribute__((target("sse4.2,pclmul")))
#define STEP_WORD(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define STEP_BYTE(crc, byte) _mm_crc32_u8((crc), (byte))
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define WITH_INSTRUCTION
#define STEP_WORD(crc, word) __crc32cd((crc), (word))
#define STEP_BYTE(crc, byte) __crc32cb((crc), (byte))
#if defined(__ARM_FEATURE_AES)
#include <arm_neon.h>
#define WITH_MULTIPLICATION
#endif
#endif

static uint32_t tables[8][256];

static inline uint64_t word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

uint32_t cchecksum_crc32c_by_table(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word = word_at(at);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        word ^= crc;
        crc = 0;
        for (int byte = 0; byte < 8; byte++) crc ^= tables[7 - byte][(word >> (8 * byte)) & 0xff];
    }
    for (; count > 0; at++, count--) crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xff];
    return ~crc;
}

#if defined(WITH_INSTRUCTION)
WITH_INSTRUCTION
static inline uint32_t one_chain(uint32_t state, const uint8_t *at, size_t count)
{
    for (; count >= 8; at += 8, count -= 8) state = STEP_WORD(state, word_at(at));
    for (; count > 0; at++, count--) state = STEP_BYTE(state, *at);
    return state;
}

WITH_INSTRUCTION
uint32_t cchecksum_crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count)
{
    return ~one_chain(~crc, bytes, count);
}
#else
uint32_t cchecksum_crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count)
{
    return cchecksum_crc32c_by_table(crc, bytes, count);
}
#endif

#if defined(WITH_MULTIPLICATION)
/// Three stripes of this many bytes each, and how to shift a state past one and past two.
struct stripe {
    size_t count;
    uint32_t past_one;
    uint32_t past_two;
};

/// Three stripes fill 64 KiB (the checksum unit), 4 KiB (a block) and 256 bytes nearly whole.
static struct stripe stripes[] = {{21840, 0, 0}, {1360, 0, 0}, {80, 0, 0}};

WITH_MULTIPLICATION
static inline uint64_t multiply(uint32_t state, uint32_t power)
{
#if defined(__x86_64__)
    __m128i product = _mm_clmulepi64_si128(
        _mm_cvtsi32_si128((int)state), _mm_cvtsi32_si128((int)power), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
#else
    return (uint64_t)vmull_p64(state, power);
#endif
}

WITH_MULTIPLICATION
uint32_t cchecksum_crc32c_by_three_chains(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint32_t first = ~crc;
    for (size_t size = 0; size < sizeof stripes / sizeof stripes[0]; size++) {
        const struct stripe stripe = stripes[size];
        for (; count >= 3 * stripe.count; count -= 3 * stripe.count) {
            uint32_t second = 0, third = 0;
            const uint8_t *end = at + stripe.count;
            for (; at < end; at += 8) {
                first = STEP_WORD(first, word_at(at));
                second = STEP_WORD(second, word_at(at + stripe.count));
                third = STEP_WORD(third, word_at(at + 2 * stripe.count));
            }
            at += 2 * stripe.count;
            uint64_t shifted =
                multiply(first, stripe.past_two) ^ multiply(second, stripe.past_one);
            first = third ^ STEP_WORD(0, shifted);
        }
    }
    return ~one_chain(first, at, count);
}
#else
uint32_t cchecksum_crc32c_by_three_chains(uint32_t crc, const void *bytes, size_t count)
{
    return cchecksum_crc32c_by_instruction(crc, bytes, count);
}
#endif

#if defined(__x86_64__)
#define WITH_WIDE_MULTIPLICATION \
    __attribute__((target("sse4.2,pclmul,avx,avx2,avx512f,vpclmulqdq")))

/// As the truth table of `_mm512_ternarylogic_epi64`.
#define EXCLUSIVE_OR_OF_THREE 0x96

/// What the first and the last 8 bytes of a piece are multiplied by to move it past others.
struct fold {
    uint64_t first, last;
};

static struct fold past_16, past_32, past_48, past_64, past_128, past_192, past_256;

static struct fold fold_past(uint64_t bytes)
{
    // A product of two reflected words is one power too high, and a constant of 32 bits stands for
    // 32 powers more than it has: hence 33.
    const uint64_t bits = 8 * bytes;
    const struct fold fold = {cchecksum_power(bits + 64 - 33), cchecksum_power(bits - 33)};
    return fold;
}

WITH_WIDE_MULTIPLICATION
static inline __m512i four_of(struct fold fold)
{
    return _mm512_set_epi64(
        (long long)fold.last, (long long)fold.first, (long long)fold.last, (long long)fold.first,
        (long long)fold.last, (long long)fold.first, (long long)fold.last, (long long)fold.first);
}

WITH_WIDE_MULTIPLICATION
static inline __m512i fold_four(__m512i pieces, __m512i by, __m512i onto)
{
    return _mm512_ternarylogic_epi64(
        _mm512_clmulepi64_epi128(pieces, by, 0x00), _mm512_clmulepi64_epi128(pieces, by, 0x11),
        onto, EXCLUSIVE_OR_OF_THREE);
}

WITH_WIDE_MULTIPLICATION
static inline __m128i fold_one(__m128i piece, struct fold fold, __m128i onto)
{
    const __m128i by = _mm_set_epi64x((long long)fold.last, (long long)fold.first);
    return _mm_xor_si128(
        onto, _mm_xor_si128(
                  _mm_clmulepi64_si128(piece, by, 0x00), _mm_clmulepi64_si128(piece, by, 0x11)));
}

WITH_WIDE_MULTIPLICATION
uint32_t cchecksum_crc32c_by_folding(uint32_t crc, const void *bytes, size_t count)
{
    if (count < 512) return cchecksum_crc32c_by_three_chains(crc, bytes, count);
    const uint8_t *at = bytes;
    __m512i first = _mm512_xor_si512(
        _mm512_loadu_si512(at), _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    __m512i second = _mm512_loadu_si512(at + 64);
    __m512i third = _mm512_loadu_si512(at + 128);
    __m512i fourth = _mm512_loadu_si512(at + 192);
    const __m512i by_256 = four_of(past_256);
    for (at += 256, count -= 256; count >= 256; at += 256, count -= 256) {
        first = fold_four(first, by_256, _mm512_loadu_si512(at));
        second = fold_four(second, by_256, _mm512_loadu_si512(at + 64));
        third = fold_four(third, by_256, _mm512_loadu_si512(at + 128));
        fourth = fold_four(fourth, by_256, _mm512_loadu_si512(at + 192));
    }
    fourth = fold_four(third, four_of(past_64), fourth);
    fourth = fold_four(second, four_of(past_128), fourth);
    fourth = fold_four(first, four_of(past_192), fourth);
    __m128i rest = _mm512_extracti32x4_epi32(fourth, 3);
    rest = fold_one(_mm512_extracti32x4_epi32(fourth, 2), past_16, rest);
    rest = fold_one(_mm512_extracti32x4_epi32(fourth, 1), past_32, rest);
    rest = fold_one(_mm512_castsi512_si128(fourth), past_48, rest);
    uint32_t state = STEP_WORD(0, (uint64_t)_mm_cvtsi128_si64(rest));
    state = STEP_WORD(state, (uint64_t)_mm_extract_epi64(rest, 1));
    return cchecksum_crc32c_by_three_chains(~state, at, count);
}

bool cchecksum_has_wide_multiplication(void)
{
    return cchecksum_has_multiplication() && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("vpclmulqdq");
}
#else
uint32_t cchecksum_crc32c_by_folding(uint32_t crc, const void *bytes, size_t count)
{
    return cchecksum_crc32c_by_three_chains(crc, bytes, count);
}

bool cchecksum_has_wide_multiplication(void) { return false; }
#endif

bool cchecksum_has_instruction(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2");
#elif defined(WITH_INSTRUCTION)
    return true;
#else
    return false;
#endif
}

bool cchecksum_has_multiplication(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
#elif defined(WITH_MULTIPLICATION)
    return true;
#else
    return false;
#endif
}

static uint32_t (*chosen)(uint32_t, const void *, size_t) = cchecksum_crc32c_by_table;

__attribute__((constructor)) static void choose(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t state = byte;
        for (int bit = 0; bit < 8; bit++)
            state = (state >> 1) ^ (CCHECKSUM_POLYNOMIAL & -(state & 1));
        tables[0][byte] = state;
    }
    for (int depth = 1; depth < 8; depth++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t state = tables[depth - 1][byte];
            tables[depth][byte] = (state >> 8) ^ tables[0][state & 0xff];
        }
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#if defined(WITH_MULTIPLICATION)
    for (size_t size = 0; size < sizeof stripes / sizeof stripes[0]; size++) {
        stripes[size].past_one = cchecksum_power(8 * stripes[size].count - 33);
        stripes[size].past_two = cchecksum_power(16 * stripes[size].count - 33);
    }
#endif
    if (cchecksum_has_instruction()) chosen = cchecksum_crc32c_by_instruction;
    if (cchecksum_has_multiplication()) chosen = cchecksum_crc32c_by_three_chains;
#if defined(__x86_64__)
    past_16 = fold_past(16);
    past_32 = fold_past(32);
    past_48 = fold_past(48);
    past_64 = fold_past(64);
    past_128 = fold_past(128);
    past_192 = fold_past(192);
    past_256 = fold_past(256);
    if (cchecksum_has_wide_multiplication()) chosen = cchecksum_crc32c_by_folding;
#endif
}

uint32_t cchecksum_crc32c(uint32_t crc, const void *bytes, size_t count)
{
    return chosen(crc, bytes, count);
}
