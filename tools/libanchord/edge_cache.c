#include "libanchord/edge_cache.h"

#include <string.h>

#include "eval/verdict.h"

_Static_assert(sizeof(((struct edge_kept *)0)->error) == sizeof(((acd_verdict *)0)->error), "same room");
_Static_assert(sizeof(((struct edge_kept *)0)->text) == sizeof(((acd_verdict *)0)->text), "same room");

int
edge_cache_new(size_t max, struct edge_cache **ret, acd_err *err)
{
    struct verdict_cache *c;
    int rc = verdict_cache_new(max, &c, err);
    if (rc == 0)
        *ret = (struct edge_cache *)c;
    return rc;
}

void
edge_cache_free(struct edge_cache *c)
{
    verdict_cache_free((struct verdict_cache *)c);
}

static struct verdict_key
key_of(const uint8_t *chain, const uint8_t *trust, uint64_t epoch)
{
    struct verdict_key key = {.purpose = ACD_PURPOSE_CLIENT, .epoch = epoch};
    memcpy(key.chain, chain, sizeof(key.chain));
    memcpy(key.trust, trust, sizeof(key.trust));
    return key;
}

bool
edge_cache_find(struct edge_cache *c, const uint8_t chain[32], const uint8_t trust[32], uint64_t epoch,
                int64_t at_ms, struct edge_kept *ret)
{
    struct verdict_key key = key_of(chain, trust, epoch);
    acd_verdict v;
    if (!verdict_find((struct verdict_cache *)c, &key, at_ms, &v))
        return false;
    ret->verified = v.result == ACD_VERIFIED;
    ret->revoked = (v.flags & ACD_VERDICT_REVOKED) != 0;
    ret->depth = v.depth;
    ret->anchor = v.anchor;
    ret->from_ms = v.valid_from_ms;
    ret->until_ms = v.valid_until_ms;
    memcpy(ret->error, v.error, sizeof(ret->error));
    memcpy(ret->text, v.text, sizeof(ret->text));
    return true;
}

void
edge_cache_put(struct edge_cache *c, const uint8_t chain[32], const uint8_t trust[32], uint64_t epoch,
               const struct edge_kept *k)
{
    struct verdict_key key = key_of(chain, trust, epoch);
    acd_verdict v = {
        .struct_size = sizeof(v),
        .result = k->verified ? ACD_VERIFIED : ACD_NOT_VERIFIED,
        .depth = k->depth,
        .anchor = k->anchor,
        .flags = k->revoked ? ACD_VERDICT_REVOKED : 0,
        .valid_from_ms = k->from_ms,
        .valid_until_ms = k->until_ms,
    };
    memcpy(v.error, k->error, sizeof(v.error));
    memcpy(v.text, k->text, sizeof(v.text));
    verdict_put((struct verdict_cache *)c, &key, &v);
}
