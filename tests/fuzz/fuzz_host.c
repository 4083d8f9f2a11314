/* Host names: what is accepted is in normal form, and normal form is a fixed point of every parser. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "model/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_fixed_point(const struct host *h, int (*parse)(acd_slice, struct host *, acd_err *))
{
    acd_err err = ACD_ERR_INIT;
    struct host again;
    must(h->len > 0 && h->len <= LIMIT_HOST && strlen(h->name) == h->len);
    must(parse(slice_of(h->name, h->len), &again, &err) == 0);
    must(again.len == h->len && memcmp(again.name, h->name, h->len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_err err = ACD_ERR_INIT;
    struct host host, pattern, zone;
    acd_slice text = slice_of(data, size);
    bool is_host = host_parse(text, &host, &err) == 0;
    if (is_host) {
        must(!host_is_wildcard(&host));
        check_fixed_point(&host, host_parse);
    } else {
        must(err.text[0] != '\0');
        must(!host_is_normal((const char *)data, size));
    }
    struct host folded;
    if (host_fold(text, &folded))
        must(is_host && folded.len == host.len && memcmp(folded.name, host.name, host.len) == 0);
    if (host_parse_pattern(text, &pattern, &err) == 0) {
        check_fixed_point(&pattern, host_parse_pattern);
        must(host_is_wildcard(&pattern) || is_host);
    }
    if (host_parse_zone(text, &zone, &err) == 0) {
        must(is_host);
        check_fixed_point(&zone, host_parse_zone);
        must(host_in_zone(&zone, &zone));
    }
    return 0;
}
