/*
 * Order of start: lock -> plugins -> schema -> snapshot -> wrapping keys -> core, query -> methods -> bus.
 * Nothing listens before everything that answers is there; what was started is stopped in reverse order.
 */
#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "core/authz.h"
#include "daemon/parts.h"
#include "model/collections.h"

/* --- parts ------------------------------------------------------------------------------------------------
 */

/* Two servers on one directory would fight over its socket and its image. */
static int
lock_data(struct server *s, acd_err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/anchord.lock", s->data) >= (int)sizeof(path))
        return err_set(err, ACD_EINVAL, "data directory: path is too long");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ACD_EBUSY, "%s is in use by another anchord", s->data);
    return 0;
}

static int
start_plugins(struct server *s, acd_err *err)
{
    struct plugin_specs *specs = calloc(1, sizeof(*specs));
    if (!specs)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = parts_plugins(s->conf, s->data, specs, err);
    const struct plug_registry_opts opts = {.env = {.clock = &clock_system, .flags = specs->flags}};
    if (rc == 0)
        rc = plug_registry_open(specs->spec, 3, &opts, &s->plugins, err);
    free(specs);
    if (rc < 0)
        return rc;
    struct plug_storage *storage = plug_registry_storage(s->plugins);
    rc = plug_storage_schema(storage, collections, COLLECTIONS, COLLECTIONS_VERSION, COLL_PLUGIN, err);
    return rc < 0 ? rc : plug_session_open(storage, &s->heal_session, err);
}

static int
start_snapshot(struct server *s, acd_err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/anchord.image", s->data) >= (int)sizeof(path))
        return err_set(err, ACD_EINVAL, "data directory: path is too long");
    const struct publisher_opts opts = {
        .path = s->conf->snapshot.image ? path : NULL,
        .pub = &s->pub,
        .clock = &clock_system,
    };
    int rc = publisher_new(&opts, &s->publisher, err);
    return rc < 0 ? rc : publisher_start(s->publisher, s->heal_session, err);
}

static void
publish(void *ctx, struct plug_session *session, const struct change_set *set, uint64_t revision)
{
    struct server *s = ctx;
    publisher_apply(s->publisher, session, set, revision);
}

static int
start_keys(struct server *s, acd_err *err)
{
    char own[PATH_MAX];
    const struct conf *c = s->conf;
    if (snprintf(own, sizeof(own), "%s/anchord.key", s->data) >= (int)sizeof(own))
        return err_set(err, ACD_EINVAL, "data directory: path is too long");
    const struct keyring_opts opts = {
        .file = c->keys.file,
        .credential = c->keys.credential,
        .env = c->keys.env,
        .own = own,
        .old = (const char *const *)c->keys.old.items,
        .nold = c->keys.old.n,
    };
    return keyring_open(&opts, &s->keyring, err);
}

static int
start_services(struct server *s, acd_err *err)
{
    const struct core_deps core = {
        .storage = plug_registry_storage(s->plugins),
        .quota = plug_registry_quota(s->plugins),
        .validator = plug_registry_validator(s->plugins, 0),
        .keyring = s->keyring,
        .client_certs = (uint32_t)s->conf->limits.client_certs,
        .clock = &clock_system,
        .publish = publish,
        .publish_ctx = s,
    };
    const struct query_deps query = {
        .pub = &s->pub,
        .validator = core.validator,
        .clock = &clock_system,
        .verdicts = (size_t)s->conf->cache.verdicts,
        .bundles = (size_t)s->conf->cache.bundles,
        .rules = (size_t)s->conf->cache.rules,
        .public_roots = s->conf->origin.public_roots,
    };
    int rc = core_new(&core, &s->core, err);
    if (rc == 0)
        rc = query_new(&query, &s->query, err);
    if (rc == 0)
        rc = rpc_table_init(&s->table, &clock_system);
    if (rc < 0)
        return rc;
    s->has_table = true;
    rpc_set_authorize(&s->table, core_authorize, s->core);
    rc = core_bind(s->core, &s->table, err);
    if (rc == 0)
        rc = query_bind(s->query, &s->table, err);
    return rc < 0 ? rc : status_bind(s, err);
}

