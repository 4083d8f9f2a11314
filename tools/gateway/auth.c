#include "auth.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "model/limits.h"

static const char scheme[] = "Bearer ";

/* token68 of RFC 9110 section 11.2. */
static bool
is_token68(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    return n > 0 && s[n + strspn(s + n, "=")] == '\0';
}

static enum auth_found
read_bearer(const struct http_request *req, const char *value, struct auth *ret)
{
    const char *token = value + sizeof(scheme) - 1;
    if (strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return AUTH_MALFORMED;
    token += strspn(token, " ");
    if (!is_token68(token) || sizeof(scheme) + strlen(token) > LIMIT_METADATA_VALUE)
        return AUTH_MALFORMED;
    ret->authorization = mem_printf(req->region, "%s%s", scheme, token);
    return ret->authorization ? AUTH_GIVEN : AUTH_MALFORMED;
}

enum auth_found
auth_read(const struct http_request *req, enum route_auth kind, struct auth *ret)
{
    *ret = (struct auth){.caller.address = req->remote};
    if (kind == AUTH_NONE)
        return AUTH_GIVEN;
    const char *bearer = http_header_of(req, "Authorization");
    if (bearer)
        return read_bearer(req, bearer, ret);
    const char *email = http_header_of(req, "X-Auth-Email"), *key = http_header_of(req, "X-Auth-Key");
    if (kind == AUTH_TOKEN || !email || !key || !email[0] || !key[0])
        return AUTH_MISSING;
    if (strlen(email) > LIMIT_METADATA_VALUE || strlen(key) > LIMIT_METADATA_VALUE)
        return AUTH_MALFORMED;
    ret->caller.email = email;
    ret->caller.key = key;
    return AUTH_GIVEN;
}

const char *
auth_subject(const struct auth *a)
{
    return a->authorization ? a->authorization : a->caller.key ? a->caller.key : a->caller.address;
}
