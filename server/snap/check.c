/* The whole image, read and cross-checked: what counts say must be what a walk finds. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "snap/arr.h"

static int
bad(acd_err *err, const char *what)
{
    return err_set(err, ACD_ECORRUPT, "image is damaged: %s", what);
}

/* Counts one use of `of`, which must be a number of the array that n bounds. */
static bool
use(uint32_t *uses, uint32_t n, uint32_t of)
{
    if (of >= n)
        return false;
    uses[of]++;
    return true;
}

static int
hosts_check(const struct snap_view *v, uint32_t *zone_uses, uint32_t *trust_uses, acd_err *err)
{
    struct snap_cursor at = {0};
    struct snap_host host;
    struct snap_hit hit;
    uint64_t n = 0, wildcards = 0;
    int rc;
    while ((rc = snap_host_next(v, &at, &host)) == 1) {
        if (!use(zone_uses, v->roots.zone.n, host.zone) || !use(trust_uses, v->roots.trust.n, host.trust))
            return bad(err, "a host leads nowhere");
        if (snap_host_find(v, host.name.ptr, host.name.len, &hit) != 1 || hit.zone != host.zone)
            return bad(err, "a host is in a wrong place");
        wildcards += *(const char *)host.name.ptr == '*';
        n++;
    }
    if (rc < 0 || n != v->roots.hosts.count || wildcards != v->roots.wildcards)
        return bad(err, "hosts");
    return 0;
}

static int
counts_check(const struct snap_view *v, const struct snap_arr *a, const uint32_t *uses, uint32_t n,
             acd_err *err)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t count;
        if (!snap_arr_find(&v->space, a, i, &count) || count != uses[i])
            return bad(err, "use counts");
    }
    return 0;
}

static int
trusts_check(const struct snap_view *v, const uint32_t *uses, uint32_t *ca_uses, acd_err *err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < v->roots.trust.n; i++) {
        struct snap_trust t;
        int rc = snap_trust_get(v, i, &t);
        if (rc == ACD_ENOENT && uses[i] == 0)
            continue;
        if (rc < 0)
            return bad(err, "a trust set");
        bool observes = false;
        for (uint32_t k = 0; k < t.n; k++) {
            struct snap_ca ca;
            uint32_t flags;
            if (snap_trust_ca(v, &t, k, &ca, &flags) < 0 ||
                !use(ca_uses, v->roots.ca.n, ((const struct snap_trust_rec *)t.entries)->entry[k].ca))
                return bad(err, "a trust set's certificate");
            observes |=
                snap_role(((const struct snap_trust_rec *)t.entries)->entry[k].flags) == SNAP_OBSERVED;
        }
        if (observes != t.observes)
            return bad(err, "what a trust set observes");
        n++;
    }
    return n == v->roots.trusts.count ? 0 : bad(err, "trust sets");
}

static int
zones_check(const struct snap_view *v, const uint32_t *uses, acd_err *err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < v->roots.zone.n; i++) {
        struct snap_zone z;
        uint32_t number;
        int rc = snap_zone_get(v, i, &z);
        if (rc == ACD_ENOENT && uses[i] == 0)
            continue;
        if (rc < 0 || snap_zone_find(v, z.id, &number) < 0 || number != i)
            return bad(err, "a zone");
        n++;
    }
    return n == v->roots.zones.count ? 0 : bad(err, "zones");
}

static int
cas_check(const struct snap_view *v, acd_err *err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < v->roots.ca.n; i++) {
        struct snap_ca ca;
        uint32_t number;
        int rc = snap_ca_get(v, i, &ca);
        if (rc == ACD_ENOENT)
            continue;
        if (rc < 0 || snap_ca_find(v, ca.id, ca.index, &number) < 0 || number != i)
            return bad(err, "a certificate");
        n++;
    }
    return n == v->roots.cas.count ? 0 : bad(err, "certificates");
}

static int
blobs_check(const struct snap_view *v, acd_err *err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < v->roots.blob.n; i++) {
        uint32_t ref, len;
        acd_slice value;
        if (!snap_arr_find(&v->space, &v->roots.blob, i, &ref))
            return bad(err, "blobs");
        if (ref == 0 || (ref & SNAP_FREE))
            continue;
        const struct snap_blob_rec *b = snap_record_at(&v->space, ref, SNAP_K_BLOB, sizeof(*b), &len);
        if (!b || b->key_len > len - sizeof(*b) ||
            snap_blob_find(v, b->kind, (acd_slice){b->bytes, b->key_len}, &value) < 0)
            return bad(err, "a blob");
        n++;
    }
    return n == v->roots.blobs.count ? 0 : bad(err, "blobs");
}

int
snap_view_check(const struct snap_view *v, acd_err *err)
{
    const struct snap_roots *r = &v->roots;
    const uint64_t most = v->space.end / sizeof(uint32_t);
    if (r->zone.n > most || r->trust.n > most || r->ca.n > most || r->blob.n > most)
        return bad(err, "numbers");
    uint32_t *zone_uses = calloc((size_t)r->zone.n + 1, sizeof(*zone_uses));
    uint32_t *trust_uses = calloc((size_t)r->trust.n + 1, sizeof(*trust_uses));
    uint32_t *ca_uses = calloc((size_t)r->ca.n + 1, sizeof(*ca_uses));
    int rc = zone_uses && trust_uses && ca_uses ? hosts_check(v, zone_uses, trust_uses, err)
                                                : err_set(err, ACD_ENOMEM, "out of memory");
    if (rc == 0)
        rc = trusts_check(v, trust_uses, ca_uses, err);
    if (rc == 0)
        rc = zones_check(v, zone_uses, err);
    if (rc == 0)
        rc = counts_check(v, &r->zone_uses, zone_uses, r->zone.n, err);
    if (rc == 0)
        rc = counts_check(v, &r->trust_uses, trust_uses, r->trust.n, err);
    if (rc == 0)
        rc = counts_check(v, &r->ca_uses, ca_uses, r->ca.n, err);
    if (rc == 0)
        rc = cas_check(v, err);
    if (rc == 0)
        rc = blobs_check(v, err);
    free(zone_uses);
    free(trust_uses);
    free(ca_uses);
    return rc;
}
