#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/main.h"
#include "model/collections.h"
#include "plug/load.h"
#include "plug/registry.h"

int64_t rig_wall_ms;
unsigned rig_published;
struct rpc_call rig_call;
bool rig_dry, rig_force;
const char *const *rig_meta;
const char *rig_remote;

static int64_t
fake_wall(const struct clock *c)
{
    (void)c;
    return rig_wall_ms;
}

static uint64_t
real_mono(const struct clock *c)
{
    (void)c;
    return clock_mono_ns(&clock_system);
}

static const struct clock fake_clock = {fake_wall, real_mono};
static struct plug_registry *plugins;
static struct core *core;
static struct keyring *keyring;
static char folder[64];
char rig_key_file[96];
static struct rpc_table table;
static struct mem_region region;
static acd_err problem = ACD_ERR_INIT;

void (*rig_on_publish)(struct plug_session *s, const struct change_set *set);

static void
publish(void *ctx, struct plug_session *s, const struct change_set *set, uint64_t revision)
{
    (void)ctx;
    (void)revision;
    rig_published++;
    if (rig_on_publish)
        rig_on_publish(s, set);
}

static void
start(const struct keyring_opts *keys)
{
    ck_assert_int_eq(keyring_open(keys, &keyring, &problem), 0);
    const struct core_deps deps = {
        .storage = plug_registry_storage(plugins),
        .quota = plug_registry_quota(plugins),
        .validator = plug_registry_validator(plugins, 0),
        .keyring = keyring,
        .client_certs = 3,
        .clock = &fake_clock,
        .publish = publish,
    };
    ck_assert_int_eq(core_new(&deps, &core, &problem), 0);
    ck_assert_int_eq(rpc_table_init(&table, &fake_clock), 0);
    ck_assert_int_eq(core_bind(core, &table, &problem), 0);
}

static void
stop(void)
{
    rpc_table_done(&table);
    core_free(core);
    keyring_free(keyring);
}

void
rig_restart(const struct keyring_opts *keys)
{
    stop();
    start(keys);
}

struct plug_storage *
rig_storage(void)
{
    return plug_registry_storage(plugins);
}

struct core *
rig_core(void)
{
    return core;
}

void
rig_setup(void)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } wanted[] = {
        {"storage-memory", ACD_STORAGE}, {"quota-pool", ACD_QUOTA}, {"validator-openssl", ACD_VALIDATOR}};
    char path[3][512];
    struct plug_spec specs[3] = {0};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path[i], sizeof(path[i]), "%s/%s.so", getenv("ANCHORD_PLUGINS"), wanted[i].name);
        specs[i] = (struct plug_spec){.kind = wanted[i].kind, .path = path[i]};
    }
    const struct plug_registry_opts opts = {.env = {.clock = &fake_clock, .flags = PLUG_BUILD_TREE}};
    ck_assert_msg(plug_registry_open(specs, 3, &opts, &plugins, &problem) == 0, "%s", problem.text);
    struct plug_storage *storage = plug_registry_storage(plugins);
    ck_assert_int_eq(
        plug_storage_schema(storage, collections, COLLECTIONS, COLLECTIONS_VERSION, COLL_PLUGIN, &problem),
        0);
    (void)snprintf(folder, sizeof(folder), "/tmp/anchord-core-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(rig_key_file, sizeof(rig_key_file), "%s/anchord.key", folder);
    rig_wall_ms = 1800000000000;
    rig_published = 0;
    rig_meta = NULL;
    rig_remote = NULL;
    rig_on_publish = NULL;
    mem_init(&region, 4096, LIMIT_REGION);
    start(&(struct keyring_opts){.own = rig_key_file});
}

void
rig_teardown(void)
{
    stop();
    (void)unlink(rig_key_file);
    (void)rmdir(folder);
    plug_registry_close(plugins);
    mem_done(&region);
}

void
rig_put(enum collection coll, const acd_value *row)
{
    struct plug_session *s;
    ck_assert_int_eq(plug_session_open(plug_registry_storage(plugins), &s, &problem), 0);
    ck_assert_int_eq(plug_begin(s, true, 0, &problem), 0);
    ck_assert_msg(plug_put(s, coll, row, collections[coll].ncols, ACD_REV_ANY, &problem) == 0, "%s",
                  problem.text);
    ck_assert_int_eq(plug_commit(s, &problem), 0);
    plug_session_close(s);
}

struct rpc_table *
rig_table(void)
{
    return &table;
}

const void *
rig_invoke(uint32_t uid, const char *key, const char *method, const void *req)
{
    static uint8_t raw[262144];
    static struct rpc_peer peer;
    char full[LIMIT_METHOD];
    peer =
        (struct rpc_peer){.transport = rig_remote ? RPC_TCP : RPC_IPC, .uid_known = !rig_remote, .uid = uid};
    if (rig_remote)
        (void)snprintf(peer.remote, sizeof(peer.remote), "%s", rig_remote);
    (void)snprintf(full, sizeof(full), "anchord.v1.%s", method);
    struct frame_call f = {.method = slice_str(full),
                           .request_id = SLICE_LIT("r"),
                           .idem_key = slice_str(key),
                           .body = req,
                           .dry_run = rig_dry,
                           .force = rig_force};
    for (const char *const *m = rig_meta; m && m[0]; m += 2)
        f.meta[f.n_meta++] = (struct frame_meta){slice_str(m[0]), slice_str(m[1])};
    size_t n = frame_call_size(&f);
    ck_assert_uint_le(n, sizeof(raw));
    frame_call_write(&f, raw);
    mem_reset(&region);
    rig_call = (struct rpc_call){.region = &region};
    ck_assert_int_eq(rpc_admit(&table, slice_of(raw, n), &peer, &rig_call), 0);
    rpc_run(&table, &rig_call);
    return rig_call.status < 0 ? NULL : rig_call.reply.body;
}
