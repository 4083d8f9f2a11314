/* Helpers of the snapshot tests: a writer with some content, short forms of the calls. */
#ifndef TESTS_UNIT_SNAP_FIX_H
#define TESTS_UNIT_SNAP_FIX_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "lib/main.h"
#include "model/digest.h"
#include "snap/diff.h"
#include "snap/open.h"
#include "snap/writer.h"

#define OK(expr)                                                        \
    do {                                                                \
        int rc_ = (expr);                                               \
        ck_assert_msg(rc_ >= 0, "%s: %d %s", #expr, rc_, fix_err.text); \
    } while (0)

static acd_err fix_err __attribute__((unused)) = ACD_ERR_INIT;

/* The slow suite runs the same tests to a greater depth. */
static inline bool
fix_slow(void)
{
    return getenv("TEST_SLOW") != NULL;
}

static inline void
fix_ca(struct snap_writer *w, const char *id, uint32_t index, const char *der, uint32_t profile,
       uint32_t flags)
{
    uint8_t sha[32];
    digest_sha256(der, strlen(der), sha);
    struct snap_ca ca = {.id = slice_str(id),
                         .index = index,
                         .sha256 = sha,
                         .subject = slice_str("CN=test"),
                         .der = slice_str(der),
                         .not_before_ms = 1,
                         .not_after_ms = 2,
                         .profile = profile,
                         .flags = flags};
    OK(snap_put_ca(w, &ca, &fix_err));
}

static inline void
fix_zone(struct snap_writer *w, const char *id)
{
    OK(snap_put_zone(w, slice_str(id), slice_str("account"), slice_str("example.com"), &fix_err));
}

/* cas: ids in one string, one letter each. */
static inline int
fix_host(struct snap_writer *w, const char *host, const char *zone, const char *cas)
{
    struct snap_ca_use list[32];
    size_t n = strlen(cas);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct snap_ca_use){{cas + i, 1}, 0};
    return snap_put_host(w, slice_str(host), slice_str(zone), list, n, &fix_err);
}

static inline const struct snap_view *
fix_commit(struct snap_writer *w, uint64_t revision)
{
    struct snap_view *v;
    OK(snap_commit(w, revision, 1000, &v, &fix_err));
    snap_view_unref(v); /* the writer holds it */
    return snap_writer_view(w);
}

static inline struct snap_writer *
fix_open(const char *path)
{
    struct snap_writer *w;
    struct snap_writer_opts o = {.path = path, .epoch = 7, .garbage_min = 1 << 16};
    OK(snap_writer_open(&o, &w, &fix_err));
    return w;
}

/* The ids of the host's CAs as one string of letters; NULL: no such host. */
static inline const char *
fix_ask(const struct snap_view *v, const char *host, char out[64])
{
    struct snap_hit hit;
    struct snap_trust t;
    int rc = snap_lookup(v, host, strlen(host), &hit);
    ck_assert_int_ge(rc, 0);
    if (rc == 0)
        return NULL;
    ck_assert_int_eq(snap_trust_get(v, hit.trust, &t), 0);
    ck_assert_uint_lt(t.n, 63);
    for (uint32_t i = 0; i < t.n; i++) {
        struct snap_ca ca;
        uint32_t flags;
        ck_assert_int_eq(snap_trust_ca(v, &t, i, &ca, &flags), 0);
        out[i] = *(const char *)ca.id.ptr;
    }
    out[t.n] = '\0';
    return out;
}

static inline void
fix_temp(char path[64])
{
    snprintf(path, 64, "/tmp/snap-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
    strcat(path, "/image");
}

static inline void
fix_temp_done(const char *path)
{
    char name[128];
    static const char *const ends[] = {"", ".lock", ".new", ".compact"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    snprintf(name, sizeof(name), "%.*s", (int)(strrchr(path, '/') - path), path);
    ck_assert_int_eq(rmdir(name), 0);
}

#endif
