/*
 * JSON in both directions.
 *
 * Reading (RFC 8259): the body is one object; duplicate names, NUL, bytes that are not UTF-8, more than
 * JSON_VALUES_MAX values and JSON_DEPTH_MAX levels are refused. A getter that does not find what it needs
 * makes that the reply, with a pointer to the place, and returns false. Unknown names are ignored; null is as
 * good as absent where a value is optional.
 *
 * Writing: js_* make values that must be complete or nothing; without memory they end the process, as every
 * place that builds a reply would have to do the same.
 */
#ifndef GATEWAY_JSON_H
#define GATEWAY_JSON_H

#include "gw.h"

enum { JSON_VALUES_MAX = 65536, JSON_DEPTH_MAX = 32 };

enum need { OPTIONAL, REQUIRED };

/* Where a value is looked for: an object of the body and the pointer to it ("" for the body itself). */
struct at {
    const json_t *object;
    const char *pointer;
};

/* Parses the body into g->body. An empty body is {} if it is optional. */
bool body_read(struct gw *g, enum need need, struct at *ret) ACD_MUSTCHECK;

/* A bound on what jansson would make of a text, before it does: values and depth. Pure. */
bool json_is_bounded(acd_slice text);

/* Absent and optional: the output is left as it is. */
bool get_text(struct gw *g, const struct at *at, const char *name, enum need need,
              const char **ret) ACD_MUSTCHECK;
bool get_bool(struct gw *g, const struct at *at, const char *name, enum need need, bool *ret) ACD_MUSTCHECK;
bool get_int(struct gw *g, const struct at *at, const char *name, enum need need, int64_t *ret) ACD_MUSTCHECK;
bool get_list(struct gw *g, const struct at *at, const char *name, enum need need,
              const json_t **ret) ACD_MUSTCHECK;
bool get_object(struct gw *g, const struct at *at, const char *name, enum need need,
                struct at *ret) ACD_MUSTCHECK; /* absent: ret->object is NULL */
/* A list of texts, as a repeated field takes it. *ret_there: was it given at all? */
bool get_texts(struct gw *g, const struct at *at, const char *name, enum need need, size_t *ret_n,
               char ***ret, bool *ret_there) ACD_MUSTCHECK;
/* An element of a list as an object. */
bool get_item(struct gw *g, const struct at *at, const char *name, const json_t *list, size_t i,
              struct at *ret) ACD_MUSTCHECK;
/* Pointer to a member: "/rules/0" and "action" give "/rules/0/action". */
const char *pointer_to(struct gw *g, const struct at *at, const char *name);

json_t *js_object(void);
json_t *js_array(void);
json_t *js_text(const char *s);                               /* what is not UTF-8 becomes '?' */
void js_set(json_t *object, const char *name, json_t *value); /* takes value */
void js_add(json_t *array, json_t *value);                    /* takes value */

/* RFC 3339 in UTC, from Unix ms, as three families of the API write it. */
json_t *js_time(int64_t ms);        /* whole seconds */
json_t *js_time_short(int64_t ms);  /* fraction without trailing zeros */
json_t *js_time_micros(int64_t ms); /* six digits */
json_t *js_hex(ProtobufCBinaryData b);

/* Memory of jansson is wiped when it is freed: private keys pass through it. Before the first use. */
void json_setup(void);

#endif
