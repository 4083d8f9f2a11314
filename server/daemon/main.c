#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <anchord/version.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rcu.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/server.h"

enum { EXIT_USAGE = 2, TICK_SECONDS = 1 };

static void
print_finding(void *ctx, const char *key, unsigned line, const char *text)
{
    const char *file = ctx;
    if (line && line != CONF_LINE_OVERRIDE)
        (void)fprintf(stderr, "%s:%u: ", file ? file : "anchord", line);
    else
        (void)fputs("anchord: ", stderr);
    (void)fprintf(stderr, "%s%s%s\n", key, key[0] ? ": " : "", text);
}

/* Defaults, the file, the command line, in this order; everything wrong is printed. */
static struct conf *
configure(const struct options *o)
{
    struct conf *conf = NULL;
    acd_err err = ACD_ERR_INIT;
    int rc = 0;
    if (o->config)
        rc = conf_load(o->config, print_finding, (void *)o->config, &conf, &err);
    else if (!(conf = conf_defaults()))
        rc = ACD_ENOMEM;
    if (rc < 0) {
        if (rc != ACD_EINVAL) /* the findings of a bad file have been printed one by one */
            (void)fprintf(stderr, "anchord: %s\n", err_text(&err, rc));
        return NULL;
    }
    const struct {
        const char *key;
        const char *const *values;
        size_t n;
    } overrides[] = {
        {"data", &o->data, o->data != NULL},
        {"role", &o->role, o->role != NULL},
        {"primary", &o->primary, o->primary != NULL},
        {"listen", o->listen, o->nlisten},
    };
    for (size_t i = 0; rc == 0 && i < sizeof(overrides) / sizeof(overrides[0]); i++)
        if (overrides[i].n)
            rc = conf_set(conf, overrides[i].key, overrides[i].values, overrides[i].n, &err);
    if (rc < 0)
        (void)fprintf(stderr, "anchord: %s\n", err_text(&err, rc));
    else
        rc = conf_check(conf, print_finding, (void *)o->config, &err);
    if (rc < 0) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

static int
dump(const struct conf *conf)
{
    struct buf b = BUF_INIT(1 << 20);
    conf_dump(conf, NULL, NULL, &b);
    if (!b.failed && b.data)
        (void)fputs(b.data, stdout);
    buf_done(&b);
    return EXIT_SUCCESS;
}

static int
check(const struct conf *conf)
{
    acd_err err = ACD_ERR_INIT;
    int rc = server_check(conf, &err);
    if (rc < 0) {
        (void)fprintf(stderr, "anchord: %s\n", err_text(&err, rc));
        return EXIT_USAGE;
    }
    (void)puts("configuration is fine");
    return EXIT_SUCCESS;
}

/* Waits for a signal to stop; ticks meanwhile. */
static void
wait_for_stop(struct server *s, const sigset_t *signals)
{
    const struct timespec tick = {.tv_sec = TICK_SECONDS};
    for (;;) {
        int sig = sigtimedwait(signals, NULL, &tick);
        if (sig == SIGTERM || sig == SIGINT)
            return;
        server_tick(s);
    }
}

static int
serve(const struct conf *conf)
{
    struct server s;
    acd_err err = ACD_ERR_INIT;
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    rcu_thread_enter();
    int rc = server_start(&s, conf, &err);
    if (rc == 0) {
        for (size_t i = 0; i < s.nurls; i++)
            LOG(ACD_LOG_NOTICE, "listen", LF_STR("url", bus_url(s.bus, i)));
        notify_ready();
        wait_for_stop(&s, &signals);
        notify_stopping();
        LOG(ACD_LOG_NOTICE, "stop");
        server_stop(&s);
    } else {
        LOG(ACD_LOG_ERR, "start.failed", LF_STR("why", err_text(&err, rc)));
    }
    rcu_thread_leave();
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
        (void)puts("anchord " ACD_VERSION);
        return EXIT_SUCCESS;
    }
    (void)umask(077);
    struct conf *conf = configure(&o);
    if (!conf)
        return EXIT_USAGE;
    log_setup(STDERR_FILENO, (enum log_format)conf->log.format, (int)conf->log.level);
    int rc = o.check_config ? check(conf) : o.dump_config ? dump(conf) : serve(conf);
    conf_free(conf);
    return rc;
}
