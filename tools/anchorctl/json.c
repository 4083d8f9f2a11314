#include "json.h"

#include <stdlib.h>

#include "ctl.h"

json_t *
js_need(json_t *value)
{
    return ctl_need(value);
}

json_t *
js_bytes(acd_slice text)
{
    if (utf8_valid(text))
        return js_need(json_stringn(text.len ? text.ptr : "", text.len));
    char *copy = ctl_need(malloc(text.len));
    memcpy(copy, text.ptr, text.len);
    wire_clean(copy, text.len);
    json_t *v = js_need(json_stringn(copy, text.len));
    free(copy);
    return v;
}

json_t *
js_text(const char *s)
{
    return js_bytes(slice_str(s));
}

json_t *
js_text_or_null(const char *s)
{
    return s[0] ? js_text(s) : json_null();
}

json_t *
js_time(int64_t ms)
{
    char text[TIME_TEXT_MAX];
    if (ms == 0)
        return json_null();
    time_format(ms, text);
    return js_text(text);
}

json_t *
js_hex(acd_slice bytes)
{
    if (bytes.len == 0)
        return json_null();
    char *text = ctl_need(malloc(2 * bytes.len + 1));
    hex_encode(bytes.ptr, bytes.len, text);
    json_t *v = js_text(text);
    free(text);
    return v;
}

json_t *
js_object(void)
{
    return js_need(json_object());
}

json_t *
js_array(void)
{
    return js_need(json_array());
}

void
js_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, js_need(value)) < 0)
        ctl_oom();
}

void
js_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, js_need(value)) < 0)
        ctl_oom();
}

