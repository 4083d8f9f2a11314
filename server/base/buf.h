/*
 * Growable bytes with a hard limit. The first failure (limit, memory) is remembered in `failed` and every
 * later put is a no-op, so a writer checks once at the end. One thread at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include <anchord/types.h>

#include "base/must.h"

struct buf {
    char *data; /* NUL-terminated behind len once anything was put */
    size_t len, cap, limit;
    int failed; /* 0, ACD_ELIMIT or ACD_ENOMEM */
};

#define BUF_INIT(max)  \
    {                  \
        .limit = (max) \
    }

void buf_put(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_slice(struct buf *b, acd_slice s);
void buf_printf(struct buf *b, const char *fmt, ...) ACD_PRINTF(2, 3);
void buf_clear(struct buf *b); /* forgets contents and failure, keeps the memory */
void buf_done(struct buf *b);

#endif
