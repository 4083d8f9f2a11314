#include "peer.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
raw_open(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    (void)strncpy(sa.sun_path, path, sizeof(sa.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int
raw_connect(const struct server *s)
{
    static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0}; /* REQ */
    static const uint8_t reply[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0}; /* REP */
    uint8_t theirs[8];
    int fd = raw_open(s->ipc + strlen("ipc://"));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, hello, sizeof(hello)), 8);
    ck_assert_int_eq(recv(fd, theirs, sizeof(theirs), MSG_WAITALL), 8);
    ck_assert_mem_eq(theirs, reply, sizeof(reply));
    return fd;
}

acd_slice
trust_request(const char *host)
{
    static uint8_t raw[512];
    Anchord__V1__TrustQuestion question = ANCHORD__V1__TRUST_QUESTION__INIT, *questions[] = {&question};
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    question.host = WIRE_STR(host);
    req.questions = questions;
    req.n_questions = 1;
    struct frame_call f = {.method = SLICE_LIT("anchord.v1.EdgeService/GetTrust"), .body = &req};
    size_t len = frame_call_size(&f);
    frame_call_write(&f, raw);
    return slice_of(raw, len);
}

int
raw_send_stack(int fd, acd_slice stack, acd_slice body, int flags)
{
    uint8_t msg[1024] = {1};
    uint64_t len = stack.len + body.len;
    ck_assert_uint_le(9 + len, sizeof(msg));
    for (int i = 0; i < 8; i++)
        msg[1 + i] = (uint8_t)(len >> (56 - 8 * i));
    memcpy(msg + 9, stack.ptr, stack.len);
    if (body.len)
        memcpy(msg + 9 + stack.len, body.ptr, body.len);
    return send(fd, msg, 9 + len, MSG_NOSIGNAL | flags) == (ssize_t)(9 + len) ? 0 : -errno;
}

int
raw_send(int fd, uint32_t id, acd_slice body, int flags)
{
    const uint8_t stack[4] = {(uint8_t)(0x80 | id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                              (uint8_t)id};
    return raw_send_stack(fd, slice_of(stack, sizeof(stack)), body, flags);
}

bool
raw_recv_all(int fd, uint8_t *out, size_t size, size_t *ret_len)
{
    uint8_t head[9];
    if (recv(fd, head, 9, MSG_WAITALL) != 9)
        return false;
    size_t len = 0;
    for (int i = 0; i < 8; i++)
        len = len << 8 | head[1 + i];
    ck_assert_uint_le(len, size);
    ck_assert_int_eq(recv(fd, out, len, MSG_WAITALL), (int)len);
    *ret_len = len;
    return true;
}

bool
raw_recv(int fd, uint8_t *out, size_t size, size_t *ret_len)
{
    size_t len;
    if (!raw_recv_all(fd, out, size, &len))
        return false;
    memmove(out, out + 4, len - 4);
    *ret_len = len - 4;
    return true;
}

void
raw_wait_closed(int fd)
{
    uint8_t skip[4096];
    while (read(fd, skip, sizeof(skip)) > 0)
        ;
}

size_t
open_descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    (void)closedir(dir);
    return n;
}

void
descriptors_allow(size_t n)
{
    struct rlimit lim;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
    lim.rlim_cur = n < lim.rlim_max ? n : lim.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
}
