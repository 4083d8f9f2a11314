/* anchord-gateway: REST on one side, the server's bus on the other. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <anchord/version.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "gw.h"
#include "json.h"
#include "metrics.h"
#include "options.h"
#include "tls.h"

enum {
    EXIT_USAGE = 2,
    QUEUE = 1024,
    BODY_MAX = 1 << 20,
    CONNECT_MS = 1000, /* how long one try of a call waits for the server to be there */
    SPARE_FDS = 64,
};

/* As many descriptors as connections need, if the system lets us; and no core: private keys pass through. */
static void
set_limits(const struct options *o)
{
    struct rlimit files, none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    rlim_t want = (rlim_t)o->max_conns + SPARE_FDS;
    if (files.rlim_cur < want) {
        files.rlim_cur = want < files.rlim_max ? want : files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < want)
        LOG(ACD_LOG_WARNING, "limit.files", LF_INT("have", files.rlim_cur), LF_INT("want", want));
}

static bool
is_loopback(const char *address)
{
    return str_starts(address, "127.") || str_starts(address, "[::1]:") || str_starts(address, "localhost:");
}

static int
start(const struct options *o, struct gateway *gw, acd_err *err)
{
    const acd_client_opts client = {.struct_size = sizeof(client), .connect_ms = CONNECT_MS};
    const struct http_opts http = {
        .listen = o->listen,
        .tls = o->tls_cert != NULL,
        .workers = o->workers,
        .queue = QUEUE,
        .max_conns = o->max_conns,
        .max_conns_address = o->max_conns_address,
        .max_body = BODY_MAX,
        .timeout_ms = o->timeout_s * 1000,
        .handle = gw_serve,
        .refuse = gw_refuse,
        .done = gw_ended,
        .ctx = gw,
    };
    uint32_t rate = !o->rate_given && is_loopback(o->listen) ? 0 : o->rate;
    int rc = o->tls_cert ? tls_load(o->tls_cert, o->tls_key, err) : 0;
    if (rc == 0)
        rc = acd_client_open(anchord_admin_url(o->socket), &client, &gw->client, err);
    gw->peers = &o->auth_peers;
    gw->metrics = calloc(1, sizeof(*gw->metrics));
    gw->rate = rate ? rate_new(rate, RATE_WINDOW_S, &clock_system) : NULL;
    if (rc == 0 && (!gw->metrics || (rate && !gw->rate)))
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    return rc < 0 ? rc : http_start(&http, &gw->http, err);
}

static void
stop(const struct options *o, struct gateway *gw)
{
    http_stop(gw->http, o->drain_s * 1000);
    acd_client_close(gw->client);
    rate_free(gw->rate);
    free(gw->metrics);
    tls_done();
}

static void
reload(const struct options *o)
{
    acd_err err = ACD_ERR_INIT;
    int rc = o->tls_cert ? tls_load(o->tls_cert, o->tls_key, &err) : 0;
    if (rc < 0)
        LOG(ACD_LOG_ERR, "reload.failed", LF_STR("why", err_text(&err, rc)));
    else
        LOG(ACD_LOG_NOTICE, "reload");
}

static int
run(const struct options *o)
{
    struct gateway gw = {0};
    acd_err err = ACD_ERR_INIT;
    sigset_t signals;
    int sig = 0;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    set_limits(o);
    json_setup();
    int rc = start(o, &gw, &err);
    if (rc < 0)
        LOG(ACD_LOG_ERR, "start.failed", LF_STR("why", err_text(&err, rc)));
    else
        LOG(ACD_LOG_NOTICE, "listen", LF_STR("address", http_address(gw.http)),
            LF_STR("scheme", o->tls_cert ? "https" : "http"));
    while (rc == 0 && sigwait(&signals, &sig) == 0 && sig == SIGHUP)
        reload(o);
    if (rc == 0)
        LOG(ACD_LOG_NOTICE, "stop");
    stop(o, &gw);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    struct options o;
    if (!options_parse(argc, argv, &o))
        return EXIT_USAGE;
    if (o.help) {
        options_help();
        return EXIT_SUCCESS;
    }
    if (o.version) {
        (void)puts("anchord-gateway " ACD_VERSION);
        return EXIT_SUCCESS;
    }
    log_setup(STDERR_FILENO, (enum log_format)o.log_format, o.log_level);
    return run(&o);
}
