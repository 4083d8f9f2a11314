/*
 * Messages as JSON values, with the field names of the REST API where it has the thing. Each function returns
 * a new reference, never NULL. Times are RFC 3339, digests lower-case hex.
 */
#ifndef ANCHORCTL_JSON_H
#define ANCHORCTL_JSON_H

#include <jansson.h>

#include "wire/msg.h"

/* jansson's values, with memory that runs out ending the program. Bytes that are not UTF-8 become '?'. */
json_t *js_need(json_t *value);
json_t *js_text(const char *s);
json_t *js_bytes(acd_slice text);
json_t *js_text_or_null(const char *s); /* "": null */
json_t *js_time(int64_t ms);            /* 0: null */
json_t *js_hex(acd_slice bytes);        /* empty: null */
json_t *js_object(void);
json_t *js_array(void);
void js_set(json_t *object, const char *key, json_t *value); /* takes value */
void js_add(json_t *array, json_t *value);

json_t *js_account(const void *account);
json_t *js_zone(const void *zone);
json_t *js_token(const void *token);
json_t *js_cert(const void *cert);
json_t *js_finding(const Anchord__V1__Finding *f);
json_t *js_pool(const Anchord__V1__QuotaPool *pool);
json_t *js_rule_finding(const Anchord__V1__RuleFinding *f);
json_t *js_detail(const Anchord__V1__ErrorDetail *d);
const char *js_match(int match);
const char *js_profile(int profile);

#endif
