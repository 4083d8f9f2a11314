/*
 * Trust sets: one record for all hosts with the same ordered list, found by the digest of what the list says.
 * A set is counted by its hosts and goes with the last one; it counts for each CA that it holds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "model/digest.h"
#include "snap/arr.h"
#include "snap/revoked.h"
#include "snap/txn.h"

struct entry {
    uint32_t ca, flags;
};

/* What the digest covers of one entry. */
struct entry_text {
    uint8_t sha256[32];
    uint32_t profile, flags;
};

static void
set_digest(const struct entry_text *text, size_t n, uint8_t out[32])
{
    struct digest d;
    digest_init(&d);
    for (size_t i = 0; i < n; i++) {
        uint8_t b[8];
        for (unsigned k = 0; k < 4; k++) {
            b[k] = (uint8_t)(text[i].profile >> (8 * k));
            b[4 + k] = (uint8_t)(text[i].flags >> (8 * k));
        }
        digest_update(&d, text[i].sha256, 32);
        digest_update(&d, b, sizeof(b));
    }
    digest_final(&d, out);
}

/* The key of a set in the table: its digest, and a hash of its entries. Two objects may hold the same
 * certificate, which gives lists of the same digest and other ids; each keeps a set of its own, so that each
 * object can be deleted alone. */
enum { SET_KEY = 40 };

static void
set_key(const uint8_t digest[32], const struct entry *e, size_t n, uint8_t out[SET_KEY])
{
    uint64_t hash = XXH3_64bits(e, n * sizeof(*e));
    memcpy(out, digest, 32);
    memcpy(out + 32, &hash, 8);
}

/* What is said about a set apart from its entries. */
struct facts {
    uint8_t digest[32];
    uint64_t epoch;
};

/* The epoch of one more CA. Ids are never given twice, so a set comes back to an epoch only with the very
 * same revocation data. */
static int
epoch_mix(struct snap_writer *w, const struct snap_ca *ca, uint64_t *epoch, acd_err *err)
{
    struct snap_revoked_state state;
    int rc = snap_revoked_state(&w->work, ca->id, ca->index, &state);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : snap_fail(w, rc, err);
    uint64_t part[] = {*epoch, XXH3_64bits(ca->id.ptr, ca->id.len), ca->index, state.epoch};
    uint64_t mixed = XXH3_64bits(part, sizeof(part));
    *epoch = mixed ? mixed : 1;
    return 0;
}

static int
entry_describe(struct snap_writer *w, struct entry e, struct entry_text *ret, uint64_t *epoch, acd_err *err)
{
    struct snap_ca ca;
    if (snap_ca_get(&w->work, e.ca, &ca) < 0)
        return snap_fail(w, ACD_ECORRUPT, err);
    memcpy(ret->sha256, ca.sha256, 32);
    ret->profile = ca.profile;
    ret->flags = (e.flags | ca.flags) & SNAP_CA_DIGESTED;
    return epoch_mix(w, &ca, epoch, err);
}

static int
entries_facts(struct snap_writer *w, const struct entry *e, size_t n, struct facts *ret, acd_err *err)
{
    struct entry_text *text = calloc(n ? n : 1, sizeof(*text));
    int rc = text ? 0 : snap_fail(w, ACD_ENOMEM, err);
    ret->epoch = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = entry_describe(w, e[i], &text[i], &ret->epoch, err);
    if (rc == 0)
        set_digest(text, n, ret->digest);
    free(text);
    return rc;
}

/* The certificates of the list's objects, in order. */
static int
list_resolve(struct snap_writer *w, const struct snap_ca_use *list, size_t n, struct entry *out,
             size_t *ret_n, acd_err *err)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        char key[SNAP_ID_MAX + 1];
        uint32_t ca, index = 0;
        if (list[i].id.len == 0 || list[i].id.len > SNAP_ID_MAX)
            return err_set(err, ACD_EINVAL, "certificate id has a bad length");
        for (; index < SNAP_CA_INDEX_MAX; index++) {
            int rc =
                snap_tab_get(w, &w->work.roots.cas, key, snap_ca_key(key, list[i].id, index), &ca, NULL, err);
            if (rc < 0)
                return rc;
            if (rc == 0)
                break;
            if (k == SNAP_TRUST_MAX)
                return err_set(err, ACD_ELIMIT, "more than %d certificates for one host", SNAP_TRUST_MAX);
            out[k++] = (struct entry){ca, list[i].flags};
        }
        if (index == 0)
            return err_set(err, ACD_ENOENT, "no certificate with the id %.*s", (int)list[i].id.len,
                           (const char *)list[i].id.ptr);
    }
    *ret_n = k;
    return 0;
}

