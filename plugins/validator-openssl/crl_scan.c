#include "crl_scan.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

enum {
    INTEGER = 0x02,
    OCTETS = 0x04,
    OID = 0x06,
    BOOLEAN = 0x01,
    SEQUENCE = 0x30,
    UTC = 0x17,
    GENERAL = 0x18
};
enum { EXTENSIONS = 0xa0, ENUMERATED = 0x0a };

/* --- DER -------------------------------------------------------------------------------------------------
 */

struct der {
    const uint8_t *p, *end;
};

struct tlv {
    unsigned tag;
    acd_slice whole, in;
};

static struct der
der_of(acd_slice s)
{
    return (struct der){s.ptr, (const uint8_t *)s.ptr + s.len};
}

/* The next element; false: at the end, or not DER. */
static bool
take(struct der *d, struct tlv *ret)
{
    const uint8_t *p = d->p;
    size_t left = (size_t)(d->end - p), len, head = 2;
    if (left < 2 || (p[0] & 0x1f) == 0x1f)
        return false;
    len = p[1];
    if (len >= 0x80) {
        size_t n = len & 0x7f;
        if (n == 0 || n > 4 || left < 2 + n || p[2] == 0)
            return false;
        for (len = 0; head < 2 + n; head++)
            len = len << 8 | p[head];
        if (len < 0x80)
            return false;
    }
    if (len > left - head)
        return false;
    *ret = (struct tlv){p[0], {p, head + len}, {p + head, len}};
    d->p = p + head + len;
    return true;
}

static bool
take_tag(struct der *d, unsigned tag, struct tlv *ret)
{
    struct der at = *d;
    if (!take(&at, ret) || ret->tag != tag)
        return false;
    *d = at;
    return true;
}

static bool
take_time(struct der *d, struct tlv *ret)
{
    return take_tag(d, UTC, ret) || take_tag(d, GENERAL, ret);
}

