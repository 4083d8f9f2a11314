#include "conf/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/str.h"
#include "model/limits.h"

static bool
is_loopback(const char *host)
{
    struct in_addr a4;
    struct in6_addr a6;
    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &a4) == 1)
        return ntohl(a4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &a6) == 1 && IN6_IS_ADDR_LOOPBACK(&a6);
}

/* HOST:PORT or [ADDRESS]:PORT, to the host and the port's text. */
static int
split(const char *rest, char host[LIMIT_HOST + 1], const char **ret_port, acd_err *err)
{
    const char *begin = rest, *end = strrchr(rest, ':');
    if (!end)
        return err_set(err, ACD_EINVAL, "has no port");
    *ret_port = end + 1;
    if (*begin == '[') {
        begin++;
        if (end == begin || *--end != ']')
            return err_set(err, ACD_EINVAL, "has an address without its closing bracket");
    } else if (memchr(begin, ':', (size_t)(end - begin))) {
        return err_set(err, ACD_EINVAL, "has an IPv6 address without brackets");
    }
    size_t len = (size_t)(end - begin);
    if (len == 0 || len > LIMIT_HOST)
        return err_set(err, ACD_EINVAL, "has no host or one that is too long");
    memcpy(host, begin, len);
    host[len] = '\0';
    return 0;
}

static int
parse_tcp(const char *rest, struct conf_url *ret, acd_err *err)
{
    char host[LIMIT_HOST + 1];
    const char *port = NULL;
    uint64_t number;
    int rc = split(rest, host, &port, err);
    if (rc < 0)
        return rc;
    if (!str_u64(slice_str(port), &number) || number == 0 || number > UINT16_MAX)
        return err_set(err, ACD_EINVAL, "has no port between 1 and 65535");
    if (strpbrk(host, "/?#@ ") || (*rest == '[' && !strchr(host, ':')))
        return err_set(err, ACD_EINVAL, "has a host that is none");
    ret->is_loopback = is_loopback(host);
    return 0;
}

int
conf_url_parse(const char *text, struct conf_url *ret, acd_err *err)
{
    struct conf_url url = {0};
    int rc = 0;
    if (str_starts(text, "ipc://")) {
        size_t len = strlen(text) - strlen("ipc://");
        url.scheme = CONF_URL_IPC;
        if (len == 0 || len >= sizeof(((struct sockaddr_un *)0)->sun_path))
            rc = err_set(err, ACD_EINVAL, "has no path, or one that is too long for a socket");
    } else if (str_starts(text, "tcp://")) {
        url.scheme = CONF_URL_TCP;
        rc = parse_tcp(text + strlen("tcp://"), &url, err);
    } else {
        rc = err_set(err, ACD_EINVAL, "does not begin with ipc:// or tcp://");
    }
    if (rc == 0)
        *ret = url;
    return rc;
}
