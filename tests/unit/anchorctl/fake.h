/*
 * A server in the test's own process, on a socket in a temporary directory, with the handlers that a test
 * binds; and anchorctl, run against it as the program that it is.
 */
#ifndef ANCHORCTL_FAKE_H
#define ANCHORCTL_FAKE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/str.h"
#include "lib/main.h"
#include "wire/bus.h"

enum { FAKE_SEEN = 4096 };

/* A call that came in. */
struct fake_seen {
    char method[64]; /* "ZoneService/GetZone" */
    char idem_key[LIMIT_IDEM_KEY + 1];
    uint32_t timeout_ms;
    void *req; /* decoded, lives as long as the fake */
};

struct fake {
    char dir[32], url[64];
    struct rpc_table table;
    struct bus *bus;
    pthread_mutex_t lock; /* of what follows */
    struct mem_region region;
    struct fake_seen seen[FAKE_SEEN];
    size_t n;
};

/* The one fake of a test; each test runs in a process of its own. */
extern struct fake fake;

/* fake_new, bind, fake_run. */
void fake_new(void);
void fake_bind(const char *method, rpc_handler fn);
void fake_run(void);
void fake_done(void);

/* The number-th call of the method, from 0; fails the test when there was none. */
const struct fake_seen *fake_call(const char *method, size_t number);
size_t fake_calls(const char *method);
#define fake_req(Type, method, number) ((const Type *)fake_call((method), (number))->req)

/* What a run did; the texts live as long as the process. */
struct done {
    int code;
    char *out, *err;
};

/* Runs anchorctl with --socket of the fake, when there is one, and the arguments up to NULL. */
struct done ctl(const char *arg, ...) __attribute__((sentinel));
struct done ctl_stdin(const char *input, const char *arg, ...) __attribute__((sentinel));

/* Writes a file into the fake's directory; the path lives as long as the process. */
const char *fake_file(const char *name, const char *text);

/* Does a text have the part? A failed test shows the text. */
#define ck_has(text, part)   ck_assert_msg(strstr((text), (part)) != NULL, "lacks '%s': %s", (part), (text))
#define ck_lacks(text, part) ck_assert_msg(strstr((text), (part)) == NULL, "has '%s': %s", (part), (text))

#endif
