/*
 * The naive model: arrays of copied rows, looked through from end to end. It shares no code with any storage,
 * so that an agreement means something. One thread.
 */
#ifndef TESTS_PLUGINS_NAIVE_H
#define TESTS_PLUGINS_NAIVE_H

#include "rig.h"

#define NAIVE_COLS     8
#define NAIVE_ROWS     512
#define NAIVE_COUNTERS 32

struct naive_row {
    acd_value v[NAIVE_COLS];
};

struct naive {
    struct naive_row *rows[TEST_COLLS];
    size_t n[TEST_COLLS];
    int64_t counters[NAIVE_COUNTERS];
    uint64_t seq;
};

void naive_init(struct naive *m);
void naive_copy(struct naive *to, const struct naive *from); /* to is initialised */
void naive_done(struct naive *m);

int naive_put(struct naive *m, uint32_t coll, const acd_value *row, uint64_t if_rev);
int naive_del(struct naive *m, uint32_t coll, const acd_value *key, uint64_t if_rev);
const struct naive_row *naive_get(const struct naive *m, uint32_t coll, const acd_value *key);
/* Room for NAIVE_ROWS pointers. */
size_t naive_scan(const struct naive *m, const acd_scan *scan, const struct naive_row **ret);
int naive_cmp(const acd_column *col, const acd_value *a, const acd_value *b);

/* Fails the test unless the session's transaction sees exactly the model. */
void naive_compare(const struct naive *m, struct plug_session *s);
bool naive_same_row(uint32_t coll, const acd_value *a, const acd_value *b);

#endif
