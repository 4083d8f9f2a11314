#include "rule/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rule/code.h"

enum { PROG_BLOCK = 2048 };

static void mark_node(const struct ast_node *n, uint8_t *seen);

static void
mark_value(const struct ast_value *v, uint8_t *seen)
{
    if (v->field >= 0)
        seen[v->field] = 1;
    for (unsigned i = 0; i < v->nargs; i++) {
        if (v->args[i].kind == AST_ARG_VALUE)
            mark_value(v->args[i].value, seen);
        else if (v->args[i].kind == AST_ARG_LOGIC)
            mark_node(v->args[i].logic, seen);
    }
}

static void
mark_node(const struct ast_node *n, uint8_t *seen)
{
    for (const struct ast_node *k = n->kids; k; k = k->next)
        mark_node(k, seen);
    if (n->value)
        mark_value(n->value, seen);
    if (n->arg && n->arg->kind == AST_ARG_VALUE)
        mark_value(n->arg->value, seen);
    else if (n->arg && n->arg->kind == AST_ARG_LOGIC)
        mark_node(n->arg->logic, seen);
}

static int
collect_fields(struct rule_prog *p)
{
    uint8_t seen[RULE_FIELDS_MAX] = {0};
    mark_node(p->ast.root, seen);
    for (unsigned i = 0; i < p->scheme->nfields; i++)
        p->nreads += seen[i];
    p->reads = mem_new_n(&p->region, p->nreads, uint16_t);
    if (!p->reads)
        return ACD_ENOMEM;
    for (unsigned i = 0, n = 0; i < p->scheme->nfields; i++)
        if (seen[i])
            p->reads[n++] = (uint16_t)i;
    return 0;
}

static int
build(struct rule_prog *p, acd_slice text, struct rule_error *ret_error)
{
    const struct ast_node *node;
    char message[RULE_MESSAGE_MAX] = "";
    p->text = mem_slice(&p->region, text);
    if (!p->text.ptr)
        return ACD_ENOMEM;
    int r = rule_parse(p->scheme, p->text, &p->region, &p->ast, ret_error);
    if (r < 0)
        return r;
    if ((r = collect_fields(p)) < 0)
        return r;
    r = rule_emit(p, &node, message);
    if (r == ACD_EINVAL || r == ACD_ELIMIT) {
        *ret_error = (struct rule_error){.kind = r == ACD_ELIMIT ? RULE_E_LIMIT : RULE_E_VALUE,
                                         .at = node ? node->at : 0,
                                         .len = node ? node->len : 0};
        memcpy(ret_error->message, message, sizeof(message));
        r = ACD_EINVAL;
    }
    return r;
}

int
rule_compile(const struct rule_scheme *scheme, acd_slice text, struct rule_prog **ret,
             struct rule_error *ret_error)
{
    struct rule_prog *p = calloc(1, sizeof(*p));
    if (!p)
        return ACD_ENOMEM;
    p->magic = RULE_PROG_MAGIC;
    p->scheme = scheme;
    mem_init(&p->region, PROG_BLOCK, 0);
    int r = build(p, text, ret_error);
    if (r < 0)
        rule_free(p);
    else
        *ret = p;
    return r;
}

void
rule_free(struct rule_prog *p)
{
    if (!p)
        return;
    CHECK_MAGIC(p, RULE_PROG_MAGIC);
    for (struct rule_owned *o = p->owned; o; o = o->next) {
        rule_set_free(o->set);
        rule_regex_free(o->regex);
    }
    mem_done(&p->region);
    p->magic = 0;
    free(p);
}

acd_slice
rule_text(const struct rule_prog *p)
{
    return p->text;
}

const uint16_t *
rule_fields(const struct rule_prog *p, unsigned *ret_n)
{
    *ret_n = p->nreads;
    return p->reads;
}

bool
rule_reads(const struct rule_prog *p, unsigned field)
{
    for (unsigned i = 0; i < p->nreads; i++)
        if (p->reads[i] == field)
            return true;
    return false;
}

const struct ast *
rule_tree(const struct rule_prog *p)
{
    return &p->ast;
}

static bool
reads_name(const struct rule_prog *p, const char *name)
{
    int field = rule_scheme_find_field(p->scheme, slice_str(name));
    return field >= 0 && rule_reads(p, (unsigned)field);
}

const char *
rule_warning(const struct rule_prog *p)
{
    if (reads_name(p, "cf.tls_client_auth.cert_verified") &&
        !reads_name(p, "cf.tls_client_auth.cert_revoked") && !reads_name(p, "anchord.cert_trusted"))
        return "the rule reads cf.tls_client_auth.cert_verified, which stays true for a revoked certificate, "
               "and "
               "neither cf.tls_client_auth.cert_revoked nor anchord.cert_trusted";
    return NULL;
}
