#include <openssl/sha.h>

#include "vo.h"

void
vo_sha256(const void *p, size_t len, uint8_t out[32])
{
    /* The one-shot function of the low-level kind: no fetch, no context, cannot fail. */
    (void)SHA256(len ? p : "", len, out);
}

void
vo_hex_upper(const uint8_t *p, size_t len, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}
