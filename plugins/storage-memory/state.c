/* A state: the tables, counters and sequence as of one commit. */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct mm_state *
mm_state_new(const acd_collection *colls, size_t n)
{
    struct mm_state *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    for (size_t i = 0; i < n; i++)
        if (!(s->tables[i] = mm_table_new(sdk_coll(colls, i)))) {
            mm_state_unref(s, n);
            return NULL;
        }
    return s;
}

struct mm_state *
mm_state_copy(const struct mm_state *s, size_t ntables)
{
    struct mm_state *copy = calloc(1, sizeof(*copy));
    if (!copy)
        return NULL;
    atomic_init(&copy->refs, 1);
    copy->seq = s->seq;
    if (s->ncounters) {
        copy->counters = malloc(s->ncounters * sizeof(*s->counters));
        if (!copy->counters) {
            free(copy);
            return NULL;
        }
        memcpy(copy->counters, s->counters, s->ncounters * sizeof(*s->counters));
        copy->ncounters = s->ncounters;
    }
    for (size_t i = 0; i < ntables; i++) {
        copy->tables[i] = s->tables[i];
        atomic_fetch_add(&copy->tables[i]->refs, 1);
    }
    return copy;
}

void
mm_state_unref(struct mm_state *s, size_t ntables)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (size_t i = 0; i < ntables; i++)
        mm_table_unref(s->tables[i]);
    free(s->counters);
    free(s);
}

/* The first counter whose key is not before `key`. */
static size_t
counter_place(const struct mm_state *s, acd_slice key)
{
    size_t lo = 0, hi = s->ncounters;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct mm_counter *c = &s->counters[mid];
        int d = memcmp(c->key, key.ptr, c->len < key.len ? c->len : key.len);
        if (d < 0 || (d == 0 && c->len < key.len))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int64_t *
mm_counter_find(struct mm_state *s, acd_slice key)
{
    size_t at = counter_place(s, key);
    if (at == s->ncounters || s->counters[at].len != key.len || memcmp(s->counters[at].key, key.ptr, key.len))
        return NULL;
    return &s->counters[at].num;
}

int
mm_counter_new(struct mm_state *s, acd_slice key, int64_t num)
{
    size_t at = counter_place(s, key);
    struct mm_counter *p = realloc(s->counters, (s->ncounters + 1) * sizeof(*p));
    if (!p)
        return ACD_ENOMEM;
    s->counters = p;
    memmove(p + at + 1, p + at, (s->ncounters - at) * sizeof(*p));
    p[at].num = num;
    p[at].len = key.len;
    memcpy(p[at].key, key.ptr, key.len);
    s->ncounters++;
    return 0;
}
