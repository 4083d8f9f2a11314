#include "property/rule_gen.h"

#include <string.h>

#include "base/must.h"
#include "base/str.h"

enum { DEPTH = 4 };

static const struct {
    const char *name, *type;
} extra[] = {
    {"x.a", "Bytes"},
    {"x.b", "Bytes"},
    {"x.i", "Int"},
    {"x.j", "Int"},
    {"x.p", "Ip"},
    {"x.q", "Ip"},
    {"x.t", "Bool"},
    {"x.u", "Bool"},
    {"x.as", "Array<Bytes>"},
    {"x.bs", "Array<Bytes>"},
    {"x.is", "Array<Int>"},
    {"x.ps", "Array<Ip>"},
    {"x.ts", "Array<Bool>"},
    {"x.us", "Array<Bool>"},
    {"x.ma", "Map<Bytes>"},
    {"x.mi", "Map<Int>"},
    {"x.mas", "Map<Array<Bytes>>"},
    {"x.aas", "Array<Array<Bytes>>"},
    {"x.mts", "Map<Array<Bool>>"},
    {"x.mma", "Map<Map<Bytes>>"},
};

enum { NEXTRA = sizeof(extra) / sizeof(extra[0]) };

struct rule_scheme *
rule_gen_scheme(void)
{
    struct rule_scheme *s;
    struct rule_type t;
    struct rule_value lo[2], hi[2];
    must(rule_scheme_new(true, &s) == 0);
    for (size_t i = 0; i < NEXTRA; i++) {
        must(rule_type_parse(slice_str(extra[i].type), &t));
        must(rule_scheme_add_field(s, slice_str(extra[i].name), t, NULL) == 0);
    }
    must(rule_net_parse(SLICE_LIT("10.0.0.0/30"), &lo[0], &hi[0]));
    must(rule_net_parse(SLICE_LIT("2001:db8::/127"), &lo[1], &hi[1]));
    must(rule_scheme_add_list(s, SLICE_LIT("nets"), RULE_IP, lo, hi, 2, NULL) == 0);
    lo[0] = hi[0] = RULE_INT_VALUE(3);
    lo[1] = RULE_INT_VALUE(-2);
    hi[1] = RULE_INT_VALUE(0);
    must(rule_scheme_add_list(s, SLICE_LIT("nums"), RULE_INT, lo, hi, 2, NULL) == 0);
    return s;
}

#define PICK(r, array) ((array)[prng_below((r), sizeof(array) / sizeof((array)[0]))])

static const char *const texts[] = {"", "a", "b", "ab", "aB", "ba", "abc", "a*b", "A", "bb"};

static void
text(struct prng *r, struct buf *out)
{
    if (prng_below(r, 12) == 0)
        buf_puts(out, "\"\\x00\\xff\"");
    else
        buf_printf(out, "\"%s\"", PICK(r, texts));
}

static void
integer(struct prng *r, struct buf *out)
{
    buf_printf(out, "%d", (int)prng_below(r, 9) - 4);
}

static const char *const addresses[] = {"10.0.0.1",    "10.0.0.2",        "10.0.0.9",
                                        "2001:db8::1", "::ffff:10.0.0.1", "::"};

static void
key(struct prng *r, struct buf *out)
{
    static const char *const keys[] = {"[\"k\"]", "[\"l\"]", "[\"\"]"};
    buf_puts(out, PICK(r, keys));
}

static void
number_index(struct prng *r, struct buf *out)
{
    buf_printf(out, "[%d]", (int)prng_below(r, 3));
}

