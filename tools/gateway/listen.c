#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

enum { BACKLOG = 1024, UNIX_MODE = 0666 };

static const char unix_prefix[] = "unix:";

static int
parse_address(const char *text, struct sockaddr_storage *sa, socklen_t *len, acd_err *err)
{
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    bool v6 = text[0] == '[' && colon && colon > text + 1 && colon[-1] == ']';
    size_t n = colon ? (size_t)(colon - text) - (v6 ? 2 : 0) : 0;
    *sa = (struct sockaddr_storage){0};
    *len = 0;
    if (!colon || n >= sizeof(host) || !str_u64(slice_str(colon + 1), &port) || port > 65535)
        return err_set(err, ACD_EINVAL, "'%s' is not ADDR:PORT", text);
    memcpy(host, text + v6, n);
    struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)sa;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)sa;
    if (v6 && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        *len = sizeof(*in6);
        return 0;
    }
    if (!v6 && inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons((uint16_t)port);
        *len = sizeof(*in4);
        return 0;
    }
    return err_set(err, ACD_EINVAL,
                   "'%s' is not ADDR:PORT: the address is a number, such as 127.0.0.1 or [::1]", text);
}

static void
name_socket(int fd, char ret[LISTEN_TEXT_MAX])
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    char host[INET6_ADDRSTRLEN] = "";
    (void)getsockname(fd, (struct sockaddr *)&sa, &len);
    bool v6 = sa.ss_family == AF_INET6;
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)&sa;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)&sa;
    (void)inet_ntop(sa.ss_family, v6 ? (const void *)&in6->sin6_addr : (const void *)&in4->sin_addr, host,
                    sizeof(host));
    (void)snprintf(ret, LISTEN_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", host,
                   (unsigned)ntohs(v6 ? in6->sin6_port : in4->sin_port));
}

/* A socket that a process left behind is replaced; one that somebody listens on is not. */
static int
remove_stale(const struct sockaddr_un *sa)
{
    struct stat st;
    _cleanup_close_ int fd = -1;
    if (lstat(sa->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0) {
        errno = EADDRINUSE;
        return -1;
    }
    return unlink(sa->sun_path);
}

/* Who may connect is a matter of the folder's rights, so the socket itself has none to lack. */
static int
listen_unix(const char *text, int *ret_fd, char ret_address[LISTEN_TEXT_MAX], acd_err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    const char *path = text + sizeof(unix_prefix) - 1;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(sa.sun_path))
        return err_set(err, ACD_EINVAL, "'%s': the path of a unix socket has 1 to %zu bytes", text,
                       sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path, path, len);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || remove_stale(&sa) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        chmod(sa.sun_path, UNIX_MODE) < 0 || listen(fd, BACKLOG) < 0)
        return err_set(err, ACD_EIO, "%s: %s", text, strerror(errno));
    (void)snprintf(ret_address, LISTEN_TEXT_MAX, "%s", text);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int
listen_on(const char *text, int *ret_fd, char ret_address[LISTEN_TEXT_MAX], acd_err *err)
{
    struct sockaddr_storage sa;
    socklen_t len;
    int one = 1;
    if (str_starts(text, unix_prefix))
        return listen_unix(text, ret_fd, ret_address, err);
    int rc = parse_address(text, &sa, &len, err);
    if (rc < 0)
        return rc;
    _cleanup_close_ int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, BACKLOG) < 0)
        return err_set(err, ACD_EIO, "%s: %s", text, strerror(errno));
    name_socket(fd, ret_address);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
