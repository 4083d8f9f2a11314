/*
 * One running anchord: its parts, in the order in which they start. Composition only.
 *
 * Main thread. server_start either starts everything or leaves nothing; server_stop ends the parts in reverse
 * order.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "core/core.h"
#include "feed/publish.h"
#include "plug/registry.h"
#include "query/query.h"
#include "wire/bus.h"

struct server {
    const struct conf *conf;
    char *data; /* directory */
    int lock_fd;
    int64_t started_ms;
    struct plug_registry *plugins;
    struct snap_pub pub;
    struct publisher *publisher;
    struct plug_session *heal_session; /* of the main thread */
    struct keyring *keyring;
    struct core *core;
    struct query *query;
    struct rpc_table table;
    bool has_table;
    _Atomic(struct bus *) bus; /* calls arrive before it is set */
    char **urls;               /* what is listened on */
    size_t nurls;
};

int server_start(struct server *s, const struct conf *conf, acd_err *err) ACD_MUSTCHECK;
void server_stop(struct server *s);

/* Everything that can be checked without starting: listeners, plugins and their options. */
int server_check(const struct conf *conf, acd_err *err) ACD_MUSTCHECK;

/* Now and then, while nothing else happens: heals a failed publication, confirms the image, reads
 * files again that changed. */
void server_tick(struct server *s);

/* ServerService and PluginService. */
int status_bind(struct server *s, acd_err *err) ACD_MUSTCHECK;

#endif
