#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include "lib/main.h"

struct fake fake;

static void
say(const char *word)
{
    strncat(fake.log, word, sizeof(fake.log) - strlen(fake.log) - 1);
}

static int
create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    (void)vals;
    (void)n;
    (void)err;
    say("create ");
    fake.host = host;
    *ret = &fake;
    return fake.create_rc;
}

static int
start(void *inst, acd_err *err)
{
    (void)inst;
    (void)err;
    say("start ");
    return fake.start_rc;
}

static int
health(void *inst, acd_err *err)
{
    (void)inst;
    (void)err;
    return fake.health_rc;
}

static int
quiesce(void *inst, uint64_t deadline_ns)
{
    (void)inst;
    ck_assert_uint_gt(deadline_ns, 0);
    say("quiesce ");
    return fake.quiesce_rc;
}

static void
destroy(void *inst)
{
    ck_assert_ptr_eq(inst, &fake);
    say("destroy ");
}

static int
call(void)
{
    int now = atomic_fetch_add(&fake.inside, 1) + 1, most = atomic_load(&fake.together);
    while (now > most && !atomic_compare_exchange_weak(&fake.together, &most, now))
        ;
    if (fake.in_call)
        fake.in_call();
    atomic_fetch_sub(&fake.inside, 1);
    return fake.call_rc;
}

static int
reserve(void *inst, const acd_quota_req *req, acd_txn *txn, acd_quota_grant *ret, acd_err *err)
{
    (void)inst;
    (void)req;
    (void)txn;
    (void)ret;
    (void)err;
    return call();
}

static int
release(void *inst, const acd_quota_req *req, acd_txn *txn, acd_err *err)
{
    (void)inst;
    (void)req;
    (void)txn;
    (void)err;
    return call();
}

static int
usage(void *inst, acd_slice account, acd_txn *txn, acd_quota_fn fn, void *ctx, acd_err *err)
{
    (void)inst;
    (void)account;
    (void)txn;
    (void)fn;
    (void)ctx;
    (void)err;
    return call();
}

static int
set_limit(void *inst, acd_slice account, acd_slice pool, int64_t limit, acd_txn *txn, acd_err *err)
{
    (void)inst;
    (void)account;
    (void)pool;
    (void)limit;
    (void)txn;
    (void)err;
    return call();
}

static const acd_quota_ops ops = {.struct_size = sizeof(ops),
                                  .reserve = reserve,
                                  .release = release,
                                  .usage = usage,
                                  .set_limit = set_limit};

acd_plugin
fake_desc(uint32_t thread)
{
    return (acd_plugin){.struct_size = sizeof(acd_plugin),
                        .major = ACD_PLUGIN_MAJOR,
                        .kind = ACD_QUOTA,
                        .thread = thread,
                        .name = "fake",
                        .version = "1",
                        .build_id = "",
                        .summary = "",
                        .create = create,
                        .start = start,
                        .health = health,
                        .quiesce = quiesce,
                        .destroy = destroy,
                        .ops = &ops};
}

struct plug *
fake_plug(const acd_plugin *desc, const struct plug_env *env)
{
    struct plug_env none = {0};
    struct plug *p = NULL;
    ck_assert_int_eq(plug_new(ACD_QUOTA, "linked in", desc, env ? env : &none, &p, NULL), 0);
    return p;
}

struct plug *
fake_started(const acd_plugin *desc)
{
    struct plug *p = fake_plug(desc, NULL);
    ck_assert_int_eq(plug_open(p, NULL), 0);
    ck_assert_int_eq(plug_configure(p, NULL, 0, NULL), 0);
    ck_assert_int_eq(plug_create(p, NULL), 0);
    ck_assert_int_eq(plug_start(p, NULL), 0);
    return p;
}
