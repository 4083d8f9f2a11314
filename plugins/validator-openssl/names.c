#include "names.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

bool
vo_is_dns(const char *s, size_t len, bool wild)
{
    size_t label = 0;
    if (wild && len > 2 && s[0] == '*' && s[1] == '.') {
        s += 2;
        len -= 2;
    }
    if (len == 0 || len > VO_MAX_HOST)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                  (c == '-' && label > 0);
        if (!ok || ++label > VO_MAX_LABEL)
            return false;
    }
    return label > 0;
}

bool
vo_is_email(const char *s, size_t len)
{
    const char *at = len ? memchr(s, '@', len) : NULL;
    if (!at || at == s || len > VO_MAX_EMAIL)
        return false;
    for (const char *p = s; p < at; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
            return false;
    return vo_is_dns(at + 1, len - (size_t)(at + 1 - s), false);
}

/* Reads textual addresses; 0 when it is none. */
static size_t
read_ip(acd_slice s, uint8_t out[16])
{
    char text[64];
    if (s.len == 0 || s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len))
        return 0;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

struct vo_fault
vo_peer_read(acd_slice host, acd_slice ip, acd_slice email, struct vo_peer *ret)
{
    *ret = (struct vo_peer){.kind = VO_PEER_NONE};
    if (ip.ptr) {
        ret->kind = VO_PEER_IP;
        ret->ip_len = read_ip(ip, ret->ip);
        return ret->ip_len ? VO_FINE
                           : VO_FAULT("ACD_V_ERR_IP_SYNTAX", "the address asked for is no IP address");
    }
    if (email.ptr) {
        ret->kind = VO_PEER_EMAIL;
        if (!vo_is_email(email.ptr, email.len))
            return VO_FAULT("ACD_V_ERR_EMAIL_SYNTAX", "the mailbox asked for is no mailbox");
        memcpy(ret->text, email.ptr, ret->len = email.len);
        return VO_FINE;
    }
    if (!host.ptr)
        return VO_FINE;
    ret->ip_len = read_ip(host, ret->ip);
    ret->kind = ret->ip_len ? VO_PEER_IP : VO_PEER_HOST;
    if (ret->ip_len)
        return VO_FINE;
    if (host.len > 1 && ((const char *)host.ptr)[host.len - 1] == '.')
        host.len--;
    if (!vo_is_dns(host.ptr, host.len, false))
        return VO_FAULT("ACD_V_ERR_HOST_SYNTAX", "the host name asked for is no host name");
    memcpy(ret->text, host.ptr, ret->len = host.len);
    return VO_FINE;
}

static bool
same_name(const char *a, const char *b, size_t len)
{
    return strncasecmp(a, b, len) == 0;
}

/* "*.example.com" stands for exactly one more label. Not for names right below a top-level domain. */
static bool
host_match(const struct vo_peer *p, const char *name, size_t len)
{
    if (!vo_is_dns(name, len, true))
        return false;
    if (name[0] != '*')
        return len == p->len && same_name(name, p->text, len);
    const char *rest = memchr(p->text, '.', p->len);
    if (!rest || rest == p->text || !memchr(name + 2, '.', len - 2))
        return false;
    size_t rest_len = p->len - (size_t)(rest - p->text);
    return rest_len == len - 1 && same_name(name + 1, rest, rest_len);
}

/* The local part counts letter by letter, the domain in either case (RFC 5280 section 7.5). */
static bool
email_match(const struct vo_peer *p, const char *name, size_t len)
{
    if (len != p->len || !vo_is_email(name, len))
        return false;
    size_t local = (size_t)((const char *)memchr(name, '@', len) - name);
    return memcmp(name, p->text, local) == 0 && same_name(name + local, p->text + local, len - local);
}

bool
vo_peer_match(const struct vo_peer *p, const GENERAL_NAMES *san)
{
    for (int i = 0; p->kind != VO_PEER_NONE && i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(san, i);
        const ASN1_STRING *s = n->type == GEN_IPADD ? n->d.iPAddress : n->d.ia5;
        bool hit = false;
        if (n->type == GEN_DNS && p->kind == VO_PEER_HOST)
            hit = host_match(p, (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
        else if (n->type == GEN_EMAIL && p->kind == VO_PEER_EMAIL)
            hit = email_match(p, (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
        else if (n->type == GEN_IPADD && p->kind == VO_PEER_IP)
            hit = (size_t)ASN1_STRING_length(s) == p->ip_len &&
                  memcmp(ASN1_STRING_get0_data(s), p->ip, p->ip_len) == 0;
        if (hit)
            return true;
    }
    return p->kind == VO_PEER_NONE;
}

struct vo_fault
vo_san_fault(const GENERAL_NAMES *san)
{
    if (san && sk_GENERAL_NAME_num(san) == 0)
        return VO_FAULT("X509_V_ERR_EMPTY_SUBJECT_ALT_NAME",
                        "the subject alternative name extension is empty");
    for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(san, i);
        if (n->type != GEN_DNS && n->type != GEN_EMAIL && n->type != GEN_IPADD && n->type != GEN_URI)
            continue;
        const ASN1_STRING *s = n->type == GEN_IPADD ? n->d.iPAddress : n->d.ia5;
        const char *text = (const char *)ASN1_STRING_get0_data(s);
        size_t len = (size_t)ASN1_STRING_length(s);
        if (n->type == GEN_DNS && !vo_is_dns(text, len, true))
            return VO_FAULT("ACD_V_ERR_SAN_SYNTAX", "a DNS name of the certificate is no DNS name");
        if (n->type == GEN_EMAIL && !vo_is_email(text, len))
            return VO_FAULT("ACD_V_ERR_SAN_SYNTAX", "a mailbox of the certificate is no mailbox");
        if (n->type == GEN_IPADD && len != 4 && len != 16)
            return VO_FAULT("ACD_V_ERR_SAN_SYNTAX", "an address of the certificate is no IP address");
        if (n->type == GEN_URI && (len == 0 || memchr(text, '\0', len)))
            return VO_FAULT("ACD_V_ERR_SAN_SYNTAX", "a URI of the certificate is no URI");
    }
    return VO_FINE;
}

/* An address range is an address and a mask of leading ones (RFC 4632). */
static bool
is_range(const uint8_t *p, size_t len)
{
    bool ended = false;
    if (len != 8 && len != 32)
        return false;
    for (size_t i = len / 2; i < len; i++)
        for (int bit = 7; bit >= 0; bit--) {
            bool one = (p[i] >> bit) & 1;
            if (one && ended)
                return false;
            ended = ended || !one;
        }
    return true;
}

/* A host or, with a leading dot, what lies below it. DNS constraints with the dot are in wide use. */
static bool
is_domain(const char *s, size_t len)
{
    if (len > 1 && s[0] == '.') {
        s++;
        len--;
    }
    return len == 0 || vo_is_dns(s, len, false);
}

static bool
is_constraint(const GENERAL_SUBTREE *t)
{
    const GENERAL_NAME *n = t->base;
    /* Section 4.2.1.10: minimum is 0 and maximum absent. */
    if (t->maximum || (t->minimum && ASN1_INTEGER_get(t->minimum) != 0))
        return false;
    if (n->type == GEN_IPADD)
        return is_range(ASN1_STRING_get0_data(n->d.iPAddress), (size_t)ASN1_STRING_length(n->d.iPAddress));
    if (n->type != GEN_DNS && n->type != GEN_EMAIL && n->type != GEN_URI)
        return true;
    const char *s = (const char *)ASN1_STRING_get0_data(n->d.ia5);
    size_t len = (size_t)ASN1_STRING_length(n->d.ia5);
    return is_domain(s, len) || (n->type == GEN_EMAIL && vo_is_email(s, len));
}

struct vo_fault
vo_nc_fault(const NAME_CONSTRAINTS *nc, size_t *ret_subtrees)
{
    const STACK_OF(GENERAL_SUBTREE) * lists[2] = {nc->permittedSubtrees, nc->excludedSubtrees};
    size_t total = 0;
    for (int l = 0; l < 2; l++) {
        int n = sk_GENERAL_SUBTREE_num(lists[l]);
        total += n > 0 ? (size_t)n : 0;
        /* GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) */
        if (n == 0 || total > VO_MAX_SUBTREES)
            return VO_FAULT("ACD_V_ERR_NAME_CONSTRAINTS_INVALID",
                            "a list of name constraints is empty or too long");
        for (int i = 0; i < n; i++)
            if (!is_constraint(sk_GENERAL_SUBTREE_value(lists[l], i)))
                return VO_FAULT("ACD_V_ERR_NAME_CONSTRAINTS_INVALID", "a name constraint is malformed");
    }
    *ret_subtrees = total;
    if (total == 0)
        return VO_FAULT("ACD_V_ERR_NAME_CONSTRAINTS_INVALID",
                        "the name constraints permit and exclude nothing");
    return VO_FINE;
}

/* Does the excluded base lie under the wildcard's parent? "*.x.test" may stand for "secret.x.test". */
static bool
wildcard_reaches(const char *wild, size_t wlen, const char *base, size_t blen)
{
    if (blen > 0 && base[0] == '.') {
        base++;
        blen--;
    }
    /* wild + 1 is ".x.test" */
    return blen > wlen - 1 && same_name(base + (blen - (wlen - 1)), wild + 1, wlen - 1);
}

bool
vo_nc_slips(const GENERAL_NAMES *san, const NAME_CONSTRAINTS *nc)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(nc->excludedSubtrees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(nc->excludedSubtrees, i)->base;
        if (base->type != GEN_DNS && base->type != GEN_EMAIL)
            continue;
        const char *b = (const char *)ASN1_STRING_get0_data(base->d.ia5);
        size_t blen = (size_t)ASN1_STRING_length(base->d.ia5);
        for (int j = 0; j < sk_GENERAL_NAME_num(san); j++) {
            const GENERAL_NAME *n = sk_GENERAL_NAME_value(san, j);
            if (n->type != base->type)
                continue;
            const char *s = (const char *)ASN1_STRING_get0_data(n->d.ia5);
            size_t len = (size_t)ASN1_STRING_length(n->d.ia5);
            /* An empty base excludes every name of its kind; for mailboxes OpenSSL compares it instead. */
            if (n->type == GEN_EMAIL ? blen == 0
                                     : len > 2 && s[0] == '*' && wildcard_reaches(s, len, b, blen))
                return true;
        }
    }
    return false;
}
