/*
 * /auth of the gateway, for hosts and certificates whose verdicts are known, beside nginx answering 204 to
 * the same requests: one connection that is kept, a request at a time, both on unix sockets.
 *
 *   bench_auth [seconds per figure]       prints one JSON object per line
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/str.h"
#include "world.h"

enum { HOSTS = 10000, CHAINS = 64, QUESTIONS = 512, ANSWER_MAX = 8192, TIMES_MAX = 1 << 20, START_S = 10 };

struct front {
    pid_t pid;
    int fd;
    char path[RIG_PATH];
    const char *status; /* what each answer must begin with */
    char **questions;
    size_t next, n_times;
    double *times; /* of each request, in microseconds */
};

/* --- questions --------------------------------------------------------------------------------------------
 */

static char *
sequence(acd_slice der)
{
    char *text = malloc(BASE64_LEN(der.len) + 1);
    must(text);
    (void)base64_encode(der.ptr, der.len, text);
    return text;
}

static char **
make_questions(const struct pki_chains *chains)
{
    struct prng rng = {29};
    char **list = calloc(QUESTIONS, sizeof(*list)), *rest = sequence(chains->inter);
    must(list);
    for (size_t i = 0; i < QUESTIONS; i++) {
        char host[WORLD_NAME], *leaf = sequence(chains->leaf[prng_below(&rng, chains->n)]);
        size_t len = world_host(prng_below(&rng, HOSTS), host);
        must(asprintf(&list[i],
                      "GET /auth/client-cert HTTP/1.1\r\nHost: %.*s\r\nClient-Cert: "
                      ":%s:\r\nClient-Cert-Chain: :%s:\r\n"
                      "X-Original-Method: GET\r\nX-Original-URI: /a/b?c=d\r\nX-Real-IP: 192.0.2.7\r\n"
                      "User-Agent: bench/1\r\nAccept: */*\r\n\r\n",
                      (int)len, host, leaf, rest) > 0);
        free(leaf);
    }
    free(rest);
    return list;
}

/* --- one connection ---------------------------------------------------------------------------------------
 */

