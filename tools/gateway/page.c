#include "page.h"

#include <string.h>

#include "base/str.h"
#include "json.h"
#include "model/limits.h"

enum { PAGE_NUMBER_MAX = 1000000, PAGE_OFFSET_MAX = 1000000000 };

static bool
number(const struct query *q, const char *name, uint64_t lo, uint64_t hi, uint64_t *ret)
{
    const char *text = query_get(q, name);
    if (!text || !text[0])
        return false;
    size_t digits = strspn(text, "0123456789");
    uint64_t n = lo;
    if (text[digits] == '\0' && !str_u64(slice_str(text), &n))
        n = hi; /* more digits than a number has */
    *ret = n < lo ? lo : n > hi ? hi : n;
    return true;
}

void
page_read(const struct query *q, uint64_t fallback, uint64_t max, struct page *ret)
{
    uint64_t offset = 0;
    *ret = (struct page){.number = 1, .size = fallback};
    if (!number(q, "limit", 1, max, &ret->size))
        (void)number(q, "per_page", 1, max, &ret->size);
    (void)number(q, "page", 1, PAGE_NUMBER_MAX, &ret->number);
    (void)number(q, "offset", 0, PAGE_OFFSET_MAX, &offset);
    ret->start = offset + (ret->number - 1) * ret->size;
    ret->rows = js_array();
}

void
page_read_all(const struct query *q, uint64_t fallback, uint64_t max, struct page *ret)
{
    static const char *const names[] = {"page", "per_page", "limit", "offset"};
    bool asked = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        asked |= query_get(q, names[i]) != NULL;
    page_read(q, asked ? fallback : max, max, ret);
}

bool
page_wants(struct page *p)
{
    uint64_t i = p->at++;
    return i >= p->start && i - p->start < p->size;
}

/* One page of the server's. 1: there is more; 0: no; negative: the reply says why. */
static int
fetch(struct gw *g, struct page *p, const struct page_source *from)
{
    const struct admin_result *res;
    const void *resp;
    int rc = gw_try(g, from->method, from->req, &resp, &res);
    if (rc == ACD_ELIMIT && from->page->size > 1) {
        from->page->size /= 2; /* it does not fit into one message */
        return 1;
    }
    if (rc < 0) {
        gw_fail_call(g, from->what, res);
        return rc;
    }
    const Anchord__V1__PageInfo *info = from->take(g, p, resp, from->ctx);
    const char *next = info ? info->next : "";
    bool more = next[0] && strcmp(next, from->page->after) != 0;
    if (!from->filtered && info)
        p->total = info->total;
    from->page->after = (char *)next;
    return more && (from->filtered || p->at < p->start + p->size);
}

bool
page_fill(struct gw *g, struct page *p, const struct page_source *from)
{
    int rc;
    from->page->size = LIMIT_PAGE;
    while ((rc = fetch(g, p, from)) > 0)
        ;
    if (from->filtered)
        p->total = p->at;
    if (rc < 0) {
        json_decref(p->rows);
        p->rows = NULL;
    }
    return rc == 0;
}
