/*
 * What stands between the host and every call into a plugin: the instance must be running, a SERIAL one is
 * locked, deadlines and results are checked, calls are counted, and a thread-local breadcrumb says where a
 * crash happened.
 *
 * For the facades of this folder; plug_breadcrumb for the crash handler (async-signal-safe). Any thread.
 */
#ifndef PLUG_GUARD_H
#define PLUG_GUARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"

struct plug;

struct plug_guard {
    pthread_mutex_t serial; /* taken for every call when the plugin is SERIAL */
    bool is_serial;
    atomic_ullong calls, failures, late, strange; /* strange: results outside the table of status codes */
};

/* One call, on the caller's stack. */
struct plug_step {
    struct plug *plug;
    const char *func;
    uint64_t deadline_ns;
    const struct plug_step *outer;
};

void plug_guard_init(struct plug_guard *g, bool is_serial);
void plug_guard_done(struct plug_guard *g);

/* ACD_EUNAVAIL: the instance is not running; ACD_ETIMEOUT: the deadline (0: none) has passed. After 0 the
 * call is made and plug_leave must follow. */
int plug_enter(struct plug_step *step, struct plug *p, const char *func, uint64_t deadline_ns,
               acd_err *err) ACD_MUSTCHECK;
/* For calls that give something back (close, rollback, free): never refused. */
void plug_enter_always(struct plug_step *step, struct plug *p, const char *func);
/* The call's result, made one of the status codes. */
int plug_leave(struct plug_step *step, int rc, acd_err *err);

/* The innermost call that this thread is in; false: none. */
bool plug_breadcrumb(const char **ret_plugin, const char **ret_func);

#endif
