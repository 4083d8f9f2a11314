/*
 * Configuration of the daemon: defaults, a YAML file, overrides by key, checks, and the effective text.
 *
 *   conf_load (or conf_defaults) -> conf_set for each command-line override -> conf_check -> use
 *
 * For daemon/ and tests. A conf belongs to one thread until it is published; it is not changed afterwards.
 * Everything in it lives until conf_free. items.def lists the options.
 *
 * Problems are reported one by one, all of them in one run, through conf_finding_f; the functions return
 * ACD_EINVAL when there was any. Nothing of a file with problems is used.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/must.h"

enum conf_role { CONF_PRIMARY = 0, CONF_EDGE = 1 };

enum conf_item_id {
#define X(id, key, type, field, dflt, lo, hi, help) CONF_ID_##id,
#include "conf/items.def"
#undef X
    CONF_ITEMS
};

struct conf_list {
    char **items;
    size_t n;
};

struct conf_option {
    char *key, *value;
    unsigned line;
};

struct conf_options {
    struct conf_option *items;
    size_t n;
};

/* file is NULL when the plugin is given by name; when both are set, file counts. */
struct conf_plugin {
    char *name, *file;
    struct conf_options options;
};

struct conf {
    int64_t role; /* enum conf_role */
    char *primary, *data;
    struct conf_list listen;
    bool insecure;
    struct {
        int64_t level, format; /* enum acd_log_level, enum log_format */
    } log;
    struct {
        int64_t query, admin;
    } workers, queue;
    struct {
        int64_t drain_ms, client_certs;
    } limits;
    struct {
        int64_t verdicts, bundles, rules;
    } cache;
    struct {
        bool image;
    } snapshot;
    struct {
        char *public_roots;
    } origin;
    struct {
        char *dir;
        struct conf_plugin storage, validator, quota;
    } plugins;
    struct {
        char *file, *credential, *env; /* at most one of them */
        struct conf_list old;
    } keys;

    /* Where each option was set: 0 by default, a line of the file, or CONF_LINE_OVERRIDE. */
    unsigned line[CONF_ITEMS];
    struct mem_region mem;
};

#define CONF_LINE_OVERRIDE 0xffffffffu

/* One problem. key is what it is about ("log.level"), or "" for the file; line is 0 where there is none. The
 * texts live for the call. */
typedef void (*conf_finding_f)(void *ctx, const char *key, unsigned line, const char *text);

/* Every option at its default. NULL: out of memory. */
struct conf *conf_defaults(void) ACD_MUSTCHECK;

/* Defaults, then what the file says. May block. found may be NULL; err names the first problem and how many
 * there are. */
int conf_load(const char *path, conf_finding_f found, void *ctx, struct conf **ret,
              acd_err *err) ACD_MUSTCHECK;
int conf_parse(acd_slice text, conf_finding_f found, void *ctx, struct conf **ret,
               acd_err *err) ACD_MUSTCHECK;

/* An override: the value as one would write it in the file. A list is given whole with n values, any other
 * option with one. ACD_ENOENT: no such key. */
int conf_set(struct conf *c, const char *key, const char *const *values, size_t n,
             acd_err *err) ACD_MUSTCHECK;

/* Rules between options, once everything is set: an edge has a primary, tcp:// is on loopback, and so on. */
int conf_check(const struct conf *c, conf_finding_f found, void *ctx, acd_err *err) ACD_MUSTCHECK;

/* Is the option of a plugin ("storage", "password") never to be shown? */
typedef bool (*conf_secret_f)(void *ctx, const char *plugin, const char *key);

/* The effective configuration as YAML, which conf_parse reads back. Values of plugin options that are secret
 * are written as "***"; with secret NULL all of them are. */
void conf_dump(const struct conf *c, conf_secret_f secret, void *ctx, struct buf *out);

/* NULL is allowed. Wipes what it frees, as options may hold passwords. */
void conf_free(struct conf *c);

#endif