/* A field that gives base after indexes; each: with [*]. */
static void
field(struct prng *r, struct buf *out, enum rule_base base, bool each)
{
    uint64_t k = prng_below(r, 5);
    if (base == RULE_BYTES && each) {
        static const char *const all[] = {"x.as[*]",     "x.bs[*]",         "x.ma[*]",         "x.mas[*][*]",
                                          "x.aas[*][*]", "x.mas[\"k\"][*]", "x.aas[0][*]",     "x.mas[*][1]",
                                          "x.aas[*][0]", "x.mma[*][\"k\"]", "x.mma[\"l\"][*]", "x.mma[*][*]"};
        buf_puts(out, PICK(r, all));
    } else if (base == RULE_INT && each) {
        buf_puts(out, prng_below(r, 2) ? "x.is[*]" : "x.mi[*]");
    } else if (base == RULE_IP && each) {
        buf_puts(out, "x.ps[*]");
    } else if (base == RULE_BOOL && each) {
        static const char *const all[] = {"x.ts[*]", "x.us[*]", "x.mts[*][*]", "x.mts[\"k\"][*]",
                                          "x.mts[*][0]"};
        buf_puts(out, PICK(r, all));
    } else if (k < 3) {
        static const char *const plain[5][2] = {
            {0}, {"x.t", "x.u"}, {"x.i", "x.j"}, {"x.a", "x.b"}, {"x.p", "x.q"}};
        buf_puts(out, plain[base][prng_below(r, 2)]);
    } else if (base == RULE_BYTES) {
        static const char *const arrays[] = {"x.as", "x.bs", "x.aas[1]", "x.mas[\"l\"]"};
        buf_puts(out, k == 3 ? "x.ma" : PICK(r, arrays));
        k == 3 ? key(r, out) : number_index(r, out);
    } else if (base == RULE_INT) {
        buf_puts(out, k == 3 ? "x.mi" : "x.is");
        k == 3 ? key(r, out) : number_index(r, out);
    } else {
        buf_puts(out, base == RULE_IP ? "x.ps" : "x.ts");
        number_index(r, out);
    }
}

static void value(struct prng *r, struct buf *out, enum rule_base base, bool each, int depth);
static void logic(struct prng *r, struct buf *out, bool array, int depth);

static void
bytes_call(struct prng *r, struct buf *out, bool each, int depth)
{
    switch (prng_below(r, each ? 5 : 6)) {
    case 0:
        buf_puts(out, prng_below(r, 2) ? "lower(" : "upper(");
        value(r, out, RULE_BYTES, each, depth - 1);
        break;
    case 1:
        buf_puts(out, "concat(");
        value(r, out, RULE_BYTES, each, depth - 1);
        buf_puts(out, ", ");
        prng_below(r, 2) ? text(r, out) : value(r, out, RULE_BYTES, false, depth - 1);
        break;
    case 2:
        buf_puts(out, "substring(");
        value(r, out, RULE_BYTES, each, depth - 1);
        buf_puts(out, ", ");
        prng_below(r, 2) ? integer(r, out) : value(r, out, RULE_INT, false, depth - 1);
        if (prng_below(r, 2)) {
            buf_puts(out, ", ");
            integer(r, out);
        }
        break;
    case 3:
        buf_puts(out, "remove_bytes(");
        value(r, out, RULE_BYTES, each, depth - 1);
        buf_puts(out, ", ");
        text(r, out);
        break;
    case 4:
        buf_puts(out, "concat(");
        value(r, out, RULE_BYTES, each, depth - 1);
        buf_puts(out, ", x.a, x.b, \"z\"");
        break;
    default:
        buf_puts(out, prng_below(r, 2) ? "join(x.as, " : "join(concat(x.as, x.bs, x.aas[0]), ");
        text(r, out);
    }
    buf_putc(out, ')');
}

static void
bool_call(struct prng *r, struct buf *out, bool each, int depth)
{
    switch (prng_below(r, each ? 1 : 4)) {
    case 0:
        buf_puts(out, prng_below(r, 2) ? "starts_with(" : "ends_with(");
        value(r, out, RULE_BYTES, each, depth - 1);
        buf_puts(out, ", ");
        prng_below(r, 2) ? text(r, out) : value(r, out, RULE_BYTES, false, depth - 1);
        break;
    case 1:
        buf_puts(out, "has_key(x.ma, ");
        buf_puts(out, prng_below(r, 2) ? "\"k\"" : "x.a");
        break;
    case 2: {
        static const char *const all[] = {"x.as, \"a\"", "x.ma, x.a",      "x.is, x.i", "x.is, 2",
                                          "x.ps, x.p",   "x.ps, 10.0.0.1", "x.ts, x.t"};
        buf_printf(out, "has_value(%s", PICK(r, all));
        break;
    }
    default:
        buf_puts(out, "has_value(x.us, ");
        buf_puts(out, "(");
        logic(r, out, false, depth - 1);
        buf_puts(out, ")");
    }
    buf_putc(out, ')');
}

