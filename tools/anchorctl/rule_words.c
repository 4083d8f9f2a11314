#include "anchorctl/rule_words.h"

#include <jansson.h>

#include "rule/scheme.h"

/* Where a value comes from, by enum rule_who. */
static const char *const sources[] = {[RULE_WHO_C] = "constant",
                                      [RULE_WHO_E] = "certificate",
                                      [RULE_WHO_S] = "request",
                                      [RULE_WHO_D] = "derived",
                                      [RULE_WHO_O] = "optional"};

static const struct rule_field fields[] = {
#define RULE_FIELD(id, text, kind, from, what) {.name = (text), .doc = (what), .who = RULE_WHO_##from},
#include "rule/scheme.def"
#undef RULE_FIELD
};

static int
put(FILE *out, json_t *list)
{
    int r = list ? json_dumpf(list, out, JSON_INDENT(2)) : -1;
    (void)fputc('\n', out);
    json_decref(list);
    return r < 0 ? 2 : 0;
}

int
rule_words_fields(FILE *out, bool json)
{
    struct rule_scheme *scheme;
    char type[RULE_TYPE_TEXT_MAX];
    json_t *list = json ? json_array() : NULL;
    if (rule_scheme_new(true, &scheme) < 0)
        return 2;
    for (unsigned i = 0; i < RULE_F_STANDARD; i++) {
        const struct rule_field *f = &scheme->fields[i];
        (void)rule_type_text(f->type, type);
        if (json)
            (void)json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "name", f->name, "type", type,
                                                        "source", sources[f->who], "description", f->doc));
        else
            (void)fprintf(out, "%-62s %-20s %-11s %s\n", f->name, type, sources[f->who], f->doc);
    }
    rule_scheme_free(scheme);
    return json ? put(out, list) : 0;
}

int
rule_words_functions(FILE *out, bool json)
{
    char type[RULE_TYPE_TEXT_MAX];
    json_t *list = json ? json_array() : NULL;
    for (unsigned i = 0; i < RULE_FN_COUNT; i++) {
        const struct rule_func *f = rule_func_at(i);
        const char *result =
            rule_type_is(f->result, RULE_NONE) ? "as its first argument" : rule_type_text(f->result, type);
        if (json)
            (void)json_array_append_new(list, json_pack("{s:s,s:i,s:i,s:s,s:s}", "name", f->name, "least",
                                                        (int)f->least, "most", (int)f->most, "result", result,
                                                        "description", f->doc));
        else
            (void)fprintf(out, "%-24s %-22s %s\n", f->name, result, f->doc);
    }
    return json ? put(out, list) : 0;
}

void
rule_words_given(FILE *out, const char *before, const char *after)
{
    for (unsigned i = 0; i < RULE_F_STANDARD; i++)
        if (fields[i].who != RULE_WHO_C && fields[i].who != RULE_WHO_E)
            (void)fprintf(out, "%s%s%s", before, fields[i].name, after);
}
