#include "anchorctl/rule_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

static acd_slice
json_slice(const json_t *json)
{
    return slice_of(json_string_value(json), json_string_length(json));
}

static int
bytes_value(const json_t *json, struct mem_region *region, struct rule_value *ret, acd_err *err)
{
    const json_t *hex = json_object_get(json, "hex");
    if (json_is_string(json)) {
        acd_slice copy = mem_slice(region, json_slice(json));
        *ret = rule_bytes_value(copy.ptr, copy.len);
        return copy.ptr ? 0 : ACD_ENOMEM;
    }
    if (!json_is_string(hex) || json_object_size(json) != 1)
        return err_set(err, ACD_EINVAL, "expected a string or {\"hex\":...}");
    acd_slice text = json_slice(hex);
    uint8_t *p = mem_alloc(region, text.len / 2 + 1);
    if (!p)
        return ACD_ENOMEM;
    if (text.len % 2 || !hex_decode(text, p, text.len / 2))
        return err_set(err, ACD_EINVAL, "bad hexadecimal digits");
    *ret = rule_bytes_value(p, text.len / 2);
    return 0;
}

static int
simple_value(const json_t *json, enum rule_base base, struct mem_region *region, struct rule_value *ret,
             acd_err *err)
{
    const json_t *ip = json_is_object(json) ? json_object_get(json, "ip") : json;
    switch (base) {
    case RULE_BOOL:
        if (!json_is_boolean(json))
            return err_set(err, ACD_EINVAL, "expected true or false");
        *ret = RULE_BOOL_VALUE(json_is_true(json));
        return 0;
    case RULE_INT:
        if (!json_is_integer(json))
            return err_set(err, ACD_EINVAL, "expected a whole number of 64 bits");
        *ret = RULE_INT_VALUE(json_integer_value(json));
        return 0;
    case RULE_BYTES:
        return bytes_value(json, region, ret, err);
    default:
        if (!json_is_string(ip) || !rule_ip_parse(json_slice(ip), ret))
            return err_set(err, ACD_EINVAL, "expected {\"ip\":address}");
        return 0;
    }
}

static int
map_value(const json_t *json, struct rule_type inner, struct mem_region *region, struct rule_value *ret,
          acd_err *err)
{
    json_t *map = json_object_get(json, "map"), *value;
    const char *key;
    size_t key_len, n = 0;
    if (!json_is_object(map))
        return err_set(err, ACD_EINVAL, "expected {\"map\":{...}}");
    struct rule_entry *items = mem_new_n(region, json_object_size(map), struct rule_entry);
    if (!items)
        return ACD_ENOMEM;
    for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it)) {
        key = json_object_iter_key(it);
        key_len = json_object_iter_key_len(it);
        value = json_object_iter_value(it);
        items[n].key = mem_slice(region, slice_of(key, key_len));
        if (!items[n].key.ptr)
            return ACD_ENOMEM;
        int r = rule_json_value(value, inner, region, &items[n].value, err);
        if (r < 0)
            return r;
        n++;
    }
    *ret = rule_map_value(items, rule_map_sort(items, n));
    return 0;
}

int
rule_json_value(const json_t *json, struct rule_type type, struct mem_region *region, struct rule_value *ret,
                acd_err *err)
{
    if (type.depth == 0)
        return simple_value(json, (enum rule_base)type.base, region, ret, err);
    struct rule_type inner = rule_type_inner(type);
    if (rule_type_is_map(type))
        return map_value(json, inner, region, ret, err);
    if (!json_is_array(json))
        return err_set(err, ACD_EINVAL, "expected an array");
    size_t n = json_array_size(json);
    struct rule_value *items = mem_new_n(region, n, struct rule_value);
    if (!items)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r = rule_json_value(json_array_get(json, i), inner, region, &items[i], err);
        if (r < 0)
            return r;
    }
    *ret = rule_array_value(items, n);
    return 0;
}

int
rule_json_pair(const struct rule_scheme *scheme, const char *arg, struct mem_region *region,
               unsigned *ret_field, struct rule_value *ret, acd_err *err)
{
    const char *equals = strchr(arg, '=');
    int64_t i = 0;
    int field = equals ? rule_scheme_find_field(scheme, slice_of(arg, (size_t)(equals - arg))) : -1;
    if (field < 0)
        return err_set(err, ACD_EINVAL, "--field %.100s: no such field", arg);
    struct rule_type type = scheme->fields[field].type;
    acd_slice text = slice_str(equals + 1);
    int r = 0;
    if (rule_type_is(type, RULE_BYTES)) {
        *ret = rule_bytes_value(text.ptr, text.len);
    } else if (rule_type_is(type, RULE_INT)) {
        r = str_i64(text, &i) ? 0 : ACD_EINVAL;
        *ret = RULE_INT_VALUE(i);
    } else if (rule_type_is(type, RULE_BOOL)) {
        r = slice_eqs(text, "true") || slice_eqs(text, "false") ? 0 : ACD_EINVAL;
        *ret = RULE_BOOL_VALUE(slice_eqs(text, "true"));
    } else if (rule_type_is(type, RULE_IP)) {
        r = rule_ip_parse(text, ret) ? 0 : ACD_EINVAL;
    } else {
        json_t *json = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
        r = json ? rule_json_value(json, type, region, ret, err) : ACD_EINVAL;
        json_decref(json);
    }
    *ret_field = (unsigned)field;
    return r < 0 ? err_set(err, r, "--field %.100s: not a value of that type", arg) : 0;
}

