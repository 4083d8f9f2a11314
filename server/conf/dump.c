/* The effective configuration as YAML. The table is in the order of its sections, so one pass writes them. */
#include <string.h>

#include "base/str.h"
#include "conf/conf.h"
#include "conf/items.h"

static void
put_indent(struct buf *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_puts(out, "  ");
}

/* The character at p, which is valid UTF-8, and how many bytes it has. */
static uint32_t
decode(const unsigned char *p, size_t *ret_len)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3fu);
    *ret_len = len;
    return c;
}

/* What a YAML reader refuses or takes for the end of a line (YAML 1.1 sections 4.1.1 and 4.1.4). */
static bool
needs_escape(uint32_t c)
{
    return (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* A double-quoted text. */
static void
put_text(struct buf *out, const char *text)
{
    size_t len;
    buf_putc(out, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p += len) {
        uint32_t c = decode(p, &len);
        if (c == '"' || c == '\\')
            buf_putc(out, '\\');
        if (needs_escape(c))
            buf_printf(out, "\\u%04X", c);
        else
            buf_put(out, p, len);
    }
    buf_putc(out, '"');
}

/* Opens the sections of key that the key before it did not have; returns the depth of the option itself and
 * its last part. */
static unsigned
put_sections(struct buf *out, const char *before, const char *key, const char **ret_last)
{
    unsigned depth = 0;
    bool is_same = true;
    for (const char *dot; (dot = strchr(key, '.')); key = dot + 1, depth++) {
        size_t len = (size_t)(dot - key) + 1;
        is_same = is_same && strncmp(before, key, len) == 0;
        if (is_same) {
            before += len;
            continue;
        }
        put_indent(out, depth);
        buf_put(out, key, len - 1);
        buf_puts(out, ":\n");
    }
    *ret_last = key;
    return depth;
}

static bool
is_absent(const struct conf *c, const struct conf_item *item)
{
    switch (item->type) {
    case CONF_T_STR:
    case CONF_T_PATH:
        return *CONF_AT(c, item, char *const) == NULL;
    case CONF_T_LIST:
        return CONF_AT(c, item, const struct conf_list)->n == 0;
    case CONF_T_OPTIONS:
        return CONF_AT(c, item, const struct conf_options)->n == 0;
    default:
        return false;
    }
}

static void
put_list(struct buf *out, const struct conf_list *list, unsigned depth)
{
    buf_putc(out, '\n');
    for (size_t i = 0; i < list->n; i++) {
        put_indent(out, depth + 1);
        buf_puts(out, "- ");
        put_text(out, list->items[i]);
        buf_putc(out, '\n');
    }
}

struct hide {
    conf_secret_f secret;
    void *ctx;
};

static void
put_options(struct buf *out, const struct conf_item *item, const struct conf_options *options, unsigned depth,
            const struct hide *hide)
{
    char plugin[16];
    const char *name = item->key + strlen("plugins.");
    size_t len = strcspn(name, ".");
    must(str_starts(item->key, "plugins.") && len < sizeof(plugin));
    memcpy(plugin, name, len);
    plugin[len] = '\0';
    buf_putc(out, '\n');
    for (size_t i = 0; i < options->n; i++) {
        const struct conf_option *o = &options->items[i];
        put_indent(out, depth + 1);
        put_text(out, o->key);
        buf_puts(out, ": ");
        put_text(out, !hide->secret || hide->secret(hide->ctx, plugin, o->key) ? "***" : o->value);
        buf_putc(out, '\n');
    }
}

static void
put_value(struct buf *out, const struct conf *c, const struct conf_item *item, unsigned depth,
          const struct hide *hide)
{
    switch (item->type) {
    case CONF_T_LIST:
        put_list(out, CONF_AT(c, item, const struct conf_list), depth);
        return;
    case CONF_T_OPTIONS:
        put_options(out, item, CONF_AT(c, item, const struct conf_options), depth, hide);
        return;
    case CONF_T_STR:
    case CONF_T_PATH:
        buf_putc(out, ' ');
        put_text(out, *CONF_AT(c, item, char *const));
        break;
    case CONF_T_BOOL:
        buf_puts(out, *CONF_AT(c, item, const bool) ? " true" : " false");
        break;
    case CONF_T_INT:
        buf_printf(out, " %lld", (long long)*CONF_AT(c, item, const int64_t));
        break;
    default:
        buf_printf(out, " %s", conf_item_word(item->type, *CONF_AT(c, item, const int64_t)));
    }
    buf_putc(out, '\n');
}

void
conf_dump(const struct conf *c, conf_secret_f secret, void *ctx, struct buf *out)
{
    const struct hide hide = {secret, ctx};
    const char *before = "";
    for (int i = 0; i < CONF_ITEMS; i++) {
        const struct conf_item *item = &conf_items[i];
        const char *last;
        if (is_absent(c, item))
            continue;
        unsigned depth = put_sections(out, before, item->key, &last);
        put_indent(out, depth);
        buf_puts(out, last);
        buf_putc(out, ':');
        put_value(out, c, item, depth, &hide);
        before = item->key;
    }
}