static int
listen_urls(struct server *s, acd_err *err)
{
    size_t n = s->conf->listen.n ? s->conf->listen.n : 1;
    s->urls = calloc(n, sizeof(*s->urls));
    if (!s->urls)
        return err_set(err, ACD_ENOMEM, "out of memory");
    for (; s->nurls < n; s->nurls++) {
        char **url = &s->urls[s->nurls];
        if (s->conf->listen.n)
            *url = strdup(s->conf->listen.items[s->nurls]);
        else if (asprintf(url, "ipc://%s/anchord.sock", s->data) < 0)
            *url = NULL;
        if (!*url)
            return err_set(err, ACD_ENOMEM, "out of memory");
    }
    return 0;
}

static uint32_t
query_workers(const struct conf *conf)
{
    long n = conf->workers.query ? conf->workers.query : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (uint32_t)n;
}

static int
start_bus(struct server *s, acd_err *err)
{
    int rc = listen_urls(s, err);
    if (rc < 0)
        return rc;
    const struct bus_opts opts = {
        .table = &s->table,
        .urls = (const char *const *)s->urls,
        .n_urls = s->nurls,
        .insecure = s->conf->insecure,
        .query_workers = query_workers(s->conf),
        .admin_workers = (uint32_t)s->conf->workers.admin,
        .query_queue = (uint32_t)s->conf->queue.query,
        .admin_queue = (uint32_t)s->conf->queue.admin,
    };
    struct bus *bus = NULL;
    rc = bus_start(&opts, &bus, err);
    atomic_store(&s->bus, bus);
    return rc;
}

/* --- the whole --------------------------------------------------------------------------------------------
 */

static const struct part {
    const char *name;
    int (*start)(struct server *, acd_err *);
} parts[] = {
    {"data directory", lock_data}, {"plugins", start_plugins},   {"snapshot", start_snapshot},
    {"wrapping keys", start_keys}, {"services", start_services}, {"bus", start_bus},
};

int
server_start(struct server *s, const struct conf *conf, acd_err *err)
{
    char data[PATH_MAX];
    *s = (struct server){.conf = conf, .lock_fd = -1, .started_ms = clock_wall_ms(&clock_system)};
    if (conf->role != CONF_PRIMARY)
        return err_set(err, ACD_ENOTSUP, "role edge is not part of this release: use role primary");
    int rc = parts_data(conf, true, data, err);
    if (rc < 0)
        return rc;
    s->data = strdup(data);
    rc = s->data ? 0 : err_set(err, ACD_ENOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        rc = parts[i].start(s, err);
        if (rc < 0)
            rc = err_context(err, rc, "%s", parts[i].name);
    }
    if (rc < 0)
        server_stop(s);
    return rc;
}

void
server_stop(struct server *s)
{
    struct bus *bus = atomic_load(&s->bus);
    if (bus && bus_stop(bus, (uint32_t)s->conf->limits.drain_ms) < 0)
        LOG(ACD_LOG_WARNING, "stop.cut", LF_STR("why", "calls were still in flight at the drain limit"));
    bus_free(bus);
    if (s->has_table)
        rpc_table_done(&s->table);
    query_free(s->query);
    core_free(s->core);
    keyring_free(s->keyring);
    publisher_free(s->publisher);
    plug_session_close(s->heal_session);
    plug_registry_close(s->plugins);
    for (size_t i = 0; i < s->nurls; i++)
        free(s->urls[i]);
    free(s->urls);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    free(s->data);
    *s = (struct server){.lock_fd = -1};
}

int
server_check(const struct conf *conf, acd_err *err)
{
    char data[PATH_MAX];
    struct plugin_specs *specs = calloc(1, sizeof(*specs));
    if (!specs)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = parts_data(conf, false, data, err);
    for (size_t i = 0; rc == 0 && i < conf->listen.n; i++)
        rc = bus_check_url(conf->listen.items[i], conf->insecure, err);
    if (rc == 0)
        rc = parts_plugins(conf, data, specs, err);
    const struct plug_registry_opts opts = {.env = {.clock = &clock_system, .flags = specs->flags}};
    if (rc == 0)
        rc = plug_registry_check(specs->spec, 3, &opts, err);
    free(specs);
    return rc;
}

void
server_tick(struct server *s)
{
    publisher_heal(s->publisher, s->heal_session);
    publisher_beat(s->publisher, s->heal_session);
    publisher_compact(s->publisher);
    query_refresh(s->query);
}
