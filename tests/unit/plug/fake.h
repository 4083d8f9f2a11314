/* A quota plugin in the test itself, whose behaviour is set by the test. One test at a time. */
#ifndef TESTS_UNIT_PLUG_FAKE_H
#define TESTS_UNIT_PLUG_FAKE_H

#include <stdatomic.h>

#include "plug/life.h"
#include "plug/quota.h"

struct fake {
    int create_rc, start_rc, health_rc, quiesce_rc, call_rc;
    atomic_int created, started, quiesced, destroyed;
    atomic_int inside, together; /* calls at once, and the most that were */
    const char *crumb_plugin, *crumb_func;
    char log[256]; /* the order of life cycle calls */
    const acd_host *host;
    void (*in_call)(void);
};
extern struct fake fake;

acd_plugin fake_desc(uint32_t thread);
struct plug *fake_plug(const acd_plugin *desc, const struct plug_env *env); /* discovered */
struct plug *fake_started(const acd_plugin *desc);

#endif
