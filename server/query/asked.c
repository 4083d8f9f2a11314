#include "query/asked.h"

#include "base/err.h"
#include "eval/derive.h"
#include "model/host.h"
#include "query/known.h"

const char asked_no_zone[] = "ACD_R_ERR_NO_ZONE";
const char asked_bad_host[] = "ACD_R_ERR_INVALID_HOST";
const char asked_bad_field[] = "ACD_R_ERR_INVALID_FIELD";
const char asked_need_certificate[] = "ACD_R_ERR_NEED_CERTIFICATE";
const char asked_not_checked[] = "ACD_R_ERR_NOT_CHECKED";
const char asked_bad_chain[] = "ACD_R_ERR_INVALID_CHAIN";
const char asked_limit[] = "ACD_R_ERR_LIMIT";
const char asked_bad_rules[] = "ACD_R_ERR_INVALID_RULES";

/* --- values of the question -------------------------------------------------------------------------------
 */

static int value_of(struct mem_region *r, const Anchord__V1__RuleValue *m, struct rule_type type,
                    struct rule_value *ret);

static int
map_of(struct mem_region *r, const Anchord__V1__RuleMap *m, struct rule_type inner, struct rule_value *ret)
{
    struct rule_entry *items = mem_new_n(r, m->n_entries, struct rule_entry);
    int rc = items ? 0 : ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < m->n_entries; i++) {
        items[i].key = wire_slice(m->entries[i]->key);
        rc = m->entries[i]->value ? value_of(r, m->entries[i]->value, inner, &items[i].value) : ACD_EINVAL;
    }
    if (rc == 0)
        *ret = rule_map_value(items, rule_map_sort(items, m->n_entries));
    return rc;
}

static int
array_of(struct mem_region *r, const Anchord__V1__RuleArray *m, struct rule_type inner,
         struct rule_value *ret)
{
    struct rule_value *items = mem_new_n(r, m->n_items, struct rule_value);
    int rc = items ? 0 : ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < m->n_items; i++)
        rc = value_of(r, m->items[i], inner, &items[i]);
    if (rc == 0)
        *ret = rule_array_value(items, m->n_items);
    return rc;
}

/* ACD_EINVAL: not a value of that type. The message's depth bounds the recursion. */
static int
value_of(struct mem_region *r, const Anchord__V1__RuleValue *m, struct rule_type type, struct rule_value *ret)
{
    switch ((int)m->kind_case) {
    case ANCHORD__V1__RULE_VALUE__KIND_BOOL_VALUE:
        *ret = RULE_BOOL_VALUE(m->bool_value != 0);
        return rule_type_is(type, RULE_BOOL) ? 0 : ACD_EINVAL;
    case ANCHORD__V1__RULE_VALUE__KIND_INT_VALUE:
        *ret = RULE_INT_VALUE(m->int_value);
        return rule_type_is(type, RULE_INT) ? 0 : ACD_EINVAL;
    case ANCHORD__V1__RULE_VALUE__KIND_BYTES_VALUE:
        *ret = rule_bytes_value(m->bytes_value.data, m->bytes_value.len);
        return rule_type_is(type, RULE_BYTES) ? 0 : ACD_EINVAL;
    case ANCHORD__V1__RULE_VALUE__KIND_IP_VALUE:
        if (!rule_type_is(type, RULE_IP) || (m->ip_value.len != 4 && m->ip_value.len != 16))
            return ACD_EINVAL;
        *ret = rule_ip_value(m->ip_value.data, m->ip_value.len);
        return 0;
    case ANCHORD__V1__RULE_VALUE__KIND_ARRAY_VALUE:
        return rule_type_is_array(type) ? array_of(r, m->array_value, rule_type_inner(type), ret)
                                        : ACD_EINVAL;
    case ANCHORD__V1__RULE_VALUE__KIND_MAP_VALUE:
        return rule_type_is_map(type) ? map_of(r, m->map_value, rule_type_inner(type), ret) : ACD_EINVAL;
    default:
        return ACD_EINVAL;
    }
}

static int
no_value(struct asked *a, const char *name, const char *why, const char **ret_why)
{
    *ret_why = mem_printf(a->judge->region, "%.100s: %s", name, why);
    return *ret_why ? ACD_EINVAL : ACD_ENOMEM;
}

