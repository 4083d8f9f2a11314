/* Targets of requests: what is found has ids of their form, and whatever comes is answered with a known
 * verdict. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "model/ids.h"
#include "route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_found(const struct route_match *m)
{
    must(m->route && m->route->run && m->n <= ROUTE_PARAMS);
    for (size_t i = 0; i < m->n; i++) {
        must(m->value[i][0] && !strchr(m->value[i], '/'));
        must(strcmp(m->value[i], ".") != 0 && strcmp(m->value[i], "..") != 0);
        must(strcmp(m->name[i], "phase") == 0 || id_is_hex(slice_str(m->value[i])) ||
             id_is_uuid(slice_str(m->value[i])));
        must(route_value(m, m->name[i]) == m->value[i]);
    }
}

static void
check_query(struct mem_region *r, acd_slice text)
{
    struct query q;
    if (!query_parse(r, text, &q))
        return;
    must(q.n <= QUERY_MAX);
    for (size_t i = 0; i < q.n; i++) {
        must(utf8_valid(slice_str(q.pairs[i].name)) && utf8_valid(slice_str(q.pairs[i].value)));
        must(query_get(&q, q.pairs[i].name));
        (void)query_has(&q, q.pairs[i].name, "custom");
    }
}

/* The first byte names the method, the rest is the target. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"};
    struct mem_region region;
    struct route_match m;
    if (size == 0)
        return 0;
    const char *method = methods[data[0] % (sizeof(methods) / sizeof(methods[0]))];
    acd_slice target = slice_of(data + 1, size - 1);
    const uint8_t *mark = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    acd_slice path = slice_of(target.ptr, mark ? (size_t)(mark - (data + 1)) : target.len);
    mem_init(&region, 4096, 0);
    switch (route_find(&region, method, path, &m)) {
    case ROUTE_FOUND:
        check_found(&m);
        break;
    case ROUTE_METHOD:
        must(m.route && m.allow && strstr(m.allow, "OPTIONS"));
        break;
    case ROUTE_IDENTIFIER:
        must(m.route);
        break;
    case ROUTE_UNKNOWN:
        must(!m.route);
        break;
    }
    if (mark)
        check_query(&region, slice_of(mark + 1, target.len - path.len - 1));
    mem_done(&region);
    return 0;
}
