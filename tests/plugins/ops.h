/* Random operations from a seed, on a storage session and on the naive model. One thread. */
#ifndef TESTS_PLUGINS_OPS_H
#define TESTS_PLUGINS_OPS_H

#include "base/rand.h"
#include "naive.h"

struct ops_row {
    uint32_t coll;
    acd_value v[NAIVE_COLS];
};

/* A row of small, awkward values; collisions, NULLs and broken references are frequent. */
void ops_row(struct prng *r, struct ops_row *ret);

/* One random change (put, del, counter, sequence). s NULL: on the model alone; m NULL: on the storage alone.
 * With both, codes and results must agree. */
void ops_change(struct prng *r, struct plug_session *s, struct naive *m);
/* One random read (get, scan), compared. */
void ops_read(struct prng *r, struct plug_session *s, const struct naive *m);

#endif
