/* Keyed hash of a file: XXH3 with the file's own random secret, so that nobody can choose names that collide.
 * Only snap/ includes this. */
#ifndef SNAP_HASH_H
#define SNAP_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "snap/format.h"

static inline uint64_t
snap_hash(const uint8_t *secret, const void *p, size_t len)
{
    return XXH3_64bits_withSecret(p, len, secret, SNAP_SECRET);
}

#endif
