#include "plug/life.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "plug/load.h"

enum { PLUG_MAGIC = 0x706c7567 };
#define QUIESCE_NS 2000000000u /* time a plugin gets to end its work when plug_free has to ask for it */

#define BIT(s) (1u << (s))
static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[PLUG_STATES] = {
    [PLUG_DISCOVERED] = {"discovered", BIT(PLUG_LOADED) | BIT(PLUG_GONE)},
    [PLUG_LOADED] = {"loaded", BIT(PLUG_CREATED) | BIT(PLUG_GONE)},
    [PLUG_CREATED] = {"created", BIT(PLUG_STARTED) | BIT(PLUG_GONE)},
    [PLUG_STARTED] = {"started", BIT(PLUG_DEGRADED) | BIT(PLUG_QUIESCED)},
    [PLUG_DEGRADED] = {"degraded", BIT(PLUG_STARTED) | BIT(PLUG_QUIESCED)},
    [PLUG_QUIESCED] = {"quiesced", BIT(PLUG_GONE)},
    [PLUG_GONE] = {"gone", 0},
};

enum plug_state
plug_state(const struct plug *p)
{
    return atomic_load_explicit(&p->state, memory_order_acquire);
}

const char *
plug_state_name(enum plug_state state)
{
    must((unsigned)state < PLUG_STATES);
    return states[state].name;
}

const char *
plug_name(const struct plug *p)
{
    return p->desc ? p->desc->name : p->path;
}

static void
move(struct plug *p, enum plug_state next)
{
    must(states[plug_state(p)].next & BIT(next));
    atomic_store_explicit(&p->state, next, memory_order_release);
    LOG(ACD_LOG_DEBUG, "plugin.state", LF_STR("plugin", plug_name(p)), LF_STR("state", states[next].name));
}

int
plug_new(uint32_t kind, const char *path, const acd_plugin *desc, const struct plug_env *env,
         struct plug **ret, acd_err *err)
{
    struct plug *p = calloc(1, sizeof(*p));
    char *copy = strdup(path);
    if (!p || !copy) {
        free(p);
        free(copy);
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    p->magic = PLUG_MAGIC;
    p->kind = kind;
    p->path = copy;
    p->env = *env;
    p->desc = NULL;
    p->inst = NULL;
    atomic_init(&p->state, PLUG_DISCOVERED);
    plug_guard_init(&p->guard, false);
    if (desc) {
        int rc = plug_desc_check(path, desc, NULL, kind, err);
        if (rc < 0) {
            plug_free(p);
            return rc;
        }
        p->desc = desc;
    }
    *ret = p;
    return 0;
}

int
plug_open(struct plug *p, acd_err *err)
{
    CHECK_MAGIC(p, PLUG_MAGIC);
    must(plug_state(p) == PLUG_DISCOVERED);
    if (!p->desc) {
        int rc = plug_load(p->path, p->kind, p->env.flags, &p->desc, err);
        if (rc < 0)
            return rc;
    }
    p->kind = p->desc->kind;
    p->guard.is_serial = p->desc->thread == ACD_SERIAL;
    hostsvc_init(&p->host, p->desc->name, &p->env);
    move(p, PLUG_LOADED);
    return 0;
}

int
plug_configure(struct plug *p, const struct plug_pair *pairs, size_t n, acd_err *err)
{
    struct plug_conf conf;
    CHECK_MAGIC(p, PLUG_MAGIC);
    must(plug_state(p) == PLUG_LOADED);
    int rc = plug_conf_parse(p->desc->conf, p->desc->conf_n, pairs, n, &conf, err);
    if (rc == 0 && p->desc->conf_check && (rc = p->desc->conf_check(conf.vals, conf.n, err)) < 0)
        plug_conf_done(&conf);
    if (rc < 0)
        return err_context(err, rc, "plugin %s", plug_name(p));
    plug_conf_done(&p->conf);
    p->conf = conf;
    return 0;
}

/* Runs one life cycle function under a breadcrumb, with its text put behind the plugin's name. */
static int
step_end(struct plug *p, struct plug_step *step, const char *func, int rc, acd_err *err)
{
    rc = plug_leave(step, rc, err);
    return rc < 0 ? err_context(err, rc, "plugin %s: %s", plug_name(p), func) : 0;
}

int
plug_create(struct plug *p, acd_err *err)
{
    struct plug_step step;
    CHECK_MAGIC(p, PLUG_MAGIC);
    must(plug_state(p) == PLUG_LOADED);
    must(p->conf.vals); /* configured */
    plug_enter_always(&step, p, "create");
    int rc = p->desc->create(&p->host.host, p->conf.vals, p->conf.n, &p->inst, err);
    rc = step_end(p, &step, "create", rc, err);
    if (rc == 0)
        move(p, PLUG_CREATED);
    return rc;
}

int
plug_start(struct plug *p, acd_err *err)
{
    struct plug_step step;
    CHECK_MAGIC(p, PLUG_MAGIC);
    must(plug_state(p) == PLUG_CREATED);
    plug_enter_always(&step, p, "start");
    int rc = step_end(p, &step, "start", p->desc->start(p->inst, err), err);
    if (rc == 0)
        move(p, PLUG_STARTED);
    return rc;
}

int
plug_health(struct plug *p, acd_err *err)
{
    struct plug_step step;
    CHECK_MAGIC(p, PLUG_MAGIC);
    int rc = plug_enter(&step, p, "health", 0, err);
    if (rc < 0)
        return rc;
    rc = p->desc->health ? p->desc->health(p->inst, err) : 0;
    rc = step_end(p, &step, "health", rc, err);
    enum plug_state next = rc == 0 ? PLUG_STARTED : PLUG_DEGRADED;
    if (plug_state(p) != next)
        move(p, next);
    return rc;
}

int
plug_quiesce(struct plug *p, uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    CHECK_MAGIC(p, PLUG_MAGIC);
    int rc = plug_enter(&step, p, "quiesce", 0, err);
    if (rc < 0)
        return rc;
    rc = p->desc->quiesce ? p->desc->quiesce(p->inst, deadline_ns) : 0;
    rc = step_end(p, &step, "quiesce", rc, err);
    move(p, PLUG_QUIESCED);
    return rc;
}

void
plug_free(struct plug *p)
{
    if (!p)
        return;
    CHECK_MAGIC(p, PLUG_MAGIC);
    enum plug_state state = plug_state(p);
    if (state == PLUG_STARTED || state == PLUG_DEGRADED) {
        acd_err err = ACD_ERR_INIT;
        int rc = plug_quiesce(p, clock_mono_ns(p->host.env.clock) + QUIESCE_NS, &err);
        if (rc < 0)
            LOG(ACD_LOG_WARNING, "plugin.quiesce", LF_STR("plugin", plug_name(p)),
                LF_STR("text", err_text(&err, rc)));
    }
    state = plug_state(p);
    if (state == PLUG_CREATED || state == PLUG_QUIESCED) {
        struct plug_step step;
        plug_enter_always(&step, p, "destroy");
        p->desc->destroy(p->inst);
        (void)plug_leave(&step, 0, NULL);
    }
    move(p, PLUG_GONE);
    plug_conf_done(&p->conf);
    plug_guard_done(&p->guard);
    free(p->path);
    p->magic = 0;
    free(p);
}