static int
young_add(struct snap_writer *w, uint32_t trust, acd_err *err)
{
    if (w->nyoung == w->young_cap) {
        size_t cap = w->young_cap ? w->young_cap * 2 : 16;
        uint32_t *p = realloc(w->young, cap * sizeof(*p));
        if (!p)
            return snap_fail(w, ACD_ENOMEM, err);
        w->young = p;
        w->young_cap = cap;
    }
    w->young[w->nyoung++] = trust;
    return 0;
}

static int
record_new(struct snap_writer *w, const struct facts *f, const struct entry *e, size_t n, uint32_t *ret_ref,
           acd_err *err)
{
    struct snap_trust_rec *t;
    size_t tail = f->epoch ? sizeof(f->epoch) : 0;
    struct snap_piece *p = snap_alloc_piece(
        w, SNAP_K_TRUST, (uint32_t)(sizeof(*t) + n * sizeof(t->entry[0]) + tail), ret_ref, err);
    if (!p)
        return w->failed;
    t = snap_piece_data(p);
    memcpy(t->digest, f->digest, 32);
    t->n = (uint32_t)n;
    t->observes = 0;
    for (size_t i = 0; i < n; i++)
        t->observes |= snap_role(e[i].flags) == SNAP_OBSERVED;
    memcpy(t->entry, e, n * sizeof(*e));
    memcpy(&t->entry[n], &f->epoch, tail);
    return 0;
}

static bool
same_entries(const struct snap_view *v, uint32_t trust, const struct entry *e, size_t n)
{
    struct snap_trust t;
    if (snap_trust_get(v, trust, &t) < 0 || t.n != n)
        return false;
    return n == 0 || memcmp(((const struct snap_trust_rec *)t.entries)->entry, e, n * sizeof(*e)) == 0;
}

static int
set_new(struct snap_writer *w, const struct facts *f, const struct entry *e, size_t n, uint32_t *ret_trust,
        acd_err *err)
{
    uint32_t ref, uses;
    uint8_t key[SET_KEY];
    set_key(f->digest, e, n, key);
    int rc = record_new(w, f, e, n, &ref, err);
    if (rc == 0)
        rc = snap_arr_take(w, &w->work.roots.trust, ref, ret_trust, err);
    if (rc == 0)
        rc = snap_tab_put(w, &w->work.roots.trusts, key, SET_KEY, *ret_trust, 0, err);
    if (rc == 0)
        rc = snap_arr_set(w, &w->work.roots.trust_uses, *ret_trust, 0, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = snap_arr_add(w, &w->work.roots.ca_uses, e[i].ca, 1, &uses, err);
    return rc < 0 ? rc : young_add(w, *ret_trust, err);
}

static int
set_intern(struct snap_writer *w, const struct entry *e, size_t n, uint32_t *ret_trust, acd_err *err)
{
    struct facts facts;
    uint8_t key[SET_KEY];
    int rc = entries_facts(w, e, n, &facts, err);
    if (rc < 0)
        return rc;
    set_key(facts.digest, e, n, key);
    rc = snap_tab_get(w, &w->work.roots.trusts, key, SET_KEY, ret_trust, NULL, err);
    if (rc < 0 || (rc == 1 && same_entries(&w->work, *ret_trust, e, n)))
        return rc < 0 ? rc : 0;
    return set_new(w, &facts, e, n, ret_trust, err);
}

enum { LIST_KEY = 4096 };

/* The list as bytes, for the memory of lists seen in this transaction. 0: too long to be worth it. */
static size_t
list_key(const struct snap_ca_use *list, size_t n, char key[LIST_KEY])
{
    size_t len = 1;
    key[0] = 'L'; /* the empty list has a key too */
    for (size_t i = 0; i < n; i++) {
        if (list[i].id.len > SNAP_ID_MAX || len + list[i].id.len + 5 > LIST_KEY)
            return 0;
        key[len++] = (char)list[i].id.len;
        memcpy(key + len, &list[i].flags, 4);
        memcpy(key + len + 4, list[i].id.ptr, list[i].id.len);
        len += 4 + list[i].id.len;
    }
    return len;
}

int
snap_intern_trust(struct snap_writer *w, const struct snap_ca_use *list, size_t n, uint32_t *ret_trust,
                  acd_err *err)
{
    char key[LIST_KEY];
    struct entry entries[SNAP_TRUST_MAX];
    size_t count = 0;
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(w->open);
    if (w->failed)
        return w->failed;
    size_t len = list_key(list, n, key);
    void *seen = len ? map_find(&w->lists, slice_of(key, len)) : NULL;
    if (seen) {
        *ret_trust = (uint32_t)((uintptr_t)seen - 1);
        return 0;
    }
    int rc = list_resolve(w, list, n, entries, &count, err);
    if (rc == 0)
        rc = set_intern(w, entries, count, ret_trust, err);
    if (rc == 0 && len &&
        map_put(&w->lists, slice_of(key, len), (void *)((uintptr_t)*ret_trust + 1), NULL) < 0)
        rc = snap_fail(w, ACD_ENOMEM, err);
    return rc;
}

static int
index_drop(struct snap_writer *w, const struct snap_trust *t, acd_err *err)
{
    const struct snap_trust_rec *rec = t->entries;
    uint8_t key[SET_KEY];
    set_key(t->digest, (const struct entry *)rec->entry, t->n, key);
    int rc = snap_tab_del(w, &w->work.roots.trusts, key, SET_KEY, err);
    return rc == ACD_ENOENT ? snap_fail(w, ACD_ECORRUPT, err) : rc;
}

static int
set_free(struct snap_writer *w, uint32_t trust, acd_err *err)
{
    struct snap_trust t;
    uint32_t ref, uses;
    if (snap_trust_get(&w->work, trust, &t) < 0 ||
        !snap_arr_find(&w->work.space, &w->work.roots.trust, trust, &ref))
        return snap_fail(w, ACD_ECORRUPT, err);
    const struct snap_trust_rec *rec = t.entries;
    int rc = index_drop(w, &t, err);
    for (uint32_t i = 0; rc == 0 && i < t.n; i++)
        rc = snap_arr_add(w, &w->work.roots.ca_uses, rec->entry[i].ca, -1, &uses, err);
    if (rc < 0)
        return rc;
    snap_free_piece(w, ref);
    map_done(&w->lists); /* may name it */
    return snap_arr_release(w, &w->work.roots.trust, trust, err);
}

int
snap_trust_hold(struct snap_writer *w, uint32_t trust, int32_t delta, acd_err *err)
{
    uint32_t uses;
    int rc = snap_arr_add(w, &w->work.roots.trust_uses, trust, delta, &uses, err);
    return rc < 0 || uses > 0 ? rc : set_free(w, trust, err);
}

int
snap_trust_sweep(struct snap_writer *w, acd_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->nyoung; i++) {
        uint32_t ref, uses, trust = w->young[i];
        if (!snap_arr_find(&w->work.space, &w->work.roots.trust, trust, &ref) ||
            !snap_arr_find(&w->work.space, &w->work.roots.trust_uses, trust, &uses))
            return snap_fail(w, ACD_ECORRUPT, err);
        if (ref != 0 && !(ref & SNAP_FREE) && uses == 0)
            rc = set_free(w, trust, err);
    }
    w->nyoung = 0;
    return rc;
}

