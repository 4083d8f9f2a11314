#include "model/host.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <libpsl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/err.h"
#include "base/str.h"

/* What a byte may be in the normal form. */
enum kind { KIND_NONE, KIND_LETTER, KIND_DIGIT, KIND_HYPHEN, KIND_DOT };
static const uint8_t kinds[256] = {
    ['a' ... 'z'] = KIND_LETTER, ['_'] = KIND_LETTER, ['0' ... '9'] = KIND_DIGIT,
    ['-'] = KIND_HYPHEN,         ['.'] = KIND_DOT,
};

static bool
is_label_byte(unsigned char c)
{
    return kinds[c] != KIND_NONE && kinds[c] != KIND_DOT;
}

/* "xn--" and other reserved labels go through IDNA, which checks what they decode to. */
static bool
label_is_normal(const char *label, size_t len)
{
    return len > 0 && len <= LIMIT_LABEL && label[0] != '-' && label[len - 1] != '-' &&
           !(len > 3 && label[2] == '-' && label[3] == '-');
}

#ifdef __SSE2__
enum { VECTOR = 16 };

static inline __m128i
in_range(__m128i c, char first, char last)
{
    __m128i x = _mm_sub_epi8(c, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)(last - first))), x);
}

/* Sixteen bytes at a time. True: the name surely is in normal form; false: its bytes have to be looked at one
 * by one. A bit of a mask stands for a byte of the name; names of one label's length need no count. */
static bool
surely_normal(const char *name, size_t len)
{
    uint64_t hyphens = 0, dots = 0;
    if (len < VECTOR || len > LIMIT_LABEL || name[len - 1] < 'a' || name[len - 1] > 'z')
        return false;
    for (size_t i = 0; i < len; i += VECTOR) {
        size_t at = i + VECTOR <= len ? i : len - VECTOR;
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(name + at));
        __m128i hyphen = _mm_cmpeq_epi8(c, _mm_set1_epi8('-')), dot = _mm_cmpeq_epi8(c, _mm_set1_epi8('.'));
        __m128i fine = _mm_or_si128(in_range(c, 'a', 'z'), in_range(c, '0', '9'));
        fine = _mm_or_si128(_mm_or_si128(fine, hyphen), dot);
        if (_mm_movemask_epi8(fine) != 0xffff)
            return false;
        hyphens |= (uint64_t)(unsigned)_mm_movemask_epi8(hyphen) << at;
        dots |= (uint64_t)(unsigned)_mm_movemask_epi8(dot) << at;
    }
    /* No empty label, no hyphen at either end of one, and none of the reserved ones, which hold "--". */
    uint64_t after = (dots | hyphens) << 1;
    return !((dots | hyphens) & 1) && !(dots & after) && !(hyphens & after);
}
#else
static bool
surely_normal(const char *name, size_t len)
{
    (void)name, (void)len;
    return false;
}
#endif

bool
host_is_normal(const char *name, size_t len)
{
    size_t label = 0; /* where it begins */
    unsigned seen = 0;
    if (surely_normal(name, len))
        return true;
    if (len == 0 || len > LIMIT_HOST)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t kind = kinds[(unsigned char)name[i]];
        if (kind == KIND_DOT) {
            if (!label_is_normal(name + label, i - label))
                return false;
            label = i + 1;
            seen = 0;
            continue;
        }
        seen |= 1u << kind;
        if (kind == KIND_NONE)
            return false;
    }
    /* Digits alone as the last label: an address. */
    return label_is_normal(name + label, len - label) && seen != 1u << KIND_DIGIT;
}

