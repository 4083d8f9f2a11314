/*
 * The Rules language beside C written by hand for the same question. "ns" is per evaluation. The peer is what
 * a programmer would write with the field values at hand: no missing values, no budget, no explanation.
 * Processor time is measured, and both sides take turns in short slices whose medians are compared, so that
 * another load on the machine counts less.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/str.h"
#include "rule/ruleset.h"

enum { BATCH = 1000, HAY = 2048, RULES = 100, TURNS = 15 };

static struct rule_scheme *scheme;
static struct rule_ctx *ctx;
static double seconds = 0.5;
static volatile uint64_t sink;

static double
now(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ns per call of f. */
static double
slice_of_time(void (*f)(void *), void *arg)
{
    uint64_t n = 0;
    double start = now(), end;
    do {
        for (int i = 0; i < BATCH; i++)
            f(arg);
        n += BATCH;
        end = now();
    } while (end - start < seconds / TURNS);
    return (end - start) * 1e9 / (double)n;
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* by_hand: the same question, or NULL. */
static void
compare(const char *what, void (*f)(void *), void *arg, const char *peer, void (*by_hand)(void *))
{
    double ns[TURNS], peer_ns[TURNS];
    for (int i = 0; i < TURNS; i++) {
        ns[i] = slice_of_time(f, arg);
        peer_ns[i] = by_hand ? slice_of_time(by_hand, NULL) : 0;
    }
    qsort(ns, TURNS, sizeof(*ns), by_size);
    qsort(peer_ns, TURNS, sizeof(*peer_ns), by_size);
    printf("{\"measure\": \"%s\", \"value\": %.1f, \"unit\": \"ns\"", what, ns[TURNS / 2]);
    if (by_hand)
        printf(", \"peer\": \"%s\", \"peer_value\": %.1f", peer, peer_ns[TURNS / 2]);
    puts("}");
    (void)fflush(stdout);
}

static struct rule_prog *
compile(const char *text)
{
    struct rule_prog *p;
    struct rule_error error;
    if (rule_compile(scheme, slice_str(text), &p, &error) < 0) {
        (void)fprintf(stderr, "%s: %s\n", text, error.message);
        exit(1);
    }
    return p;
}

static void
run_prog(void *arg)
{
    struct rule_result r;
    sink += rule_eval(arg, ctx, &r);
}

static void
set_text(unsigned field, const char *v)
{
    rule_ctx_set(ctx, field, rule_bytes_value(v, strlen(v)));
}

static void
expression(const char *what, const char *text, enum rule_outcome want, const char *peer,
           void (*by_hand)(void *))
{
    struct rule_prog *p = compile(text);
    struct rule_result r;
    must(rule_eval(p, ctx, &r) == want);
    compare(what, run_prog, p, peer, by_hand);
    rule_free(p);
}

static const char *volatile host = "b.example";
static volatile size_t host_len = 9;
static volatile bool verified, flags[5];
static char hay[HAY + 1];
static volatile uint32_t address = 0xcb007107; /* 203.0.113.7 */
static char (*names)[32];
static size_t nnames;

static void
hand_seed(void *arg)
{
    (void)arg;
    const char *h = host;
    size_t n = host_len;
    sink += ((n == 9 && memcmp(h, "a.example", 9) == 0) || (n == 9 && memcmp(h, "b.example", 9) == 0)) &&
            !verified;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t turn;

static void
hand_in(void *arg)
{
    (void)arg;
    turn = (turn + 7919) % nnames;
    sink += bsearch(names[turn], names, nnames, sizeof(*names), by_text) != NULL;
}

static struct rule_set *names_set;

static void
run_in(void *arg)
{
    (void)arg;
    turn = (turn + 7919) % nnames;
    sink += rule_set_has_bytes(names_set, names[turn], strlen(names[turn]));
}

static void
hand_needle(void *arg)
{
    (void)arg;
    const char *p = hay, *hit;
    while ((hit = memmem(p, (size_t)(hay + HAY - p), "needle", 6)) != NULL) {
        const char *q = hit + 6;
        while (q < hay + HAY && *q >= '0' && *q <= '9')
            q++;
        if (q == hay + HAY && q > hit + 6)
            break;
        p = hit + 1;
    }
    sink += hit != NULL;
}

static void
hand_wild(void *arg)
{
    (void)arg;
    static const char tail[] = ".example.com";
    const char *h = hay + HAY - 30;
    bool same = true;
    for (size_t i = 0; i < sizeof(tail) - 1 && same; i++) {
        char c = h[18 + i];
        same = (c >= 'A' && c <= 'Z' ? c + 32 : c) == tail[i];
    }
    sink += same;
}

static void
hand_ip(void *arg)
{
    (void)arg;
    uint32_t a = address;
    sink +=
        (a & 0xff000000) == 0x0a000000 || (a & 0xffff0000) == 0xc0a80000 || (a & 0xffffff00) == 0xcb007100;
}

static void
hand_or(void *arg)
{
    (void)arg;
    sink += flags[0] || flags[1] || flags[2] || flags[3] || !flags[4];
}

static char hosts[RULES][16];

static void
hand_rules(void *arg)
{
    (void)arg;
    const char *h = host;
    size_t n = host_len;
    for (int i = 0; i < RULES; i++)
        if (strlen(hosts[i]) == n && memcmp(hosts[i], h, n) == 0 && !verified) {
            sink += (uint64_t)i;
            return;
        }
}

static void
run_ruleset(void *arg)
{
    struct ruleset_answer a;
    ruleset_eval(arg, ctx, &a);
    sink += a.action;
}

static void
run_compile(void *arg)
{
    rule_free(compile(arg));
}

static void
sets(size_t n, const char *what)
{
    struct rule_value *v = calloc(n, sizeof(*v));
    names = calloc(n, sizeof(*names));
    must(v && names);
    nnames = n;
    for (size_t i = 0; i < n; i++)
        (void)snprintf(names[i], sizeof(names[i]), "host-%zu.example.com", i * 2654435761u % 1000003);
    qsort(names, n, sizeof(*names), by_text);
    for (size_t i = 0; i < n; i++)
        v[i] = rule_bytes_value(names[i], strlen(names[i]));
    must(rule_set_new(RULE_BYTES, v, NULL, n, &names_set) == 0);
    turn = 0;
    compare(what, run_in, NULL, "bsearch", hand_in);
    rule_set_free(names_set);
    free(names);
    free(v);
}

static void
rulesets(void)
{
    struct rule_in in[RULES] = {0};
    char text[RULES][160];
    struct ruleset_findings found;
    struct ruleset *s;
    for (int i = 0; i < RULES; i++) {
        (void)snprintf(hosts[i], sizeof(hosts[i]), "h%d.example", i);
        (void)snprintf(text[i], sizeof(text[i]),
                       "(http.host in {\"%s\" \"www.%s\"} and not cf.tls_client_auth.cert_verified)",
                       hosts[i], hosts[i]);
        in[i] = (struct rule_in){.action = SLICE_LIT("block"), .expression = slice_str(text[i])};
    }
    must(ruleset_new(scheme, SLICE_LIT("s"), 1, in, RULES, &s, &found) == 0);
    ruleset_findings_done(&found);
    host = "h77.example";
    host_len = 11;
    set_text(RULE_F_HTTP_HOST, host);
    compare("ruleset of 100 rules, rule 77 matches", run_ruleset, s, "loop", hand_rules);
    host = "none.example";
    host_len = 12;
    set_text(RULE_F_HTTP_HOST, host);
    compare("ruleset of 100 rules, none matches", run_ruleset, s, "loop", hand_rules);
    ruleset_free(s);
}

int
main(int argc, char **argv)
{
    struct rule_value ip;
    uint8_t raw[4] = {203, 0, 113, 7};
    seconds = argc > 1 ? atof(argv[1]) : seconds;
    must(rule_scheme_new(true, &scheme) == 0);
    must(rule_ctx_new(scheme, 0, &ctx) == 0);
    set_text(RULE_F_HTTP_HOST, host);
    rule_ctx_set(ctx, RULE_F_CF_TLS_CLIENT_AUTH_CERT_VERIFIED, RULE_BOOL_VALUE(false));
    static char seed[] =
        "(http.host in {\"a.example\" \"b.example\"} and not cf.tls_client_auth.cert_verified)";
    expression("seed rule: host in two, not verified", seed, RULE_TRUE, "memcmp", hand_seed);
    sets(1000, "in over 1000 strings");
    sets(100000, "in over 100000 strings");
    memset(hay, 'n', HAY);
    for (size_t i = 0; i < HAY; i++)
        hay[i] = (char)('a' + i * 7 % 26);
    hay[HAY - 1] = '7';
    set_text(RULE_F_HTTP_REQUEST_URI, hay);
    expression("needle[0-9]+$ over 2 KiB, no needle", "http.request.uri matches \"needle[0-9]+$\"",
               RULE_FALSE, "memmem", hand_needle);
    memcpy(hay + HAY - 10, "needle1234", 10);
    expression("needle[0-9]+$ over 2 KiB, at the end", "http.request.uri matches \"needle[0-9]+$\"",
               RULE_TRUE, "memmem", hand_needle);
    memcpy(hay + HAY - 30, "a-longer-subdomain.Example.COM", 30);
    set_text(RULE_F_HTTP_REFERER, hay + HAY - 30);
    expression("wildcard *.example.com", "http.referer wildcard \"*.example.com\"", RULE_TRUE, "suffix loop",
               hand_wild);
    ip = rule_ip_value(raw, 4);
    rule_ctx_set(ctx, RULE_F_IP_SRC, ip);
    expression("ip.src in three networks", "ip.src in {10.0.0.0/8 192.168.0.0/16 203.0.113.0/24}", RULE_TRUE,
               "masks", hand_ip);
    rule_ctx_set(ctx, RULE_F_SSL, RULE_BOOL_VALUE(false));
    rule_ctx_set(ctx, RULE_F_CF_EDGE_CLIENT_TCP, RULE_BOOL_VALUE(false));
    expression("five terms joined by or", "ssl or cf.edge.client_tcp or ssl or cf.edge.client_tcp or not ssl",
               RULE_TRUE, "||", hand_or);
    rulesets();
    compare("compile the seed rule", run_compile, seed, NULL, NULL);
    static char regex[] = "http.request.uri matches \"needle[0-9]+$\"";
    compare("compile a rule with a pattern", run_compile, regex, NULL, NULL);
    rule_ctx_free(ctx);
    rule_scheme_free(scheme);
    return 0;
}
