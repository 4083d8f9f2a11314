/* Addresses, networks and address ranges. The token is the longest run of 0-9 a-f A-F : . / */
#include "rule/lex.h"

#include <string.h>

#include "base/str.h"

static acd_slice
ip_token(struct lex *l)
{
    size_t start = l->at;
    for (char c; (c = lex_peek(l)) != '\0'; l->at++)
        if (!strchr("0123456789abcdefABCDEF:./", c))
            break;
    return slice_of(l->text + start, l->at - start);
}

bool
lex_ip(struct lex *l, struct rule_value *ret)
{
    size_t start = l->at;
    acd_slice token = ip_token(l);
    if (token.len == 0)
        return lex_fail(l, RULE_E_SYNTAX, start, start < l->end, "expected an address");
    if (!rule_ip_parse(token, ret))
        return lex_fail(l, RULE_E_VALUE, start, token.len,
                        memchr(token.ptr, '/', token.len) ? "a network is allowed only inside { }"
                                                          : "this is not an address");
    return true;
}

static bool
ip_range(struct lex *l, size_t start, acd_slice token, size_t dots, struct ast_elem *ret)
{
    acd_slice second = slice_of((const char *)token.ptr + dots + 2, token.len - dots - 2);
    if (!rule_ip_parse(slice_of(token.ptr, dots), &ret->lo))
        return lex_fail(l, RULE_E_VALUE, start, dots, "this is not an address");
    if (!rule_ip_parse(second, &ret->hi))
        return lex_fail(l, RULE_E_VALUE, start + dots + 2, second.len, "this is not an address");
    if (ret->lo.family != ret->hi.family)
        return lex_fail(l, RULE_E_VALUE, start, token.len, "the range mixes IPv4 and IPv6");
    if (rule_ip_cmp(ret->lo.ip, ret->hi.ip) > 0)
        return lex_fail(l, RULE_E_VALUE, start, token.len, "the range is reversed");
    return true;
}

static bool
ip_network(struct lex *l, size_t start, acd_slice token, size_t slash, struct ast_elem *ret)
{
    acd_slice bits = slice_of((const char *)token.ptr + slash + 1, token.len - slash - 1);
    struct rule_value ip;
    uint64_t len;
    if (!rule_ip_parse(slice_of(token.ptr, slash), &ip))
        return lex_fail(l, RULE_E_VALUE, start, token.len, "this is not an address");
    if (!str_u64(bits, &len) || len > UINT8_MAX)
        return lex_fail(l, RULE_E_VALUE, start + slash + 1, bits.len, "this is not a prefix length");
    if (len > (ip.family == 4 ? 32u : 128u))
        return lex_fail(l, RULE_E_VALUE, start, token.len, "the prefix length is more than %d",
                        ip.family == 4 ? 32 : 128);
    rule_net_bounds(ip, (unsigned)len, &ret->lo, &ret->hi);
    if (rule_ip_cmp(ret->lo.ip, ip.ip) != 0)
        return lex_fail(l, RULE_E_VALUE, start, token.len, "the network has host bits that are not zero");
    return true;
}

bool
lex_ip_elem(struct lex *l, struct ast_elem *ret)
{
    size_t start = l->at;
    acd_slice token = ip_token(l);
    if (!token.ptr || token.len == 0)
        return lex_fail(l, RULE_E_SYNTAX, start, start < l->end, "expected an address, a network or `}`");
    const char *dots = memmem(token.ptr, token.len, "..", 2);
    if (dots)
        return ip_range(l, start, token, (size_t)(dots - (const char *)token.ptr), ret);
    const char *slash = memchr(token.ptr, '/', token.len);
    if (slash)
        return ip_network(l, start, token, (size_t)(slash - (const char *)token.ptr), ret);
    if (!rule_ip_parse(token, &ret->lo))
        return lex_fail(l, RULE_E_VALUE, start, token.len, "this is not an address");
    ret->hi = ret->lo;
    return true;
}
