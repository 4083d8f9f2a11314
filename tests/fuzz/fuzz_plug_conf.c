/* Configuration of a plugin, as key NUL value NUL pairs: what is accepted lies in the declared ranges. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plug/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ITEM(k, t, d, l, h)                                                                                \
    {                                                                                                      \
        .struct_size = sizeof(acd_conf_item), .type = (t), .key = (k), .dflt = (d), .help = "", .lo = (l), \
        .hi = (h)                                                                                          \
    }
static const acd_conf_item items[] = {
    ITEM("path", ACD_CONF_PATH, "/x", 2, 40),
    ITEM("n", ACD_CONF_INT, "0", -100, INT64_MAX),
    ITEM("on", ACD_CONF_BOOL, "no", 0, 1),
    ITEM("s", ACD_CONF_STR, "", 0, 8),
};
enum { ITEMS = sizeof(items) / sizeof(items[0]), PAIRS = 8 };

static void
check(const struct plug_conf *conf)
{
    must(conf->n == ITEMS);
    must(conf->vals[0].str.len >= 2 && conf->vals[0].str.len <= 40);
    must(((const char *)conf->vals[0].str.ptr)[conf->vals[0].str.len] == '\0');
    must(conf->vals[1].num >= -100);
    must(conf->vals[2].num == 0 || conf->vals[2].num == 1);
    must(conf->vals[3].str.len <= 8);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plug_pair pairs[PAIRS];
    struct plug_conf conf;
    acd_err err = ACD_ERR_INIT;
    size_t n = 0, at = 0;
    char *copy = malloc(size + 2);
    must(copy);
    memcpy(copy, data, size);
    copy[size] = copy[size + 1] = '\0';
    while (at < size && n < PAIRS) {
        pairs[n].key = copy + at;
        at += strlen(copy + at) + 1;
        pairs[n].value = at <= size ? copy + at : "";
        at += at <= size ? strlen(copy + at) + 1 : 0;
        n++;
    }
    must(plug_conf_items_check(items, ITEMS, &err) == 0);
    int rc = plug_conf_parse(items, ITEMS, pairs, n, &conf, &err);
    must(rc == 0 || (rc == ACD_EINVAL && err.text[0]));
    if (rc == 0) {
        check(&conf);
        plug_conf_done(&conf);
    }
    free(copy);
    return 0;
}