static json_t *
js_uint(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* --- things -------------------------------------------------------------------------------------------- */

json_t *
js_account(const void *account)
{
    const Anchord__V1__Account *a = account;
    json_t *v = js_object();
    js_set(v, "id", js_text(a->id));
    js_set(v, "name", js_text(a->name));
    js_set(v, "plan", js_text(a->plan == ANCHORD__V1__PLAN__PLAN_FREE ? "free" : "enterprise"));
    js_set(v, "managed_ca_id", js_text_or_null(a->managed_ca_id));
    js_set(v, "created_on", js_time(a->created_ms));
    js_set(v, "revision", js_uint(a->revision));
    return v;
}

static json_t *
js_texts(char *const *texts, size_t n)
{
    json_t *v = js_array();
    for (size_t i = 0; i < n; i++)
        js_add(v, js_text(texts[i]));
    return v;
}

json_t *
js_token(const void *token)
{
    const Anchord__V1__Token *t = token;
    json_t *v = js_object();
    js_set(v, "id", js_text(t->id));
    js_set(v, "account_id", js_text(t->account_id));
    js_set(v, "name", js_text(t->name));
    js_set(v, "status", js_text(t->expired ? "expired" : "active"));
    js_set(v, "permissions", js_texts(t->permissions, t->n_permissions));
    js_set(v, "zones", js_texts(t->zone_ids, t->n_zone_ids));
    js_set(v, "sources", js_texts(t->sources, t->n_sources));
    js_set(v, "email", js_text_or_null(t->email));
    js_set(v, "issued_on", js_time(t->created_ms));
    js_set(v, "expires_on", js_time(t->expires_ms));
    js_set(v, "revision", js_uint(t->revision));
    return v;
}

json_t *
js_zone(const void *zone)
{
    const Anchord__V1__Zone *z = zone;
    json_t *v = js_object(), *account = js_object();
    js_set(account, "id", js_text(z->account_id));
    js_set(account, "name", js_text(z->account_name));
    js_set(v, "id", js_text(z->id));
    js_set(v, "name", js_text(z->name));
    js_set(v, "account", account);
    js_set(v, "acm", json_boolean(z->acm));
    js_set(v, "created_on", js_time(z->created_ms));
    js_set(v, "revision", js_uint(z->revision));
    return v;
}

const char *
js_profile(int profile)
{
    return profile == ANCHORD__V1__PROFILE__PROFILE_COMPAT ? "compat" : "strict";
}

static json_t *
js_item(const Anchord__V1__CertificateItem *i)
{
    json_t *v = js_object();
    js_set(v, "index", js_uint(i->index));
    js_set(v, "subject", js_text(i->subject));
    js_set(v, "issuer", js_text(i->issuer));
    js_set(v, "serial_number_hex", js_text(i->serial_hex));
    js_set(v, "not_before", js_time(i->not_before_ms));
    js_set(v, "expires_on", js_time(i->not_after_ms));
    js_set(v, "key_type", js_text(i->key_type));
    js_set(v, "key_bits", js_uint(i->key_bits));
    js_set(v, "signature", js_text(i->signature));
    js_set(v, "self_signed", json_boolean(i->self_signed));
    js_set(v, "ski", js_text_or_null(i->ski));
    js_set(v, "fingerprint_sha256", js_hex(wire_slice(i->sha256)));
    js_set(v, "spki_sha256", js_hex(wire_slice(i->spki_sha256)));
    return v;
}

/* As the REST API has it, the facts of an object are those of its first certificate. */
json_t *
js_cert(const void *cert)
{
    const Anchord__V1__Certificate *m = cert;
    const Anchord__V1__CertificateItem *first = m->n_items ? m->items[0] : NULL;
    json_t *v = js_object(), *account = js_object(), *items = js_array();
    js_set(v, "id", js_text(m->id));
    js_set(v, "name", js_text(m->name));
    js_set(v, "ca", json_boolean(m->ca));
    js_set(v, "type",
           js_text(m->type == ANCHORD__V1__CERTIFICATE_TYPE__CERTIFICATE_MANAGED ? "managed" : "custom"));
    js_set(v, "product", js_text(m->product));
    js_set(v, "profile", js_text(js_profile((int)m->profile)));
    js_set(v, "helper", json_boolean(m->helper));
    js_set(account, "id", js_text(m->account_id));
    js_set(v, "account", account);
    js_set(v, "issuer", first ? js_text(first->issuer) : json_null());
    js_set(v, "signature", first ? js_text(first->signature) : json_null());
    js_set(v, "serial_number", js_text_or_null(m->serial_number));
    js_set(v, "expires_on", first ? js_time(first->not_after_ms) : json_null());
    js_set(v, "certificates", js_text(m->certificates));
    js_set(v, "uploaded_on", js_time(m->uploaded_ms));
    js_set(v, "updated_at", js_time(m->updated_ms));
    js_set(v, "has_private_key", json_boolean(m->has_private_key));
    js_set(v, "revision", js_uint(m->revision));
    for (size_t i = 0; i < m->n_items; i++)
        js_add(items, js_item(m->items[i]));
    js_set(v, "items", items);
    return v;
}

json_t *
js_finding(const Anchord__V1__Finding *f)
{
    char text[1024];
    const char *severity = f->severity == ANCHORD__V1__SEVERITY__SEVERITY_WARNING ? "warning" : "error";
    json_t *v = js_object();
    if (f->index < 0)
        (void)snprintf(text, sizeof(text), "%s %s: %s", severity, f->code, f->message);
    else
        (void)snprintf(text, sizeof(text), "%s %s, certificate %d: %s", severity, f->code, (int)f->index,
                       f->message);
    js_set(v, "type", js_text("finding"));
    js_set(v, "severity", js_text(severity));
    js_set(v, "code", js_text(f->code));
    js_set(v, "index", json_integer(f->index));
    js_set(v, "message", js_text(f->message));
    js_set(v, "text", js_text(text));
    return v;
}

json_t *
js_pool(const Anchord__V1__QuotaPool *pool)
{
    json_t *v = js_object(), *products = js_array();
    js_set(v, "pool", js_text(pool->pool));
    js_set(v, "used", json_integer(pool->used));
    js_set(v, "limit", pool->limit < 0 ? json_null() : json_integer(pool->limit));
    for (size_t i = 0; i < pool->n_products; i++) {
        json_t *p = js_object();
        js_set(p, "product", js_text(pool->products[i]->product));
        js_set(p, "used", json_integer(pool->products[i]->used));
        js_add(products, p);
    }
    js_set(v, "products", products);
    return v;
}

const char *
js_match(int match)
{
    return match == ANCHORD__V1__MATCH_KIND__MATCH_EXACT      ? "exact"
           : match == ANCHORD__V1__MATCH_KIND__MATCH_WILDCARD ? "wildcard"
                                                              : "none";
}

/* --- details of an error ------------------------------------------------------------------------------- */

enum { DETAIL_TEXT = 1024 };

static json_t *
detail(const char *type, const char *text)
{
    json_t *v = js_object();
    js_set(v, "type", js_text(type));
    js_set(v, "text", js_text(text));
    return v;
}

static json_t *
detail_info(const Anchord__V1__ErrorInfo *m)
{
    char text[DETAIL_TEXT], code[24] = "";
    if (m->code)
        (void)snprintf(code, sizeof(code), ", code %u", (unsigned)m->code);
    (void)snprintf(text, sizeof(text), "reason %s%s%s%s", m->reason, code, m->subject[0] ? ": " : "",
                   m->subject);
    json_t *v = detail("error_info", text);
    js_set(v, "reason", js_text(m->reason));
    js_set(v, "code", js_uint(m->code));
    js_set(v, "subject", js_text(m->subject));
    return v;
}

static json_t *
detail_quota(const Anchord__V1__QuotaFailure *m)
{
    char text[DETAIL_TEXT];
    (void)snprintf(text, sizeof(text), "quota %s: %lld of %lld used", m->pool, (long long)m->used,
                   (long long)m->limit);
    json_t *v = detail("quota", text);
    js_set(v, "pool", js_text(m->pool));
    js_set(v, "used", json_integer(m->used));
    js_set(v, "limit", json_integer(m->limit));
    return v;
}

static json_t *
detail_field(const Anchord__V1__FieldViolation *m)
{
    char text[DETAIL_TEXT];
    (void)snprintf(text, sizeof(text), "%s: %s", m->field, m->description);
    json_t *v = detail("field", text);
    js_set(v, "field", js_text(m->field));
    js_set(v, "description", js_text(m->description));
    return v;
}

static json_t *
detail_precondition(const Anchord__V1__Precondition *m)
{
    char text[DETAIL_TEXT];
    (void)snprintf(text, sizeof(text), "it is at revision %llu now", (unsigned long long)m->revision);
    json_t *v = detail("precondition", text);
    js_set(v, "revision", js_uint(m->revision));
    return v;
}

static json_t *
detail_in_use(const Anchord__V1__ResourceInUse *m)
{
    char text[DETAIL_TEXT];
    (void)snprintf(text, sizeof(text), "in use by %s in zone %s", m->host, m->zone_name);
    json_t *v = detail("in_use", text), *zone = js_object();
    js_set(zone, "id", js_text(m->zone_id));
    js_set(zone, "name", js_text(m->zone_name));
    js_set(v, "zone", zone);
    js_set(v, "host", js_text(m->host));
    return v;
}

static json_t *
detail_rule(const Anchord__V1__RuleFinding *m)
{
    char text[DETAIL_TEXT], at[48] = "";
    if (m->kind[0])
        (void)snprintf(at, sizeof(at), " at byte %u", (unsigned)m->at);
    (void)snprintf(text, sizeof(text), "rule %u, %s%s: %s", (unsigned)m->rule + 1, m->field, at, m->message);
    json_t *v = js_rule_finding(m);
    js_set(v, "type", js_text("rule"));
    js_set(v, "text", js_text(text));
    return v;
}

json_t *
js_rule_finding(const Anchord__V1__RuleFinding *m)
{
    json_t *v = js_object();
    js_set(v, "severity",
           js_text(m->severity == ANCHORD__V1__SEVERITY__SEVERITY_WARNING ? "warning" : "error"));
    js_set(v, "rule", js_uint(m->rule));
    js_set(v, "field", js_text(m->field));
    js_set(v, "kind", js_text_or_null(m->kind));
    js_set(v, "at", m->kind[0] ? js_uint(m->at) : json_null());
    js_set(v, "length", m->kind[0] ? js_uint(m->length) : json_null());
    js_set(v, "message", js_text(m->message));
    return v;
}

json_t *
js_detail(const Anchord__V1__ErrorDetail *d)
{
    switch ((int)d->detail_case) {
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_ERROR_INFO:
        return detail_info(d->error_info);
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_QUOTA_FAILURE:
        return detail_quota(d->quota_failure);
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_FINDING:
        return js_finding(d->finding);
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_FIELD_VIOLATION:
        return detail_field(d->field_violation);
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_PRECONDITION:
        return detail_precondition(d->precondition);
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_RESOURCE_IN_USE:
        return detail_in_use(d->resource_in_use);
    case ANCHORD__V1__ERROR_DETAIL__DETAIL_RULE:
        return detail_rule(d->rule);
    default:
        return NULL; /* of a newer server */
    }
}
