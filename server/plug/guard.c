#include "plug/guard.h"

#include "base/err.h"
#include "plug/life.h"

static _Thread_local const struct plug_step *volatile crumb;

void
plug_guard_init(struct plug_guard *g, bool is_serial)
{
    must(pthread_mutex_init(&g->serial, NULL) == 0);
    g->is_serial = is_serial;
    atomic_init(&g->calls, 0);
    atomic_init(&g->failures, 0);
    atomic_init(&g->late, 0);
    atomic_init(&g->strange, 0);
}

void
plug_guard_done(struct plug_guard *g)
{
    (void)pthread_mutex_destroy(&g->serial);
}

static void
count(atomic_ullong *n)
{
    atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static bool
past(const struct plug *p, uint64_t deadline_ns)
{
    return deadline_ns && clock_mono_ns(p->host.env.clock) >= deadline_ns;
}

void
plug_enter_always(struct plug_step *step, struct plug *p, const char *func)
{
    *step = (struct plug_step){.plug = p, .func = func, .outer = crumb};
    if (p->guard.is_serial)
        (void)pthread_mutex_lock(&p->guard.serial);
    crumb = step;
}

int
plug_enter(struct plug_step *step, struct plug *p, const char *func, uint64_t deadline_ns, acd_err *err)
{
    enum plug_state state = plug_state(p);
    if (state != PLUG_STARTED && state != PLUG_DEGRADED)
        return err_set(err, ACD_EUNAVAIL, "plugin %s is %s", plug_name(p), plug_state_name(state));
    if (past(p, deadline_ns))
        return err_set(err, ACD_ETIMEOUT, "the deadline passed before %s of plugin %s", func, plug_name(p));
    plug_enter_always(step, p, func);
    step->deadline_ns = deadline_ns;
    return 0;
}

int
plug_leave(struct plug_step *step, int rc, acd_err *err)
{
    struct plug *p = step->plug;
    crumb = step->outer;
    if (p->guard.is_serial)
        (void)pthread_mutex_unlock(&p->guard.serial);
    count(&p->guard.calls);
    if (err && rc < 0)
        err->text[sizeof(err->text) - 1] = '\0';
    if (rc > 0 || (rc < 0 && rc != ACD_EINTERNAL && status_text(rc) == status_text(ACD_EINTERNAL))) {
        count(&p->guard.strange);
        rc = err_set(err, ACD_EINTERNAL, "%s of plugin %s returned %d, which is no status", step->func,
                     plug_name(p), rc);
    }
    if (rc < 0)
        count(&p->guard.failures);
    if (past(p, step->deadline_ns))
        count(&p->guard.late);
    return rc;
}

bool
plug_breadcrumb(const char **ret_plugin, const char **ret_func)
{
    const struct plug_step *step = crumb;
    if (!step)
        return false;
    *ret_plugin = plug_name(step->plug);
    *ret_func = step->func;
    return true;
}
