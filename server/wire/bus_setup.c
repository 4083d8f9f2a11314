#include "wire/bus_setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define IPC "ipc://"
#define TCP "tcp://"

enum { QUERY_WORKERS = 2, ADMIN_WORKERS = 2 };
enum { PROMPT_US = 300, PROMPT_US_MAX = 60000000 };

static uint32_t
or_default(uint32_t n, uint32_t fallback, uint32_t limit)
{
    return n == 0 ? fallback : n < limit ? n : limit;
}

struct bus_opts
bus_opts_full(const struct bus_opts *opts)
{
    struct bus_opts o = *opts;
    o.query_workers = or_default(o.query_workers, QUERY_WORKERS, LIMIT_WORKERS);
    o.admin_workers = or_default(o.admin_workers, ADMIN_WORKERS, LIMIT_WORKERS);
    o.query_queue = or_default(o.query_queue, LIMIT_QUERY_QUEUE, LIMIT_QUERY_QUEUE);
    o.admin_queue = or_default(o.admin_queue, LIMIT_ADMIN_QUEUE, LIMIT_ADMIN_QUEUE);
    o.per_conn = or_default(o.per_conn, LIMIT_CONN_CALLS, LIMIT_CONN_CALLS);
    o.conns = or_default(o.conns, LIMIT_CONNS, LIMIT_CONNS);
    o.send_ms = or_default(o.send_ms, LIMIT_SEND_MS, LIMIT_SEND_MS);
    o.hello_ms = or_default(o.hello_ms, LIMIT_HELLO_MS, LIMIT_HELLO_MS);
    o.recv_ms = or_default(o.recv_ms, LIMIT_RECV_MS, LIMIT_RECV_MS);
    o.prompt_us = or_default(o.prompt_us, PROMPT_US, PROMPT_US_MAX);
    return o;
}

const char *
bus_url_path(const char *url)
{
    return str_starts(url, IPC) ? url + strlen(IPC) : NULL;
}

static int
check_ipc(const char *path, acd_err *err)
{
    struct sockaddr_un sa;
    if (!path[0])
        return err_set(err, ACD_EINVAL, "ipc URL without a path");
    if (strlen(path) >= sizeof(sa.sun_path))
        return err_set(err, ACD_EINVAL, "socket path is longer than %zu bytes: %s", sizeof(sa.sun_path) - 1,
                       path);
    return 0;
}

/* 127.0.0.0/8 (RFC 1122 section 3.2.1.3), ::1 (RFC 4291 section 2.5.3), and the name (RFC 6761 section 6.3).
 */
static bool
is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(host, "localhost") == 0;
}

/* "host:port" or "[v6]:port"; the host without brackets. */
static int
split_host(const char *text, char *host, size_t size, acd_err *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || colon == text || !str_u64(slice_str(colon + 1), &port) || port > 65535)
        return err_set(err, ACD_EINVAL, "tcp URL is not tcp://HOST:PORT: " TCP "%s", text);
    size_t len = (size_t)(colon - text);
    bool v6 = text[0] == '[' && text[len - 1] == ']';
    if (!v6 && memchr(text, ':', len))
        return err_set(err, ACD_EINVAL, "IPv6 address without brackets: " TCP "%s", text);
    if (v6)
        text++, len -= 2;
    if (len == 0 || len >= size)
        return err_set(err, ACD_EINVAL, "tcp URL with an impossible host name");
    memcpy(host, text, len);
    host[len] = '\0';
    return 0;
}

static int
check_tcp(const char *text, bool insecure, acd_err *err)
{
    char host[256];
    int rc = split_host(text, host, sizeof(host), err);
    if (rc < 0 || insecure || is_loopback(host))
        return rc;
    return err_set(err, ACD_EDENIED,
                   "plain tcp beyond loopback is refused (set `insecure` to allow it): " TCP "%s", text);
}

int
bus_url_address(const char *url, struct bus_address *ret, acd_err *err)
{
    int rc = split_host(url + strlen(TCP), ret->host, sizeof(ret->host), err);
    if (rc < 0)
        return rc;
    if (strcmp(ret->host, "*") == 0)
        ret->host[0] = '\0';
    uint64_t port = 0;
    (void)str_u64(slice_str(strrchr(url, ':') + 1), &port);
    (void)snprintf(ret->port, sizeof(ret->port), "%u", (unsigned)(uint16_t)port);
    return 0;
}

int
bus_check_url(const char *url, bool insecure, acd_err *err)
{
    if (str_starts(url, IPC))
        return check_ipc(url + strlen(IPC), err);
    if (str_starts(url, TCP))
        return check_tcp(url + strlen(TCP), insecure, err);
    if (str_starts(url, "tls+tcp://"))
        return err_set(err, ACD_ENOTSUP, "tls+tcp is not part of this build: %s", url);
    return err_set(err, ACD_EINVAL, "not an ipc:// or tcp:// URL: %s", url);
}

/* 1: somebody listens; 0: nobody does. */
static int
is_alive(const char *path, acd_err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ACD_EIO, "cannot make a socket: %s", strerror(errno));
    /* EAGAIN: its backlog is full, so it lives. */
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 || errno == EAGAIN)
        return 1;
    if (errno == ECONNREFUSED || errno == ENOENT)
        return 0;
    return err_set(err, ACD_EIO, "cannot find out whether a server listens on %s: %s", path, strerror(errno));
}

int
bus_clear_socket(const char *path, acd_err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_set(err, ACD_EIO, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ACD_EEXIST, "%s is there and not a socket", path);
    int rc = is_alive(path, err);
    if (rc < 0)
        return rc;
    if (rc == 1)
        return err_set(err, ACD_EEXIST, "another server listens on %s", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set(err, ACD_EIO, "cannot remove %s of a server that is gone: %s", path, strerror(errno));
    return 0;
}