int
rule_json_context(const json_t *json, struct rule_ctx *ctx, struct mem_region *region, acd_err *err)
{
    const char *name;
    json_t *value;
    if (!json)
        return 0;
    if (!json_is_object(json))
        return err_set(err, ACD_EINVAL, "the context is not an object");
    json_object_foreach((json_t *)json, name, value)
    {
        struct rule_value v;
        int field = rule_scheme_find_field(ctx->scheme, slice_str(name));
        if (field < 0)
            return err_set(err, ACD_EINVAL, "unknown field %.100s in the context", name);
        if (json_is_null(value))
            continue;
        int r = rule_json_value(value, ctx->scheme->fields[field].type, region, &v, err);
        if (r < 0)
            return err_context(err, r, "field %.100s", name);
        rule_ctx_set(ctx, (unsigned)field, v);
    }
    return 0;
}

static int
list_item(const json_t *json, enum rule_base kind, struct rule_value *lo, struct rule_value *hi)
{
    const json_t *text = json_is_object(json) ? json_object_get(json, "ip") : json;
    if (kind == RULE_INT) {
        *lo = *hi = RULE_INT_VALUE(json_integer_value(json));
        return json_is_integer(json) ? 0 : ACD_EINVAL;
    }
    return json_is_string(text) && rule_net_parse(json_slice(text), lo, hi) ? 0 : ACD_EINVAL;
}

static int
one_list(const char *name, const json_t *json, struct rule_scheme *scheme, acd_err *err)
{
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const json_t *items = json_object_get(json, "items");
    enum rule_base base = kind && strcmp(kind, "int") == 0 ? RULE_INT : RULE_IP;
    if (!kind || (strcmp(kind, "ip") != 0 && strcmp(kind, "int") != 0) || !json_is_array(items))
        return err_set(err, ACD_EINVAL, "list %.100s needs a kind (ip or int) and items", name);
    size_t n = json_array_size(items);
    struct rule_value *lo = calloc(n + 1, sizeof(*lo)), *hi = calloc(n + 1, sizeof(*hi));
    int r = lo && hi ? 0 : ACD_ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++)
        if ((r = list_item(json_array_get(items, i), base, &lo[i], &hi[i])) < 0)
            (void)err_set(err, r, "list %.100s: item %zu is not acceptable", name, i);
    if (r == 0)
        r = rule_scheme_add_list(scheme, slice_str(name), base, lo, hi, n, err);
    free(lo);
    free(hi);
    return r;
}

int
rule_json_lists(const json_t *json, struct rule_scheme *scheme, acd_err *err)
{
    const char *name;
    json_t *value;
    if (!json || json_is_null(json))
        return 0;
    if (!json_is_object(json))
        return err_set(err, ACD_EINVAL, "lists is not an object");
    json_object_foreach((json_t *)json, name, value)
    {
        int r = one_list(name, value, scheme, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int
rule_json_fields(const json_t *json, struct rule_scheme *scheme, acd_err *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(json))
        return err_set(err, ACD_EINVAL, "the table of fields is not an object");
    json_object_foreach((json_t *)json, name, value)
    {
        struct rule_type type;
        if (!json_is_string(value) || !rule_type_parse(json_slice(value), &type))
            return err_set(err, ACD_EINVAL, "field %.100s has no valid type", name);
        int r = rule_scheme_add_field(scheme, slice_str(name), type, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int
add_standard(struct rule_scheme *scheme, acd_err *err)
{
    struct rule_scheme *standard;
    int r = rule_scheme_new(true, &standard);
    if (r < 0)
        return r;
    for (unsigned i = 0; r == 0 && i < standard->nfields; i++) {
        const struct rule_field *f = &standard->fields[i];
        acd_slice name = slice_of(f->name, f->name_len);
        if (rule_scheme_find_field(scheme, name) < 0)
            r = rule_scheme_add_field(scheme, name, f->type, err);
    }
    rule_scheme_free(standard);
    return r;
}

int
rule_json_scheme(const json_t *fields, struct rule_scheme **ret, acd_err *err)
{
    struct rule_scheme *s;
    int r = rule_scheme_new(!fields, &s);
    if (r < 0)
        return r;
    if (fields && ((r = rule_json_fields(fields, s, err)) < 0 || (r = add_standard(s, err)) < 0))
        rule_scheme_free(s);
    else
        *ret = s;
    return r;
}
