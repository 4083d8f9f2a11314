/* What proxies forward to /auth. The first byte chooses the parser, the rest is its text; what was taken lies
 * within its bounds, and is taken again when it is written anew. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same chain in the form of RFC 9440, read back. */
static void
write_again(struct mem_region *r, const struct forwarded *f)
{
    struct forwarded again;
    const char *why = NULL;
    char *leaf = "", *rest = "";
    for (size_t i = 0; i < f->n; i++) {
        char *text = mem_alloc(r, BASE64_LEN(f->ders[i].len) + 1);
        must(text && f->ders[i].len > 0 && f->ders[i].len <= LIMIT_CERT_DER);
        (void)base64_encode(f->ders[i].ptr, f->ders[i].len, text);
        char *one = mem_printf(r, ":%s:", text);
        if (i == 0)
            leaf = one;
        else
            rest = i == 1 ? one : mem_printf(r, "%s, %s", rest, one);
        must(leaf && rest);
    }
    must(forwarded_client_cert(r, slice_str(leaf), slice_str(rest), &again, &why) && again.n == f->n);
    for (size_t i = 0; i < f->n; i++)
        must(slice_eq(again.ders[i], f->ders[i]));
}

static void
try_certificates(char which, acd_slice text)
{
    struct mem_region r;
    struct forwarded f;
    const char *why = NULL, *bar = memchr(text.ptr, '|', text.len);
    size_t cut = bar ? (size_t)(bar - (const char *)text.ptr) : text.len;
    mem_init(&r, 4096, 0);
    bool good =
        which == 'p'
            ? forwarded_pem(&r, text, &f, &why)
            : forwarded_client_cert(&r, slice_of(text.ptr, cut),
                                    bar ? slice_of(bar + 1, text.len - cut - 1) : SLICE_LIT(""), &f, &why);
    must(good == !why && f.n <= LIMIT_CHAIN);
    if (good)
        write_again(&r, &f);
    mem_done(&r);
}

static void
try_form(acd_slice text)
{
    struct hook_form f;
    if (hook_form_read(text, &f))
        must(hook_is(text) && (!f.request || ((const char *)f.uri.ptr)[0] == '/'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[DIGEST_LEN];
    if (size < 2)
        return 0;
    acd_slice text = slice_of(data + 1, size - 1);
    switch (data[0]) {
    case 'p':
    case 'c':
        try_certificates((char)data[0], text);
        break;
    case 'f':
        try_form(text);
        break;
    case 'd':
        must(!forwarded_digest(text, bytes) || text.len >= 64);
        break;
    default:
        must(forwarded_for(text).len <= text.len && forwarded_host(text).len <= text.len);
        must(forwarded_address(forwarded_for(text), bytes) <= 16);
    }
    return 0;
}
