#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "conf/items.h"
#include "conf/parse.h"

DEFINE_CLEANUP(struct conf *, conf_free)

struct conf *
conf_defaults(void)
{
    acd_err err = ACD_ERR_INIT;
    struct conf *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    mem_init(&c->mem, LIMIT_CONF_BLOCK, LIMIT_CONF_MEMORY);
    for (int i = 0; i < CONF_ITEMS; i++) {
        const struct conf_item *item = &conf_items[i];
        int rc = item->dflt ? conf_item_put(c, item, slice_str(item->dflt), &err) : 0;
        must(rc == 0 || rc == ACD_ENOMEM);
        if (rc < 0) {
            conf_free(c);
            return NULL;
        }
    }
    return c;
}

static void
wipe_options(struct conf_options *options)
{
    for (size_t i = 0; i < options->n; i++)
        wipe(options->items[i].value, strlen(options->items[i].value));
}

void
conf_free(struct conf *c)
{
    if (!c)
        return;
    wipe_options(&c->plugins.storage.options);
    wipe_options(&c->plugins.validator.options);
    wipe_options(&c->plugins.quota.options);
    mem_done(&c->mem);
    free(c);
}

int
conf_parse(acd_slice text, conf_finding_f found, void *ctx, struct conf **ret, acd_err *err)
{
    struct conf_report report = {.found = found, .ctx = ctx};
    _cleanup_(conf_freep) struct conf *c = conf_defaults();
    if (!c)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = conf_parse_into(c, text, &report, err);
    if (rc == 0)
        rc = conf_report_end(&report, err);
    if (rc == 0)
        *ret = TAKE_PTR(c);
    return rc;
}

int
conf_load(const char *path, conf_finding_f found, void *ctx, struct conf **ret, acd_err *err)
{
    struct buf text = BUF_INIT(LIMIT_CONF_FILE);
    int rc = io_read_file(path, &text, err);
    if (rc == 0)
        rc = conf_parse(slice_of(text.data, text.len), found, ctx, ret, err);
    if (rc == ACD_EINVAL)
        rc = err_context(err, rc, "%s", path);
    if (text.data)
        wipe(text.data, text.len);
    buf_done(&text);
    return rc;
}

int
conf_set(struct conf *c, const char *key, const char *const *values, size_t n, acd_err *err)
{
    acd_slice texts[LIMIT_CONF_LIST];
    int id = conf_item_find(key), rc;
    if (id < 0)
        return err_set(err, ACD_ENOENT, "unknown key '%s'", key);
    const struct conf_item *item = &conf_items[id];
    if (n > LIMIT_CONF_LIST || (item->type != CONF_T_LIST && n != 1))
        return err_set(err, ACD_EINVAL, "'%s' was given %zu times", key, n);
    for (size_t i = 0; i < n; i++)
        texts[i] = slice_str(values[i]);
    if (item->type == CONF_T_LIST)
        rc = conf_item_put_list(c, item, texts, n, err);
    else
        rc = conf_item_put(c, item, texts[0], err);
    if (rc < 0)
        return err_context(err, rc, "'%s'", key);
    c->line[id] = CONF_LINE_OVERRIDE;
    return 0;
}
