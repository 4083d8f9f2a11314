/*
 * Parts of revocation sets: three octets of shape (width, bits, part), two of a serial number's length, the
 * number, and the rest is the part. Whatever the bytes are, an answer or a refusal within bounds; what can be
 * read whole is built again, and every look-up says the same of both.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "snap/revoked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct built {
    acd_slice parts[1 << SNAP_REVOKED_BITS];
};
static struct built built;

static int
keep(void *ctx, uint32_t part, acd_slice bytes)
{
    char *copy = malloc(bytes.len);
    (void)ctx;
    must(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    built.parts[part] = slice_of(copy, bytes.len);
    return 0;
}

static void
again(const struct snap_revoked_shape *shape, uint32_t part, acd_slice bytes, acd_slice serial)
{
    struct snap_revoked_set *set;
    struct snap_revoked_shape any = {.seed = 1}, now;
    struct snap_revoked_entry before, after;
    must(snap_revoked_new(&set, NULL) == 0);
    if (snap_revoked_load(set, shape, part, bytes, NULL) == 0 &&
        snap_revoked_build(set, &any, &now, keep, NULL, NULL) == 0) {
        int had = snap_revoked_part_of(shape, serial) == part
                      ? snap_revoked_part_find(shape, bytes, serial, &before)
                      : 0;
        int has =
            snap_revoked_part_find(&now, built.parts[snap_revoked_part_of(&now, serial)], serial, &after);
        /* A part that is out of order hides entries; it never shows one that is not there. */
        must(had == 0 || (before.reason == SNAP_REVOKED_REMOVED && has == 0) ||
             (has == 1 && after.reason == before.reason && after.at_s == before.at_s));
    }
    for (size_t i = 0; i < sizeof(built.parts) / sizeof(built.parts[0]) && built.parts[i].ptr; i++) {
        free((void *)built.parts[i].ptr);
        built.parts[i].ptr = NULL;
    }
    snap_revoked_free(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snap_revoked_entry e;
    if (size < 5)
        return 0;
    struct snap_revoked_shape shape = {.seed = 7, .width = data[0], .bits = data[1]};
    uint32_t part = data[2];
    size_t len = (size_t)(data[3] << 8 | data[4]) % 32;
    len = len < size - 5 ? len : size - 5;
    acd_slice serial = slice_of(data + 5, len), bytes = slice_of(data + 5 + len, size - 5 - len);
    int rc = snap_revoked_part_find(&shape, bytes, serial, &e);
    must(rc == 0 || rc == 1 || rc == ACD_ECORRUPT);
    again(&shape, part, bytes, serial);
    return 0;
}
