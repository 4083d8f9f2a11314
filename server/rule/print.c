#include "rule/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

static void print_node(struct buf *out, const struct rule_scheme *s, const struct ast_node *n);

static bool
is_chain(const struct ast_node *n)
{
    return n->kind == AST_AND || n->kind == AST_OR || n->kind == AST_XOR;
}

static void
print_string(struct buf *out, acd_slice v)
{
    const uint8_t *p = v.ptr;
    bool text = utf8_valid(v);
    buf_putc(out, '"');
    for (size_t i = 0; i < v.len; i++) {
        if (p[i] == '"' || p[i] == '\\')
            buf_printf(out, "\\%c", p[i]);
        else if (p[i] < 0x20 || p[i] == 0x7f || (p[i] >= 0x80 && !text))
            buf_printf(out, "\\x%02x", p[i]);
        else
            buf_putc(out, (char)p[i]);
    }
    buf_putc(out, '"');
}

/* Would the lexer of quoted patterns give the text back as it is? */
static bool
quotable(acd_slice v)
{
    const char *p = v.ptr;
    bool in_class = false;
    for (size_t i = 0; i < v.len; i++) {
        if (p[i] == '"')
            return false;
        if (p[i] == '\\') {
            if (++i == v.len || p[i] == '"')
                return false;
        } else if (p[i] == '[') {
            in_class = true;
        } else if (p[i] == ']') {
            in_class = false;
        }
    }
    return !in_class;
}

static void
print_pattern(struct buf *out, acd_slice v)
{
    const char *p = v.ptr;
    size_t hashes = 0;
    if (quotable(v)) {
        buf_putc(out, '"');
        buf_slice(out, v);
        buf_putc(out, '"');
        return;
    }
    for (size_t i = 0; i < v.len; i++) {
        size_t n = 0;
        if (p[i] != '"')
            continue;
        while (i + 1 + n < v.len && p[i + 1 + n] == '#')
            n++;
        hashes = n + 1 > hashes ? n + 1 : hashes;
    }
    buf_putc(out, 'r');
    for (size_t i = 0; i < hashes; i++)
        buf_putc(out, '#');
    buf_putc(out, '"');
    buf_slice(out, v);
    buf_putc(out, '"');
    for (size_t i = 0; i < hashes; i++)
        buf_putc(out, '#');
}

static void
print_literal(struct buf *out, const struct rule_value *v)
{
    char ip[RULE_IP_TEXT_MAX];
    if (v->tag == RULE_V_BYTES) {
        print_string(out, v->bytes);
    } else if (v->tag == RULE_V_INT) {
        buf_printf(out, "%" PRId64, v->i);
    } else {
        rule_ip_print(*v, ip);
        buf_puts(out, ip);
    }
}

static void
print_elem(struct buf *out, const struct ast_elem *e)
{
    struct rule_value lo, hi;
    unsigned bits = e->lo.family == 4 ? 32 : 128;
    print_literal(out, &e->lo);
    if (e->lo.tag == RULE_V_BYTES || rule_value_eq(&e->lo, &e->hi))
        return;
    for (unsigned len = 0; e->lo.tag == RULE_V_IP && len < bits; len++) {
        rule_net_bounds(e->lo, len, &lo, &hi);
        if (rule_value_eq(&lo, &e->lo) && rule_value_eq(&hi, &e->hi)) {
            buf_printf(out, "/%u", len);
            return;
        }
    }
    buf_puts(out, "..");
    print_literal(out, &e->hi);
}

static void print_value(struct buf *out, const struct rule_scheme *s, const struct ast_value *v);

static void
print_arg(struct buf *out, const struct rule_scheme *s, const struct ast_arg *a)
{
    if (a->kind == AST_ARG_LITERAL) {
        print_literal(out, &a->literal);
    } else if (a->kind == AST_ARG_VALUE) {
        print_value(out, s, a->value);
    } else {
        /* without the parenthesis only a value, or one comparison, is read */
        bool paren = is_chain(a->logic) || a->logic->kind == AST_BARE;
        buf_puts(out, paren ? "(" : "");
        print_node(out, s, a->logic);
        buf_puts(out, paren ? ")" : "");
    }
}

static void
print_value(struct buf *out, const struct rule_scheme *s, const struct ast_value *v)
{
    buf_puts(out, v->field >= 0 ? s->fields[v->field].name : v->func->name);
    if (v->field < 0) {
        buf_putc(out, '(');
        for (unsigned i = 0; i < v->nargs; i++) {
            buf_puts(out, i ? ", " : "");
            print_arg(out, s, &v->args[i]);
        }
        buf_putc(out, ')');
    }
    for (unsigned i = 0; i < v->nindexes; i++) {
        const struct ast_index *x = &v->indexes[i];
        buf_putc(out, '[');
        if (x->kind == AST_INDEX_INT)
            buf_printf(out, "%" PRIu32, x->n);
        else if (x->kind == AST_INDEX_EACH)
            buf_putc(out, '*');
        else
            print_string(out, x->key);
        buf_putc(out, ']');
    }
}

