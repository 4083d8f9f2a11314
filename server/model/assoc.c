#include "model/assoc.h"

#include <stdlib.h>
#include <string.h>

#include "model/limits.h"

int
assoc_read(const acd_value *row, struct assoc *ret)
{
    acd_slice cert = row[HOST_CERT].bytes;
    int64_t priority = row[HOST_PRIORITY].num;
    if (cert.len != ID_UUID_LEN || priority < 0 || priority > LIMIT_PRIORITY)
        return ACD_ECORRUPT;
    *ret = (struct assoc){.priority = (uint32_t)priority,
                          .observe = row[HOST_OBSERVE].num != 0,
                          .deployed = row[HOST_DEPLOYED].num};
    memcpy(ret->cert, cert.ptr, ID_UUID_LEN);
    return 0;
}

static int
by_rank(const void *a_, const void *b_)
{
    const struct assoc *a = a_, *b = b_;
    if (a->priority != b->priority)
        return a->priority - 1 < b->priority - 1 ? -1 : 1; /* none wraps round to be the last */
    if (a->deployed != b->deployed)
        return a->deployed > b->deployed ? -1 : 1;
    return memcmp(a->cert, b->cert, ID_UUID_LEN);
}

void
assoc_sort(struct assoc *list, size_t n)
{
    qsort(list, n, sizeof(*list), by_rank);
}