/* each: an array of base that was mapped, with its [*] behind. */
static void
value(struct prng *r, struct buf *out, enum rule_base base, bool each, int depth)
{
    if (depth <= 0 || prng_below(r, 3) != 0) {
        field(r, out, base, each);
        return;
    }
    if (base == RULE_BYTES) {
        bytes_call(r, out, each, depth);
    } else if (base == RULE_INT) {
        buf_puts(out, "len(");
        if (!each && prng_below(r, 3) == 0)
            buf_puts(out, prng_below(r, 2) ? "x.as" : "(x.ts and x.us)");
        else
            value(r, out, RULE_BYTES, each, depth - 1);
        buf_putc(out, ')');
    } else if (base == RULE_IP) {
        buf_puts(out, "cidr(");
        value(r, out, RULE_IP, each, depth - 1);
        buf_printf(out, ", %d, %d)", 1 + (int)prng_below(r, 32), 1 + (int)prng_below(r, 128));
    } else {
        bool_call(r, out, each, depth);
    }
    if (each)
        buf_puts(out, "[*]");
}

static void
pattern(struct prng *r, struct buf *out)
{
    static const char *const all[] = {"\"\"",     "\"a\"",  "\"a.\"", "\"^ab\"",  "\"b$\"",
                                      "\"^a.$\"", "\"^$\"", "\".b\"", "r\"^..\"", "\"..$\""};
    buf_puts(out, PICK(r, all));
}

static void
wild(struct prng *r, struct buf *out)
{
    static const char *const all[] = {"\"*\"",      "\"a*\"", "\"*b\"",   "\"a*b\"",  "\"*a*b*\"",
                                      "r\"a\\*b\"", "\"\"",   "\"*B*c\"", "\"a*b*c\""};
    buf_puts(out, PICK(r, all));
}

static void
operand(struct prng *r, struct buf *out, enum rule_base base)
{
    static const char *const order[] = {" eq ", " ne ", " lt ", " le ", " gt ", " ge ", "==", ">="};
    static const char *const ints[] = {"{}", "{1 2}", "{-4..0 3}", "{0x2 -1..1}", "$nums"};
    static const char *const ips[] = {"{}", "{10.0.0.0/31}", "{::/0 10.0.0.9}", "{2001:db8::..2001:db8::2}",
                                      "$nets"};
    static const char *const sets[] = {"{}", "{\"a\"}", "{\"a\" \"ab\" \"\"}",
                                       "{\"a\" \"b\" \"c\" \"d\" \"e\" \"ab\" r\"ba\" \"\"}"};
    uint64_t k = prng_below(r, base == RULE_BYTES ? 6 : base == RULE_INT ? 4 : 3);
    if (k == 0) {
        buf_puts(out, " in ");
        buf_puts(out, base == RULE_BYTES ? PICK(r, sets) : base == RULE_INT ? PICK(r, ints) : PICK(r, ips));
    } else if (base == RULE_BYTES && k == 1) {
        buf_puts(out, " contains ");
        text(r, out);
    } else if (base == RULE_BYTES && k == 2) {
        buf_puts(out, " matches ");
        pattern(r, out);
    } else if (base == RULE_BYTES && k == 3) {
        buf_puts(out, prng_below(r, 2) ? " wildcard " : " strict wildcard ");
        wild(r, out);
    } else if (base == RULE_INT && k == 1) {
        buf_puts(out, " & ");
        integer(r, out);
    } else {
        buf_puts(out, PICK(r, order));
        if (base == RULE_BYTES)
            text(r, out);
        else if (base == RULE_INT)
            integer(r, out);
        else
            buf_puts(out, PICK(r, addresses));
    }
}

