/*
 * The table of options as data, and the conversion of one value. Inside conf/ only. Any thread; what is
 * stored goes to the conf's own region.
 */
#ifndef CONF_ITEMS_H
#define CONF_ITEMS_H

#include "conf/conf.h"
#include "model/limits.h"

enum conf_type {
    CONF_T_STR,
    CONF_T_PATH,
    CONF_T_INT,
    CONF_T_BOOL,
    CONF_T_LIST,    /* of texts */
    CONF_T_OPTIONS, /* a mapping of texts that somebody else checks */
    CONF_T_ROLE,
    CONF_T_LEVEL,
    CONF_T_FORMAT
};

struct conf_item {
    const char *key;
    enum conf_type type;
    size_t offset;
    const char *dflt;
    int64_t lo, hi;
};

/* CONF_ITEMS rows, by enum conf_item_id. */
extern const struct conf_item conf_items[];

/* The row with that key; -1: none. */
int conf_item_find(const char *key);
/* Does "prefix.something" exist? */
bool conf_item_is_section(const char *prefix);

/* Converts text and stores it. err says what is wrong with the value, without naming the key. */
int conf_item_put(struct conf *c, const struct conf_item *item, acd_slice text, acd_err *err) ACD_MUSTCHECK;
int conf_item_put_list(struct conf *c, const struct conf_item *item, const acd_slice *texts, size_t n,
                       acd_err *err) ACD_MUSTCHECK;
/* The copy of a text that follows the rules for texts: UTF-8, no control bytes, lo to hi bytes. */
int conf_item_text(struct conf *c, acd_slice text, int64_t lo, int64_t hi, char **ret,
                   acd_err *err) ACD_MUSTCHECK;

/* The word for a value of an enumerated type; NULL: the type has no words. */
const char *conf_item_word(enum conf_type type, int64_t value);

/* The stored value. */
#define CONF_AT(c, item, type) ((type *)(void *)((char *)(c) + (item)->offset))

#endif
