#include "matrix.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct factory factory;
    char name[64];
    unsigned line, asks;
    matrix_fn fn;
    void *ctx;
};

static void
wrong(const struct reader *r, const char *why)
{
    (void)fprintf(stderr, "matrix: line %u: %s\n", r->line, why);
    exit(2);
}

static acd_slice
text_slice(const char *s)
{
    return (acd_slice){s, s ? strlen(s) : 0};
}

/* "a,b,c" to the DER of each. */
static size_t
read_ids(struct reader *r, const char *ids, acd_slice *out)
{
    char copy[1024];
    char *save = NULL;
    size_t n = 0;
    (void)snprintf(copy, sizeof(copy), "%s", ids);
    for (char *id = strtok_r(copy, ",", &save); id; id = strtok_r(NULL, ",", &save)) {
        const struct item *it = factory_find(&r->factory, id);
        if (n == MATRIX_LIST)
            wrong(r, "too many in a list");
        out[n++] = (acd_slice){it->der, it->len};
    }
    return n;
}

static void
read_ask(struct reader *r, char *text)
{
    struct attrs a;
    struct ask q = {0};
    acd_slice anchors[MATRIX_LIST];
    char *arrow = strstr(text, "->");
    if (!arrow)
        wrong(r, "an ask needs -> and what is expected");
    q.expect = arrow + 2 + strspn(arrow + 2, " \t");
    q.expect = strtok(arrow + 2, " \t\r\n");
    *arrow = '\0';
    attrs_read(text, &a);
    (void)snprintf(q.name, sizeof(q.name), "%s/%u", r->name, ++r->asks);
    q.verify = (acd_verify){.struct_size = sizeof(q.verify)};
    if (read_ids(r, attrs_find(&a, "leaf", "leaf"), &q.leaf) != 1 || !q.expect)
        wrong(r, "one leaf and one expected answer");
    q.verify.leaf = q.leaf;
    q.verify.ninter = read_ids(r, attrs_find(&a, "via", ""), q.inter);
    q.ncrls = read_ids(r, attrs_find(&a, "crls", ""), q.crls);
    q.nhelpers = read_ids(r, attrs_find(&a, "helpers", ""), q.helpers);
    q.nanchors = read_ids(r, attrs_find(&a, "trust", "root"), anchors);
    int compat = strcmp(attrs_find(&a, "profile", "strict"), "compat") == 0;
    for (size_t i = 0; i < q.nanchors; i++)
        q.anchors[i] =
            (acd_anchor){sizeof(acd_anchor), compat ? ACD_PROFILE_COMPAT : ACD_PROFILE_STRICT, anchors[i]};
    q.verify.at_ms =
        factory_time(attrs_find(&a, "time", "2026-01-01T00:00:00Z")) * 1000 + atoi(attrs_find(&a, "ms", "0"));
    q.verify.purpose =
        strcmp(attrs_find(&a, "purpose", "server"), "client") ? ACD_PURPOSE_SERVER : ACD_PURPOSE_CLIENT;
    q.verify.max_depth = atoi(attrs_find(&a, "depth", "-1"));
    q.verify.host = text_slice(attrs_find(&a, "host", NULL));
    q.verify.ip = text_slice(attrs_find(&a, "ip", NULL));
    q.verify.email = text_slice(attrs_find(&a, "email", NULL));
    q.verify.inter = q.inter;
    r->fn(r->ctx, &q);
}

static void
read_line(struct reader *r, char *text)
{
    char word[64], id[64];
    struct attrs a;
    int used = 0;
    if (sscanf(text, " %63s %n", word, &used) != 1 || word[0] == '#')
        return;
    text += used;
    if (strcmp(word, "ask") == 0) {
        read_ask(r, text);
        return;
    }
    if (sscanf(text, "%63s %n", id, &used) != 1)
        wrong(r, "a name is missing");
    text += used;
    if (strcmp(word, "case") == 0) {
        factory_clear(&r->factory);
        (void)snprintf(r->name, sizeof(r->name), "%s", id);
        r->asks = 0;
        return;
    }
    attrs_read(text, &a);
    if (strcmp(word, "ca") == 0 || strcmp(word, "ee") == 0)
        (void)factory_cert(&r->factory, id, word, &a);
    else if (strcmp(word, "crl") == 0)
        (void)factory_crl(&r->factory, id, &a);
    else
        wrong(r, "a line begins with case, ca, ee, crl or ask");
}

void
matrix_read(FILE *in, matrix_fn fn, void *ctx)
{
    struct reader *r = calloc(1, sizeof(*r));
    char line[4096];
    if (!r)
        exit(2);
    r->fn = fn;
    r->ctx = ctx;
    while (fgets(line, sizeof(line), in)) {
        r->line++;
        read_line(r, line);
    }
    factory_clear(&r->factory);
    factory_keys_free();
    free(r);
}
