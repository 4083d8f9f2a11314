/* Lines, labels, base64. Text outside of the blocks is skipped (RFC 7468 section 2); anything odd inside of
 * them is refused, because a reader that skips silently shows the customer less than he uploaded. */
#include "pem.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define DASH  "-----"

static const char *
find(acd_slice text, const char *what)
{
    return text.len ? memmem(text.ptr, text.len, what, strlen(what)) : NULL;
}

bool
vo_pem_has_key(acd_slice text)
{
    return find(text, "PRIVATE KEY") != NULL;
}

bool
vo_pem_is_text(acd_slice text)
{
    return find(text, BEGIN) != NULL || text.len == 0 || *(const unsigned char *)text.ptr != 0x30;
}

const char *
vo_pem_check(acd_slice text, size_t max, const char **ret_text)
{
    const unsigned char *p = text.ptr;
    if (text.len == 0 || text.len > max) {
        *ret_text = text.len ? "The upload is larger than 64 KiB: split it." : "The upload is empty.";
        return text.len ? "upload.too_large" : "upload.empty";
    }
    if (text.len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
        *ret_text = "The text is UTF-16: save it as plain ASCII or UTF-8.";
        return "upload.utf16";
    }
    if (memchr(p, '\0', text.len)) {
        *ret_text = "The text holds NUL octets: upload PEM as plain text.";
        return "upload.nul";
    }
    return NULL;
}

/* The line that begins at p, without its end; *next is the following one. */
static acd_slice
line_at(const char *p, const char *end, const char **next)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    const char *stop = nl ? nl : end;
    *next = nl ? nl + 1 : end;
    while (stop > p && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    return (acd_slice){p, (size_t)(stop - p)};
}

static bool
starts(acd_slice s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && memcmp(s.ptr, prefix, n) == 0;
}

/* Label of a boundary line, or ptr NULL. */
static acd_slice
label_of(acd_slice line, const char *kind)
{
    size_t n = strlen(kind), d = strlen(DASH);
    const char *p = line.ptr;
    if (!starts(line, kind) || line.len < n + d || memcmp(p + line.len - d, DASH, d) != 0)
        return (acd_slice){NULL, 0};
    return (acd_slice){p + n, line.len - n - d};
}

static int
digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct sink {
    uint8_t *out;
    size_t len;
    uint32_t acc;
    unsigned digits, pads;
};

/* One line of base64; false for anything that is not. */
static bool
put_line(struct sink *s, acd_slice line)
{
    const char *p = line.ptr;
    for (size_t i = 0; i < line.len; i++) {
        if (p[i] == '=') {
            if (++s->pads > 2)
                return false;
            continue;
        }
        int d = digit(p[i]);
        if (d < 0 || s->pads)
            return false;
        s->acc = s->acc << 6 | (uint32_t)d;
        if (++s->digits % 4 == 0) {
            s->out[s->len++] = (uint8_t)(s->acc >> 16);
            s->out[s->len++] = (uint8_t)(s->acc >> 8);
            s->out[s->len++] = (uint8_t)s->acc;
        }
    }
    return true;
}

static bool
finish(struct sink *s)
{
    unsigned rest = s->digits % 4;
    if (rest == 1 || (rest + s->pads) % 4 != 0)
        return false;
    if (rest == 2)
        s->out[s->len++] = (uint8_t)(s->acc >> 4);
    if (rest == 3) {
        s->out[s->len++] = (uint8_t)(s->acc >> 10);
        s->out[s->len++] = (uint8_t)(s->acc >> 2);
    }
    return s->len > 0;
}

void
vo_pem_init(struct vo_pem *p, acd_slice text)
{
    p->at = text.ptr;
    p->end = p->at ? p->at + text.len : NULL;
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
        p->at += 3;
}

static void
fault(struct vo_block *b, const char *code, const char *text)
{
    if (!b->code) {
        b->code = code;
        b->text = text;
    }
}

/* From the line after BEGIN to END of the same label. */
static void
read_body(struct vo_pem *p, struct vo_block *b, struct sink *s)
{
    while (p->at < p->end) {
        const char *next;
        acd_slice line = line_at(p->at, p->end, &next);
        if (starts(line, BEGIN))
            break;
        p->at = next;
        acd_slice label = label_of(line, END);
        if (label.ptr) {
            if (label.len != b->label.len || memcmp(label.ptr, b->label.ptr, label.len) != 0)
                fault(b, "pem.damaged", "A block ends with another label than it begins with.");
            else if (!finish(s))
                fault(b, "pem.damaged", "A block is empty or its base64 is cut off: copy it again, whole.");
            return;
        }
        if (line.len && memchr(line.ptr, ':', line.len))
            fault(b, "pem.headers", "A block has headers (encrypted?): upload it plain, without them.");
        else if (!put_line(s, line))
            fault(b, "pem.damaged", "A block holds something that is not base64: copy it again, whole.");
    }
    fault(b, "pem.damaged", "A block has no END line: the text is cut off.");
}

bool
vo_pem_next(struct vo_pem *p, struct vo_block *ret)
{
    *ret = (struct vo_block){0};
    while (p->at < p->end) {
        const char *next;
        acd_slice line = line_at(p->at, p->end, &next);
        p->at = next;
        if (!memmem(line.ptr, line.len, BEGIN, strlen(BEGIN)))
            continue;
        ret->label = label_of(line, BEGIN);
        if (!ret->label.ptr) {
            fault(ret, "pem.damaged",
                  "A BEGIN line is indented, quoted or not alone on its line: upload the lines as they are.");
            return true;
        }
        struct sink s = {.out = malloc((size_t)(p->end - p->at) / 4 * 3 + 4)};
        if (!s.out) {
            fault(ret, "upload.memory", "Out of memory.");
            return true;
        }
        read_body(p, ret, &s);
        ret->der = s.out;
        ret->len = s.len;
        if (ret->code)
            vo_block_done(ret);
        return true;
    }
    return false;
}

void
vo_block_done(struct vo_block *b)
{
    /* A block may have been a key that was pasted into the wrong place. */
    if (b->der)
        OPENSSL_cleanse(b->der, b->len);
    free(b->der);
    b->der = NULL;
    b->len = 0;
}
