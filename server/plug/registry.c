#include "plug/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "plug/quota.h"
#include "plug/storage.h"
#include "plug/validator.h"

struct plug_registry {
    struct plug *plugs[PLUG_REGISTRY_MAX]; /* in the order of start */
    size_t n;
    struct plug_storage storage;
    struct plug_quota quota;
    struct plug_validator validators[PLUG_REGISTRY_MAX];
    size_t nvalidators;
    bool edge;
};

static const uint32_t start_order[] = {ACD_STORAGE, ACD_QUOTA, ACD_VALIDATOR};
enum { KINDS = sizeof(start_order) / sizeof(start_order[0]) };

static int
catalog_check(const struct plug_spec *specs, size_t n, bool edge, acd_err *err)
{
    size_t have[KINDS + 1] = {0};
    if (n > PLUG_REGISTRY_MAX)
        return err_set(err, ACD_ELIMIT, "%zu plugins, at most %u", n, PLUG_REGISTRY_MAX);
    for (size_t i = 0; i < n; i++) {
        if (specs[i].kind < ACD_STORAGE || specs[i].kind > ACD_QUOTA)
            return err_set(err, ACD_EINVAL, "%s: unknown kind %u of plugin", specs[i].path, specs[i].kind);
        have[specs[i].kind]++;
    }
    size_t want = edge ? 0 : 1;
    if (have[ACD_STORAGE] != want || have[ACD_QUOTA] != want)
        return err_set(err, ACD_EINVAL, "%zu storage and %zu quota plugins, exactly %zu of each expected",
                       have[ACD_STORAGE], have[ACD_QUOTA], want);
    if (have[ACD_VALIDATOR] == 0)
        return err_set(err, ACD_EINVAL, "no validator plugin, one at least expected");
    return 0;
}

static int
add(struct plug_registry *r, const struct plug_spec *spec, const struct plug_env *env, acd_err *err)
{
    struct plug *p;
    int rc = plug_new(spec->kind, spec->path, spec->desc, env, &p, err);
    if (rc < 0)
        return rc;
    r->plugs[r->n++] = p;
    rc = plug_open(p, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i + 1 < r->n; i++)
        if (strcmp(plug_name(r->plugs[i]), plug_name(p)) == 0)
            return err_set(err, ACD_EINVAL, "%s: a plugin %s is loaded already", spec->path, plug_name(p));
    return plug_configure(p, spec->pairs, spec->npairs, err);
}

static int
load_all(const struct plug_spec *specs, size_t n, const struct plug_registry_opts *opts,
         struct plug_registry **ret, acd_err *err)
{
    int rc = catalog_check(specs, n, opts->edge, err);
    if (rc < 0)
        return rc;
    struct plug_registry *r = calloc(1, sizeof(*r));
    if (!r)
        return err_set(err, ACD_ENOMEM, "out of memory");
    r->edge = opts->edge;
    for (size_t k = 0; k < KINDS && rc == 0; k++)
        for (size_t i = 0; i < n && rc == 0; i++)
            if (specs[i].kind == start_order[k])
                rc = add(r, &specs[i], &opts->env, err);
    if (rc < 0) {
        plug_registry_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

static void
facades_init(struct plug_registry *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct plug *p = r->plugs[i];
        if (p->kind == ACD_STORAGE)
            plug_storage_init(&r->storage, p);
        else if (p->kind == ACD_QUOTA)
            plug_quota_init(&r->quota, p);
        else
            plug_validator_init(&r->validators[r->nvalidators++], p);
    }
}

int
plug_registry_open(const struct plug_spec *specs, size_t n, const struct plug_registry_opts *opts,
                   struct plug_registry **ret, acd_err *err)
{
    struct plug_registry *r;
    int rc = load_all(specs, n, opts, &r, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < r->n && rc == 0; i++)
        rc = plug_create(r->plugs[i], err);
    for (size_t i = 0; i < r->n && rc == 0; i++)
        rc = plug_start(r->plugs[i], err);
    if (rc < 0) {
        plug_registry_close(r);
        return rc;
    }
    facades_init(r);
    *ret = r;
    return 0;
}

int
plug_registry_check(const struct plug_spec *specs, size_t n, const struct plug_registry_opts *opts,
                    acd_err *err)
{
    struct plug_registry *r;
    int rc = load_all(specs, n, opts, &r, err);
    if (rc == 0)
        plug_registry_close(r);
    return rc;
}

void
plug_registry_close(struct plug_registry *r)
{
    if (!r)
        return;
    while (r->n)
        plug_free(r->plugs[--r->n]);
    free(r);
}

struct plug_storage *
plug_registry_storage(struct plug_registry *r)
{
    return r->edge ? NULL : &r->storage;
}

struct plug_quota *
plug_registry_quota(struct plug_registry *r)
{
    return r->edge ? NULL : &r->quota;
}

struct plug_validator *
plug_registry_validator(struct plug_registry *r, size_t i)
{
    return i < r->nvalidators ? &r->validators[i] : NULL;
}

static uint64_t
load(const atomic_ullong *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

bool
plug_registry_info(const struct plug_registry *r, size_t i, struct plug_info *ret)
{
    if (i >= r->n)
        return false;
    const struct plug *p = r->plugs[i];
    *ret = (struct plug_info){
        .name = p->desc->name,
        .version = p->desc->version,
        .summary = p->desc->summary,
        .path = p->path,
        .state = plug_state_name(plug_state(p)),
        .kind = p->kind,
        .major = p->desc->major,
        .minor = p->desc->minor,
        .calls = load(&p->guard.calls),
        .failures = load(&p->guard.failures),
        .late = load(&p->guard.late),
        .strange = load(&p->guard.strange),
    };
    return true;
}

int
plug_registry_health(struct plug_registry *r, acd_err *err)
{
    int first = 0;
    for (size_t i = 0; i < r->n; i++) {
        acd_err own = ACD_ERR_INIT;
        int rc = plug_health(r->plugs[i], &own);
        if (rc < 0 && first == 0) {
            first = rc;
            (void)err_set(err, rc, "%s", err_text(&own, rc));
        }
    }
    return first;
}
