#include "gzip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, GZIP_LEVEL = 5, GZIP_MEMORY = 8 };

/* Weight of one element "name;q=0.5": 0 means not acceptable; -1: it is not about this name. */
static int
weight_of(const char *s, size_t len, const char *name)
{
    size_t n = strlen(name);
    while (len > 0 && (*s == ' ' || *s == '\t'))
        s++, len--;
    if (len < n || strncasecmp(s, name, n) != 0)
        return -1;
    s += n, len -= n;
    while (len > 0 && (*s == ' ' || *s == '\t'))
        s++, len--;
    if (len == 0)
        return 1;
    if (*s != ';')
        return -1;
    const char *q = memchr(s, '=', len);
    /* Only zero matters: "0", "0.0", "0.000". */
    for (; q && ++q < s + len;)
        if (*q >= '1' && *q <= '9')
            return 1;
    return memchr(s, '=', len) ? 0 : 1;
}

bool
gzip_accepted(const char *accept_encoding)
{
    int any = -1;
    for (const char *s = accept_encoding; s && *s;) {
        size_t len = strcspn(s, ",");
        int w = weight_of(s, len, "gzip");
        if (w >= 0)
            return w > 0;
        w = weight_of(s, len, "*");
        any = w >= 0 ? w : any;
        s += len + (s[len] == ',');
    }
    return any > 0;
}

acd_slice
gzip_pack(struct mem_region *r, acd_slice in)
{
    static const acd_slice none = {NULL, 0};
    z_stream z = {0};
    uint8_t *out = mem_alloc(r, in.len);
    if (!out ||
        deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return none;
    z.next_in = (Bytef *)(uintptr_t)in.ptr;
    z.avail_in = (uInt)in.len;
    z.next_out = out;
    z.avail_out = (uInt)in.len;
    int rc = deflate(&z, Z_FINISH);
    size_t len = z.total_out;
    (void)deflateEnd(&z);
    return rc == Z_STREAM_END ? (acd_slice){out, len} : none;
}
