/*
 * Lists that are cut by page number, from lists that the server cuts by cursor.
 *
 * `size = limit or per_page or the default; start = offset + (page - 1) * size`. A page beyond the end is
 * empty, and no error: clients go on until they see one. Numbers that are none, or out of range, are clamped.
 */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

#include "gw.h"

struct page {
    uint64_t number, size, start;
    uint64_t at;    /* rows that went by */
    uint64_t total; /* rows there are */
    json_t *rows;   /* those of the page; owned, v4_page takes it */
};

/* What the query asks for. max is the largest size; both are the list's own. */
void page_read(const struct query *q, uint64_t fallback, uint64_t max, struct page *ret);
/* All rows up to max, unless the query says otherwise: for lists whose clients never ask for a second page.
 */
void page_read_all(const struct query *q, uint64_t fallback, uint64_t max, struct page *ret);

/* One row goes by: is it one of the page's? Then the caller adds it to p->rows. */
bool page_wants(struct page *p);

/* Puts a response's rows through page_wants, and returns its PageInfo. */
typedef const Anchord__V1__PageInfo *(*page_take)(struct gw *g, struct page *p, const void *resp, void *ctx);

struct page_source {
    const struct resource *what;
    const char *method;
    const void *req;
    Anchord__V1__PageRequest *page; /* of req */
    page_take take;
    void *ctx;
    bool filtered; /* rows are left out: only the end of the list says how many there are */
};

/* False: the reply says what went wrong. */
bool page_fill(struct gw *g, struct page *p, const struct page_source *from) ACD_MUSTCHECK;

#endif
