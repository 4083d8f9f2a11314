/*
 * One plugin instance and its life: DISCOVERED, LOADED, CREATED, STARTED, DEGRADED, QUIESCED, GONE.
 *
 * For the registry and the facades. Life cycle calls come from one thread at a time (the health check may be
 * another, but never together with the rest); plug_state may be asked by any thread. The owner of a struct
 * plug ends it with plug_free, from any state.
 */
#ifndef PLUG_LIFE_H
#define PLUG_LIFE_H

#include <stdatomic.h>

#include <anchord/plugin.h>

#include "plug/conf.h"
#include "plug/guard.h"
#include "plug/hostsvc.h"

enum plug_state {
    PLUG_DISCOVERED, /* a path */
    PLUG_LOADED,     /* a descriptor that was found good */
    PLUG_CREATED,    /* an instance, not running */
    PLUG_STARTED,
    PLUG_DEGRADED, /* runs, but its last health check failed */
    PLUG_QUIESCED, /* no new work */
    PLUG_GONE,
    PLUG_STATES
};

struct plug {
    unsigned magic;
    _Atomic enum plug_state state;
    uint32_t kind;
    char *path;
    const acd_plugin *desc;
    void *inst;
    struct plug_env env;
    struct plug_conf conf;
    struct hostsvc host;
    struct plug_guard guard;
};

/* desc: a descriptor that is linked in, or NULL; the path is then only its name in messages. */
int plug_new(uint32_t kind, const char *path, const acd_plugin *desc, const struct plug_env *env,
             struct plug **ret, acd_err *err) ACD_MUSTCHECK;
void plug_free(struct plug *p); /* quiesces and destroys what is there */

/* Each does one step; on failure the state stays. */
int plug_open(struct plug *p, acd_err *err) ACD_MUSTCHECK;
int plug_configure(struct plug *p, const struct plug_pair *pairs, size_t n,
                   acd_err *err) ACD_MUSTCHECK; /* in LOADED; again replaces */
int plug_create(struct plug *p, acd_err *err) ACD_MUSTCHECK;
int plug_start(struct plug *p, acd_err *err) ACD_MUSTCHECK;
/* STARTED and DEGRADED follow what the plugin says. */
int plug_health(struct plug *p, acd_err *err);
/* QUIESCED whatever the plugin says. */
int plug_quiesce(struct plug *p, uint64_t deadline_ns, acd_err *err);

enum plug_state plug_state(const struct plug *p);
const char *plug_state_name(enum plug_state state);
const char *plug_name(const struct plug *p); /* the path while nothing is loaded */

#endif
