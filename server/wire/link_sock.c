#include "wire/link_sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { STREAM = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

int
link_address_parse(const char *url, struct link_address *ret, acd_err *err)
{
    const char *path = bus_url_path(url);
    int rc = bus_check_url(url, true, err);
    *ret = (struct link_address){.framing = path ? SP_IPC : SP_TCP, .ipc.sun_family = AF_UNIX};
    if (rc < 0)
        return rc;
    if (path) {
        (void)snprintf(ret->ipc.sun_path, sizeof(ret->ipc.sun_path), "%s", path);
        return 0;
    }
    rc = bus_url_address(url, &ret->tcp, err);
    if (rc == 0 && !ret->tcp.host[0])
        rc = err_set(err, ACD_EINVAL, "'*' is no host to connect to: %s", url);
    return rc;
}

/* ppoll until that time: events that came, 0 for none. A time that is over still looks once. */
static int
wait_for(struct pollfd *fds, nfds_t n, uint64_t until_ns)
{
    for (;;) {
        uint64_t now = clock_mono_ns(&clock_system), left = until_ns > now ? until_ns - now : 0;
        struct timespec ts = {.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
        int rc = ppoll(fds, n, until_ns == UINT64_MAX ? NULL : &ts, NULL);
        if (rc >= 0 || errno != EINTR)
            return rc;
    }
}

static int
connect_to(int family, const struct sockaddr *sa, socklen_t len, uint64_t until_ns)
{
    int error = 0, on = 1;
    socklen_t size = sizeof(error);
    _cleanup_close_ int fd = socket(family, STREAM, 0);
    if (fd < 0)
        return ACD_EUNAVAIL;
    if (family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, sa, len) < 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (errno != EINPROGRESS || wait_for(&p, 1, until_ns) <= 0 ||
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
            return ACD_EUNAVAIL;
    }
    return TAKE_FD(fd);
}

static int
connect_tcp(const struct bus_address *a, uint64_t until_ns)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    if (getaddrinfo(a->host, a->port, &hints, &list) != 0)
        return ACD_EUNAVAIL;
    int fd = ACD_EUNAVAIL;
    for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
        fd = connect_to(ai->ai_family, ai->ai_addr, ai->ai_addrlen, until_ns);
    freeaddrinfo(list);
    return fd;
}

/* Both ends say at once who they are. */
static int
say_hello(int fd, uint64_t until_ns)
{
    uint8_t hello[SP_HELLO];
    size_t have = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    sp_hello_write(SP_REQ, hello);
    if (send(fd, hello, SP_HELLO, MSG_NOSIGNAL) != SP_HELLO)
        return ACD_EUNAVAIL;
    while (have < SP_HELLO) {
        if (wait_for(&p, 1, until_ns) <= 0)
            return ACD_EUNAVAIL;
        ssize_t n = recv(fd, hello + have, SP_HELLO - have, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return ACD_EUNAVAIL;
        have += n > 0 ? (size_t)n : 0;
    }
    return sp_hello_check(hello, SP_REP) == 0 ? 0 : ACD_EUNAVAIL;
}

int
link_sock_connect(const struct link_address *a, uint64_t until_ns)
{
    _cleanup_close_ int fd =
        a->framing == SP_IPC ? connect_to(AF_UNIX, (const struct sockaddr *)&a->ipc, sizeof(a->ipc), until_ns)
                             : connect_tcp(&a->tcp, until_ns);
    if (fd < 0 || say_hello(fd, until_ns) < 0)
        return ACD_EUNAVAIL;
    return TAKE_FD(fd);
}

bool
link_sock_ended(int fd)
{
    uint8_t byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

ssize_t
link_sock_send(int fd, const uint8_t *p, size_t len)
{
    for (;;) {
        ssize_t n = send(fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            return n;
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return ACD_EUNAVAIL;
    }
}

/* 0: there is nothing yet. */
static ssize_t
read_now(int fd, const struct iovec *iov, int n)
{
    for (;;) {
        ssize_t got = readv(fd, iov, n);
        if (got > 0)
            return got;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got == 0 || errno != EINTR)
            return ACD_EUNAVAIL;
    }
}

ssize_t
link_sock_read(const struct link_sock_wait *w, const struct iovec *iov, int n)
{
    struct pollfd p[2] = {{.fd = w->fd, .events = (short)(POLLIN | (w->room ? POLLOUT : 0))},
                          {.fd = w->kick, .events = POLLIN}};
    ssize_t got = w->eager ? read_now(w->fd, iov, n) : 0;
    if (got != 0)
        return got;
    if (wait_for(p, 2, w->until_ns) <= 0)
        return 0;
    if (p[1].revents) {
        uint64_t rings;
        (void)!read(w->kick, &rings, sizeof(rings));
    }
    return p[0].revents & ~POLLOUT ? read_now(w->fd, iov, n) : 0;
}
