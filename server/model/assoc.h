/*
 * The order of the CAs of a host, as rows of COLL_HOST say it: those with a priority before those without,
 * the lower one first; then the association that was made last; then by id, so that the order is always the
 * same.
 *
 * Pure: whoever publishes trust and whoever foretells it order by the same function.
 */
#ifndef MODEL_ASSOC_H
#define MODEL_ASSOC_H

#include <stdbool.h>

#include "base/must.h"
#include "model/collections.h"
#include "model/ids.h"

struct assoc {
    char cert[ID_UUID_LEN]; /* not terminated */
    uint32_t priority;      /* 0: none */
    bool observe;
    int64_t deployed;
};

/* ACD_ECORRUPT: the row says what none may say. */
int assoc_read(const acd_value *row, struct assoc *ret) ACD_MUSTCHECK;
void assoc_sort(struct assoc *list, size_t n);

#endif
