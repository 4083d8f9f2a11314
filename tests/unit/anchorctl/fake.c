#include "fake.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

struct fake fake;

struct bound {
    rpc_handler fn;
    const char *method;
};
static struct bound bound[64];
static size_t n_bound;

static int
record(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    const struct bound *b = ctx;
    (void)pthread_mutex_lock(&fake.lock);
    ck_assert(fake.n < FAKE_SEEN);
    struct fake_seen *s = &fake.seen[fake.n++];
    (void)snprintf(s->method, sizeof(s->method), "%s", b->method);
    (void)snprintf(s->idem_key, sizeof(s->idem_key), "%.*s", (int)call->frame.idem_key.len,
                   (const char *)call->frame.idem_key.ptr);
    s->timeout_ms = call->frame.timeout_ms;
    ck_assert(wire_unpack(&fake.region, call->method->request, call->frame.payload, &s->req, err) == 0);
    (void)pthread_mutex_unlock(&fake.lock);
    return b->fn(NULL, call, req, ret_resp, err);
}

static void
clean_up(void)
{
    char command[64];
    if (fake.dir[0]) {
        (void)snprintf(command, sizeof(command), "rm -rf %s", fake.dir);
        ck_assert_int_eq(system(command), 0);
    }
}

void
fake_new(void)
{
    (void)strcpy(fake.dir, "/tmp/anchorctl-XXXXXX");
    ck_assert(mkdtemp(fake.dir) != NULL);
    (void)snprintf(fake.url, sizeof(fake.url), "ipc://%s/sock", fake.dir);
    mem_init(&fake.region, 65536, 0);
    ck_assert(pthread_mutex_init(&fake.lock, NULL) == 0);
    ck_assert(rpc_table_init(&fake.table, &clock_system) == 0);
}

void
fake_bind(const char *method, rpc_handler fn)
{
    bound[n_bound] = (struct bound){fn, method};
    ck_assert(rpc_bind(&fake.table, method, record, &bound[n_bound]) == 0);
    n_bound++;
}

void
fake_run(void)
{
    acd_err err = ACD_ERR_INIT;
    const char *urls[] = {fake.url};
    struct bus_opts opts = {
        .table = &fake.table, .urls = urls, .n_urls = 1, .query_workers = 1, .admin_workers = 1};
    int rc = bus_start(&opts, &fake.bus, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

void
fake_done(void)
{
    bus_free(fake.bus);
    rpc_table_done(&fake.table);
    mem_done(&fake.region);
    clean_up();
}

size_t
fake_calls(const char *method)
{
    size_t n = 0;
    (void)pthread_mutex_lock(&fake.lock);
    for (size_t i = 0; i < fake.n; i++)
        n += strcmp(fake.seen[i].method, method) == 0;
    (void)pthread_mutex_unlock(&fake.lock);
    return n;
}

const struct fake_seen *
fake_call(const char *method, size_t number)
{
    const struct fake_seen *found = NULL;
    (void)pthread_mutex_lock(&fake.lock);
    for (size_t i = 0; i < fake.n && !found; i++)
        if (strcmp(fake.seen[i].method, method) == 0 && number-- == 0)
            found = &fake.seen[i];
    (void)pthread_mutex_unlock(&fake.lock);
    ck_assert_msg(found != NULL, "%s was not called", method);
    return found;
}

const char *
fake_file(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", fake.dir, name);
    FILE *f = fopen(path, "w");
    ck_assert(f && fputs(text, f) >= 0);
    ck_assert_int_eq(fclose(f), 0);
    char *kept = mem_strdup(&fake.region, path);
    ck_assert(kept != NULL);
    return kept;
}

/* --- the program --------------------------------------------------------------------------------------- */

extern char **environ;

/* Outputs live as long as the process. */
static struct mem_region outputs;

static void
free_outputs(void)
{
    mem_done(&outputs);
}

static char *
text_of(FILE *f)
{
    struct buf b = BUF_INIT(1 << 28);
    char chunk[65536];
    rewind(f);
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
        buf_put(&b, chunk, n);
    ck_assert_int_eq(fclose(f), 0);
    buf_putc(&b, '\0');
    ck_assert_int_eq(b.failed, 0);
    if (!outputs.block) {
        mem_init(&outputs, 65536, 0);
        ck_assert_int_eq(atexit(free_outputs), 0);
    }
    char *text = mem_strdup(&outputs, b.data);
    buf_done(&b);
    return text;
}

/* Its output goes to files that have no name, so that no pipe can fill up. */
static struct done
run(const char *input, const char **argv)
{
    posix_spawn_file_actions_t acts;
    pid_t pid;
    int status;
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    ck_assert(in && out && err);
    ck_assert(fputs(input, in) >= 0 && fflush(in) == 0);
    rewind(in);
    ck_assert_int_eq(posix_spawn_file_actions_init(&acts), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&acts, fileno(in), 0), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&acts, fileno(out), 1), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&acts, fileno(err), 2), 0);
    ck_assert_int_eq(posix_spawn(&pid, ANCHORCTL, &acts, NULL, (char **)argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&acts);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "anchorctl ended by signal %d", WTERMSIG(status));
    (void)fclose(in);
    return (struct done){.code = WEXITSTATUS(status), .out = text_of(out), .err = text_of(err)};
}

enum { ARGS = 64 };

static struct done
run_list(const char *input, const char *arg, va_list ap)
{
    const char *argv[ARGS] = {"anchorctl"};
    size_t n = 1;
    if (fake.bus) {
        argv[n++] = "--socket";
        argv[n++] = fake.url;
    }
    for (; arg; arg = va_arg(ap, const char *)) {
        ck_assert(n < ARGS - 1);
        argv[n++] = arg;
    }
    return run(input, argv);
}

struct done
ctl(const char *arg, ...)
{
    va_list ap;
    va_start(ap, arg);
    struct done d = run_list("", arg, ap);
    va_end(ap);
    return d;
}

struct done
ctl_stdin(const char *input, const char *arg, ...)
{
    va_list ap;
    va_start(ap, arg);
    struct done d = run_list(input, arg, ap);
    va_end(ap);
    return d;
}
