#include "wire/bus_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "model/limits.h"

/* The first memory of a message that came in part; more as its bytes come, twice as much each time. */
enum { PART_FIRST = 65536 };

struct chunk *
chunk_new(size_t cap)
{
    struct chunk *c = malloc(sizeof(*c) + cap);
    if (c)
        *c = (struct chunk){.refs = 1, .cap = cap};
    return c;
}

void
chunk_unref(struct chunk *c)
{
    if (c && __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(c);
}

void
reader_done(struct reader *r)
{
    chunk_unref(r->part);
    r->part = NULL;
    r->n_head = 0;
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int
part_grow(struct reader *r)
{
    size_t cap = smaller(2 * r->part->cap, r->want);
    struct chunk *c = realloc(r->part, sizeof(*c) + cap);
    if (!c)
        return ACD_ENOMEM;
    c->cap = cap;
    r->part = c;
    return 0;
}

int
reader_room(struct reader *r, struct chunk *shared, struct iovec iov[2])
{
    int n = 0;
    memcpy(shared->data, r->head, r->n_head);
    shared->len = r->n_head;
    shared->at = r->n_head = 0;
    if (r->part) {
        if (r->part->len == r->part->cap && part_grow(r) < 0)
            return ACD_ENOMEM;
        iov[n++] = (struct iovec){r->part->data + r->part->len, r->part->cap - r->part->len};
    }
    if (!r->part || r->part->cap == r->want)
        iov[n++] = (struct iovec){shared->data + shared->len, shared->cap - shared->len};
    return n;
}

void
reader_got(struct reader *r, struct chunk *shared, size_t n)
{
    if (r->part) {
        size_t first = smaller(n, r->part->cap - r->part->len);
        r->part->len += first;
        n -= first;
    }
    shared->len += n;
    must(shared->len <= shared->cap);
}

/* The bytes end inside a message: what there is of it moves out of the shared chunk. */
static int
part_begin(struct reader *r, struct chunk *shared)
{
    size_t have = shared->len - shared->at;
    size_t first = have > PART_FIRST / 2 ? 2 * have : PART_FIRST;
    r->part = chunk_new(smaller(r->want, first));
    if (!r->part)
        return ACD_ENOMEM;
    memcpy(r->part->data, shared->data + shared->at, have);
    r->part->len = have;
    shared->at = shared->len;
    return 0;
}

static int
shared_next(struct reader *r, struct chunk *shared, acd_slice *ret, struct chunk **ret_chunk)
{
    const uint8_t *p = shared->data + shared->at;
    size_t have = shared->len - shared->at, head = sp_head_size(r->framing);
    uint64_t len;
    if (have < head) {
        memcpy(r->head, p, have);
        r->n_head = (uint8_t)have;
        shared->at = shared->len;
        return 0;
    }
    int rc = sp_head_parse(r->framing, p, &len);
    if (rc == 0 && len > LIMIT_MESSAGE_HARD)
        rc = ACD_ELIMIT;
    if (rc < 0)
        return rc;
    shared->at += head;
    r->want = (size_t)len;
    if (have - head < len)
        return part_begin(r, shared);
    shared->at += r->want;
    *ret = slice_of(p + head, r->want);
    *ret_chunk = shared;
    (void)__atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
    return 1;
}

int
reader_next(struct reader *r, struct chunk *shared, acd_slice *ret, struct chunk **ret_chunk)
{
    if (!r->part)
        return shared_next(r, shared, ret, ret_chunk);
    if (r->part->len < r->want)
        return 0;
    *ret = slice_of(r->part->data, r->want);
    *ret_chunk = r->part;
    r->part = NULL;
    return 1;
}

bool
reader_unfinished(const struct reader *r)
{
    return r->part || r->n_head > 0;
}
