#include "base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mem_block {
    struct mem_block *next;
    size_t size; /* of data */
    alignas(16) char data[];
};

void
mem_init(struct mem_region *r, size_t block, size_t limit)
{
    *r = (struct mem_region){.block = block < 256 ? 256 : block, .limit = limit ? limit : SIZE_MAX};
}

static void
blocks_free(struct mem_block *b)
{
    while (b) {
        struct mem_block *next = b->next;
        free(b);
        b = next;
    }
}

void
mem_reset(struct mem_region *r)
{
    r->full = false;
    if (!r->first)
        return;
    blocks_free(r->first->next);
    r->first->next = NULL;
    r->cur = r->first;
    r->at = r->first->data;
    r->end = r->first->data + r->first->size;
    r->used = r->first->size;
}

void
mem_done(struct mem_region *r)
{
    blocks_free(r->first);
    r->first = r->cur = NULL;
    r->at = r->end = NULL;
    r->used = 0;
}

static int
block_add(struct mem_region *r, size_t size)
{
    size_t want = size > r->block ? size : r->block;
    if (want > r->limit - r->used)
        want = size; /* the last block may be smaller than usual */
    if (r->used > r->limit || want > r->limit - r->used) {
        r->full = true;
        return ACD_ENOMEM;
    }
    struct mem_block *b = malloc(sizeof(*b) + want);
    if (!b)
        return ACD_ENOMEM;
    b->next = NULL;
    b->size = want;
    if (r->cur)
        r->cur->next = b;
    else
        r->first = b;
    r->cur = b;
    r->at = b->data;
    r->end = b->data + want;
    r->used += want;
    return 0;
}

void *
mem_alloc(struct mem_region *r, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    if (size == 0)
        size = 16;
    if ((size_t)(r->end - r->at) < size && block_add(r, size) < 0)
        return NULL;
    void *p = r->at;
    r->at += size;
    return p;
}

void *
mem_zalloc(struct mem_region *r, size_t size)
{
    void *p = mem_alloc(r, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *
mem_array(struct mem_region *r, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    return mem_zalloc(r, total);
}

void *
mem_dup(struct mem_region *r, const void *p, size_t len)
{
    void *copy = mem_alloc(r, len);
    if (copy && len)
        memcpy(copy, p, len);
    return copy;
}

char *
mem_strndup(struct mem_region *r, const char *s, size_t len)
{
    char *copy = mem_alloc(r, len + 1);
    if (copy) {
        if (len)
            memcpy(copy, s, len);
        copy[len] = '\0';
    }
    return copy;
}

char *
mem_strdup(struct mem_region *r, const char *s)
{
    return mem_strndup(r, s, strlen(s));
}

acd_slice
mem_slice(struct mem_region *r, acd_slice s)
{
    return (acd_slice){mem_dup(r, s.ptr, s.len), s.len};
}

char *
mem_printf(struct mem_region *r, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = n < 0 ? NULL : mem_alloc(r, (size_t)n + 1);
    if (s)
        (void)vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}
