/*
 * Two bytes of the needle, the first and the last, are compared at 32 positions at once; only where both
 * agree the rest is looked at. Hostile text can make every position a candidate, so after a number of vain
 * candidates that grows with the text the C library's search takes over, which is linear in the worst case.
 */
#include "rule/find.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_WIDE 1
#else
#define HAVE_WIDE 0
#endif

enum { WIDE = 32, VAIN_START = 8 };

#if HAVE_WIDE
/* FF at the positions from p on where both bytes agree. */
__attribute__((target("avx2"))) static inline __m256i
candidates(const uint8_t *p, size_t m, __m256i first, __m256i last)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + m - 1));
    return _mm256_and_si256(_mm256_cmpeq_epi8(a, first), _mm256_cmpeq_epi8(b, last));
}

/* There are at least WIDE positions a match may begin at. */
__attribute__((target("avx2"))) static const uint8_t *
find_wide(const uint8_t *h, size_t n, const uint8_t *needle, size_t m)
{
    const __m256i first = _mm256_set1_epi8((char)needle[0]);
    const __m256i last = _mm256_set1_epi8((char)needle[m - 1]);
    size_t vain = 0, i = 0, ends = n - m + 1;
    while (i < ends) {
        if (ends - i >= 2 * WIDE) { /* the usual case, two blocks without any candidate, costs one branch */
            __m256i x = candidates(h + i, m, first, last), y = candidates(h + i + WIDE, m, first, last);
            if (_mm256_testz_si256(_mm256_or_si256(x, y), _mm256_or_si256(x, y))) {
                i += 2 * WIDE;
                continue;
            }
        } else if (ends - i < WIDE) {
            i = ends - WIDE; /* the last block overlaps the one before */
        }
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(candidates(h + i, m, first, last));
        for (; mask; mask &= mask - 1) {
            const uint8_t *at = h + i + (unsigned)__builtin_ctz(mask);
            if (memcmp(at, needle, m) == 0)
                return at;
            if (++vain > VAIN_START + i / WIDE)
                return memmem(at, n - (size_t)(at - h), needle, m);
        }
        i += WIDE;
    }
    return NULL;
}
#endif

const void *
rule_find_at(const void *hay, size_t hay_len, const void *needle, size_t needle_len)
{
    if (needle_len > hay_len)
        return NULL;
    if (needle_len == 0)
        return hay ? hay : "";
    if (needle_len == 1)
        return memchr(hay, *(const uint8_t *)needle, hay_len);
#if HAVE_WIDE
    if (hay_len - needle_len >= WIDE && __builtin_cpu_supports("avx2"))
        return find_wide(hay, hay_len, needle, needle_len);
#endif
    return memmem(hay, hay_len, needle, needle_len);
}

bool
rule_find(const void *hay, size_t hay_len, const void *needle, size_t needle_len)
{
    return rule_find_at(hay, hay_len, needle, needle_len) != NULL;
}