static void
front_connect(struct front *f)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    uint64_t began = rig_ns();
    must(strlen(f->path) < sizeof(sa.sun_path));
    memcpy(sa.sun_path, f->path, strlen(f->path));
    for (;;) {
        f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (f->fd >= 0 && connect(f->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
            return;
        if (rig_since(began) > START_S)
            rig_fail("%s: %s", f->path, strerror(errno));
        (void)close(f->fd);
        (void)usleep(10000);
    }
}

static void
ask(struct front *f)
{
    char answer[ANSWER_MAX + 1];
    const char *text = f->questions[f->next++ % QUESTIONS];
    size_t len = strlen(text), n = 0;
    if (write(f->fd, text, len) != (ssize_t)len)
        rig_fail("%s: %s", f->path, strerror(errno));
    for (;;) {
        ssize_t got = read(f->fd, answer + n, ANSWER_MAX - n);
        if (got <= 0)
            rig_fail("%s: the connection ended", f->path);
        n += (size_t)got;
        answer[n] = '\0';
        if (n >= 4 && memcmp(answer + n - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    if (strncmp(answer, f->status, strlen(f->status)) != 0)
        rig_fail("%s: %.300s", f->path, answer);
}

static double
front_run(void *ctx, double seconds)
{
    struct front *f = ctx;
    uint64_t began = rig_ns(), n = 0;
    do {
        uint64_t at = rig_ns();
        ask(f);
        if (f->n_times < TIMES_MAX)
            f->times[f->n_times++] = (double)(rig_ns() - at) / 1000;
        n++;
    } while (rig_since(began) < seconds);
    return (double)n / rig_since(began);
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
quantile(struct front *f, double part)
{
    qsort(f->times, f->n_times, sizeof(*f->times), by_size);
    return f->times[(size_t)(part * (double)(f->n_times - 1))];
}

static void
front_open(struct front *f, const char *name, const char *status, char **questions)
{
    (void)snprintf(f->path, sizeof(f->path), "%s/%s.sock", rig_dir(), name);
    f->status = status;
    f->questions = questions;
    f->times = calloc(TIMES_MAX, sizeof(*f->times));
    must(f->times);
}

static void
front_close(struct front *f)
{
    if (f->fd > 0)
        (void)close(f->fd);
    rig_stop(f->pid);
    free(f->times);
}

/* --- programs ---------------------------------------------------------------------------------------------
 */

static void
start_gateway(struct front *f, const struct world *w)
{
    char program[RIG_PATH], listen[RIG_PATH + 8];
    rig_built("tools/gateway/anchord-gateway", program);
    (void)snprintf(listen, sizeof(listen), "unix:%s", f->path);
    f->pid = rig_spawn(RIG_SERVES, "gateway.log",
                       (const char *const[]){program, "--listen", listen, "--socket", w->ipc, "--auth-peer",
                                             "unix", "--log-level", "warning", NULL});
    front_connect(f);
}

/* False: nginx is not installed. */
static bool
start_nginx(struct front *f)
{
    static const char program[] = "/usr/sbin/nginx";
    char conf[RIG_PATH];
    if (access(program, X_OK) < 0)
        return false;
    (void)snprintf(conf, sizeof(conf), "%s/nginx.conf", rig_dir());
    FILE *out = fopen(conf, "w");
    must(out);
    (void)fprintf(out,
                  "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents { }\n"
                  "http { access_log off; keepalive_requests 1000000000;\nclient_body_temp_path t1; "
                  "proxy_temp_path t2;\n"
                  "fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n"
                  "server { listen unix:%s; location / { return 204; } } }\n",
                  f->path);
    must(fclose(out) == 0);
    f->pid =
        rig_spawn(RIG_SERVES, "nginx.log", (const char *const[]){program, "-p", rig_dir(), "-c", conf, NULL});
    front_connect(f);
    return true;
}

int
main(int argc, char **argv)
{
    static const char measure[] = "/auth, known verdicts, one connection kept";
    double seconds = rig_begin(argc, argv);
    char data[RIG_PATH];
    struct world w;
    struct pki_chains chains;
    struct front ours = {0}, theirs = {0};
    world_kept(HOSTS, data);
    world_start(&w, data, RIG_SERVES);
    struct pki_pair root = pki_load(w.pki, "ca-0");
    pki_chains_make(&root, CHAINS, &chains);
    char **questions = make_questions(&chains);
    front_open(&ours, "gateway", "HTTP/1.1 200", questions);
    front_open(&theirs, "nginx", "HTTP/1.1 204", questions);
    start_gateway(&ours, &w);
    for (size_t i = 0; i < QUESTIONS; i++)
        ask(&ours); /* from here on every verdict is known */
    const struct rig_pair pair = {.measure = measure,
                                  .unit = "questions/s",
                                  .peer = "nginx, a static 204",
                                  .ours = front_run,
                                  .theirs = front_run,
                                  .ctx = &ours,
                                  .their_ctx = &theirs};
    if (start_nginx(&theirs)) {
        (void)rig_compare(&pair, seconds);
        rig_beside("/auth, p50", quantile(&ours, 0.5), "us", pair.peer, quantile(&theirs, 0.5), 0);
        rig_beside("/auth, p99", quantile(&ours, 0.99), "us", pair.peer, quantile(&theirs, 0.99), 0);
    } else {
        rig_figure(measure, front_run(&ours, seconds), pair.unit);
        rig_figure("/auth, p50", quantile(&ours, 0.5), "us");
        rig_figure("/auth, p99", quantile(&ours, 0.99), "us");
    }
    front_close(&ours);
    front_close(&theirs);
    world_stop(&w);
    for (size_t i = 0; i < QUESTIONS; i++)
        free(questions[i]);
    free(questions);
    pki_chains_free(&chains);
    pki_free(&root);
    return EXIT_SUCCESS;
}
