#include "anchorctl/offline_rule.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchorctl/rule_batch.h"
#include "anchorctl/rule_json.h"
#include "anchorctl/rule_words.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "rule/explain.h"
#include "rule/rule.h"

enum {
    EXIT_FINE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    INPUT_MAX = 1 << 20, /* bytes of a file that is checked */
    REGION_BLOCK = 65536,
    OUTPUT_MAX = 8 << 20,
};

struct options {
    const char *operand, *fields_file;
    bool batch, explain, json;
    const char **values; /* NAME=VALUE */
    unsigned nvalues;
};

static int
usage(void)
{
    (void)fputs("usage: rule check FILE|- [--fields FILE] [-o json]\n"
                "       rule eval EXPR [--field NAME=VALUE]... [--fields FILE] [--explain] [-o json]\n"
                "       rule eval --batch [--fields FILE]\n"
                "       rule fields|functions [-o json]\n",
                stderr);
    return EXIT_USAGE;
}

/* False: usage. o->values has room for argc entries. */
static bool
parse_options(int argc, char **argv, struct options *o)
{
    for (int i = 0; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--batch") == 0)
            o->batch = true;
        else if (strcmp(argv[i], "--explain") == 0)
            o->explain = true;
        else if (strcmp(argv[i], "--fields") == 0 && more)
            o->fields_file = argv[++i];
        else if (strcmp(argv[i], "--field") == 0 && more)
            o->values[o->nvalues++] = argv[++i];
        else if (strcmp(argv[i], "-o") == 0 && more && strcmp(argv[i + 1], "json") == 0)
            o->json = argv[++i] != NULL;
        else if (!o->operand && (argv[i][0] != '-' || argv[i][1] == '\0'))
            o->operand = argv[i];
        else
            return false;
    }
    return true;
}

/* `rule fields` and `rule functions` take nothing but the form of the output. */
static int
rule_words(const char *verb, const struct options *o)
{
    if (o->operand || o->batch || o->nvalues || o->explain || o->fields_file)
        return usage();
    return strcmp(verb, "fields") == 0 ? rule_words_fields(stdout, o->json)
                                       : rule_words_functions(stdout, o->json);
}

static json_t *
load_fields(const char *file, int *ret_exit)
{
    json_error_t bad;
    json_t *fields;
    *ret_exit = EXIT_FINE;
    if (!file)
        return NULL;
    fields = json_load_file(file, JSON_REJECT_DUPLICATES, &bad);
    if (!fields) {
        (void)fprintf(stderr, "rule: %s: %s\n", file, bad.text);
        *ret_exit = EXIT_USAGE;
    }
    return fields;
}

static bool
read_all(const char *file, struct buf *out)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rbe");
    char piece[8192];
    size_t n;
    if (!f) {
        (void)fprintf(stderr, "rule check: %s: %s\n", file, strerror(errno));
        return false;
    }
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_put(out, piece, n);
    bool ok = !ferror(f) && !out->failed;
    if (!ok)
        (void)fprintf(stderr, "rule check: %s: %s\n", file, out->failed ? "too long" : "cannot be read");
    if (f != stdin)
        (void)fclose(f);
    return ok;
}

static json_t *
error_json(const struct rule_error *e)
{
    return json_pack("{s:s,s:I,s:I,s:s}", "kind", rule_error_kind_name(e->kind), "at", (json_int_t)e->at,
                     "len", (json_int_t)e->len, "message", e->message);
}

static void
put_json(json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
    json_decref(value);
}

/* All errors, for people or as JSON; then the warning of an expression that is fine. */
static int
report(const struct rule_scheme *scheme, acd_slice text, bool json)
{
    struct rule_error errors[RULE_ERRORS_MAX], late;
    struct mem_region region;
    struct rule_prog *prog = NULL;
    unsigned n = 0;
    mem_init(&region, REGION_BLOCK, 0);
    int r = rule_parse_all(scheme, text, &region, errors, RULE_ERRORS_MAX, &n);
    mem_done(&region);
    if (r == 0 && (r = rule_compile(scheme, text, &prog, &late)) == ACD_EINVAL)
        errors[n++] = late; /* what only shows when the program is made */
    const char *warning = prog ? rule_warning(prog) : NULL;
    rule_free(prog);
    if (r < 0 && r != ACD_EINVAL) {
        (void)fprintf(stderr, "rule check: %s\n", status_text(r));
        return EXIT_USAGE;
    }
    json_t *list = json_array();
    struct buf out = BUF_INIT(OUTPUT_MAX);
    for (unsigned i = 0; i < n; i++) {
        (void)json_array_append_new(list, error_json(&errors[i]));
        rule_error_print(&out, text, &errors[i]);
    }
    if (out.len)
        (void)fwrite(out.data, 1, out.len, stderr);
    if (warning)
        (void)fprintf(stderr, "warning: %s\n", warning);
    if (json)
        put_json(json_pack("{s:b,s:o,s:o}", "valid", n == 0, "errors", json_incref(list), "warnings",
                           warning ? json_pack("[s]", warning) : json_array()));
    json_decref(list);
    buf_done(&out);
    return n == 0 ? EXIT_FINE : EXIT_REFUSED;
}