/* What we compute from the certificate is not taken from a question: it would be a claim. */
static int
set_field(struct asked *a, const Anchord__V1__FieldValue *m, const char **ret_why)
{
    const struct rule_scheme *scheme = a->ctx->scheme;
    struct rule_value v;
    int field = rule_scheme_find_field(scheme, slice_str(m->name));
    if (field < 0)
        return no_value(a, m->name, "no such field", ret_why);
    if (scheme->fields[field].who == RULE_WHO_E || scheme->fields[field].who == RULE_WHO_C)
        return no_value(a, m->name, "is computed here and cannot be given", ret_why);
    if (field == RULE_F_HTTP_HOST) /* the host of the question in normal form: asked.c sees to it */
        return 0;
    int rc = m->value ? value_of(a->judge->region, m->value, scheme->fields[field].type, &v) : ACD_EINVAL;
    if (rc == ACD_EINVAL) {
        char type[RULE_TYPE_TEXT_MAX];
        return no_value(a, m->name,
                        mem_printf(a->judge->region, "is not of type %s",
                                   rule_type_text(scheme->fields[field].type, type)),
                        ret_why);
    }
    if (rc == 0)
        rule_ctx_set(a->ctx, (unsigned)field, v);
    return rc;
}

int
asked_fields(struct asked *a, const char **ret_why)
{
    const Anchord__V1__EvaluateQuestion *q = a->question;
    int rc = 0;
    if (q->n_fields > LIMIT_EVALUATE_FIELDS)
        return no_value(a, "fields", "more than 256 values", ret_why);
    for (size_t i = 0; rc == 0 && i < q->n_fields; i++)
        rc = set_field(a, q->fields[i], ret_why);
    if (rc < 0)
        return rc;
    if (a->has_host)
        rule_ctx_set(a->ctx, RULE_F_HTTP_HOST, rule_bytes_value(a->judged.host.name, a->judged.host.len));
    if (q->resumed)
        rule_ctx_set(a->ctx, RULE_F_ANCHORD_TLS_RESUMED, RULE_BOOL_VALUE(true));
    if (q->sni[0]) {
        struct query_host sni;
        rc = query_host(a->judge->region, q->sni, &sni);
        bool same = rc == 0 && !sni.error && sni.len == a->judged.host.len &&
                    memcmp(sni.name, a->judged.host.name, sni.len) == 0;
        rule_ctx_set(a->ctx, RULE_F_ANCHORD_SNI_MISMATCH, RULE_BOOL_VALUE(!same));
    }
    return rc;
}

/* --- the certificate --------------------------------------------------------------------------------------
 */

/* Says once why the evaluation cannot go on. */
static int
cannot(struct asked *a, int rc, const char *error, const char *reason)
{
    if (a->rc == 0) {
        a->rc = rc;
        a->error = error;
        a->reason = reason;
    }
    return rc;
}

/* A prompt call ends here and is asked again where it may wait. */
static int
cannot_now(struct asked *a)
{
    a->later = true;
    return cannot(a, ACD_EBUSY, NULL, NULL);
}

static bool
presented(const struct asked *a)
{
    return a->question->n_chain > 0 || a->question->chain_digest.len > 0;
}

/* The chain and its digest. A chain that is over a bound is none that a rule could say something about. */
static int
take_chain(struct asked *a)
{
    struct judged *it = &a->judged;
    if (a->chained)
        return 0;
    it->answer = wire_new(a->judge->region, Anchord__V1__VerifyAnswer, anchord__v1__verify_answer);
    if (!it->answer)
        return cannot(a, ACD_ENOMEM, NULL, NULL);
    it->open = true;
    int rc = judge_chain(a->judge, it);
    if (rc < 0)
        return cannot(a, rc, NULL, NULL);
    if (!it->open && presented(a))
        return cannot(a, ACD_EINVAL, asked_bad_chain, it->answer->reason);
    a->chained = true;
    return 0;
}

