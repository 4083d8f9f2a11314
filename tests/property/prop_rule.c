/*
 * Random typed expressions on random contexts: the program, the naive walker and the traced run agree; the
 * canonical text parses back to the same tree and is its own canonical text. The first argument says how many
 * expressions.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lib/seed.h"
#include "property/rule_gen.h"
#include "property/rule_walk.h"
#include "rule/explain.h"
#include "rule/print.h"
#include "rule/rule.h"

enum { CONTEXTS = 4, REGION_BLOCK = 65536, SHOWN_MAX = 5 };

static const struct rule_scheme *scheme;
static struct rule_ctx *ctx;
static unsigned long yes, no, refused, shown;

static int
complain(const char *what, const struct buf *text)
{
    if (shown++ < SHOWN_MAX)
        printf("# %s: %s\n", what, text->data);
    return 1;
}

static int
check_print(const struct rule_prog *prog, const struct buf *text, struct mem_region *region)
{
    struct buf once = BUF_INIT(1 << 20), twice = BUF_INIT(1 << 20);
    struct rule_error error;
    struct ast again;
    int bad = 0;
    rule_print(&once, scheme, rule_tree(prog));
    if (once.len <= RULE_TEXT_MAX) {
        if (rule_parse(scheme, slice_of(once.data, once.len), region, &again, &error) < 0) {
            bad = complain("the canonical text is refused", &once);
        } else {
            rule_print(&twice, scheme, &again);
            if (!rule_ast_eq(rule_tree(prog), &again) ||
                !slice_eq(slice_of(once.data, once.len), slice_of(twice.data, twice.len)))
                bad = complain("the canonical text says something else", text);
        }
    }
    buf_done(&once);
    buf_done(&twice);
    return bad;
}

static int
check_eval(const struct rule_prog *prog, const struct buf *text, struct mem_region *region, struct prng *r)
{
    struct rule_value *values = mem_new_n(region, scheme->nfields, struct rule_value);
    struct rule_result result, traced;
    struct rule_explain *explain;
    rule_gen_context(r, scheme, region, values);
    rule_ctx_reset(ctx);
    for (unsigned i = 0; i < scheme->nfields; i++)
        if (values[i].tag != RULE_V_NIL)
            rule_ctx_set(ctx, i, values[i]);
    bool want = rule_walk(rule_tree(prog), values, region);
    if (rule_eval(prog, ctx, &result) != (want ? RULE_TRUE : RULE_FALSE))
        return complain(want ? "the walker says true" : "the walker says false", text);
    want ? yes++ : no++;
    if (rule_explain(prog, ctx, &traced, &explain) < 0 || traced.outcome != result.outcome ||
        traced.steps != result.steps ||
        rule_explain_root(explain)->state != (want ? RULE_TERM_TRUE : RULE_TERM_FALSE))
        return complain("the explanation says something else", text);
    rule_explain_free(explain);
    return 0;
}

static int
one(struct prng *r)
{
    struct buf text = BUF_INIT(1 << 20);
    struct mem_region region;
    struct rule_error error;
    struct rule_prog *prog;
    int bad = 0;
    rule_gen_expression(r, scheme, &text);
    if (text.len > RULE_TEXT_MAX) {
        buf_done(&text);
        return 0;
    }
    mem_init(&region, REGION_BLOCK, 0);
    if (rule_compile(scheme, slice_of(text.data, text.len), &prog, &error) < 0) {
        refused++;
        bad = complain(error.message, &text);
    } else {
        bad = check_print(prog, &text, &region);
        for (int i = 0; i < CONTEXTS && !bad; i++)
            bad = check_eval(prog, &text, &region, r);
        rule_free(prog);
    }
    mem_done(&region);
    buf_done(&text);
    return bad;
}

int
main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000, bad = 0;
    struct prng r = {test_seed()};
    struct rule_scheme *s = rule_gen_scheme();
    scheme = s;
    must(rule_ctx_new(scheme, 0, &ctx) == 0);
    for (unsigned long i = 0; i < n; i++)
        bad += (unsigned long)one(&r);
    printf("1..1\n# %lu expressions: %lu times true, %lu times false\n", n, yes, no);
    /* both answers must be common, or nothing was tried */
    bool fine = bad == 0 && yes > n / 4 && no > n / 4;
    printf("%s 1 - program, walker, explanation and canonical text agree\n", fine ? "ok" : "not ok");
    rule_ctx_free(ctx);
    rule_scheme_free(s);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
