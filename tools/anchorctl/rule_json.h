/*
 * JSON to the values of the Rules language and back: contexts, lists and field tables of `rule eval`.
 * Encoding: Bytes a string or {"hex":"61ff"}, Int a whole number, Bool true or false, Ip {"ip":"192.0.2.1"}
 * or a string, Array<T> an array, Map<T> {"map":{"key":value}}. Used by anchorctl and by tests; one thread at
 * a time.
 */
#ifndef ANCHORCTL_RULE_JSON_H
#define ANCHORCTL_RULE_JSON_H

#include <jansson.h>

#include "base/mem.h"
#include "rule/scheme.h"
#include "rule/vm.h"

/* Values are copied into the region. ACD_EINVAL: the JSON is not a value of that type. */
int rule_json_value(const json_t *json, struct rule_type type, struct mem_region *region,
                    struct rule_value *ret, acd_err *err) ACD_MUSTCHECK;
/* "NAME=VALUE" of a command line: VALUE is text as it stands for Bytes, the usual spelling for Int, Bool and
 * Ip, JSON for the rest. The text is borrowed. */
int rule_json_pair(const struct rule_scheme *scheme, const char *arg, struct mem_region *region,
                   unsigned *ret_field, struct rule_value *ret, acd_err *err) ACD_MUSTCHECK;
/* An object of field names; null and what is not named stay missing. The context must have been reset. */
int rule_json_context(const json_t *json, struct rule_ctx *ctx, struct mem_region *region,
                      acd_err *err) ACD_MUSTCHECK;
/* {"name":{"kind":"ip"|"int","items":[...]}}; items may be addresses, networks, integers. */
int rule_json_lists(const json_t *json, struct rule_scheme *scheme, acd_err *err) ACD_MUSTCHECK;
/* {"field.name":"Map<Array<Bytes>>"} */
int rule_json_fields(const json_t *json, struct rule_scheme *scheme, acd_err *err) ACD_MUSTCHECK;

/* The standard scheme, and the fields of the table (NULL: none), whose types go before the standard ones. */
int rule_json_scheme(const json_t *fields, struct rule_scheme **ret, acd_err *err) ACD_MUSTCHECK;

#endif
