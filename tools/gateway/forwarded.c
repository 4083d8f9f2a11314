#include "forwarded.h"

#include <string.h>

#include "base/str.h"
#include "model/net.h"

/* --- the form ---------------------------------------------------------------------------------------------
 */

static const char hook_path[] = "/auth";

bool
hook_is(acd_slice target)
{
    const size_t n = sizeof(hook_path) - 1;
    const char *s = target.ptr;
    return target.len >= n && memcmp(s, hook_path, n) == 0 && (target.len == n || s[n] == '/' || s[n] == '?');
}

/* False: the word is unknown, or does not go with those before it. */
static bool
take_word(acd_slice word, struct hook_form *f)
{
    if (slice_eqs(word, "optional") && !f->optional)
        f->optional = true;
    else if (slice_eqs(word, "only-403") && !f->only_403)
        f->only_403 = true;
    else if (slice_eqs(word, "client-cert") && f->cert == HOOK_ESCAPED_PEM)
        f->cert = HOOK_CLIENT_CERT;
    else if (slice_eqs(word, "digest") && f->cert == HOOK_ESCAPED_PEM)
        f->cert = HOOK_DIGEST;
    else
        return false;
    return true;
}

bool
hook_form_read(acd_slice target, struct hook_form *ret)
{
    const char *s = target.ptr, *end = s + target.len;
    *ret = (struct hook_form){.cert = HOOK_ESCAPED_PEM};
    if (!hook_is(target))
        return false;
    for (s += sizeof(hook_path) - 1; s < end;) {
        if (*s++ != '/')
            return false;
        const char *stop = s;
        while (stop < end && *stop != '/' && *stop != '?')
            stop++;
        acd_slice word = slice_of(s, (size_t)(stop - s));
        s = stop;
        if (slice_eqs(word, "request")) {
            ret->request = true;
            ret->uri = s < end ? slice_of(s, (size_t)(end - s)) : SLICE_LIT("/");
            return ((const char *)ret->uri.ptr)[0] == '/';
        }
        if (!take_word(word, ret))
            return false;
    }
    return true;
}

/* --- PEM --------------------------------------------------------------------------------------------------
 */

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----", pem_end[] = "-----END CERTIFICATE-----";

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
unescape(acd_slice text, char *out, size_t *ret_len)
{
    const char *in = text.ptr;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)in[i];
        if (in[i] == '%') {
            if (text.len - i < 3 || !hex_decode(slice_of(in + i + 1, 2), &byte, 1))
                return false;
            i += 2;
        }
        out[n++] = (char)byte;
    }
    *ret_len = n;
    return true;
}

/* Why a certificate is not taken; NULL: it is one more of the chain. */
static const char *
add(struct forwarded *f, const uint8_t *der, size_t len)
{
    if (f->n == LIMIT_CHAIN)
        return "the chain has too many certificates";
    if (len == 0 || len > LIMIT_CERT_DER)
        return len ? "a certificate is too long" : "a certificate is empty";
    f->ders[f->n++] = slice_of(der, len);
    return NULL;
}

/* One block at *at, whose base64 is decoded where it lies: white space in it is squeezed out first. */
static const char *
take_block(char **at, char *end, struct forwarded *ret)
{
    const size_t first = sizeof(pem_begin) - 1, last = sizeof(pem_end) - 1;
    char *s = *at, *body = s + first, *out = body;
    size_t len = 0;
    if ((size_t)(end - s) < first || memcmp(s, pem_begin, first) != 0)
        return "a PEM block does not begin with BEGIN CERTIFICATE";
    for (s = body; s < end && *s != '-'; s++)
        if (!is_space(*s))
            *out++ = *s;
    if ((size_t)(end - s) < last || memcmp(s, pem_end, last) != 0)
        return "a PEM block does not end with END CERTIFICATE";
    *at = s + last;
    if (!base64_decode(slice_of(body, (size_t)(out - body)), (uint8_t *)body, &len))
        return "a PEM block is not base64";
    return add(ret, (uint8_t *)body, len);
}

bool
forwarded_pem(struct mem_region *r, acd_slice text, struct forwarded *ret, const char **ret_why)
{
    char *s = mem_alloc(r, text.len + 1);
    size_t len = 0;
    ret->n = 0;
    *ret_why = !s ? "out of memory" : unescape(text, s, &len) ? NULL : "an escape is broken";
    for (char *end = s + len; !*ret_why;) {
        while (s < end && is_space(*s))
            s++;
        if (s == end)
            return true;
        *ret_why = take_block(&s, end, ret);
    }
    return false;
}

