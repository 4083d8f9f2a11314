#include "rule/scheme.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

enum { SCHEME_BLOCK = 4096 };

#define TYPE_BOOL       \
    {                   \
        RULE_BOOL, 0, 0 \
    }
#define TYPE_INT       \
    {                  \
        RULE_INT, 0, 0 \
    }
#define TYPE_BYTES       \
    {                    \
        RULE_BYTES, 0, 0 \
    }
#define TYPE_IP       \
    {                 \
        RULE_IP, 0, 0 \
    }
#define TYPE_BYTES_A     \
    {                    \
        RULE_BYTES, 1, 0 \
    }
#define TYPE_INT_A     \
    {                  \
        RULE_INT, 1, 0 \
    }
#define TYPE_BYTES_AA    \
    {                    \
        RULE_BYTES, 2, 0 \
    }
#define TYPE_BYTES_AM    \
    {                    \
        RULE_BYTES, 2, 2 \
    } /* outermost layer is the map */
#define TYPE_INT_M     \
    {                  \
        RULE_INT, 1, 1 \
    }
#define TYPE_SAME       \
    {                   \
        RULE_NONE, 0, 0 \
    }

static const struct rule_field standard_fields[] = {
#define RULE_FIELD(id, name, type, who, doc) {name, doc, sizeof(name) - 1, TYPE_##type, RULE_WHO_##who},
#include "rule/scheme.def"
#undef RULE_FIELD
};

static const struct rule_func funcs[] = {
#define RULE_FUNC(id, name, least, most, params, result, doc) {name, doc, params, least, most, TYPE_##result},
#include "rule/scheme.def"
#undef RULE_FUNC
};

static bool
name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool
rule_name_valid(acd_slice name)
{
    const char *p = name.ptr;
    if (name.len == 0 || name.len > RULE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        bool edge = i == 0 || i + 1 == name.len || p[i - 1] == '.';
        if (!name_char(p[i]) && (p[i] != '.' || edge))
            return false;
    }
    return true;
}

bool
rule_list_name_valid(acd_slice name)
{
    const char *p = name.ptr;
    if (name.len == 0 || name.len > RULE_NAME_MAX || p[0] == '.' || p[name.len - 1] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != '_' && p[i] != '.')
            return false;
    return true;
}

static int
put_field(struct rule_scheme *s, const struct rule_field *f)
{
    struct rule_field *at = &s->fields[s->nfields];
    *at = *f;
    int r = map_put(&s->names, slice_of(f->name, f->name_len), at, NULL);
    if (r == 0)
        s->nfields++;
    return r;
}

int
rule_scheme_new(bool standard, struct rule_scheme **ret)
{
    struct rule_scheme *s = calloc(1, sizeof(*s));
    int r = ACD_ENOMEM;
    if (!s)
        return r;
    mem_init(&s->region, SCHEME_BLOCK, 0);
    s->fields = mem_new_n(&s->region, RULE_FIELDS_MAX, struct rule_field);
    if (!s->fields)
        goto fail;
    for (unsigned i = 0; i < (standard ? RULE_F_STANDARD : RULE_F_FALSE + 1); i++)
        if ((r = put_field(s, &standard_fields[i])) < 0)
            goto fail;
    *ret = s;
    return 0;
fail:
    rule_scheme_free(s);
    return r;
}

void
rule_scheme_free(struct rule_scheme *s)
{
    size_t at = 0;
    void *value;
    if (!s)
        return;
    while (map_next(&s->lists, &at, NULL, &value))
        rule_set_free(((struct rule_list *)value)->set);
    map_done(&s->lists);
    map_done(&s->names);
    mem_done(&s->region);
    free(s);
}

int
rule_scheme_add_field(struct rule_scheme *s, acd_slice name, struct rule_type type, acd_err *err)
{
    if (!rule_name_valid(name))
        return err_set(err, ACD_EINVAL, "'%.*s' is not a field name", (int)name.len, (const char *)name.ptr);
    if (type.base == RULE_NONE || type.base > RULE_IP || type.depth > RULE_TYPE_DEPTH_MAX)
        return err_set(err, ACD_EINVAL, "field %.*s has no valid type", (int)name.len,
                       (const char *)name.ptr);
    int old = rule_scheme_find_field(s, name);
    if (old >= 0)
        return rule_type_eq(s->fields[old].type, type)
                   ? 0
                   : err_set(err, ACD_EEXIST, "field %.*s has another type", (int)name.len,
                             (const char *)name.ptr);
    if (rule_func_find(name))
        return err_set(err, ACD_EEXIST, "%.*s is a function", (int)name.len, (const char *)name.ptr);
    if (s->nfields == RULE_FIELDS_MAX)
        return err_set(err, ACD_ELIMIT, "more than %d fields", RULE_FIELDS_MAX);
    char *copy = mem_strndup(&s->region, name.ptr, name.len);
    if (!copy)
        return ACD_ENOMEM;
    return put_field(s, &(struct rule_field){copy, "registered by the caller", name.len, type, RULE_WHO_O});
}

int
rule_scheme_add_list(struct rule_scheme *s, acd_slice name, enum rule_base kind, const struct rule_value *lo,
                     const struct rule_value *hi, size_t n, acd_err *err)
{
    if (!rule_list_name_valid(name))
        return err_set(err, ACD_EINVAL, "'%.*s' is not a list name", (int)name.len, (const char *)name.ptr);
    if (kind != RULE_INT && kind != RULE_IP)
        return err_set(err, ACD_EINVAL, "lists hold addresses or integers");
    if (n > RULE_LIST_ITEMS_MAX || s->lists.len >= RULE_LISTS_MAX)
        return err_set(err, ACD_ELIMIT, "list %.*s is one too many or too long", (int)name.len,
                       (const char *)name.ptr);
    if (map_find(&s->lists, name))
        return err_set(err, ACD_EEXIST, "list %.*s exists", (int)name.len, (const char *)name.ptr);
    struct rule_list *list = mem_new(&s->region, struct rule_list);
    if (!list || !(list->name = mem_strndup(&s->region, name.ptr, name.len)))
        return ACD_ENOMEM;
    list->kind = kind;
    int r = rule_set_new(kind, lo, hi, n, &list->set);
    if (r == 0 && (r = map_put(&s->lists, name, list, NULL)) < 0)
        rule_set_free(list->set);
    return r < 0 ? err_set(err, r, "list %.*s", (int)name.len, (const char *)name.ptr) : 0;
}

int
rule_scheme_find_field(const struct rule_scheme *s, acd_slice name)
{
    const struct rule_field *f = map_find(&s->names, name);
    return f ? (int)(f - s->fields) : -1;
}

const struct rule_func *
rule_func_find(acd_slice name)
{
    for (unsigned i = 0; i < RULE_FN_COUNT; i++)
        if (slice_eqs(name, funcs[i].name))
            return &funcs[i];
    return NULL;
}

const struct rule_func *
rule_func_at(unsigned id)
{
    must(id < RULE_FN_COUNT);
    return &funcs[id];
}

const struct rule_list *
rule_scheme_find_list(const struct rule_scheme *s, acd_slice name)
{
    return map_find(&s->lists, name);
}
