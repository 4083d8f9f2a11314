#include "redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/rand.h"

enum { KEY_MAX = 256, FILL_BATCH = 1000, REPLY_ROOM = 1 << 20, CONNECT_SECONDS = 10 };
static const char program[] = "/usr/bin/redis-server";

bool
redis_there(void)
{
    return access(program, X_OK) == 0;
}

static void
connect_to(struct redis *r, const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    must(snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path) < (int)sizeof(sa.sun_path));
    uint64_t since = rig_ns();
    const struct timespec pause = {.tv_nsec = 10000000};
    r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(r->fd >= 0);
    while (connect(r->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        if (rig_since(since) > CONNECT_SECONDS)
            rig_fail("redis: %s: %s", path, strerror(errno));
        (void)nanosleep(&pause, NULL);
    }
}

static void
send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n <= 0)
            rig_fail("redis: write: %s", strerror(errno));
        p += n;
        len -= (size_t)n;
    }
}

static void
read_all(int fd, char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, p, len);
        if (n <= 0)
            rig_fail("redis: read: %s", strerror(errno));
        p += n;
        len -= (size_t)n;
    }
}

void
redis_start(struct redis *r, size_t n, size_t (*key)(uint64_t i, char *out), size_t value_len)
{
    char path[RIG_PATH], name[KEY_MAX], reply[5 * FILL_BATCH];
    *r = (struct redis){.value_len = value_len};
    (void)snprintf(path, sizeof(path), "%s/redis.sock", rig_dir());
    r->pid = rig_spawn(RIG_SERVES, "redis.log",
                       (const char *[]){program, "--port", "0", "--unixsocket", path, "--save", "",
                                        "--appendonly", "no", "--daemonize", "no", "--dir", rig_dir(), NULL});
    connect_to(r, path);
    char *out = malloc((size_t)FILL_BATCH * (KEY_MAX + value_len + 64)), *value = malloc(value_len);
    must(out && value);
    memset(value, 'v', value_len);
    for (size_t i = 0; i < n;) {
        size_t len = 0, some = n - i < FILL_BATCH ? n - i : FILL_BATCH;
        for (size_t k = 0; k < some; k++, i++) {
            size_t name_len = key(i, name);
            len += (size_t)sprintf(out + len, "*3\r\n$3\r\nSET\r\n$%zu\r\n%.*s\r\n$%zu\r\n", name_len,
                                   (int)name_len, name, value_len);
            memcpy(out + len, value, value_len);
            len += value_len;
            memcpy(out + len, "\r\n", 2);
            len += 2;
        }
        send_all(r->fd, out, len);
        read_all(r->fd, reply, 5 * some); /* +OK\r\n each */
        must(memcmp(reply, "+OK\r\n", 5) == 0);
    }
    free(out);
    free(value);
}

void
redis_prepare(struct redis *r, size_t asks, uint64_t keys, size_t (*key)(uint64_t i, char *out), size_t batch,
              unsigned flights)
{
    struct prng rng = {17};
    char name[KEY_MAX];
    size_t len = 0;
    free(r->asks);
    free(r->ends);
    r->asks = malloc(asks * (KEY_MAX + 32));
    r->ends = malloc(asks * sizeof(*r->ends));
    must(r->asks && r->ends && asks % batch == 0);
    for (size_t i = 0; i < asks; i++) {
        size_t n = key(prng_below(&rng, keys), name);
        len += (size_t)sprintf(r->asks + len, "*2\r\n$3\r\nGET\r\n$%zu\r\n%.*s\r\n", n, (int)n, name);
        r->ends[i] = len;
    }
    r->n = asks;
    r->at = 0;
    r->batch = batch;
    r->flights = flights;
}

static void
send_batch(struct redis *r)
{
    size_t from = r->at ? r->ends[r->at - 1] : 0;
    r->at += r->batch;
    send_all(r->fd, r->asks + from, r->ends[r->at - 1] - from);
    if (r->at == r->n)
        r->at = 0;
}

/* Every value has the same length, so replies have too: "$32\r\n" value "\r\n". */
double
redis_run(void *redis, double seconds)
{
    struct redis *r = redis;
    char head[32];
    size_t head_len = (size_t)snprintf(head, sizeof(head), "$%zu\r\n", r->value_len);
    size_t each = head_len + r->value_len + 2;
    char *in = malloc(r->batch * each);
    must(in);
    uint64_t done = 0;
    for (unsigned i = 0; i < r->flights; i++)
        send_batch(r);
    uint64_t start = rig_ns();
    double took;
    do {
        read_all(r->fd, in, r->batch * each);
        for (size_t i = 0; i < r->batch; i++)
            if (memcmp(in + i * each, head, head_len) != 0)
                rig_fail("redis: not the value: %.20s", in + i * each);
        send_batch(r);
        done += r->batch;
        took = rig_since(start);
    } while (took < seconds);
    for (unsigned i = 0; i < r->flights; i++)
        read_all(r->fd, in, r->batch * each);
    free(in);
    return (double)done / took;
}

void
redis_stop(struct redis *r)
{
    if (r->pid) {
        (void)close(r->fd);
        rig_stop(r->pid);
    }
    free(r->asks);
    free(r->ends);
    *r = (struct redis){0};
}