static int
rule_check(const struct options *o, const json_t *fields)
{
    struct buf text = BUF_INIT(INPUT_MAX);
    struct rule_scheme *scheme;
    acd_err err = ACD_ERR_INIT;
    int r = EXIT_USAGE, s;
    if (!read_all(o->operand, &text)) {
        r = EXIT_USAGE;
    } else if ((s = rule_json_scheme(fields, &scheme, &err)) < 0) {
        (void)fprintf(stderr, "rule check: %s\n", err_text(&err, s));
    } else {
        r = report(scheme, slice_of(text.data, text.len), o->json);
        rule_scheme_free(scheme);
    }
    buf_done(&text);
    return r;
}

static void
say(const struct options *o, const struct rule_prog *prog, struct rule_ctx *ctx,
    const struct rule_result *result)
{
    struct buf out = BUF_INIT(OUTPUT_MAX);
    struct rule_explain *tree = NULL;
    struct rule_result again;
    if (o->explain && rule_explain(prog, ctx, &again, &tree) == 0) {
        if (o->json)
            rule_explain_json(&out, tree);
        else
            rule_explain_text(&out, tree);
    } else if (o->json) {
        buf_printf(&out, "{\"result\":%s}", result->outcome == RULE_TRUE ? "true" : "false");
    } else {
        buf_puts(&out, result->outcome == RULE_TRUE ? "true" : "false");
    }
    (void)fwrite(out.data, 1, out.len, stdout);
    if (out.len == 0 || out.data[out.len - 1] != '\n')
        (void)fputc('\n', stdout);
    rule_explain_free(tree);
    buf_done(&out);
}

static int
eval_in(const struct options *o, const struct rule_scheme *scheme, struct rule_ctx *ctx,
        struct mem_region *region)
{
    acd_slice text = slice_str(o->operand);
    struct rule_prog *prog;
    struct rule_error error;
    struct rule_result result;
    acd_err err = ACD_ERR_INIT;
    for (unsigned i = 0; i < o->nvalues; i++) {
        unsigned field;
        struct rule_value v;
        int r = rule_json_pair(scheme, o->values[i], region, &field, &v, &err);
        if (r < 0) {
            (void)fprintf(stderr, "rule eval: %s\n", err_text(&err, r));
            return EXIT_USAGE;
        }
        rule_ctx_set(ctx, field, v);
    }
    int r = rule_compile(scheme, text, &prog, &error);
    if (r == ACD_EINVAL)
        return report(scheme, text, o->json);
    if (r < 0) {
        (void)fprintf(stderr, "rule eval: %s\n", status_text(r));
        return EXIT_USAGE;
    }
    if (rule_eval(prog, ctx, &result) == RULE_FAILED) {
        (void)fprintf(stderr, "rule eval: %s\n", result.reason);
        rule_free(prog);
        return EXIT_REFUSED;
    }
    say(o, prog, ctx, &result);
    rule_free(prog);
    return EXIT_FINE;
}

static int
rule_eval_one(const struct options *o, const json_t *fields)
{
    struct rule_scheme *scheme = NULL;
    struct rule_ctx *ctx = NULL;
    struct mem_region region;
    acd_err err = ACD_ERR_INIT;
    int r = rule_json_scheme(fields, &scheme, &err), out = EXIT_USAGE;
    mem_init(&region, REGION_BLOCK, 0);
    if (r == 0)
        r = rule_ctx_new(scheme, 0, &ctx);
    if (r == 0)
        out = eval_in(o, scheme, ctx, &region);
    else
        (void)fprintf(stderr, "rule eval: %s\n", err_text(&err, r));
    rule_ctx_free(ctx);
    rule_scheme_free(scheme);
    mem_done(&region);
    return out;
}

int
offline_rule(int argc, char **argv)
{
    _cleanup_free_ const char **values = calloc((size_t)argc + 1, sizeof(*values));
    struct options o = {.values = values};
    int r;
    if (!values || argc < 2 || !parse_options(argc - 2, argv + 2, &o))
        return usage();
    if (strcmp(argv[1], "fields") == 0 || strcmp(argv[1], "functions") == 0)
        return rule_words(argv[1], &o);
    bool check = strcmp(argv[1], "check") == 0;
    if ((!check && strcmp(argv[1], "eval") != 0) || o.batch == !!o.operand)
        return usage();
    if (check && (o.batch || o.nvalues || o.explain))
        return usage();
    json_t *fields = load_fields(o.fields_file, &r);
    if (r == EXIT_FINE)
        r = check     ? rule_check(&o, fields)
            : o.batch ? rule_batch(stdin, stdout, fields)
                      : rule_eval_one(&o, fields);
    json_decref(fields);
    return r;
}
