/*
 * The PEM splitter of anchorctl. What it finds lies in the text, in order and without overlap; a block taken
 * alone is found again; what decodes encodes back to the body without its white space.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_decode(const struct pem_block *b)
{
    uint8_t *der = malloc(PEM_DECODED(b->body.len));
    size_t len = 0;
    must(der != NULL);
    if (pem_decode(b, der, &len, NULL) == 0) {
        char *text = malloc(BASE64_LEN(len) + 1);
        size_t n = 0;
        must(text && len > 0);
        size_t total = base64_encode(der, len, text);
        const char *body = b->body.ptr;
        for (size_t i = 0; i < b->body.len; i++)
            if (body[i] != ' ' && body[i] != '\t' && body[i] != '\r' && body[i] != '\n')
                must(n < total && text[n++] == body[i]);
        must(n == total);
        free(text);
    }
    free(der);
}

static void
try_again(const struct pem_block *b)
{
    struct pem_reader r;
    struct pem_block again;
    pem_init(&r, b->text);
    must(pem_next(&r, &again, NULL) == 1);
    must(again.line == 1 && slice_eq(again.text, b->text) && slice_eq(again.body, b->body));
    must(slice_eq(again.label, b->label));
    must(pem_next(&r, &again, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *at = text;
    struct pem_reader r;
    struct pem_block b;
    size_t line = 0;
    pem_init(&r, slice_of(data, size));
    while (pem_next(&r, &b, NULL) > 0) {
        const char *begin = b.text.ptr;
        must(begin >= at && b.text.len <= (size_t)(text + size - begin));
        must(b.line > line);
        must((const char *)b.body.ptr >= begin);
        must((const char *)b.body.ptr + b.body.len <= begin + b.text.len);
        at = begin + b.text.len;
        line = b.line;
        try_again(&b);
        try_decode(&b);
    }
    return 0;
}
