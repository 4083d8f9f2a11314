#include "json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

enum { BAD_JSON = 1400, BAD_FIELD = 1419 };

static void
free_wiped(void *p)
{
    if (p)
        wipe(p, malloc_usable_size(p));
    free(p);
}

void
json_setup(void)
{
    json_set_alloc_funcs(malloc, free_wiped);
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

bool
json_is_bounded(acd_slice text)
{
    const char *s = text.ptr;
    size_t values = 1, depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        if (quoted) {
            if (s[i] == '\\')
                i++;
            else if (s[i] == '"')
                quoted = false;
        } else if (s[i] == '"') {
            quoted = true;
        } else if (s[i] == '[' || s[i] == '{') {
            depth++;
            values++;
        } else if ((s[i] == ']' || s[i] == '}') && depth > 0) {
            depth--;
        } else {
            values += s[i] == ',';
        }
        if (values > JSON_VALUES_MAX || depth > JSON_DEPTH_MAX)
            return false;
    }
    return true;
}

bool
body_read(struct gw *g, enum need need, struct at *ret)
{
    acd_slice text = g->http->body;
    if (text.len == 0 && need == OPTIONAL)
        g->body = js_object();
    else if (text.len > 0 && json_is_bounded(text))
        g->body = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!g->body || !json_is_object(g->body)) {
        gw_fail(g, 400, BAD_JSON, NULL,
                "Unable to decode the JSON request body. Check your input and try again.");
        return false;
    }
    *ret = (struct at){g->body, ""};
    return true;
}

const char *
pointer_to(struct gw *g, const struct at *at, const char *name)
{
    return mem_printf(g->region, "%s/%s", at->pointer, name);
}

static const char *
type_name(json_type t)
{
    switch (t) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    default:
        return "a boolean";
    }
}

/* The member, when it is there and of the type; JSON_TRUE stands for both booleans. False: the reply says
 * what is wrong. */
static bool
get(struct gw *g, const struct at *at, const char *name, enum need need, json_type type, const json_t **ret)
{
    const json_t *v = json_object_get(at->object, name);
    *ret = NULL;
    if (!v || json_is_null(v)) {
        if (need == REQUIRED)
            gw_fail(g, 400, BAD_FIELD, pointer_to(g, at, name), "%s is required", name);
        return need == OPTIONAL;
    }
    if (type == JSON_TRUE ? !json_is_boolean(v) : json_typeof(v) != type) {
        gw_fail(g, 400, BAD_FIELD, pointer_to(g, at, name), "%s must be %s", name, type_name(type));
        return false;
    }
    *ret = v;
    return true;
}

bool
get_text(struct gw *g, const struct at *at, const char *name, enum need need, const char **ret)
{
    const json_t *v;
    if (!get(g, at, name, need, JSON_STRING, &v))
        return false;
    if (v)
        *ret = json_string_value(v);
    return true;
}

bool
get_bool(struct gw *g, const struct at *at, const char *name, enum need need, bool *ret)
{
    const json_t *v;
    if (!get(g, at, name, need, JSON_TRUE, &v))
        return false;
    if (v)
        *ret = json_is_true(v);
    return true;
}

bool
get_int(struct gw *g, const struct at *at, const char *name, enum need need, int64_t *ret)
{
    const json_t *v;
    if (!get(g, at, name, need, JSON_INTEGER, &v))
        return false;
    if (v)
        *ret = json_integer_value(v);
    return true;
}

bool
get_list(struct gw *g, const struct at *at, const char *name, enum need need, const json_t **ret)
{
    return get(g, at, name, need, JSON_ARRAY, ret);
}

bool
get_object(struct gw *g, const struct at *at, const char *name, enum need need, struct at *ret)
{
    const json_t *v;
    if (!get(g, at, name, need, JSON_OBJECT, &v))
        return false;
    *ret = (struct at){v, v ? pointer_to(g, at, name) : ""};
    return true;
}

bool
get_item(struct gw *g, const struct at *at, const char *name, const json_t *list, size_t i, struct at *ret)
{
    const json_t *v = json_array_get(list, i);
    const char *pointer = mem_printf(g->region, "%s/%s/%zu", at->pointer, name, i);
    *ret = (struct at){v, pointer};
    if (json_is_object(v))
        return true;
    gw_fail(g, 400, BAD_FIELD, pointer, "an element of %s must be an object", name);
    return false;
}

bool
get_texts(struct gw *g, const struct at *at, const char *name, enum need need, size_t *ret_n, char ***ret,
          bool *ret_there)
{
    const json_t *list;
    if (!get_list(g, at, name, need, &list))
        return false;
    *ret_there = list != NULL;
    if (!list)
        return true;
    size_t n = json_array_size(list);
    char **out = gw_need(g, mem_new_n(g->region, n, char *));
    for (size_t i = 0; out && i < n; i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_string(v)) {
            gw_fail(g, 400, BAD_FIELD, mem_printf(g->region, "%s/%s/%zu", at->pointer, name, i),
                    "an element of %s must be a string", name);
            return false;
        }
        out[i] = (char *)json_string_value(v);
    }
    *ret = out;
    *ret_n = n;
    return out != NULL;
}

/* --- writing ----------------------------------------------------------------------------------------------
 */

static json_t *
made(json_t *v)
{
    must(v);
    return v;
}

json_t *
js_object(void)
{
    return made(json_object());
}

json_t *
js_array(void)
{
    return made(json_array());
}

json_t *
js_text(const char *s)
{
    size_t len = strlen(s);
    json_t *v = json_stringn(s, len);
    if (!v) {
        char *copy = strdup(s);
        must(copy);
        wire_clean(copy, len);
        v = json_stringn(copy, len);
        free(copy);
    }
    return made(v);
}

void
js_set(json_t *object, const char *name, json_t *value)
{
    must(json_object_set_new(object, name, made(value)) == 0);
}

void
js_add(json_t *array, json_t *value)
{
    must(json_array_append_new(array, made(value)) == 0);
}

json_t *
js_time(int64_t ms)
{
    char text[TIME_TEXT_MAX];
    time_format(ms - ((ms % 1000) + 1000) % 1000, text);
    return js_text(text);
}

/* Seconds, a fraction of the given number of digits, Z. */
static json_t *
time_fraction(int64_t ms, int digits)
{
    char whole[TIME_TEXT_MAX], text[TIME_TEXT_MAX + 8];
    int64_t part = ((ms % 1000) + 1000) % 1000;
    time_format(ms - part, whole);
    (void)snprintf(text, sizeof(text), "%.*s.%03d000", (int)strlen(whole) - 1, whole, (int)part);
    text[strlen(text) - 6 + (size_t)digits] = '\0';
    (void)strcat(text, "Z");
    return js_text(text);
}

json_t *
js_time_short(int64_t ms)
{
    int64_t part = ((ms % 1000) + 1000) % 1000;
    return part == 0         ? js_time(ms)
           : part % 100 == 0 ? time_fraction(ms, 1)
           : part % 10 == 0  ? time_fraction(ms, 2)
                             : time_fraction(ms, 3);
}

json_t *
js_time_micros(int64_t ms)
{
    return time_fraction(ms, 6);
}

json_t *
js_hex(ProtobufCBinaryData b)
{
    char *text = malloc(2 * b.len + 1);
    must(text);
    hex_encode(b.data, b.len, text);
    json_t *v = js_text(text);
    free(text);
    return v;
}
