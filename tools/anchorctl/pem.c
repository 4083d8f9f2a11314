#include "pem.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/str.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define TAIL  "-----"

void
pem_init(struct pem_reader *r, acd_slice text)
{
    static const char bom[] = "\xef\xbb\xbf";
    if (text.len >= 3 && memcmp(text.ptr, bom, 3) == 0)
        text = slice_of((const char *)text.ptr + 3, text.len - 3);
    *r = (struct pem_reader){.rest = text, .line = 1};
}

/* The next line without its end; false: there is none. */
static bool
next_line(struct pem_reader *r, acd_slice *ret)
{
    const char *s = r->rest.ptr;
    if (r->rest.len == 0)
        return false;
    const char *lf = memchr(s, '\n', r->rest.len);
    size_t len = lf ? (size_t)(lf - s) : r->rest.len, used = lf ? len + 1 : len;
    r->rest = slice_of(s + used, r->rest.len - used);
    r->line++;
    while (len && (s[len - 1] == '\r' || s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    *ret = slice_of(s, len);
    return true;
}

/* Is the line a boundary? Then its label. */
static bool
boundary(acd_slice line, const char *head, acd_slice *ret_label)
{
    size_t n = strlen(head), tail = sizeof(TAIL) - 1;
    const char *s = line.ptr;
    if (line.len < n + tail || memcmp(s, head, n) != 0 || memcmp(s + line.len - tail, TAIL, tail) != 0)
        return false;
    *ret_label = slice_of(s + n, line.len - n - tail);
    return true;
}

static int
find_end(struct pem_reader *r, struct pem_block *ret, acd_err *err)
{
    const char *body = r->rest.ptr;
    acd_slice line, label;
    while (next_line(r, &line)) {
        if (boundary(line, BEGIN, &label))
            return err_set(err, ACD_EINVAL, "line %zu: a block begins inside the one of line %zu",
                           r->line - 1, ret->line);
        if (!boundary(line, END, &label))
            continue;
        if (!slice_eq(label, ret->label))
            return err_set(err, ACD_EINVAL, "line %zu: the block of line %zu ends with another label",
                           r->line - 1, ret->line);
        const char *end = r->rest.ptr;
        ret->body = slice_of(body, (size_t)((const char *)line.ptr - body));
        ret->text.len = (size_t)(end - (const char *)ret->text.ptr);
        return 1;
    }
    return err_set(err, ACD_EINVAL, "line %zu: the block has no end", ret->line);
}

int
pem_next(struct pem_reader *r, struct pem_block *ret, acd_err *err)
{
    acd_slice line;
    while (next_line(r, &line)) {
        *ret = (struct pem_block){.text = line, .line = r->line - 1};
        if (boundary(line, BEGIN, &ret->label))
            return find_end(r, ret, err);
    }
    return 0;
}

bool
pem_is_cert(const struct pem_block *b)
{
    return slice_eqs(b->label, "CERTIFICATE");
}

int
pem_decode(const struct pem_block *b, uint8_t *out, size_t *ret_len, acd_err *err)
{
    _cleanup_free_ char *packed = malloc(b->body.len + 1);
    const char *s = b->body.ptr;
    size_t n = 0;
    if (!packed)
        return err_set(err, ACD_ENOMEM, "out of memory");
    for (size_t i = 0; i < b->body.len; i++)
        if (!strchr(" \t\r\n", s[i]) || s[i] == '\0')
            packed[n++] = s[i];
    if (n == 0)
        return err_set(err, ACD_EINVAL, "line %zu: the block is empty", b->line);
    if (!base64_decode(slice_of(packed, n), out, ret_len))
        return err_set(err, ACD_EINVAL, "line %zu: the block is not base64", b->line);
    return 0;
}
