/* Wrapped keys as they come from storage: one octet of length and the additional data, the rest is the
 * record. Nothing opens but what was sealed with the same key for the same row. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "core/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SEAL_KEY_LEN] = {7};
    if (size < 1)
        return 0;
    size_t n = data[0] < size - 1 ? data[0] : size - 1;
    acd_slice aad = slice_of(data + 1, n), rest = slice_of(data + 1 + n, size - 1 - n);
    uint8_t *out = malloc(rest.len + 1), *sealed = malloc(rest.len + SEAL_EXTRA);
    must(out && sealed);
    /* Whoever makes up a record that opens has broken GCM. */
    must(seal_open(key, aad, rest, out, NULL) == ACD_ECORRUPT);
    must(seal_wrap(key, aad, rest, sealed, NULL) == 0);
    acd_slice record = slice_of(sealed, rest.len + SEAL_EXTRA);
    must(seal_open(key, aad, record, out, NULL) == 0 &&
         (rest.len == 0 || memcmp(out, rest.ptr, rest.len) == 0));
    sealed[data[0] % record.len] ^= 0x10;
    must(seal_open(key, aad, record, out, NULL) == ACD_ECORRUPT);
    free(out);
    free(sealed);
    return 0;
}