static void
term(struct prng *r, struct buf *out, bool array, int depth)
{
    static const enum rule_base bases[] = {RULE_BYTES, RULE_BYTES, RULE_INT, RULE_IP, RULE_BOOL};
    enum rule_base base = PICK(r, bases);
    if (!array && depth > 0 && prng_below(r, 4) == 0) {
        buf_puts(out, prng_below(r, 2) ? "any(" : "all(");
        if (prng_below(r, 4) == 0) {
            static const char *const bare[] = {
                "x.ts", "x.us", "x.mts[\"k\"]", "starts_with(x.as[*], \"a\")", "(x.ts)", "not x.ts"};
            buf_puts(out, PICK(r, bare));
        } else {
            buf_putc(out, '(');
            logic(r, out, true, depth - 1);
            buf_putc(out, ')');
        }
        buf_putc(out, ')');
        return;
    }
    if (base == RULE_BOOL && array && prng_below(r, 2)) {
        buf_puts(out, prng_below(r, 2) ? "x.ts" : "x.mts[\"l\"]");
        return;
    }
    if (!array && prng_below(r, 30) == 0) {
        buf_puts(out, prng_below(r, 2) ? "true" : "false");
        return;
    }
    value(r, out, base, array, depth);
    if (base != RULE_BOOL)
        operand(r, out, base);
}

static void
logic(struct prng *r, struct buf *out, bool array, int depth)
{
    static const char *const ops[] = {" and ", " or ", " xor ", " && ", "||", " ^^ "};
    uint64_t n = depth > 0 ? 1 + prng_below(r, 3) : 1;
    for (uint64_t i = 0; i < n; i++) {
        if (i)
            buf_puts(out, PICK(r, ops));
        if (prng_below(r, 4) == 0)
            buf_puts(out, prng_below(r, 2) ? "not " : "!");
        if (depth > 0 && prng_below(r, 4) == 0) {
            buf_putc(out, '(');
            logic(r, out, array, depth - 1);
            buf_putc(out, ')');
        } else {
            term(r, out, array, depth);
        }
    }
}

void
rule_gen_expression(struct prng *r, const struct rule_scheme *s, struct buf *out)
{
    (void)s;
    logic(r, out, false, DEPTH);
}

static void
random_value(struct prng *r, struct rule_type t, struct mem_region *region, struct rule_value *ret)
{
    if (t.depth > 0) {
        static const char *const keys[] = {"", "k", "l"};
        bool map = rule_type_is_map(t);
        size_t n = prng_below(r, map ? 4 : 5);
        struct rule_value *items = mem_new_n(region, n + 1, struct rule_value);
        struct rule_entry *entries = mem_new_n(region, n + 1, struct rule_entry);
        must(items && entries);
        for (size_t i = 0; i < n; i++) {
            random_value(r, rule_type_inner(t), region, map ? &entries[i].value : &items[i]);
            entries[i].key = slice_str(keys[i % 3]);
        }
        *ret = map ? rule_map_value(entries, rule_map_sort(entries, n)) : rule_array_value(items, n);
        return;
    }
    switch (t.base) {
    case RULE_BOOL:
        *ret = RULE_BOOL_VALUE(prng_below(r, 2));
        break;
    case RULE_INT:
        *ret = RULE_INT_VALUE((int64_t)prng_below(r, 9) - 4);
        break;
    case RULE_IP:
        must(rule_ip_parse(slice_str(PICK(r, addresses)), ret));
        break;
    default:
        *ret = prng_below(r, 12) == 0 ? rule_bytes_value("\0\xff", 2) : rule_bytes_value(PICK(r, texts), 0);
        if (ret->bytes.len == 0)
            ret->bytes.len = strlen(ret->bytes.ptr);
    }
}

void
rule_gen_context(struct prng *r, const struct rule_scheme *s, struct mem_region *region,
                 struct rule_value *values)
{
    for (unsigned i = 0; i < s->nfields; i++) {
        values[i] = RULE_NIL_VALUE;
        if (i == RULE_F_TRUE || i == RULE_F_FALSE)
            values[i] = RULE_BOOL_VALUE(i == RULE_F_TRUE);
        else if (i >= RULE_F_STANDARD && prng_below(r, 6) != 0)
            random_value(r, s->fields[i].type, region, &values[i]);
    }
}
