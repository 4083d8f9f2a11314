/*
 * The matcher of host names (RFC 9525 section 6) beside a plain one of our own. The input is lines: the name
 * that is asked for, then subject alternative names, each with a letter before it: D a dNSName, I the octets
 * of an iPAddress, E an rfc822Name, U a URI. Both say the same, and the asked name alone decides which kind
 * counts.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAMES_MAX = 16 };

struct san {
    char kind;
    acd_slice bytes;
};

static acd_slice
line_of(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *begin = *at, *stop = begin < end ? memchr(begin, '\n', (size_t)(end - begin)) : NULL;
    *at = stop ? stop + 1 : end;
    return (acd_slice){begin, (size_t)((stop ? stop : end) - begin)};
}

/* 4 or 16 octets, or 0. */
static size_t
address_of(acd_slice s, uint8_t out[16])
{
    char text[64];
    if (s.len == 0 || s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len))
        return 0;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET, text, out) == 1 ? 4 : inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* Label by label. Only the asked name has been looked at before: it holds no wildcard. */
static bool
same_labels(const char *san, size_t san_len, const char *host, size_t host_len)
{
    const char *s = san, *h = host, *s_end = san + san_len, *h_end = host + host_len;
    for (size_t label = 0;; label++) {
        const char *s_dot = memchr(s, '.', (size_t)(s_end - s)), *h_dot = memchr(h, '.', (size_t)(h_end - h));
        size_t s_len = (size_t)((s_dot ? s_dot : s_end) - s), h_len = (size_t)((h_dot ? h_dot : h_end) - h);
        bool wild = label == 0 && s_len == 1 && *s == '*' && s_dot &&
                    memchr(s_dot + 1, '.', (size_t)(s_end - s_dot - 1));
        if (!wild && (s_len != h_len || strncasecmp(s, h, s_len) != 0))
            return false;
        if (!s_dot || !h_dot)
            return !s_dot && !h_dot;
        s = s_dot + 1;
        h = h_dot + 1;
    }
}

static bool
plain_match(acd_slice host, const struct san *names, size_t n)
{
    uint8_t ip[16];
    size_t ip_len = address_of(host, ip);
    const char *text = host.ptr;
    if (!ip_len && host.len > 1 && text[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < n; i++) {
        if (ip_len && names[i].kind == 'I' && names[i].bytes.len == ip_len &&
            memcmp(names[i].bytes.ptr, ip, ip_len) == 0)
            return true;
        if (!ip_len && names[i].kind == 'D' && names[i].bytes.len &&
            same_labels(names[i].bytes.ptr, names[i].bytes.len, host.ptr, host.len))
            return true;
    }
    return false;
}

static GENERAL_NAME *
general_of(const struct san *s)
{
    GENERAL_NAME *n = GENERAL_NAME_new();
    ASN1_STRING *string = ASN1_STRING_type_new(s->kind == 'I' ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    must(n && string && ASN1_STRING_set(string, s->bytes.ptr, (int)s->bytes.len) == 1);
    GENERAL_NAME_set0_value(n,
                            s->kind == 'I'   ? GEN_IPADD
                            : s->kind == 'D' ? GEN_DNS
                            : s->kind == 'E' ? GEN_EMAIL
                                             : GEN_URI,
                            string);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *at = data, *end = data + size;
    struct san names[NAMES_MAX];
    struct vo_peer peer;
    size_t n = 0;
    acd_slice host = line_of(&at, end);
    while (at < end && n < NAMES_MAX) {
        acd_slice line = line_of(&at, end);
        if (line.len == 0 || !strchr("DIEU", *(const char *)line.ptr))
            continue;
        names[n].kind = *(const char *)line.ptr;
        names[n++].bytes = (acd_slice){(const char *)line.ptr + 1, line.len - 1};
    }
    if (vo_peer_read(host, (acd_slice){NULL, 0}, (acd_slice){NULL, 0}, &peer).error)
        return 0;
    must(host.len > 0 && !memchr(host.ptr, '*', host.len));
    GENERAL_NAMES *san = GENERAL_NAMES_new();
    for (size_t i = 0; i < n; i++)
        must(sk_GENERAL_NAME_push(san, general_of(&names[i])) > 0);
    bool match = vo_peer_match(&peer, san), fine = !vo_san_fault(san).error;
    if (match)
        must(plain_match(host, names, n));
    else if (fine) /* a name that is no name matches nothing here; the plain one takes it */
        must(n == 0 || !plain_match(host, names, n));
    GENERAL_NAMES_free(san);
    return 0;
}