static void
print_comparison(struct buf *out, const struct rule_scheme *s, const struct ast_node *n)
{
    static const char *const names[] = {[AST_EQ] = "eq",
                                        [AST_NE] = "ne",
                                        [AST_LT] = "lt",
                                        [AST_LE] = "le",
                                        [AST_GT] = "gt",
                                        [AST_GE] = "ge",
                                        [AST_IN] = "in",
                                        [AST_BITAND] = "&",
                                        [AST_CONTAINS] = "contains",
                                        [AST_MATCHES] = "matches",
                                        [AST_WILDCARD] = "wildcard",
                                        [AST_STRICT] = "strict wildcard"};
    print_value(out, s, n->value);
    buf_printf(out, " %s ", names[n->op]);
    if (n->list) {
        buf_printf(out, "$%s", n->list->name);
    } else if (n->op == AST_IN) {
        buf_putc(out, '{');
        for (size_t i = 0; i < n->nelems; i++) {
            buf_puts(out, i ? " " : "");
            print_elem(out, &n->elems[i]);
        }
        buf_putc(out, '}');
    } else if (n->op == AST_MATCHES) {
        print_pattern(out, n->literal.bytes);
    } else {
        print_literal(out, &n->literal);
    }
}

static void
print_node(struct buf *out, const struct rule_scheme *s, const struct ast_node *n)
{
    static const char *const words[] = {[AST_OR] = " or ", [AST_XOR] = " xor ", [AST_AND] = " and "};
    switch (n->kind) {
    case AST_OR:
    case AST_XOR:
    case AST_AND:
        for (const struct ast_node *k = n->kids; k; k = k->next) {
            bool paren = is_chain(k) && k->kind <= n->kind;
            buf_puts(out, k == n->kids ? "" : words[n->kind]);
            buf_puts(out, paren ? "(" : "");
            print_node(out, s, k);
            buf_puts(out, paren ? ")" : "");
        }
        break;
    case AST_NOT:
        buf_puts(out, is_chain(n->kids) ? "not (" : "not ");
        print_node(out, s, n->kids);
        buf_puts(out, is_chain(n->kids) ? ")" : "");
        break;
    case AST_ANY:
    case AST_ALL:
        buf_puts(out, n->kind == AST_ANY ? "any(" : "all(");
        print_arg(out, s, n->arg);
        buf_putc(out, ')');
        break;
    case AST_BARE:
        print_value(out, s, n->value);
        break;
    default:
        print_comparison(out, s, n);
    }
}

void
rule_print(struct buf *out, const struct rule_scheme *scheme, const struct ast *ast)
{
    print_node(out, scheme, ast->root);
}

static bool node_eq(const struct ast_node *a, const struct ast_node *b);
static bool value_eq(const struct ast_value *a, const struct ast_value *b);

static bool
arg_eq(const struct ast_arg *a, const struct ast_arg *b)
{
    if (a->kind != b->kind || !rule_type_eq(a->type, b->type))
        return false;
    if (a->kind == AST_ARG_LITERAL)
        return rule_value_eq(&a->literal, &b->literal);
    return a->kind == AST_ARG_VALUE ? value_eq(a->value, b->value) : node_eq(a->logic, b->logic);
}

static bool
value_eq(const struct ast_value *a, const struct ast_value *b)
{
    if (a->field != b->field || a->func != b->func || a->nargs != b->nargs || a->nindexes != b->nindexes)
        return false;
    for (unsigned i = 0; i < a->nargs; i++)
        if (!arg_eq(&a->args[i], &b->args[i]))
            return false;
    for (unsigned i = 0; i < a->nindexes; i++)
        if (a->indexes[i].kind != b->indexes[i].kind || a->indexes[i].n != b->indexes[i].n ||
            !slice_eq(a->indexes[i].key, b->indexes[i].key))
            return false;
    return true;
}

static bool
node_eq(const struct ast_node *a, const struct ast_node *b)
{
    const struct ast_node *x = a->kids, *y = b->kids;
    if (a->kind != b->kind || !rule_type_eq(a->type, b->type) || a->op != b->op || a->list != b->list ||
        a->nelems != b->nelems || !a->value != !b->value || !a->arg != !b->arg ||
        !rule_value_eq(&a->literal, &b->literal))
        return false;
    if ((a->value && !value_eq(a->value, b->value)) || (a->arg && !arg_eq(a->arg, b->arg)))
        return false;
    for (size_t i = 0; i < a->nelems; i++)
        if (!rule_value_eq(&a->elems[i].lo, &b->elems[i].lo) ||
            !rule_value_eq(&a->elems[i].hi, &b->elems[i].hi))
            return false;
    for (; x && y; x = x->next, y = y->next)
        if (!node_eq(x, y))
            return false;
    return x == y;
}

bool
rule_ast_eq(const struct ast *a, const struct ast *b)
{
    return node_eq(a->root, b->root);
}
