/* Which CAs may vouch for clients of a host, from the mapped image. */
#include <string.h>

#include "base/str.h"
#include "libanchord/edge_part.h"
#include "model/host.h"

#define PUBLIC __attribute__((visibility("default")))

enum { GROUP = 16 }; /* hosts of a batch that are brought to normal form at once */

_Static_assert(ACD_EDGE_HOST_MAX == LIMIT_HOST, "the public bound is ours");
_Static_assert((int)ACD_MATCH_EXACT == (int)SNAP_EXACT && (int)ACD_MATCH_WILDCARD == (int)SNAP_WILDCARD,
               "match kinds are passed on as they are");

/* True: *ret is in normal form. A name with an "xn--" label is, when it is associated as it stands:
 * associations are in normal form. Everything else goes through IDNA. */
static int
normal_form(const struct snap_view *v, acd_slice text, struct host *ret)
{
    struct snap_hit hit;
    if (!text.ptr)
        return ACD_EINVAL;
    if (host_fold(text, ret))
        return 0;
    if (ret->len > 0 && ret->name[0] != '*' && snap_host_find(v, ret->name, ret->len, &hit) == 1)
        return 0;
    return host_parse(text, ret, NULL);
}

int
edge_find(const struct snap_view *v, const char *product, acd_slice text, struct host *host,
          struct snap_hit *ret)
{
    bool shared = !product || !product[0];
    int rc = shared || strcmp(product, "access") == 0 ? normal_form(v, text, host) : ACD_ENOTSUP;
    if (rc == 0)
        rc = shared ? snap_lookup(v, host->name, host->len, ret)
                    : snap_names_lookup(v, SNAP_NAMES_ACCESS, host->name, host->len, ret);
    return rc < 0 ? rc : 0;
}

static void
answer_none(acd_edge_answer *a, int status)
{
    a->status = status;
    a->match = ACD_MATCH_NONE;
    a->stale = 0;
    a->set = 0;
    a->cas = 0;
    a->zone_id = a->digest = (acd_slice){NULL, 0};
    a->revision = 0;
    a->age_ms = 0;
    a->view = NULL;
    a->host[0] = a->pattern[0] = '\0';
}

static void
pattern_put(acd_edge_answer *a, const struct host *host)
{
    const char *from = host->name;
    char *to = a->pattern;
    if (a->match == ACD_MATCH_NONE) {
        *to = '\0';
        return;
    }
    if (a->match == ACD_MATCH_WILDCARD) {
        from = strchr(host->name, '.');
        *to++ = '*';
    }
    memcpy(to, from, host->len - (size_t)(from - host->name) + 1);
}

/* found: what the look-up said. */
static void
answer_put(acd_edge_answer *a, const struct edge_now *now, const struct host *host, int found,
           const struct snap_hit *hit)
{
    struct snap_trust trust = {0};
    struct snap_zone zone = {0};
    int rc = found < 0 ? found : 0;
    if (rc == 0 && hit->match != SNAP_NONE) {
        rc = snap_trust_get(now->view, hit->trust, &trust);
        if (rc == 0)
            rc = snap_zone_get(now->view, hit->zone, &zone);
    }
    if (rc < 0) {
        answer_none(a,
                    rc == ACD_ENOENT ? ACD_ECORRUPT : rc); /* a host leads to both, or the image is damaged */
        return;
    }
    a->status = 0;
    a->match = (int)hit->match;
    a->stale = now->stale;
    a->set = hit->trust;
    a->cas = trust.n;
    a->zone_id = zone.id;
    a->digest = (acd_slice){trust.digest, trust.digest ? 32 : 0};
    a->revision = snap_view_revision(now->view);
    a->age_ms = now->age_ms;
    a->view = now->view;
    memcpy(a->host, host->name, host->len + 1);
    pattern_put(a, host);
}

PUBLIC int
acd_edge_lookup(acd_edge_reader *reader, acd_slice host, int64_t at_ms, acd_edge_answer *ret_answer)
{
    return acd_edge_lookup_product(reader, NULL, host, at_ms, ret_answer);
}

PUBLIC int
acd_edge_lookup_product(acd_edge_reader *reader, const char *product, acd_slice host, int64_t at_ms,
                        acd_edge_answer *ret_answer)
{
    struct edge_now now;
    struct snap_hit hit = {0};
    struct host name;
    int rc = edge_now(reader, at_ms, &now);
    if (rc == 0)
        rc = edge_find(now.view, product, host, &name, &hit);
    if (rc < 0)
        answer_none(ret_answer, rc);
    else
        answer_put(ret_answer, &now, &name, 0, &hit);
    return ret_answer->status;
}

static void
group_run(const struct edge_now *now, const acd_slice *hosts, size_t n, acd_edge_answer *answers)
{
    struct host names[GROUP];
    acd_slice keys[GROUP];
    struct snap_hit hits[GROUP];
    int rc[GROUP], found[GROUP];
    for (size_t i = 0; i < n; i++) {
        rc[i] = normal_form(now->view, hosts[i], &names[i]);
        keys[i] = slice_of(names[i].name, rc[i] < 0 ? 0 : names[i].len);
    }
    (void)snap_lookup_batch(now->view, keys, n, hits, found);
    for (size_t i = 0; i < n; i++) {
        if (rc[i] < 0)
            answer_none(&answers[i], rc[i]);
        else
            answer_put(&answers[i], now, &names[i], found[i], &hits[i]);
    }
}

PUBLIC int
acd_edge_lookup_batch(acd_edge_reader *reader, const acd_slice *hosts, size_t n, int64_t at_ms,
                      acd_edge_answer *ret_answers)
{
    struct edge_now now;
    int rc = edge_now(reader, at_ms, &now);
    for (size_t i = 0; rc < 0 && i < n; i++)
        answer_none(&ret_answers[i], rc);
    for (size_t i = 0; rc == 0 && i < n; i += GROUP)
        group_run(&now, hosts + i, n - i < GROUP ? n - i : GROUP, ret_answers + i);
    return rc;
}

static enum acd_ca_role
role_of(uint32_t flags)
{
    switch (snap_role(flags)) {
    case SNAP_DECIDES:
        return ACD_CA_DECIDES;
    case SNAP_OBSERVED:
        return ACD_CA_OBSERVED;
    default:
        return ACD_CA_HELPS;
    }
}

PUBLIC int
acd_edge_get_ca(acd_edge_reader *reader, const acd_edge_answer *answer, size_t i, acd_edge_ca *ret_ca)
{
    const struct snap_view *v = atomic_load_explicit(&reader->held, memory_order_relaxed);
    struct snap_trust trust;
    struct snap_ca ca;
    uint32_t flags;
    CHECK_MAGIC(reader, EDGE_READER_MAGIC);
    if (reader->depth == 0 || (answer->view && answer->view != v))
        return ACD_EPRECOND;
    if (i >= answer->cas)
        return ACD_ENOENT;
    int rc = snap_trust_get(v, answer->set, &trust);
    if (rc == 0)
        rc = i < trust.n ? snap_trust_ca(v, &trust, (uint32_t)i, &ca, &flags) : ACD_ENOENT;
    if (rc < 0)
        return rc;
    *ret_ca = (acd_edge_ca){.id = ca.id,
                            .subject = ca.subject,
                            .sha256 = {ca.sha256, 32},
                            .der = ca.der,
                            .not_before_ms = ca.not_before_ms,
                            .not_after_ms = ca.not_after_ms,
                            .index = ca.index,
                            .profile = (int)ca.profile,
                            .helper = (int)role_of(flags)};
    return 0;
}
