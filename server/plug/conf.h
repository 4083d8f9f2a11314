/*
 * Configuration items of a plugin: key=value pairs to checked values, and the documentation of the items.
 *
 * For life.c, the configuration check and `anchorctl plugin inspect`. Pure; any thread. The values live in
 * struct plug_conf and end with plug_conf_done. A secret's value never gets into a text.
 */
#ifndef PLUG_CONF_H
#define PLUG_CONF_H

#include <anchord/plugin.h>

#include "base/buf.h"
#include "base/mem.h"

#define PLUG_CONF_ITEMS_MAX 64u   /* items of a plugin */
#define PLUG_CONF_KEY_MAX   63u   /* bytes of a key: [a-z0-9_] */
#define PLUG_CONF_VALUE_MAX 8192u /* bytes of a value */

struct plug_pair {
    const char *key, *value;
};

struct plug_conf {
    acd_conf_val *vals; /* in the order of the items */
    size_t n;
    struct mem_region region;
};

/* Are the items themselves sound: keys, types, bounds, defaults that pass their own check? ACD_EABI. */
int plug_conf_items_check(const acd_conf_item *items, size_t n, acd_err *err) ACD_MUSTCHECK;
/* ACD_EINVAL: unknown key, key given twice, missing value, wrong type, out of range; the sentence names the
 * key. On failure *ret needs no plug_conf_done. */
int plug_conf_parse(const acd_conf_item *items, size_t n, const struct plug_pair *pairs, size_t npairs,
                    struct plug_conf *ret, acd_err *err) ACD_MUSTCHECK;
void plug_conf_done(struct plug_conf *conf);

/* One line per item: key, type, range, default, help. */
void plug_conf_document(const acd_conf_item *items, size_t n, struct buf *out);

#endif