bool
host_fold(acd_slice text, struct host *ret)
{
    const unsigned char *p = text.ptr;
    size_t len = text.len;
    ret->len = 0;
    ret->name[0] = '\0';
    if (len > 1 && p[len - 1] == '.')
        len--;
    if (len == 0 || len > LIMIT_HOST)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = p[i];
        if (c >= 0x80)
            return false;
        ret->name[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    ret->name[len] = '\0';
    ret->len = len;
    return host_is_normal(ret->name, len);
}

static int
put_name(struct host *h, const char *name, size_t len, const char *prefix, acd_err *err)
{
    size_t plen = strlen(prefix);
    if (len + plen > LIMIT_HOST)
        return err_set(err, ACD_EINVAL, "host name is longer than %d bytes", LIMIT_HOST);
    memcpy(h->name, prefix, plen);
    memcpy(h->name + plen, name, len);
    h->len = plen + len;
    h->name[h->len] = '\0';
    return 0;
}

static int
check_text(acd_slice text, acd_err *err)
{
    const unsigned char *p = text.ptr;
    if (text.len == 0)
        return err_set(err, ACD_EINVAL, "host name is empty");
    if (text.len > LIMIT_HOST_TEXT)
        return err_set(err, ACD_EINVAL, "host name is longer than %d bytes", LIMIT_HOST);
    if (!utf8_valid(text))
        return err_set(err, ACD_EINVAL, "host name is not valid UTF-8");
    for (size_t i = 0; i < text.len; i++) {
        if (p[i] <= 0x20 || p[i] == 0x7f)
            return err_set(err, ACD_EINVAL, "host name holds a space or control byte at %zu", i);
        if (strchr("/:@?#[]%\\*", p[i]))
            return err_set(err, ACD_EINVAL,
                           "host name holds '%c': give the name alone, without scheme, port or path", p[i]);
    }
    return 0;
}

static bool
is_address(const char *name)
{
    struct in6_addr a6;
    struct in_addr a4;
    return inet_pton(AF_INET, name, &a4) == 1 || inet_pton(AF_INET6, name, &a6) == 1;
}

/* Maps to A-labels and lower case. A name with underscores is valid in DNS and refused by STD3 rules, so
 * those rules are left off and the result is checked byte for byte. */
static int
to_normal(const char *text, const char *prefix, struct host *ret, acd_err *err)
{
    char *ascii = NULL;
    int rc = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return err_set(err, ACD_EINVAL, "host name is not valid: %s", idn2_strerror(rc));
    size_t len = strlen(ascii);
    if (len > 0 && ascii[len - 1] == '.')
        ascii[--len] = '\0';
    rc = put_name(ret, ascii, len, prefix, err);
    idn2_free(ascii);
    if (rc < 0)
        return rc;
    const char *name = ret->name + strlen(prefix);
    size_t label = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || name[i] == '.') {
            if (label == 0)
                return err_set(err, ACD_EINVAL, "host name has an empty label");
            if (label > LIMIT_LABEL)
                return err_set(err, ACD_EINVAL, "host name has a label longer than %d bytes", LIMIT_LABEL);
            if (name[i - label] == '-' || name[i - 1] == '-')
                return err_set(err, ACD_EINVAL, "host name has a label that begins or ends with '-'");
            label = 0;
            continue;
        }
        if (!is_label_byte((unsigned char)name[i]))
            return err_set(err, ACD_EINVAL, "host name holds a byte that no host name may hold");
        label++;
    }
    if (is_address(name))
        return err_set(err, ACD_EINVAL, "'%s' is an address, not a host name", name);
    const char *last = strrchr(name, '.');
    last = last ? last + 1 : name;
    if (strspn(last, "0123456789") == strlen(last))
        return err_set(err, ACD_EINVAL, "the last label of '%s' is a number, which no host name has", name);
    return 0;
}

static int
parse(acd_slice text, const char *prefix, struct host *ret, acd_err *err)
{
    char copy[LIMIT_HOST_TEXT + 1];
    int rc = check_text(text, err);
    if (rc < 0)
        return rc;
    if (host_is_normal(text.ptr, text.len))
        return put_name(ret, text.ptr, text.len, prefix, err);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return to_normal(copy, prefix, ret, err);
}

int
host_parse(acd_slice text, struct host *ret, acd_err *err)
{
    return parse(text, "", ret, err);
}

/* libpsl's built-in list, loaded once; it is never changed afterwards. */
static const psl_ctx_t *psl;
static pthread_once_t psl_once = PTHREAD_ONCE_INIT;

static void
psl_setup(void)
{
    psl = psl_builtin();
    must(psl != NULL);
}

static bool
is_public_suffix(const char *name)
{
    must(pthread_once(&psl_once, psl_setup) == 0);
    /* NO_STAR_RULE: a private name such as "edge.internal" under a top level that the list does not know is
     * fine, unless it is a single label. */
    if (!strchr(name, '.'))
        return true;
    return psl_is_public_suffix2(psl, name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

int
host_parse_pattern(acd_slice text, struct host *ret, acd_err *err)
{
    const char *p = text.ptr;
    bool wild = text.len >= 2 && p[0] == '*' && p[1] == '.';
    if (!wild && text.len > 0 && memchr(p, '*', text.len))
        return err_set(err, ACD_EINVAL, "a wildcard may only be the whole first label: *.name");
    int rc = wild ? parse(slice_of(p + 2, text.len - 2), "*.", ret, err) : parse(text, "", ret, err);
    if (rc < 0)
        return rc;
    const char *name = wild ? ret->name + 2 : ret->name;
    if (is_public_suffix(name))
        return err_set(err, ACD_EINVAL, "'%s' is a public suffix: it would cover names of many owners",
                       ret->name);
    return 0;
}

int
host_parse_zone(acd_slice text, struct host *ret, acd_err *err)
{
    int rc = parse(text, "", ret, err);
    if (rc < 0)
        return rc;
    if (is_public_suffix(ret->name))
        return err_set(err, ACD_EINVAL, "'%s' is a public suffix: it belongs to many owners", ret->name);
    return 0;
}

bool
host_is_wildcard(const struct host *h)
{
    return h->len > 2 && h->name[0] == '*';
}

bool
host_in_zone(const struct host *pattern, const struct host *zone)
{
    if (pattern->len < zone->len)
        return false;
    size_t at = pattern->len - zone->len;
    if (memcmp(pattern->name + at, zone->name, zone->len) != 0)
        return false;
    return at == 0 || pattern->name[at - 1] == '.';
}
