/*
 * Any bytes as an expression: it is refused with a position inside the text, or it compiles, evaluates
 * without any field, and its canonical text gives the same tree. The run for several errors agrees about the
 * first one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "rule/print.h"
#include "rule/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 4096, PRINT_MAX = 1 << 20 };

static struct rule_scheme *scheme;
static struct rule_ctx *ctx;

static void
canonical(const struct rule_prog *prog)
{
    struct buf text = BUF_INIT(PRINT_MAX);
    struct mem_region region;
    struct rule_error error;
    struct ast again;
    mem_init(&region, BLOCK, 0);
    rule_print(&text, scheme, rule_tree(prog));
    must(!text.failed);
    if (text.len <= RULE_TEXT_MAX) {
        must(rule_parse(scheme, slice_of(text.data, text.len), &region, &again, &error) == 0);
        must(rule_ast_eq(&again, rule_tree(prog)));
    }
    mem_done(&region);
    buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_error error, all[RULE_ERRORS_MAX];
    struct rule_result result;
    struct rule_prog *prog;
    struct mem_region region;
    unsigned n;
    acd_slice text = slice_of(data, size);
    if (!scheme) {
        must(rule_scheme_new(true, &scheme) == 0);
        must(rule_ctx_new(scheme, 0, &ctx) == 0);
    }
    mem_init(&region, BLOCK, 0);
    int many = rule_parse_all(scheme, text, &region, all, RULE_ERRORS_MAX, &n);
    mem_done(&region);
    int r = rule_compile(scheme, text, &prog, &error);
    must(r == 0 || r == ACD_EINVAL);
    must(r == many);
    if (r < 0) {
        must(error.at <= size && error.len <= size - error.at + 1 && error.message[0]);
        must(all[0].at == error.at && all[0].kind == error.kind);
        return 0;
    }
    must(rule_eval(prog, ctx, &result) != RULE_FAILED);
    canonical(prog);
    rule_free(prog);
    return 0;
}
