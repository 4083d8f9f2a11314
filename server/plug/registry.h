/*
 * All plugins of the process: one storage, one quota, one or more validators (an edge: validators only). They
 * come up together or not at all, and go down in reverse order.
 *
 * For daemon/. Opening and closing: one thread, may block. The accessors: any thread in between. The registry
 * owns what the accessors return.
 */
#ifndef PLUG_REGISTRY_H
#define PLUG_REGISTRY_H

#include <stdbool.h>

#include "plug/life.h"

struct plug_registry;
struct plug_storage;
struct plug_quota;
struct plug_validator;

#define PLUG_REGISTRY_MAX 16u /* plugins of a process */

struct plug_spec {
    uint32_t kind;
    const char *path;       /* absolute; or a name for messages when desc is given */
    const acd_plugin *desc; /* linked in, or NULL */
    const struct plug_pair *pairs;
    size_t npairs;
};

struct plug_registry_opts {
    struct plug_env env;
    bool edge; /* validators only */
};

struct plug_info {
    const char *name, *version, *summary, *path, *state;
    uint32_t kind;
    uint16_t major, minor;
    uint64_t calls, failures, late, strange;
};

/* Loads and configures all, creates all, starts all: storage, quota, validators. The storage still needs
 * plug_storage_schema. */
int plug_registry_open(const struct plug_spec *specs, size_t n, const struct plug_registry_opts *opts,
                       struct plug_registry **ret, acd_err *err) ACD_MUSTCHECK;
/* The same without creating anything: is the configuration good? */
int plug_registry_check(const struct plug_spec *specs, size_t n, const struct plug_registry_opts *opts,
                        acd_err *err) ACD_MUSTCHECK;
void plug_registry_close(struct plug_registry *r); /* takes NULL */

struct plug_storage *plug_registry_storage(struct plug_registry *r);               /* NULL on an edge */
struct plug_quota *plug_registry_quota(struct plug_registry *r);                   /* NULL on an edge */
struct plug_validator *plug_registry_validator(struct plug_registry *r, size_t i); /* NULL behind the last */

/* In the order of start. False behind the last. */
bool plug_registry_info(const struct plug_registry *r, size_t i, struct plug_info *ret);
/* Asks every plugin how it is; the first failure's code and sentence, 0 when all are well. */
int plug_registry_health(struct plug_registry *r, acd_err *err);

#endif
