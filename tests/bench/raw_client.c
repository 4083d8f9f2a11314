#include "raw_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/str.h"
#include "wire/sp.h"

enum { READ_BYTES = 262144 };

static int
open_ipc(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    return fd;
}

static int
open_tcp(const char *address)
{
    char host[64];
    int on = 1;
    const char *colon = strrchr(address, ':');
    must(colon);
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    must(inet_pton(AF_INET, host, &sa.sin_addr) == 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    return fd;
}

static void
write_all(int fd, const uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        must(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

/* Whole replies among the bytes; what is left of the last moves to the front. */
static unsigned
take_replies(enum sp_framing f, uint8_t *buf, size_t *len)
{
    size_t at = 0, head = sp_head_size(f);
    unsigned n = 0;
    uint64_t size;
    while (*len - at >= head) {
        must(sp_head_parse(f, buf + at, &size) == 0 && size + head <= READ_BYTES);
        if (*len - at - head < size)
            break;
        at += head + size;
        n++;
    }
    *len -= at;
    memmove(buf, buf + at, *len);
    return n;
}

double
raw_measure(const char *url, const uint8_t *request, size_t len, unsigned in_flight, double seconds)
{
    static uint8_t in[READ_BYTES];
    uint8_t hello[SP_HELLO];
    bool ipc = str_starts(url, "ipc://");
    enum sp_framing f = ipc ? SP_IPC : SP_TCP;
    size_t one = sp_head_size(f) + SP_ID + len, have = 0, calls = 0;
    uint8_t *out = calloc(in_flight, one);
    must(out && seconds > 0);
    int fd = ipc ? open_ipc(url + 6) : open_tcp(url + 6);
    for (unsigned i = 0; i < in_flight; i++) {
        uint8_t *p = out + i * one + sp_head_size(f);
        sp_head_write(f, SP_ID + len, out + i * one);
        p[0] = 0x80;
        p[SP_ID - 1] = (uint8_t)i;
        memcpy(p + SP_ID, request, len);
    }
    sp_hello_write(SP_REQ, hello);
    write_all(fd, hello, sizeof(hello));
    must(recv(fd, hello, sizeof(hello), MSG_WAITALL) == SP_HELLO && sp_hello_check(hello, SP_REP) == 0);
    uint64_t start = clock_mono_ns(&clock_system), limit = (uint64_t)(seconds * 1e9), now;
    unsigned left = in_flight; /* a server on nng 1.5.2 may hang when a client goes with replies due */
    write_all(fd, out, in_flight * one);
    do {
        ssize_t n = read(fd, in + have, sizeof(in) - have);
        must(n > 0);
        have += (size_t)n;
        unsigned replies = take_replies(f, in, &have);
        calls += replies;
        now = clock_mono_ns(&clock_system);
        if (now - start < limit)
            write_all(fd, out, replies * one);
        else
            left -= replies;
    } while (left > 0);
    (void)close(fd);
    free(out);
    return (double)calls / ((double)(now - start) / 1e9);
}