int
asked_verdict(struct asked *a)
{
    struct judged *it = &a->judged;
    if (a->verdict)
        return 0;
    int rc = take_chain(a);
    if (rc < 0)
        return rc;
    rc = judge_look_up(a->judge, it);
    bool asked = rc == 0 && it->open;
    if (asked && a->before)
        judge_repeat(a->judge, &a->before->judged, it);
    if (rc == 0)
        rc = judge_warm(a->judge, it);
    a->hit = asked && rc == 0 && !it->open;
    if (rc == 0 && it->open && a->judge->call->prompt)
        return cannot_now(a);
    if (rc == 0 && it->open)
        rc = judge_cold(a->judge, it);
    if (rc < 0)
        return cannot(a, rc, NULL, NULL);
    if (!a->judge->brief)
        a->answer->verification = it->answer;
    if (it->answer->verdict == ANCHORD__V1__VERDICT__NEED_CERTIFICATE)
        return cannot(a, ACD_EUNAVAIL, asked_need_certificate, it->answer->reason);
    if (it->unchecked) /* no verdict: neither "verified" nor "not revoked" may be concluded */
        return cannot(a, ACD_EUNAVAIL, asked_not_checked, it->answer->reason);
    a->verdict = true;
    return 0;
}

/* Fields of the certificate lie side by side in the scheme. */
enum {
    FACT_FIRST = RULE_F_CF_TLS_CLIENT_AUTH_CERT_PRESENTED,
    FACT_LAST = RULE_F_ANCHORD_CERT_KEY_TYPE,
    FACTS = FACT_LAST - FACT_FIRST + 1,
};

struct describe {
    struct asked *a;
    acd_slice *facts;
};

static int
take_fact(void *arg, const char *name, acd_slice value)
{
    struct describe *d = arg;
    int field = rule_scheme_find_field(d->a->ctx->scheme, slice_str(name));
    if (field < FACT_FIRST || field > FACT_LAST)
        return 0; /* the validator knows more than the scheme */
    d->facts[field - FACT_FIRST] = mem_slice(d->a->judge->region, value);
    return d->facts[field - FACT_FIRST].ptr ? 0 : ACD_ENOMEM;
}

/* Asks the validator. A leaf that cannot be read has no facts: its fields keep their defaults. */
static int
describe(struct asked *a, acd_slice *facts)
{
    const struct judge *j = a->judge;
    struct chain *chain = &a->judged.chain;
    struct describe d = {a, facts};
    acd_err err = ACD_ERR_INIT;
    if (j->call->prompt)
        return cannot_now(a);
    int rc = chain_load(j->q, j->region, chain);
    if (rc == ACD_ENOENT) {
        a->judged.answer->verdict = ANCHORD__V1__VERDICT__NEED_CERTIFICATE;
        if (!j->brief)
            a->answer->verification = a->judged.answer;
        return cannot(a, ACD_EUNAVAIL, asked_need_certificate,
                      "the chain behind this digest is not known here: send its certificates");
    }
    if (rc < 0)
        return cannot(a, rc, NULL, NULL);
    rc = plug_describe(j->q->deps.validator, chain->certs[0], chain->certs + 1, chain->n - 1, take_fact, &d,
                       j->call->deadline_ns, &err);
    if (rc == 0 && a->verdict && a->judged.answer->verdict == ANCHORD__V1__VERDICT__VERIFIED)
        known_put(j->q->facts, chain->digest, facts, FACTS);
    if (rc == ACD_ENOMEM)
        return cannot(a, rc, NULL, NULL);
    if (rc < 0 && rc != ACD_EINVAL)
        return cannot(a, rc, asked_not_checked, mem_strdup(j->region, err_text(&err, rc)));
    return 0;
}

static int
get_facts(struct asked *a)
{
    acd_slice *facts;
    size_t n = 0;
    if (a->facts)
        return 0;
    int rc = take_chain(a);
    if (rc < 0)
        return rc;
    if (presented(a) &&
        known_get(a->judge->q->facts, a->judged.chain.digest, a->judge->region, &facts, &n) == 0 &&
        n == FACTS) {
        a->facts = facts;
        return 0;
    }
    facts = mem_new_n(a->judge->region, FACTS, acd_slice);
    if (!facts)
        return cannot(a, ACD_ENOMEM, NULL, NULL);
    rc = presented(a) ? describe(a, facts) : 0;
    if (rc == 0)
        a->facts = facts;
    return rc;
}

