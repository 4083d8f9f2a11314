#include "model/net.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

enum { V4_OFFSET = 12, V4_PREFIX = 96, V6_BITS = 128 };

bool
net_addr_parse(acd_slice text, struct net_addr *ret)
{
    static const uint8_t mapped[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};
    char s[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof(s) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(s, text.ptr, text.len);
    s[text.len] = '\0';
    if (strchr(s, ':'))
        return inet_pton(AF_INET6, s, ret->b) == 1;
    memcpy(ret->b, mapped, sizeof(mapped));
    return inet_pton(AF_INET, s, ret->b + V4_OFFSET) == 1;
}

static bool
bits_are_zero(const struct net_addr *a, unsigned from)
{
    for (unsigned i = from; i < V6_BITS; i++)
        if (a->b[i / 8] & (0x80u >> (i % 8)))
            return false;
    return true;
}

/* One to three decimal digits. */
static bool
parse_prefix(acd_slice s, unsigned *ret)
{
    *ret = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = ((const unsigned char *)s.ptr)[i];
        if (c < '0' || c > '9')
            return false;
        *ret = *ret * 10 + (c - '0');
    }
    return s.len >= 1 && s.len <= 3;
}

int
net_range_parse(acd_slice text, struct net_range *ret, acd_err *err)
{
    const char *p = text.ptr, *slash = text.len ? memchr(p, '/', text.len) : NULL;
    acd_slice addr = slice_of(p, slash ? (size_t)(slash - p) : text.len);
    if (!net_addr_parse(addr, &ret->addr))
        return err_set(err, ACD_EINVAL, "'%.*s' is not an IP address or a CIDR range", (int)text.len, p);
    bool v6 = memchr(addr.ptr, ':', addr.len) != NULL;
    unsigned max = v6 ? V6_BITS : V6_BITS - V4_PREFIX, bits = max;
    if (slash && (!parse_prefix(slice_of(slash + 1, text.len - addr.len - 1), &bits) || bits > max))
        return err_set(err, ACD_EINVAL, "'%.*s': the prefix length is 0 to %u", (int)text.len, p, max);
    bits += v6 ? 0 : V4_PREFIX;
    if (!bits_are_zero(&ret->addr, bits))
        return err_set(err, ACD_EINVAL, "'%.*s' has bits beyond its prefix", (int)text.len, p);
    ret->bits = (uint8_t)bits;
    return 0;
}

bool
net_range_has(const struct net_range *r, const struct net_addr *a)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(r->addr.b, a->b, whole) != 0)
        return false;
    return rest == 0 || ((r->addr.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}