/* --- RFC 9440 ---------------------------------------------------------------------------------------------
 */

/* One byte sequence at *at. */
static const char *
take_sequence(struct mem_region *r, const char **at, const char *end, struct forwarded *ret)
{
    const char *s = *at, *colon = s < end && *s == ':' ? memchr(s + 1, ':', (size_t)(end - s - 1)) : NULL;
    size_t len = 0;
    if (!colon)
        return "a byte sequence does not stand between colons";
    acd_slice text = slice_of(s + 1, (size_t)(colon - s - 1));
    uint8_t *der = mem_alloc(r, text.len / 4 * 3 + 1);
    if (!der)
        return "out of memory";
    *at = colon + 1;
    return base64_decode(text, der, &len) ? add(ret, der, len) : "a byte sequence is not base64";
}

static const char *
skip_blanks(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    return s;
}

/* A list of at most `most` byte sequences with commas between them. */
static const char *
take_list(struct mem_region *r, acd_slice text, size_t most, struct forwarded *ret)
{
    const char *s = text.ptr, *end = s + text.len, *why = NULL;
    s = skip_blanks(s, end);
    for (size_t n = 1; s < end; n++) {
        why = n > most ? "there is more than one certificate" : take_sequence(r, &s, end, ret);
        if (why)
            return why;
        s = skip_blanks(s, end);
        if (s == end)
            return NULL;
        if (*s++ != ',')
            return "something follows a byte sequence";
        s = skip_blanks(s, end);
        if (s == end)
            return "a list ends with a comma";
    }
    return NULL;
}

bool
forwarded_client_cert(struct mem_region *r, acd_slice leaf, acd_slice chain, struct forwarded *ret,
                      const char **ret_why)
{
    ret->n = 0;
    *ret_why = leaf.len ? take_list(r, leaf, 1, ret) : NULL;
    if (!*ret_why && chain.len && ret->n == 0)
        *ret_why = "there is a chain without a certificate";
    if (!*ret_why && chain.len)
        *ret_why = take_list(r, chain, LIMIT_CHAIN, ret);
    return !*ret_why;
}

bool
forwarded_digest(acd_slice text, uint8_t ret[DIGEST_LEN])
{
    const char *s = text.ptr;
    uint8_t leaf[DIGEST_LEN];
    size_t step = text.len == 2 * DIGEST_LEN ? 2 : 3;
    if (step == 3 && text.len != 3 * DIGEST_LEN - 1)
        return false;
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        if (!hex_decode(slice_of(s + i * step, 2), &leaf[i], 1))
            return false;
        if (step == 3 && i + 1 < DIGEST_LEN && s[i * step + 2] != ':')
            return false;
    }
    digest_sha256(leaf, sizeof(leaf), ret);
    return true;
}

/* --- addresses and hosts ----------------------------------------------------------------------------------
 */

/* "[::1]:80" and "192.0.2.1:80" without what is not the address; an IPv6 address may stand bare. */
static acd_slice
without_port(acd_slice text, bool keep_brackets)
{
    const char *s = text.ptr, *close = text.len ? memchr(s, ']', text.len) : NULL;
    const char *colon = text.len ? memchr(s, ':', text.len) : NULL;
    if (text.len && s[0] == '[' && close)
        return keep_brackets ? slice_of(s, (size_t)(close + 1 - s))
                             : slice_of(s + 1, (size_t)(close - s - 1));
    if (colon && !memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - s)))
        return slice_of(s, (size_t)(colon - s));
    return text;
}

acd_slice
forwarded_for(acd_slice text)
{
    const char *s = text.ptr, *end = s + text.len, *begin;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (begin = end; begin > s && begin[-1] != ','; begin--)
        ;
    begin = skip_blanks(begin, end);
    return without_port(slice_of(begin, (size_t)(end - begin)), false);
}

size_t
forwarded_address(acd_slice text, uint8_t ret[16])
{
    struct net_addr a;
    if (!net_addr_parse(text, &a))
        return 0;
    bool v6 = memchr(text.ptr, ':', text.len) != NULL;
    memcpy(ret, v6 ? a.b : a.b + 12, v6 ? 16 : 4);
    return v6 ? 16 : 4;
}

acd_slice
forwarded_host(acd_slice text)
{
    return without_port(text, true);
}
