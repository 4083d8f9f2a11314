#include "conf/items.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

const struct conf_item conf_items[] = {
#define X(id, key, type, field, dflt, lo, hi, help) \
    [CONF_ID_##id] = {key, CONF_T_##type, offsetof(struct conf, field), dflt, lo, hi},
#include "conf/items.def"
#undef X
};

struct word {
    enum conf_type type;
    const char *text;
    int64_t value;
};

static const struct word words[] = {
    {CONF_T_ROLE, "primary", CONF_PRIMARY},   {CONF_T_ROLE, "edge", CONF_EDGE},
    {CONF_T_LEVEL, "error", ACD_LOG_ERR},     {CONF_T_LEVEL, "warning", ACD_LOG_WARNING},
    {CONF_T_LEVEL, "notice", ACD_LOG_NOTICE}, {CONF_T_LEVEL, "info", ACD_LOG_INFO},
    {CONF_T_LEVEL, "debug", ACD_LOG_DEBUG},   {CONF_T_FORMAT, "text", LOG_TEXT},
    {CONF_T_FORMAT, "json", LOG_JSON},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

int
conf_item_find(const char *key)
{
    for (int i = 0; i < CONF_ITEMS; i++)
        if (strcmp(conf_items[i].key, key) == 0)
            return i;
    return -1;
}

bool
conf_item_is_section(const char *prefix)
{
    size_t len = strlen(prefix);
    for (int i = 0; i < CONF_ITEMS; i++)
        if (str_starts(conf_items[i].key, prefix) && conf_items[i].key[len] == '.')
            return true;
    return false;
}

const char *
conf_item_word(enum conf_type type, int64_t value)
{
    for (size_t i = 0; i < WORDS; i++)
        if (words[i].type == type && words[i].value == value)
            return words[i].text;
    return NULL;
}

static int
put_word(struct conf *c, const struct conf_item *item, acd_slice text, acd_err *err)
{
    char all[64];
    size_t len = 0;
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i].type != item->type)
            continue;
        if (slice_eqs(text, words[i].text)) {
            *CONF_AT(c, item, int64_t) = words[i].value;
            return 0;
        }
        int n = snprintf(all + len, sizeof(all) - len, "%s%s", len ? ", " : "", words[i].text);
        must(n > 0 && (size_t)n < sizeof(all) - len);
        len += (size_t)n;
    }
    return err_set(err, ACD_EINVAL, "is not one of: %.*s", (int)len, all);
}

static int
put_int(struct conf *c, const struct conf_item *item, acd_slice text, acd_err *err)
{
    int64_t value;
    if (!str_i64(text, &value))
        return err_set(err, ACD_EINVAL, "is not a whole number");
    if (value < item->lo || value > item->hi)
        return err_set(err, ACD_EINVAL, "is not between %lld and %lld", (long long)item->lo,
                       (long long)item->hi);
    *CONF_AT(c, item, int64_t) = value;
    return 0;
}

static int
put_bool(struct conf *c, const struct conf_item *item, acd_slice text, acd_err *err)
{
    bool is_true = slice_eqs(text, "true");
    if (!is_true && !slice_eqs(text, "false"))
        return err_set(err, ACD_EINVAL, "is neither true nor false");
    *CONF_AT(c, item, bool) = is_true;
    return 0;
}

int
conf_item_text(struct conf *c, acd_slice text, int64_t lo, int64_t hi, char **ret, acd_err *err)
{
    const unsigned char *p = text.ptr;
    if ((int64_t)text.len < lo)
        return err_set(err, ACD_EINVAL, "is empty");
    if ((int64_t)text.len > hi)
        return err_set(err, ACD_EINVAL, "is longer than %lld bytes", (long long)hi);
    if (!utf8_valid(text))
        return err_set(err, ACD_EINVAL, "is not valid UTF-8");
    for (size_t i = 0; i < text.len; i++)
        if (p[i] < 0x20 || p[i] == 0x7f)
            return err_set(err, ACD_EINVAL, "holds a control character");
    char *copy = mem_strndup(&c->mem, text.ptr ? text.ptr : "", text.len);
    if (!copy)
        return err_set(err, ACD_ENOMEM, "takes more memory than there is");
    *ret = copy;
    return 0;
}

int
conf_item_put_list(struct conf *c, const struct conf_item *item, const acd_slice *texts, size_t n,
                   acd_err *err)
{
    struct conf_list *list = CONF_AT(c, item, struct conf_list);
    if ((int64_t)n < item->lo || (int64_t)n > item->hi)
        return err_set(err, ACD_EINVAL, "has %zu entries, not %lld to %lld", n, (long long)item->lo,
                       (long long)item->hi);
    char **items = mem_new_n(&c->mem, n, char *);
    if (!items)
        return err_set(err, ACD_ENOMEM, "takes more memory than there is");
    for (size_t i = 0; i < n; i++) {
        int rc = conf_item_text(c, texts[i], 1, LIMIT_CONF_TEXT, &items[i], err);
        if (rc < 0)
            return err_context(err, rc, "entry %zu", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(items[i], items[j]) == 0)
                return err_set(err, ACD_EINVAL, "has '%.100s' twice", items[i]);
    }
    *list = (struct conf_list){items, n};
    return 0;
}

int
conf_item_put(struct conf *c, const struct conf_item *item, acd_slice text, acd_err *err)
{
    switch (item->type) {
    case CONF_T_STR:
    case CONF_T_PATH:
        return conf_item_text(c, text, item->lo, item->hi, CONF_AT(c, item, char *), err);
    case CONF_T_INT:
        return put_int(c, item, text, err);
    case CONF_T_BOOL:
        return put_bool(c, item, text, err);
    case CONF_T_ROLE:
    case CONF_T_LEVEL:
    case CONF_T_FORMAT:
        return put_word(c, item, text, err);
    case CONF_T_LIST:
        return err_set(err, ACD_EINVAL, "is not a list");
    case CONF_T_OPTIONS:
        return err_set(err, ACD_EINVAL, "is not a mapping");
    }
    must_not_reach();
}