static bool
same_octets(acd_slice a, acd_slice b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* --- the list without its entries ------------------------------------------------------------------------
 */

static acd_slice
between(const uint8_t *from, const uint8_t *to)
{
    return (acd_slice){from, (size_t)(to - from)};
}

static bool
cut_tbs(acd_slice in, struct vo_crl_cut *ret)
{
    struct der d = der_of(in);
    struct tlv t, alg;
    (void)take_tag(&d, INTEGER, &t);
    if (!take_tag(&d, SEQUENCE, &alg) || !take_tag(&d, SEQUENCE, &t) || !take_time(&d, &t))
        return false;
    (void)take_time(&d, &t);
    ret->inner = alg.whole;
    ret->before = between(in.ptr, d.p);
    ret->entries = (acd_slice){d.p, 0};
    if (take_tag(&d, SEQUENCE, &t))
        ret->entries = t.in;
    ret->after = between(d.p, d.end);
    return d.p == d.end || (take_tag(&d, EXTENSIONS, &t) && d.p == d.end);
}

int
vo_crl_cut(acd_slice der, struct vo_crl_cut *ret)
{
    struct der d = der_of(der), in;
    struct tlv list, tbs, alg;
    if (der.len == 0 || der.len > VO_MAX_CRL || !take_tag(&d, SEQUENCE, &list) || d.p != d.end)
        return ACD_EINVAL;
    in = der_of(list.in);
    if (!take_tag(&in, SEQUENCE, &tbs))
        return ACD_EINVAL;
    ret->tbs = tbs.whole;
    ret->tail = between(in.p, in.end);
    if (!take_tag(&in, SEQUENCE, &alg))
        return ACD_EINVAL;
    ret->outer = alg.whole;
    return cut_tbs(tbs.in, ret) ? 0 : ACD_EINVAL;
}

/* A SEQUENCE of that many octets. */
static uint8_t *
sequence(uint8_t *at, size_t len)
{
    *at++ = SEQUENCE;
    *at++ = 0x84;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(len >> shift);
    return at;
}

static uint8_t *
append(uint8_t *at, acd_slice s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

int
vo_crl_shell(const struct vo_crl_cut *cut, struct vo_crl **ret, struct vo_fault *ret_why)
{
    enum { HEAD = 6 };
    size_t tbs = cut->before.len + cut->after.len, all = HEAD + tbs + cut->tail.len;
    uint8_t *room = malloc(HEAD + all);
    if (!room)
        return ACD_ENOMEM;
    uint8_t *at = sequence(room, all);
    at = sequence(at, tbs);
    at = append(at, cut->before);
    at = append(at, cut->after);
    at = append(at, cut->tail);
    int rc = vo_crl_new((acd_slice){room, (size_t)(at - room)}, ret, ret_why);
    free(room);
    return rc;
}

bool
vo_crl_cut_signed(const struct vo_crl_cut *cut, const struct vo_crl *shell, const struct vo_cert *ca)
{
    const ASN1_BIT_STRING *sig;
    const X509_ALGOR *alg;
    int md, kind;
    EVP_PKEY *key = X509_get0_pubkey(ca->x);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    X509_CRL_get0_signature(shell->crl, &sig, &alg);
    bool good = ctx && key && !ca->key.fault.error && same_octets(cut->inner, cut->outer) &&
                OBJ_find_sigid_algs(OBJ_obj2nid(alg->algorithm), &md, &kind) == 1 &&
                EVP_PKEY_get_base_id(key) == kind &&
                EVP_DigestVerifyInit(ctx, NULL, EVP_get_digestbynid(md), NULL, key) == 1 &&
                EVP_DigestVerify(ctx, ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig),
                                 cut->tbs.ptr, cut->tbs.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

/* --- entries ---------------------------------------------------------------------------------------------
 */

static bool
digits(const uint8_t *p, size_t n, int *ret)
{
    for (*ret = 0; n > 0; n--, p++) {
        if (*p < '0' || *p > '9')
            return false;
        *ret = *ret * 10 + (*p - '0');
    }
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t
days_of(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1, era = y / 400, of_era = y - era * 400;
    int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int
month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, and no other form (sections 5.1.2.6 and 4.1.2.5). */
static bool
time_of(const struct tlv *t, int64_t *ret)
{
    const uint8_t *p = t->in.ptr;
    size_t years = t->tag == UTC ? 2 : 4;
    int year, part[5];
    if (t->in.len != years + 11 || p[years + 10] != 'Z' || !digits(p, years, &year))
        return false;
    for (size_t i = 0; i < 5; i++)
        if (!digits(p + years + 2 * i, 2, &part[i]))
            return false;
    if (t->tag == UTC)
        year += year < 50 ? 2000 : 1900;
    if (part[0] < 1 || part[0] > 12 || part[1] < 1 || part[1] > month_days(year, part[0]) || part[2] > 23 ||
        part[3] > 59 || part[4] > 59)
        return false;
    *ret = days_of(year, part[0], part[1]) * 86400 + part[2] * 3600 + part[3] * 60 + part[4];
    return true;
}

static bool
serial_of(const struct tlv *t, acd_slice *ret)
{
    const uint8_t *p = t->in.ptr;
    *ret = t->in;
    return t->in.len > 0 &&
           !(t->in.len > 1 && ((p[0] == 0 && !(p[1] & 0x80)) || (p[0] == 0xff && p[1] & 0x80)));
}

static const struct vo_fault unreadable =
    VO_FAULT("ACD_V_ERR_CRL_UNREADABLE", "an entry of the CRL cannot be read");

/* Only the reason matters here; a critical extension changes what an entry means (section 5.3). */
static struct vo_fault
extensions_of(acd_slice in, bool delta, uint32_t *ret_reason)
{
    static const uint8_t reason_oid[] = {0x55, 0x1d, 0x15};
    struct der d = der_of(in);
    bool given = false;
    if (in.len == 0)
        return unreadable;
    while (d.p < d.end) {
        struct tlv ext, oid, flag, value;
        if (!take_tag(&d, SEQUENCE, &ext))
            return unreadable;
        struct der e = der_of(ext.in);
        if (!take_tag(&e, OID, &oid))
            return unreadable;
        bool critical = take_tag(&e, BOOLEAN, &flag);
        if (!take_tag(&e, OCTETS, &value) || e.p != e.end || (critical && flag.in.len != 1))
            return unreadable;
        if (critical && *(const uint8_t *)flag.in.ptr)
            return VO_FAULT("X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION",
                            "an entry of the CRL has a critical extension, as indirect CRLs have");
        if (!same_octets(oid.in, (acd_slice){reason_oid, sizeof(reason_oid)}))
            continue;
        const uint8_t *v = value.in.ptr;
        if (given || value.in.len != 3 || v[0] != ENUMERATED || v[1] != 1)
            return unreadable;
        *ret_reason = v[2];
        given = true;
    }
    if (given && (*ret_reason == 7 || *ret_reason > 10 || (*ret_reason == 8 && !delta)))
        return VO_FAULT("X509_V_ERR_INVALID_EXTENSION",
                        "an entry of the CRL has a reason that it cannot have");
    return VO_FINE;
}

static struct vo_fault
entry_of(acd_slice in, bool delta, acd_crl_entry *ret)
{
    struct der d = der_of(in);
    struct tlv serial, time, ext;
    *ret = (acd_crl_entry){.struct_size = sizeof(*ret)};
    if (!take_tag(&d, INTEGER, &serial) || !serial_of(&serial, &ret->serial) || !take_time(&d, &time) ||
        !time_of(&time, &ret->revoked_s))
        return unreadable;
    if (d.p == d.end)
        return VO_FINE;
    if (!take_tag(&d, SEQUENCE, &ext) || d.p != d.end)
        return unreadable;
    return extensions_of(ext.in, delta, &ret->reason);
}

/* Where the serial numbers lie, to find one that is there twice. */
struct places {
    const uint8_t **at;
    size_t n, cap;
};

static bool
place_add(struct places *p, const uint8_t *at)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 1024;
        const uint8_t **more = realloc(p->at, cap * sizeof(*more));
        if (!more)
            return false;
        p->at = more;
        p->cap = cap;
    }
    p->at[p->n++] = at;
    return true;
}

/* Shortest integers: equal numbers have equal octets, length included. */
static int
by_octets(const void *a_, const void *b_)
{
    const uint8_t *a = *(const uint8_t *const *)a_, *b = *(const uint8_t *const *)b_;
    if (a[1] != b[1])
        return a[1] < b[1] ? -1 : 1;
    return memcmp(a + 2, b + 2, a[1]);
}

static bool
any_twice(struct places *p)
{
    if (p->n > 1)
        qsort(p->at, p->n, sizeof(*p->at), by_octets);
    for (size_t i = 1; i < p->n; i++)
        if (by_octets(&p->at[i - 1], &p->at[i]) == 0)
            return true;
    return false;
}

static int
walk(const struct vo_crl_cut *cut, bool delta, acd_crl_entry_fn fn, void *ctx, struct places *places,
     struct vo_fault *ret_why)
{
    struct der d = der_of(cut->entries);
    while (d.p < d.end && !ret_why->error) {
        struct tlv t;
        acd_crl_entry e;
        if (!take_tag(&d, SEQUENCE, &t)) {
            *ret_why = unreadable;
            return 0;
        }
        *ret_why = entry_of(t.in, delta, &e);
        if (ret_why->error)
            return 0;
        if (e.serial.len > VO_MAX_SERIAL + 1) {
            *ret_why = VO_FAULT("ACD_V_ERR_SERIAL", "the CRL lists a serial number of more than 20 octets");
            return 0;
        }
        if (!place_add(places, (const uint8_t *)e.serial.ptr - 2))
            return ACD_ENOMEM;
        int rc = fn ? fn(ctx, &e) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
vo_crl_walk(const struct vo_crl_cut *cut, bool delta, acd_crl_entry_fn fn, void *ctx, size_t *ret_n,
            struct vo_fault *ret_why)
{
    struct places places = {NULL, 0, 0};
    *ret_why = VO_FINE;
    int rc = walk(cut, delta, fn, ctx, &places, ret_why);
    if (rc == 0 && !ret_why->error && any_twice(&places))
        *ret_why = VO_FAULT("ACD_V_ERR_CRL_DUPLICATE_ENTRY", "the CRL lists a serial number twice");
    *ret_n = places.n;
    free(places.at);
    return rc;
}
