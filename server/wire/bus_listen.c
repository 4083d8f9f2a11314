#include "wire/bus_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/bus_setup.h"

enum { SOCKET_MODE = 0600, STREAM = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

static int
os_error(acd_err *err, int code, int error, const char *url)
{
    if (err)
        err->native = error;
    return err_set(err, code, "%s: %s", url, strerror(error));
}

/* ---- ipc ---- */

static int
open_ipc(struct listener *l, const char *url, acd_err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct stat st;
    const char *path = bus_url_path(url);
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    int rc = bus_clear_socket(path, err);
    if (rc < 0)
        return rc;
    _cleanup_close_ int fd = socket(AF_UNIX, STREAM, 0);
    if (fd < 0 || fchmod(fd, SOCKET_MODE) < 0)
        return os_error(err, ACD_EIO, errno, url);
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return os_error(err, errno == EADDRINUSE ? ACD_EEXIST : ACD_EIO, errno, url);
    if (listen(fd, SOMAXCONN) < 0 || lstat(path, &st) < 0) {
        rc = os_error(err, ACD_EIO, errno, url);
        (void)unlink(path);
        return rc;
    }
    l->dev = st.st_dev;
    l->ino = st.st_ino;
    l->framing = SP_IPC;
    l->fd = TAKE_FD(fd);
    (void)snprintf(l->url, sizeof(l->url), "%s", url);
    return 0;
}

/* ---- tcp ---- */

static int
bind_tcp(const struct addrinfo *ai)
{
    int on = 1;
    _cleanup_close_ int fd = socket(ai->ai_family, STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* 0: the socket has no port, which no tcp socket has. */
static unsigned
bound_port(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return 0;
    return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&sa)->sin6_port
                                          : ((struct sockaddr_in *)&sa)->sin_port);
}

static int
open_tcp(struct listener *l, const char *url, acd_err *err)
{
    struct bus_address a;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list;
    int rc = bus_url_address(url, &a, err);
    if (rc < 0)
        return rc;
    if (!a.host[0])
        hints.ai_family = AF_INET;
    int eai = getaddrinfo(a.host[0] ? a.host : NULL, a.port, &hints, &list);
    if (eai != 0)
        return err_set(err, ACD_EINVAL, "%s: %s", url, gai_strerror(eai));
    int fd = -EADDRNOTAVAIL;
    for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
        fd = bind_tcp(ai);
    freeaddrinfo(list);
    if (fd < 0)
        return os_error(err, fd == -EADDRINUSE ? ACD_EEXIST : ACD_EIO, -fd, url);
    l->framing = SP_TCP;
    l->fd = fd;
    const char *colon = strrchr(url, ':');
    (void)snprintf(l->url, sizeof(l->url), "%.*s:%u", (int)(colon - url), url, bound_port(fd));
    return 0;
}

int
listener_open(struct listener *l, const char *url, bool insecure, acd_err *err)
{
    int rc = bus_check_url(url, insecure, err);
    if (rc < 0)
        return rc;
    return bus_url_path(url) ? open_ipc(l, url, err) : open_tcp(l, url, err);
}

void
listener_close(struct listener *l)
{
    struct stat st;
    const char *path = bus_url_path(l->url);
    if (path && lstat(path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        (void)unlink(path);
    (void)close(l->fd);
}

/* ---- accepting ---- */

int
spare_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
fill_tcp(struct rpc_peer *p, const struct sockaddr_storage *sa, int fd)
{
    char text[INET6_ADDRSTRLEN] = "";
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    p->transport = RPC_TCP;
    if (sa->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        (void)snprintf(p->remote, sizeof(p->remote), "%s:%u", text, ntohs(in->sin_port));
    } else {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;
        (void)inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
        (void)snprintf(p->remote, sizeof(p->remote), "[%s]:%u", text, ntohs(in->sin6_port));
    }
}

static void
fill_ipc(struct rpc_peer *p, const char *url, int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    p->transport = RPC_IPC;
    (void)snprintf(p->remote, sizeof(p->remote), "%.*s", (int)sizeof(p->remote) - 1, bus_url_path(url));
    p->uid_known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0;
    p->uid = p->uid_known ? cred.uid : 0;
}

/* Out of descriptors: the one who waits is hung up on with the help of the spare one. */
static int
hang_up_on_one(struct listener *l, int *spare)
{
    if (*spare < 0 && (*spare = spare_open()) < 0)
        return ACD_EBUSY;
    (void)close(*spare);
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    *spare = spare_open();
    return fd >= 0 ? ACD_ELIMIT : ACD_EBUSY;
}

int
listener_accept(struct listener *l, int *spare, struct rpc_peer *peer)
{
    struct sockaddr_storage sa;
    int fd;
    do {
        socklen_t len = sizeof(sa);
        fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
    if (fd < 0 && errno == EAGAIN)
        return ACD_ENOENT;
    if (fd < 0)
        return hang_up_on_one(l, spare);
    *peer = (struct rpc_peer){.transport = RPC_TCP};
    if (l->framing == SP_IPC)
        fill_ipc(peer, l->url, fd);
    else
        fill_tcp(peer, &sa, fd);
    return fd;
}
