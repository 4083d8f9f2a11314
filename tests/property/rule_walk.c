#include "property/rule_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct walk {
    const struct rule_value *fields;
    struct mem_region *region;
};

/* A list of values; of booleans where an array of booleans is meant. */
struct list {
    bool missing;
    size_t n;
    struct rule_value *v;
};

static bool walk_bool(struct walk *w, const struct ast_node *n);
static struct list walk_list(struct walk *w, const struct ast_node *n);

static struct list
list_new(struct walk *w, size_t cap)
{
    struct list l = {.v = mem_new_n(w->region, cap + 1, struct rule_value)};
    must(l.v != NULL);
    return l;
}

static int
compare_bytes(acd_slice a, acd_slice b)
{
    const unsigned char *p = a.ptr, *q = b.ptr;
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* -2: not comparable. */
static int
compare(const struct rule_value *a, const struct rule_value *b)
{
    if (a->tag == RULE_V_INT)
        return a->i < b->i ? -1 : a->i > b->i;
    if (a->tag == RULE_V_BYTES)
        return compare_bytes(a->bytes, b->bytes);
    if (a->family != b->family)
        return -2;
    if (a->ip.hi != b->ip.hi)
        return a->ip.hi < b->ip.hi ? -1 : 1;
    return a->ip.lo < b->ip.lo ? -1 : a->ip.lo > b->ip.lo;
}

static unsigned char
lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

static bool
wildcard(const unsigned char *p, size_t np, const unsigned char *s, size_t ns, bool fold)
{
    if (np == 0)
        return ns == 0;
    if (*p == '*')
        return wildcard(p + 1, np - 1, s, ns, fold) || (ns > 0 && wildcard(p, np, s + 1, ns - 1, fold));
    if (*p == '\\') {
        p++;
        np--;
    }
    return ns > 0 && (fold ? lower(*p) == lower(*s) : *p == *s) &&
           wildcard(p + 1, np - 1, s + 1, ns - 1, fold);
}

static bool
contains(acd_slice s, acd_slice needle)
{
    for (size_t at = 0; at + needle.len <= s.len; at++)
        if (compare_bytes((acd_slice){(const char *)s.ptr + at, needle.len}, needle) == 0)
            return true;
    return false;
}

static bool
pattern_at(const char *p, size_t np, const unsigned char *s, size_t ns, bool begin)
{
    if (np == 0)
        return true;
    if (*p == '^')
        return begin && pattern_at(p + 1, np - 1, s, ns, begin);
    if (*p == '$')
        return ns == 0 && pattern_at(p + 1, np - 1, s, ns, begin);
    return ns > 0 && (*p == '.' ? *s != '\n' : (unsigned char)*p == *s) &&
           pattern_at(p + 1, np - 1, s + 1, ns - 1, false);
}

static bool
pattern(acd_slice p, acd_slice s)
{
    for (size_t at = 0; at <= s.len; at++)
        if (pattern_at(p.ptr, p.len, (const unsigned char *)s.ptr + at, s.len - at, at == 0))
            return true;
    return false;
}

static bool
in_elems(const struct ast_node *n, const struct rule_value *v)
{
    for (size_t i = 0; i < n->nelems; i++) {
        int lo = compare(v, &n->elems[i].lo), hi = compare(v, &n->elems[i].hi);
        if (lo != -2 && lo >= 0 && hi <= 0)
            return true;
    }
    return false;
}

static bool
holds(const struct ast_node *n, const struct rule_value *v)
{
    int c = n->op <= AST_GE ? compare(v, &n->literal) : 0;
    switch (n->op) {
    case AST_EQ:
        return c == 0;
    case AST_NE:
        return c != 0;
    case AST_LT:
        return c == -1;
    case AST_LE:
        return c == -1 || c == 0;
    case AST_GT:
        return c == 1;
    case AST_GE:
        return c == 1 || c == 0;
    case AST_IN:
        return n->list ? rule_set_has(n->list->set, v) : in_elems(n, v);
    case AST_BITAND:
        return (v->i & n->literal.i) != 0;
    case AST_CONTAINS:
        return contains(v->bytes, n->literal.bytes);
    case AST_MATCHES:
        return pattern(n->literal.bytes, v->bytes);
    default:
        return wildcard(n->literal.bytes.ptr, n->literal.bytes.len, v->bytes.ptr, v->bytes.len,
                        n->op == AST_WILDCARD);
    }
}

static struct rule_value walk_value(struct walk *w, const struct ast_value *v);

static struct rule_value
bytes_of(struct walk *w, const void *p, size_t n)
{
    void *copy = mem_dup(w->region, p ? p : "", n);
    must(copy != NULL);
    return rule_bytes_value(copy, n);
}

static struct rule_value
substring(struct walk *w, const struct rule_value *a, unsigned n)
{
    int64_t len = (int64_t)a[0].bytes.len, from = a[1].i, to = n > 2 ? a[2].i : len;
    from = from < 0 ? (from < -len ? 0 : from + len) : from > len ? len : from;
    to = to < 0 ? (to < -len ? 0 : to + len) : to > len ? len : to;
    return from >= to ? bytes_of(w, "", 0)
                      : bytes_of(w, (const char *)a[0].bytes.ptr + from, (size_t)(to - from));
}

static struct rule_value
concat(struct walk *w, const struct rule_value *a, unsigned n)
{
    struct rule_value r = RULE_NIL_VALUE;
    for (unsigned i = 0; i < n; i++) {
        if (a[i].tag == RULE_V_NIL)
            continue;
        if (r.tag == RULE_V_NIL) {
            r = a[i];
            continue;
        }
        size_t unit = r.tag == RULE_V_BYTES ? 1 : sizeof(struct rule_value);
        size_t x = unit * r.array.len, y = unit * a[i].array.len; /* the same place for both kinds */
        char *p = mem_alloc(w->region, x + y + 1);
        must(p != NULL);
        memcpy(p, x ? r.bytes.ptr : "", x);
        memcpy(p + x, y ? a[i].bytes.ptr : "", y);
        r = unit == 1 ? rule_bytes_value(p, x + y) : rule_array_value((const void *)p, (x + y) / unit);
    }
    return r;
}

static struct rule_value
letters(struct walk *w, acd_slice s, bool up)
{
    struct rule_value r = bytes_of(w, s.ptr, s.len);
    unsigned char *p = (unsigned char *)r.bytes.ptr;
    for (size_t i = 0; i < s.len; i++)
        p[i] = up ? (p[i] >= 'a' && p[i] <= 'z' ? (unsigned char)(p[i] - 32) : p[i]) : lower(p[i]);
    return r;
}

static struct rule_value
remove_bytes(struct walk *w, acd_slice s, acd_slice drop)
{
    struct rule_value r = bytes_of(w, "", 0);
    char *p = mem_alloc(w->region, s.len + 1);
    size_t n = 0;
    must(p != NULL);
    for (size_t i = 0; i < s.len; i++)
        if (drop.len == 0 || !memchr(drop.ptr, ((const unsigned char *)s.ptr)[i], drop.len))
            p[n++] = ((const char *)s.ptr)[i];
    r.bytes = (acd_slice){p, n};
    return r;
}

/* All arguments are there. */
static struct rule_value
apply(struct walk *w, const char *name, const struct rule_value *a, unsigned n)
{
    struct rule_value lo, hi;
    if (strcmp(name, "lower") == 0 || strcmp(name, "upper") == 0)
        return letters(w, a[0].bytes, name[0] == 'u');
    if (strcmp(name, "len") == 0)
        return RULE_INT_VALUE((int64_t)a[0].array.len);
    if (strcmp(name, "starts_with") == 0)
        return RULE_BOOL_VALUE(a[1].bytes.len <= a[0].bytes.len &&
                               compare_bytes((acd_slice){a[0].bytes.ptr, a[1].bytes.len}, a[1].bytes) == 0);
    if (strcmp(name, "ends_with") == 0)
        return RULE_BOOL_VALUE(
            a[1].bytes.len <= a[0].bytes.len &&
            compare_bytes(
                (acd_slice){(const char *)a[0].bytes.ptr + a[0].bytes.len - a[1].bytes.len, a[1].bytes.len},
                a[1].bytes) == 0);
    if (strcmp(name, "substring") == 0)
        return substring(w, a, n);
    if (strcmp(name, "remove_bytes") == 0)
        return remove_bytes(w, a[0].bytes, a[1].bytes);
    if (strncmp(name, "cidr", 4) == 0) {
        int64_t bits = a[0].family == 4 ? (name[4] ? 32 : a[1].i) : (name[4] ? a[1].i : a[2].i);
        rule_net_bounds(a[0], (unsigned)bits, &lo, &hi);
        return lo;
    }
    if (strcmp(name, "has_key") == 0) {
        for (size_t i = 0; i < a[0].map.len; i++)
            if (compare_bytes(a[0].map.items[i].key, a[1].bytes) == 0)
                return RULE_BOOL_VALUE(true);
        return RULE_BOOL_VALUE(false);
    }
    if (strcmp(name, "has_value") == 0) {
        bool map = a[0].tag == RULE_V_MAP, hit = false;
        for (size_t i = 0; i < (map ? a[0].map.len : a[0].array.len); i++) {
            const struct rule_value *v = map ? &a[0].map.items[i].value : &a[0].array.items[i];
            hit = hit || (v->tag == RULE_V_BOOL ? v->b == a[1].b : compare(v, &a[1]) == 0);
        }
        return RULE_BOOL_VALUE(hit);
    }
    must(strcmp(name, "join") == 0);
    struct rule_value r = bytes_of(w, "", 0);
    for (size_t i = 0; i < a[0].array.len; i++) {
        struct rule_value three[3] = {r, a[1], a[0].array.items[i]};
        r = i ? concat(w, three, 3) : three[2];
    }
    return r;
}

static struct rule_value
call_one(struct walk *w, const struct ast_value *v, const struct rule_value *args)
{
    if (strcmp(v->func->name, "concat") == 0)
        return concat(w, args, v->nargs);
    for (unsigned i = 0; i < v->nargs; i++)
        if (args[i].tag == RULE_V_NIL)
            return RULE_NIL_VALUE;
    return apply(w, v->func->name, args, v->nargs);
}

static struct rule_value
call(struct walk *w, const struct ast_value *v)
{
    struct rule_value args[RULE_CALL_ARGS_MAX];
    for (unsigned i = 0; i < v->nargs; i++) {
        const struct ast_arg *a = &v->args[i];
        if (a->kind == AST_ARG_LITERAL) {
            args[i] = a->literal;
        } else if (a->kind == AST_ARG_VALUE) {
            args[i] = walk_value(w, a->value);
        } else if (a->type.depth == 0) {
            args[i] = RULE_BOOL_VALUE(walk_bool(w, a->logic));
        } else {
            struct list l = walk_list(w, a->logic);
            args[i] = rule_array_value(l.v, l.n);
        }
    }
    if (v->args[0].kind != AST_ARG_VALUE || v->args[0].value->each == 0)
        return call_one(w, v, args);
    if (args[0].tag == RULE_V_NIL)
        return RULE_NIL_VALUE;
    struct rule_value all = args[0];
    struct list l = list_new(w, all.array.len);
    for (size_t i = 0; i < all.array.len; i++) {
        args[0] = all.array.items[i];
        struct rule_value r = call_one(w, v, args);
        if (r.tag != RULE_V_NIL)
            l.v[l.n++] = r;
    }
    return rule_array_value(l.v, l.n);
}

/* One index over a list of values. */
static struct list
index_list(struct walk *w, struct list in, const struct ast_index *x)
{
    size_t cap = 0;
    for (size_t i = 0; i < in.n; i++)
        cap += 1 + in.v[i].array.len;
    struct list out = list_new(w, cap);
    for (size_t i = 0; i < in.n; i++) {
        const struct rule_value *v = &in.v[i];
        bool map = v->tag == RULE_V_MAP;
        size_t n = map ? v->map.len : v->array.len;
        for (size_t k = 0; k < n; k++) {
            bool take = x->kind == AST_INDEX_EACH || (x->kind == AST_INDEX_INT && k == x->n) ||
                        (x->kind == AST_INDEX_KEY && compare_bytes(v->map.items[k].key, x->key) == 0);
            if (take)
                out.v[out.n++] = map ? v->map.items[k].value : v->array.items[k];
        }
    }
    return out;
}

/* A value, or an array of elements when it has [*]; nil when what comes before the first [*] is missing. */
static struct rule_value
walk_value(struct walk *w, const struct ast_value *v)
{
    struct list l = list_new(w, 1);
    bool each = false;
    l.v[0] = v->field >= 0 ? w->fields[v->field] : call(w, v);
    l.n = l.v[0].tag != RULE_V_NIL;
    for (unsigned i = 0; i < v->nindexes; i++) {
        if (!each && l.n == 0)
            return RULE_NIL_VALUE;
        each = each || v->indexes[i].kind == AST_INDEX_EACH;
        l = index_list(w, l, &v->indexes[i]);
    }
    if (each)
        return rule_array_value(l.v, l.n);
    return l.n ? l.v[0] : RULE_NIL_VALUE;
}

static struct list
walk_list(struct walk *w, const struct ast_node *n)
{
    if (n->kind == AST_NOT) {
        struct list l = walk_list(w, n->kids), out = list_new(w, l.n);
        for (; out.n < l.n; out.n++)
            out.v[out.n] = RULE_BOOL_VALUE(!l.v[out.n].b);
        return out;
    }
    if (n->kind == AST_AND || n->kind == AST_OR || n->kind == AST_XOR) {
        struct list acc = walk_list(w, n->kids);
        for (const struct ast_node *k = n->kids->next; k; k = k->next) {
            struct list l = walk_list(w, k), out = list_new(w, acc.n);
            for (; out.n < acc.n && out.n < l.n; out.n++) {
                bool a = acc.v[out.n].b, b = l.v[out.n].b;
                out.v[out.n] = RULE_BOOL_VALUE(n->kind == AST_AND  ? a && b
                                               : n->kind == AST_OR ? a || b
                                                                   : a != b);
            }
            acc = out;
        }
        return acc;
    }
    struct rule_value v = walk_value(w, n->value);
    size_t len = v.tag == RULE_V_NIL ? 0 : v.array.len;
    struct list out = list_new(w, len);
    out.missing = v.tag == RULE_V_NIL;
    for (; out.n < len; out.n++)
        out.v[out.n] =
            RULE_BOOL_VALUE(n->kind == AST_BARE ? v.array.items[out.n].b : holds(n, &v.array.items[out.n]));
    return out;
}

static bool
quantifier(struct walk *w, const struct ast_node *n)
{
    const struct ast_arg *a = n->arg;
    const struct ast_value *bare = a->kind == AST_ARG_VALUE ? a->value
                                   : a->logic->kind == AST_BARE && a->logic->value->each == 0
                                       ? a->logic->value
                                       : NULL;
    struct list l;
    if (bare) {
        struct rule_value v = walk_value(w, bare);
        if (v.tag == RULE_V_NIL)
            return false;
        l = (struct list){.n = v.array.len, .v = (struct rule_value *)v.array.items};
    } else {
        l = walk_list(w, a->logic);
    }
    size_t yes = 0;
    for (size_t i = 0; i < l.n; i++)
        yes += l.v[i].b;
    return n->kind == AST_ANY ? yes > 0 : yes == l.n;
}

static bool
walk_bool(struct walk *w, const struct ast_node *n)
{
    size_t yes = 0, all = 0;
    struct rule_value v;
    switch (n->kind) {
    case AST_AND:
    case AST_OR:
    case AST_XOR:
        for (const struct ast_node *k = n->kids; k; k = k->next, all++)
            yes += walk_bool(w, k);
        return n->kind == AST_AND ? yes == all : n->kind == AST_OR ? yes > 0 : yes % 2 == 1;
    case AST_NOT:
        return !walk_bool(w, n->kids);
    case AST_ANY:
    case AST_ALL:
        return quantifier(w, n);
    default:
        v = walk_value(w, n->value);
        if (v.tag == RULE_V_NIL)
            return false;
        return n->kind == AST_BARE ? v.b : holds(n, &v);
    }
}

bool
rule_walk(const struct ast *ast, const struct rule_value *fields, struct mem_region *region)
{
    struct walk w = {fields, region};
    return walk_bool(&w, ast->root);
}
