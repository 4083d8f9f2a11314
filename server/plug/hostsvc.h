/*
 * The services that a plugin gets from the host, one table per instance.
 *
 * For life.c (makes the table) and quota.c (makes the transaction handle). Any thread may call the services.
 */
#ifndef PLUG_HOSTSVC_H
#define PLUG_HOSTSVC_H

#include <stdatomic.h>

#include <anchord/plugin.h>

#include "base/clock.h"

struct plug_session;

#define PLUG_METRICS       16u   /* numbered counters of an instance; others are not kept */
#define PLUG_ROW_KEY_MAX   255u  /* bytes of the key of a plugin's own row or counter */
#define PLUG_ROW_VALUE_MAX 4096u /* bytes of its value */

/* What the host brings: its clock, and the hook that tests set to make named points fail. */
struct plug_env {
    const struct clock *clock; /* NULL: the system's */
    unsigned flags;            /* PLUG_BUILD_TREE */
    int (*fault)(void *ctx, const char *plugin, const char *point);
    void *fault_ctx;
};

struct hostsvc {
    acd_host host; /* first: what the plugin holds */
    const char *plugin;
    struct plug_env env;
    atomic_llong metrics[PLUG_METRICS];
};

/* A plugin's view of an open transaction: its own rows and counters in it. Lives for one call. */
struct acd_txn {
    unsigned magic;
    struct plug_session *session;
    const char *plugin;
};

void hostsvc_init(struct hostsvc *h, const char *plugin, const struct plug_env *env);
void hostsvc_txn_init(acd_txn *txn, struct plug_session *session, const char *plugin);
/* The handle must not be used once the call is over; a plugin that does so stops the program here. */
void hostsvc_txn_done(acd_txn *txn);

#endif