static int
set_renew(struct snap_writer *w, uint32_t trust, uint32_t old_ref, const struct snap_trust *t, acd_err *err)
{
    const struct snap_trust_rec *rec = t->entries;
    struct facts facts;
    uint8_t key[SET_KEY];
    uint32_t ref;
    int rc = entries_facts(w, (const struct entry *)rec->entry, t->n, &facts, err);
    if (rc < 0 || (memcmp(facts.digest, t->digest, 32) == 0 && facts.epoch == t->epoch))
        return rc;
    set_key(facts.digest, (const struct entry *)rec->entry, t->n, key);
    rc = index_drop(w, t, err);
    if (rc == 0)
        rc = record_new(w, &facts, (const struct entry *)rec->entry, t->n, &ref, err);
    if (rc == 0)
        rc = snap_arr_set(w, &w->work.roots.trust, trust, ref, err);
    if (rc == 0)
        rc = snap_tab_put(w, &w->work.roots.trusts, key, SET_KEY, trust, 0, err);
    if (rc == 0)
        snap_free_piece(w, old_ref);
    return rc;
}

int
snap_trust_renew(struct snap_writer *w, uint32_t ca, acd_err *err)
{
    int rc = 0;
    for (uint32_t trust = 0; rc == 0 && trust < w->work.roots.trust.n; trust++) {
        struct snap_trust t;
        uint32_t ref;
        if (!snap_arr_find(&w->work.space, &w->work.roots.trust, trust, &ref))
            return snap_fail(w, ACD_ECORRUPT, err);
        if (ref == 0 || (ref & SNAP_FREE))
            continue;
        if (snap_trust_get(&w->work, trust, &t) < 0)
            return snap_fail(w, ACD_ECORRUPT, err);
        const struct snap_trust_rec *rec = t.entries;
        for (uint32_t i = 0; i < t.n; i++)
            if (rec->entry[i].ca == ca) {
                rc = set_renew(w, trust, ref, &t, err);
                break;
            }
    }
    return rc;
}
