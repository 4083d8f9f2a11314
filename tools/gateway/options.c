#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

enum {
    OPT_LISTEN = 256,
    OPT_SOCKET,
    OPT_AUTH_PEER,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_WORKERS,
    OPT_MAX_CONNS,
    OPT_MAX_ADDRESS,
    OPT_RATE,
    OPT_TIMEOUT,
    OPT_DRAIN,
    OPT_LOG_FORMAT,
    OPT_LOG_LEVEL,
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"auth-peer", required_argument, NULL, OPT_AUTH_PEER},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"max-connections", required_argument, NULL, OPT_MAX_CONNS},
    {"max-per-address", required_argument, NULL, OPT_MAX_ADDRESS},
    {"rate-limit", required_argument, NULL, OPT_RATE},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"drain", required_argument, NULL, OPT_DRAIN},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

void
options_help(void)
{
    (void)fputs("Usage: anchord-gateway [OPTION]...\n"
                "REST API of anchord.\n\n"
                "  --listen ADDR:PORT     where to serve HTTP (default: 127.0.0.1:8080); or unix:PATH\n"
                "  --socket URL           where the server listens (default: $ANCHORD_SOCKET, else\n"
                "                         ipc:///run/anchord/anchord.sock, else ipc://./var/anchord.sock)\n"
                "  --auth-peer PEER       a proxy that may ask at /auth: an address, a range (CIDR), or\n"
                "                         unix for who connects to a unix socket; up to 64 of them\n"
                "                         (default: nobody)\n"
                "  --tls-cert FILE        serve HTTPS with this certificate and its chain (PEM)\n"
                "  --tls-key FILE         and this key (PEM); both are read again at SIGHUP\n"
                "  --workers N            requests that are handled at once (default: 16)\n"
                "  --max-connections N    open at once (default: 4096)\n"
                "  --max-per-address N    of them from one address; 0: any number (default: 256)\n"
                "  --rate-limit N         requests of one caller in 5 minutes; 0: any number\n"
                "                         (default: 1200, and 0 on loopback)\n"
                "  --timeout SECONDS      for a request to arrive and for its reply to be taken; an idle\n"
                "                         connection is kept as long (default: 30)\n"
                "  --drain SECONDS        to finish what was accepted, when stopping (default: 10)\n"
                "  --log-format FORMAT    text (default) or json\n"
                "  --log-level LEVEL      error, warning, notice, info (default), debug\n"
                "  -h, --help             this text\n"
                "  -V, --version          the version\n",
                stdout);
}

static bool
number(const char *name, uint32_t lo, uint32_t hi, uint32_t *ret)
{
    uint64_t n;
    if (str_u64(slice_str(optarg), &n) && n >= lo && n <= hi) {
        *ret = (uint32_t)n;
        return true;
    }
    (void)fprintf(stderr, "anchord-gateway: %s takes a number from %u to %u, not '%s'\n", name, lo, hi,
                  optarg);
    return false;
}

static bool
peer_option(struct options *o)
{
    acd_err err = ACD_ERR_INIT;
    int rc = peers_add(&o->auth_peers, optarg, &err);
    if (rc < 0)
        (void)fprintf(stderr, "anchord-gateway: --auth-peer: %s\n", err_text(&err, rc));
    return rc == 0;
}

static bool
log_option(int c, struct options *o)
{
    if (c == OPT_LOG_LEVEL) {
        o->log_level = log_level_parse(optarg);
        if (o->log_level >= 0)
            return true;
    } else if (strcmp(optarg, "text") == 0 || strcmp(optarg, "json") == 0) {
        o->log_format = optarg[0] == 'j' ? LOG_JSON : LOG_TEXT;
        return true;
    }
    (void)fprintf(stderr, "anchord-gateway: '%s' is no %s of the log\n", optarg,
                  c == OPT_LOG_LEVEL ? "level" : "format");
    return false;
}

static bool
take(int c, struct options *o)
{
    switch (c) {
    case OPT_LISTEN:
        o->listen = optarg;
        return true;
    case OPT_SOCKET:
        o->socket = optarg;
        return true;
    case OPT_AUTH_PEER:
        return peer_option(o);
    case OPT_TLS_CERT:
        o->tls_cert = optarg;
        return true;
    case OPT_TLS_KEY:
        o->tls_key = optarg;
        return true;
    case OPT_WORKERS:
        return number("--workers", 1, 256, &o->workers);
    case OPT_MAX_CONNS:
        return number("--max-connections", 1, 1000000, &o->max_conns);
    case OPT_MAX_ADDRESS:
        return number("--max-per-address", 0, 1000000, &o->max_conns_address);
    case OPT_RATE:
        o->rate_given = true;
        return number("--rate-limit", 0, 1000000000, &o->rate);
    case OPT_TIMEOUT:
        return number("--timeout", 1, 3600, &o->timeout_s);
    case OPT_DRAIN:
        return number("--drain", 0, 3600, &o->drain_s);
    case OPT_LOG_FORMAT:
    case OPT_LOG_LEVEL:
        return log_option(c, o);
    case 'h':
        o->help = true;
        return true;
    case 'V':
        o->version = true;
        return true;
    default:
        return false; /* getopt has said why */
    }
}

bool
options_parse(int argc, char **argv, struct options *ret)
{
    int c;
    bool good = true;
    *ret = (struct options){.listen = "127.0.0.1:8080",
                            .workers = 16,
                            .max_conns = 4096,
                            .max_conns_address = 256,
                            .rate = 1200,
                            .timeout_s = 30,
                            .drain_s = 10,
                            .log_format = LOG_TEXT,
                            .log_level = ACD_LOG_INFO};
    while (good && (c = getopt_long(argc, argv, "hV", long_options, NULL)) != -1)
        good = take(c, ret);
    if (good && optind < argc) {
        (void)fprintf(stderr, "anchord-gateway: unexpected argument '%s'\n", argv[optind]);
        good = false;
    }
    if (good && !ret->tls_cert != !ret->tls_key) {
        (void)fputs("anchord-gateway: --tls-cert and --tls-key belong together\n", stderr);
        good = false;
    }
    if (!good)
        (void)fputs("Try 'anchord-gateway --help'.\n", stderr);
    return good;
}
