/*
 * A proxy's side of anchord in one file: maps the server's image, and answers a question per line of standard
 * input.
 *
 *   edge_lookup [--copy] [--socket URL] [--stale-after MS] [--refuse-stale] IMAGE
 *
 *   HOST                 which CAs may vouch for clients of this host?
 *   HOST LEAF.der        is this client certificate verified for it? (asks the server when it is not known
 * here)
 *
 * One line out per line in, fields separated by tabs. An error is one field that begins with '!'. A real
 * proxy makes one reader per worker thread, and refreshes from a timer rather than before each question.
 */
#include <anchord/anchord.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 4096, DER = 16384 };

static int64_t
now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
print_hex(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        printf("%02x", p[i]);
}

/* host, match, pattern, zone, revision, stale, age, digest of the trust set, SHA-256 of each CA */
static void
print_trust(acd_edge_reader *reader, const char *host)
{
    static const char *const matches[] = {"none", "exact", "wildcard"};
    const acd_slice name = {host, strlen(host)};
    acd_edge_answer a;
    acd_edge_ca ca;
    acd_edge_enter(reader);
    int rc = acd_edge_lookup(reader, name, now_ms(), &a);
    if (rc == 0) {
        printf("%s\t%s\t%s\t%.*s\t%llu\t%d\t%lld\t", a.host, matches[a.match], a.pattern, (int)a.zone_id.len,
               a.zone_id.len ? (const char *)a.zone_id.ptr : "", (unsigned long long)a.revision, a.stale,
               (long long)a.age_ms);
        print_hex(a.digest.ptr, a.digest.len);
        for (size_t i = 0; i < a.cas && (rc = acd_edge_get_ca(reader, &a, i, &ca)) == 0; i++) {
            printf("%c", i == 0 ? '\t' : ' ');
            print_hex(ca.sha256.ptr, ca.sha256.len);
        }
    }
    if (rc < 0)
        printf("!%d", rc);
    acd_edge_leave(reader);
}

/* verdict, error, id of the CA that vouched, revision, cached */
static void
print_verdict(acd_edge_reader *reader, acd_client *client, const char *host, const char *file)
{
    static unsigned char der[DER];
    acd_err err = ACD_ERR_INIT;
    acd_edge_verdict v;
    FILE *in = fopen(file, "rb");
    acd_slice leaf = {der, in ? fread(der, 1, sizeof(der), in) : 0};
    if (in)
        (void)fclose(in);
    acd_verify_question q = {0};
    q.host = host;
    q.chain = &leaf;
    q.chain_len = 1;
    q.at_ms = now_ms();
    int rc = client ? acd_edge_verify(reader, client, &q, &v, &err) : acd_edge_verdict_find(reader, &q, &v);
    if (rc < 0)
        printf("!%d %s", rc, err.text);
    else
        printf("%s\t%s\t%s\t%llu\t%d", v.verdict == ACD_VERIFIED ? "verified" : "refused", v.error, v.ca_id,
               (unsigned long long)v.revision, v.cached);
}

static int
answer_lines(acd_edge *edge, acd_client *client)
{
    char line[LINE];
    acd_err err = ACD_ERR_INIT;
    acd_edge_reader *reader;
    if (acd_edge_reader_new(edge, &reader, &err) < 0) {
        fprintf(stderr, "edge_lookup: %s\n", err.text);
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        /* That the last good revision serves on is the point; how old it is, its answers say. */
        if (acd_edge_refresh(edge, NULL, &err) < 0)
            fprintf(stderr, "edge_lookup: %s\n", err.text);
        char *file = strchr(line, ' ');
        if (file) {
            *file++ = '\0';
            print_verdict(reader, client, line, file);
        } else {
            print_trust(reader, line);
        }
        printf("\n");
        (void)fflush(stdout);
    }
    acd_edge_reader_free(reader);
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    acd_err err = ACD_ERR_INIT;
    acd_edge_opts opts = {0};
    acd_client *client = NULL;
    acd_edge *edge;
    const char *url = NULL, *image = NULL;
    opts.struct_size = sizeof(opts);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--copy") == 0)
            opts.flags |= ACD_EDGE_COPY;
        else if (strcmp(argv[i], "--refuse-stale") == 0)
            opts.flags |= ACD_EDGE_REFUSE_STALE;
        else if (strcmp(argv[i], "--stale-after") == 0 && i + 1 < argc)
            opts.stale_after_ms = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
            url = argv[++i];
        else
            image = argv[i];
    }
    if (!image) {
        fprintf(stderr,
                "usage: edge_lookup [--copy] [--socket URL] [--stale-after MS] [--refuse-stale] IMAGE\n");
        return 2;
    }
    int rc = acd_edge_open(image, &opts, &edge, &err);
    if (rc < 0) {
        fprintf(stderr, "edge_lookup: %s\n", err.text);
        return EXIT_FAILURE;
    }
    if (url)
        rc = acd_client_open(url, NULL, &client, &err);
    if (rc < 0)
        fprintf(stderr, "edge_lookup: %s\n", err.text);
    rc = rc < 0 ? EXIT_FAILURE : answer_lines(edge, client);
    acd_client_close(client);
    acd_edge_close(edge);
    return rc;
}
