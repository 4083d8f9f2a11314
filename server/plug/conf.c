#include "plug/conf.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

static const char *const type_names[] = {"unknown", "text", "number", "switch", "path"};

/* The plugin may have been built with a larger acd_conf_item than this host knows. */
static const acd_conf_item *
item_at(const acd_conf_item *items, size_t i)
{
    return (const acd_conf_item *)(const void *)((const char *)items + i * items->struct_size);
}

static bool
parse_bool(acd_slice s, int64_t *ret)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_eqs(s, words[i])) {
            *ret = (int64_t)(i % 2);
            return true;
        }
    return false;
}

static int
parse_number(const acd_conf_item *item, acd_slice text, int64_t *ret, acd_err *err)
{
    bool secret = item->flags & ACD_CONF_SECRET;
    const char *shown = secret ? "the value" : text.ptr;
    if (!str_i64(text, ret))
        return err_set(err, ACD_EINVAL, "%s: %s is not a number", item->key, shown);
    if (*ret < item->lo || *ret > item->hi)
        return err_set(err, ACD_EINVAL, "%s: %s is outside %lld..%lld", item->key, shown, (long long)item->lo,
                       (long long)item->hi);
    return 0;
}

/* text is NUL-terminated. */
static int
parse_value(const acd_conf_item *item, const char *text, acd_conf_val *ret, acd_err *err)
{
    acd_slice s = slice_str(text);
    *ret = (acd_conf_val){.key = item->key};
    if (s.len > PLUG_CONF_VALUE_MAX)
        return err_set(err, ACD_EINVAL, "%s: longer than %u bytes", item->key, PLUG_CONF_VALUE_MAX);
    switch (item->type) {
    case ACD_CONF_INT:
        return parse_number(item, s, &ret->num, err);
    case ACD_CONF_BOOL:
        return parse_bool(s, &ret->num) ? 0
                                        : err_set(err, ACD_EINVAL, "%s: must be true or false", item->key);
    case ACD_CONF_STR:
    case ACD_CONF_PATH:
        if ((int64_t)s.len < item->lo || (int64_t)s.len > item->hi)
            return err_set(err, ACD_EINVAL, "%s: %zu bytes long, %lld..%lld allowed", item->key, s.len,
                           (long long)item->lo, (long long)item->hi);
        if (!utf8_valid(s))
            return err_set(err, ACD_EINVAL, "%s: not UTF-8", item->key);
        ret->str = s;
        return 0;
    default:
        return err_set(err, ACD_EABI, "%s: unknown type %u", item->key, item->type);
    }
}

static bool
key_valid(const char *key)
{
    size_t n = key ? strnlen(key, PLUG_CONF_KEY_MAX + 1) : 0;
    if (n == 0 || n > PLUG_CONF_KEY_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((key[i] >= 'a' && key[i] <= 'z') || (key[i] >= '0' && key[i] <= '9') || key[i] == '_'))
            return false;
    return true;
}

int
plug_conf_items_check(const acd_conf_item *items, size_t n, acd_err *err)
{
    if (n > PLUG_CONF_ITEMS_MAX || (n && !items))
        return err_set(err, ACD_EABI, "%zu configuration items, at most %u allowed", n, PLUG_CONF_ITEMS_MAX);
    if (n && (!ACD_HAS(items, hi) || items->struct_size % _Alignof(acd_conf_item) != 0))
        return err_set(err, ACD_EABI, "configuration items of %u bytes, %zu expected at least",
                       items->struct_size, sizeof(acd_conf_item));
    for (size_t i = 0; i < n; i++) {
        const acd_conf_item *item = item_at(items, i);
        acd_conf_val val;
        if (item->struct_size != items->struct_size || !key_valid(item->key))
            return err_set(err, ACD_EABI, "configuration item %zu has no valid key", i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(item_at(items, k)->key, item->key) == 0)
                return err_set(err, ACD_EABI, "configuration item %s is there twice", item->key);
        if (!item->help || item->lo > item->hi)
            return err_set(err, ACD_EABI, "configuration item %s has no help or no range", item->key);
        if (item->type < ACD_CONF_STR || item->type > ACD_CONF_PATH)
            return err_set(err, ACD_EABI, "configuration item %s has unknown type %u", item->key, item->type);
        if (item->dflt && parse_value(item, item->dflt, &val, err) < 0)
            return err_context(err, ACD_EABI, "default of a configuration item");
    }
    return 0;
}

static const char *
pair_find(const struct plug_pair *pairs, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].value;
    return NULL;
}

static int
pairs_check(const acd_conf_item *items, size_t n, const struct plug_pair *pairs, size_t npairs, acd_err *err)
{
    for (size_t i = 0; i < npairs; i++) {
        size_t k = 0;
        while (k < n && strcmp(item_at(items, k)->key, pairs[i].key) != 0)
            k++;
        if (k == n)
            return err_set(err, ACD_EINVAL, "%.*s: no such option", (int)PLUG_CONF_KEY_MAX, pairs[i].key);
        if (pair_find(pairs, i, pairs[i].key))
            return err_set(err, ACD_EINVAL, "%s: given twice", pairs[i].key);
    }
    return 0;
}

int
plug_conf_parse(const acd_conf_item *items, size_t n, const struct plug_pair *pairs, size_t npairs,
                struct plug_conf *ret, acd_err *err)
{
    struct plug_conf conf = {.n = n};
    int rc = pairs_check(items, n, pairs, npairs, err);
    if (rc < 0)
        return rc;
    mem_init(&conf.region, 4096, 0);
    conf.vals = mem_new_n(&conf.region, n, acd_conf_val);
    if (!conf.vals)
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    for (size_t i = 0; i < n && rc == 0; i++) {
        const acd_conf_item *item = item_at(items, i);
        const char *given = pair_find(pairs, npairs, item->key);
        const char *text = given ? given : item->dflt;
        if (!text)
            rc = err_set(err, ACD_EINVAL, "%s: must be given", item->key);
        else if ((text = mem_strdup(&conf.region, text)) == NULL)
            rc = err_set(err, ACD_ENOMEM, "out of memory");
        else
            rc = parse_value(item, text, &conf.vals[i], err);
    }
    if (rc < 0)
        plug_conf_done(&conf);
    else
        *ret = conf;
    return rc;
}

void
plug_conf_done(struct plug_conf *conf)
{
    mem_done(&conf->region);
    conf->vals = NULL;
    conf->n = 0;
}

void
plug_conf_document(const acd_conf_item *items, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const acd_conf_item *item = item_at(items, i);
        bool sized = item->type != ACD_CONF_BOOL;
        buf_printf(out, "%s: %s", item->key, type_names[item->type]);
        if (sized)
            buf_printf(out, ", %lld..%lld%s", (long long)item->lo, (long long)item->hi,
                       item->type == ACD_CONF_INT ? "" : " bytes");
        if (!item->dflt)
            buf_puts(out, ", required");
        else if (item->flags & ACD_CONF_SECRET)
            buf_puts(out, ", has a default");
        else
            buf_printf(out, ", default %s", item->dflt[0] ? item->dflt : "empty");
        buf_printf(out, "%s: %s\n", item->flags & ACD_CONF_RELOADABLE ? ", reloadable" : "", item->help);
    }
}
