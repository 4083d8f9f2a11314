/* Configuration files: what is accepted has an effective text, which is accepted and says the same. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "conf/conf.h"
#include "model/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_nothing(void *ctx, const char *plugin, const char *key)
{
    (void)ctx, (void)plugin, (void)key;
    return false;
}

static void
count(void *ctx, const char *key, unsigned line, const char *text)
{
    unsigned *n = ctx;
    (void)line;
    must(key && text[0] != '\0');
    (*n)++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_err err = ACD_ERR_INIT;
    struct conf *one = NULL, *two = NULL;
    struct buf first = BUF_INIT(8 * LIMIT_CONF_FILE), second = BUF_INIT(8 * LIMIT_CONF_FILE);
    unsigned problems = 0;
    int rc = conf_parse(slice_of(data, size), count, &problems, &one, &err);
    must((rc == 0) == (problems == 0) && (rc == 0) == (one != NULL));
    if (!one)
        return 0;
    rc = conf_check(one, count, &problems, &err);
    must((rc == 0) == (problems == 0));
    conf_dump(one, is_nothing, NULL, &first);
    must(first.failed == 0);
    if (first.len <= LIMIT_CONF_FILE) {
        must(conf_parse(slice_of(first.data, first.len), NULL, NULL, &two, &err) == 0);
        conf_dump(two, is_nothing, NULL, &second);
        must(second.len == first.len && memcmp(first.data, second.data, first.len) == 0);
    }
    conf_free(one);
    conf_free(two);
    buf_done(&first);
    buf_done(&second);
    return 0;
}