/* "a,b": the validator leaves out names that hold a comma. */
static int
split_names(struct asked *a, acd_slice text, struct rule_value *ret)
{
    const char *p = text.ptr, *end = p + text.len;
    size_t n = text.len ? 1 : 0;
    for (size_t i = 0; i < text.len; i++)
        n += p[i] == ',';
    struct rule_value *items = mem_new_n(a->judge->region, n, struct rule_value);
    if (!items)
        return cannot(a, ACD_ENOMEM, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        items[i] = rule_bytes_value(p, (size_t)((comma ? comma : end) - p));
        p = comma ? comma + 1 : end;
    }
    *ret = rule_array_value(items, n);
    return 0;
}

static int
fill_fact(struct asked *a, unsigned field, struct rule_value *ret)
{
    struct rule_type type = a->ctx->scheme->fields[field].type;
    must(field >= FACT_FIRST && field <= FACT_LAST);
    int rc = get_facts(a);
    if (rc < 0)
        return rc;
    acd_slice s = a->facts[field - FACT_FIRST];
    if (type.depth)
        return split_names(a, s, ret);
    *ret = type.base == RULE_BOOL ? RULE_BOOL_VALUE(slice_eqs(s, "true"))
                                  : rule_bytes_value(s.len ? s.ptr : "", s.len);
    return 0;
}

static int
fill_pattern(struct asked *a, struct rule_value *ret)
{
    acd_slice pattern = SLICE_LIT("");
    if (a->judged.found < 0)
        return cannot(a, a->judged.found, NULL, NULL);
    if (a->judged.hit.match != SNAP_NONE &&
        query_pattern(a->judge->region, &a->judged.host, &a->judged.hit, &pattern) < 0)
        return cannot(a, ACD_ENOMEM, NULL, NULL);
    *ret = rule_bytes_value(pattern.ptr, pattern.len);
    return 0;
}

/* cert_verified keeps its documented meaning and stays true for a revoked certificate; cert_trusted is the
 * whole statement. */
static int
fill_verdict_field(struct asked *a, unsigned field, struct rule_value *ret)
{
    int rc = asked_verdict(a);
    if (rc < 0)
        return rc;
    const Anchord__V1__VerifyAnswer *v = a->judged.answer;
    bool good = v->verdict == ANCHORD__V1__VERDICT__VERIFIED;
    if (field == RULE_F_ANCHORD_CA_ID)
        *ret = rule_bytes_value(v->ca_id, strlen(v->ca_id));
    else if (field == RULE_F_CF_TLS_CLIENT_AUTH_CERT_VERIFIED)
        *ret = RULE_BOOL_VALUE(good || v->revoked);
    else
        *ret = RULE_BOOL_VALUE(field == RULE_F_ANCHORD_CERT_TRUSTED ? good : v->revoked != 0);
    return 0;
}

int
asked_fill(void *arg, unsigned field, struct rule_value *ret)
{
    struct asked *a = arg;
    if (a->ctx->scheme->fields[field].who != RULE_WHO_E) {
        int rc = eval_derive(a->judge->region, a->ctx, field, ret);
        if (rc == ACD_ELIMIT)
            return cannot(a, rc, asked_limit, "a value of the request has too many parts");
        return rc < 0 ? cannot(a, rc, NULL, NULL) : 0;
    }
    switch (field) {
    case RULE_F_CF_TLS_CLIENT_AUTH_CERT_PRESENTED:
        *ret = RULE_BOOL_VALUE(presented(a));
        return 0;
    case RULE_F_CF_TLS_CLIENT_AUTH_CERT_VERIFIED:
    case RULE_F_CF_TLS_CLIENT_AUTH_CERT_REVOKED:
    case RULE_F_ANCHORD_CERT_TRUSTED:
    case RULE_F_ANCHORD_CA_ID:
        return fill_verdict_field(a, field, ret);
    case RULE_F_ANCHORD_HOST_PATTERN:
        return fill_pattern(a, ret);
    default:
        return fill_fact(a, field, ret);
    }
}
