#include "hook.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "forwarded.h"
#include "hook_answer.h"
#include "metrics.h"
#include "peers.h"

enum { HOOK_MS = 2000, HOOK_FIELDS = 12 };

/* --- what the proxy says ----------------------------------------------------------------------------------
 */

/* A header that only the proxy may have set, so there is one of it. False: the reply says so. */
static bool
take_header(struct hook *h, const char *name, acd_slice *ret)
{
    const char *value;
    if (!http_header_once(h->g->http, name, &value)) {
        hook_refuse(h, 403, "refused", mem_printf(h->g->region, "the header %s is there twice", name));
        return false;
    }
    *ret = value ? slice_str(value) : SLICE_LIT("");
    return true;
}

static bool
take_digest(struct hook *h, acd_slice text)
{
    h->presented = text.len > 0;
    if (!h->presented)
        return true;
    h->digest = mem_alloc(h->g->region, DIGEST_LEN);
    if (h->digest && forwarded_digest(text, h->digest))
        return true;
    hook_refuse(h, 403, "refused", "X-SSL-Client-SHA256: not a SHA-256 in hex");
    return false;
}

static bool
take_chain(struct hook *h)
{
    struct mem_region *r = h->g->region;
    acd_slice leaf, rest = SLICE_LIT("");
    const char *why = NULL, *name = h->form.cert == HOOK_ESCAPED_PEM ? "X-SSL-Client-Cert" : "Client-Cert";
    bool good = take_header(h, name, &leaf);
    if (good && h->form.cert == HOOK_CLIENT_CERT)
        good = take_header(h, "Client-Cert-Chain", &rest);
    if (!good)
        return false;
    if (!(h->form.cert == HOOK_ESCAPED_PEM ? forwarded_pem(r, leaf, &h->chain, &why)
                                           : forwarded_client_cert(r, leaf, rest, &h->chain, &why))) {
        hook_refuse(h, 403, "refused", mem_printf(r, "%s: %s", name, why));
        return false;
    }
    h->presented = h->chain.n > 0;
    if (!h->presented)
        return true;
    h->digest = mem_alloc(r, DIGEST_LEN);
    if (!h->digest) {
        hook_refuse(h, 503, "unavailable", NULL);
        return false;
    }
    digest_chain(h->chain.ders, h->chain.n, h->digest);
    return true;
}

static bool
take_certificate(struct hook *h)
{
    acd_slice text;
    if (h->form.cert == HOOK_DIGEST)
        return take_header(h, "X-SSL-Client-SHA256", &text) && take_digest(h, text);
    return take_chain(h);
}

/* A header without which rules would be asked about half a request: what is missing matches no rule, and a
 * rule that should have refused would not. */
static bool
need_header(struct hook *h, const char *name, acd_slice *ret)
{
    if (!take_header(h, name, ret))
        return false;
    if (ret->len)
        return true;
    hook_refuse(h, 403, "refused", mem_printf(h->g->region, "%s: there is none", name));
    return false;
}

static bool
take_address(struct hook *h)
{
    const char *name = h->form.request ? "X-Forwarded-For" : "X-Real-IP";
    acd_slice text;
    if (!need_header(h, name, &text))
        return false;
    h->address_len = forwarded_address(h->form.request ? forwarded_for(text) : text, h->address);
    if (h->address_len)
        return true;
    hook_refuse(h, 403, "refused", mem_printf(h->g->region, "%s: not an address", name));
    return false;
}

static bool
take_target(struct hook *h)
{
    if (!h->form.request)
        return need_header(h, "X-Original-Method", &h->method) && need_header(h, "X-Original-URI", &h->uri);
    h->method = slice_str(h->g->http->method);
    h->uri = h->form.uri;
    return true;
}

/* The request that is judged. */
static bool
take_request(struct hook *h)
{
    acd_slice host;
    if (!take_target(h) || !take_address(h) || !need_header(h, "Host", &host) ||
        !take_header(h, "X-SSL-Server-Name", &h->sni))
        return false;
    h->host = wire_dup(h->g->region, forwarded_host(host));
    if (!h->host)
        hook_refuse(h, 503, "unavailable", NULL);
    return h->host != NULL;
}

/* --- the question -----------------------------------------------------------------------------------------
 */

static Anchord__V1__RuleValue *
add_field(struct hook *h, Anchord__V1__EvaluateQuestion *q, const char *name)
{
    struct mem_region *r = h->g->region;
    Anchord__V1__FieldValue *f = wire_new(r, Anchord__V1__FieldValue, anchord__v1__field_value);
    Anchord__V1__RuleValue *v = wire_new(r, Anchord__V1__RuleValue, anchord__v1__rule_value);
    if (!f || !v || q->n_fields == HOOK_FIELDS)
        return NULL;
    f->name = (char *)name;
    f->value = v;
    q->fields[q->n_fields++] = f;
    return v;
}

static bool
add_bytes(struct hook *h, Anchord__V1__EvaluateQuestion *q, const char *name, acd_slice value)
{
    Anchord__V1__RuleValue *v = add_field(h, q, name);
    if (!v)
        return false;
    v->kind_case = ANCHORD__V1__RULE_VALUE__KIND_BYTES_VALUE;
    v->bytes_value = wire_bytes(value);
    return true;
}

static bool
add_int(struct hook *h, Anchord__V1__EvaluateQuestion *q, const char *name, int64_t value)
{
    Anchord__V1__RuleValue *v = add_field(h, q, name);
    if (!v)
        return false;
    v->kind_case = ANCHORD__V1__RULE_VALUE__KIND_INT_VALUE;
    v->int_value = value;
    return true;
}

static bool
add_address(struct hook *h, Anchord__V1__EvaluateQuestion *q)
{
    Anchord__V1__RuleValue *v = add_field(h, q, "ip.src");
    if (!v)
        return false;
    v->kind_case = ANCHORD__V1__RULE_VALUE__KIND_IP_VALUE;
    v->ip_value = wire_bytes(slice_of(h->address, h->address_len));
    return true;
}

/* Headers that rules read by name. What the client sends is its own affair, and an absent one is empty. */
static bool
add_headers(struct hook *h, Anchord__V1__EvaluateQuestion *q)
{
    static const struct {
        const char *header, *field;
    } list[] = {{"User-Agent", "http.user_agent"},
                {"Referer", "http.referer"},
                {"Cookie", "http.cookie"},
                {"X-Forwarded-For", "http.x_forwarded_for"}};
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        const char *value = http_header_of(h->g->http, list[i].header);
        if (!add_bytes(h, q, list[i].field, slice_str(value ? value : "")))
            return false;
    }
    return true;
}

static bool
add_target(struct hook *h, Anchord__V1__EvaluateQuestion *q)
{
    const char *s = h->uri.ptr, *mark = memchr(s, '?', h->uri.len);
    size_t path = mark ? (size_t)(mark - s) : h->uri.len;
    acd_slice query = mark ? slice_of(mark + 1, h->uri.len - path - 1) : SLICE_LIT("");
    return add_bytes(h, q, "http.request.uri", h->uri) &&
           add_bytes(h, q, "http.request.uri.path", slice_of(s, path)) &&
           add_bytes(h, q, "http.request.uri.query", query);
}

static Anchord__V1__EvaluateRequest *
make_question(struct hook *h)
{
    struct mem_region *r = h->g->region;
    int64_t now = clock_wall_ms(&clock_system);
    Anchord__V1__EvaluateRequest *req =
        wire_new(r, Anchord__V1__EvaluateRequest, anchord__v1__evaluate_request);
    if (!req ||
        !(req->questions = wire_list(r, 1, Anchord__V1__EvaluateQuestion, anchord__v1__evaluate_question)))
        return NULL;
    req->n_questions = 1;
    Anchord__V1__EvaluateQuestion *q = req->questions[0];
    q->host = h->host;
    q->sni = h->sni.len ? wire_text(r, h->sni) : WIRE_STR(NULL);
    q->fields = mem_new_n(r, HOOK_FIELDS, Anchord__V1__FieldValue *);
    if (h->presented)
        q->chain_digest = wire_bytes(slice_of(h->digest, DIGEST_LEN));
    bool good = q->sni && q->fields && add_bytes(h, q, "http.request.method", h->method) &&
                add_target(h, q) && add_address(h, q) && add_headers(h, q) &&
                add_int(h, q, "http.request.timestamp.sec", now / 1000) &&
                add_int(h, q, "http.request.timestamp.msec", now % 1000);
    return good ? req : NULL;
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

/* The server's clients ask these questions without credentials: the proxy was let in by its address. */
static int
call(struct hook *h, struct admin_result *res, const char *method, const void *req, const void **ret_resp)
{
    const struct admin_opts opts = {
        .timeout_ms = HOOK_MS, .authorization = "", .traceparent = http_header_of(h->g->http, "traceparent")};
    acd_err err = ACD_ERR_INIT;
    admin_result_done(res);
    int rc = anchord_admin_call(h->g->gateway->client, method, req, ret_resp, res, &opts, &err);
    if (rc == 0)
        return 0;
    LOG(ACD_LOG_WARNING, "server.failed", LF_STR("status", status_name(rc)), LF_STR("text", res->message),
        LF_INT("attempts", res->call.attempts));
    atomic_fetch_add(&h->g->gateway->metrics->server_failed, 1);
    hook_refuse(h, 503, "unavailable", "the server cannot be asked at the moment");
    return rc;
}

static bool
fill_chain(struct hook *h, size_t *ret_n, ProtobufCBinaryData **ret)
{
    ProtobufCBinaryData *list = mem_new_n(h->g->region, h->chain.n, ProtobufCBinaryData);
    for (size_t i = 0; list && i < h->chain.n; i++)
        list[i] = wire_bytes(h->chain.ders[i]);
    *ret = list;
    *ret_n = list ? h->chain.n : 0;
    if (!list)
        hook_refuse(h, 503, "unavailable", NULL);
    return list != NULL;
}

static bool
evaluate(struct hook *h)
{
    const void *resp;
    Anchord__V1__EvaluateRequest *req = make_question(h);
    if (!req) {
        hook_refuse(h, 503, "unavailable", NULL);
        return false;
    }
    for (bool whole = h->chain.n == 0;; whole = true) {
        if (call(h, &h->evaluated, "EdgeService/Evaluate", req, &resp) < 0)
            return false;
        h->rules = ((const Anchord__V1__EvaluateResponse *)resp)->answers[0];
        h->verified = h->rules->verification;
        if (!h->rules->need_certificate || whole)
            return true;
        if (!fill_chain(h, &req->questions[0]->n_chain, &req->questions[0]->chain))
            return false;
        req->questions[0]->chain_digest = wire_bytes(slice_of(NULL, 0));
    }
}

/* When no rule has read what rests on it. */
static bool
verify(struct hook *h)
{
    struct mem_region *r = h->g->region;
    const void *resp;
    Anchord__V1__VerifyClientRequest *req =
        wire_new(r, Anchord__V1__VerifyClientRequest, anchord__v1__verify_client_request);
    if (req)
        req->questions = wire_list(r, 1, Anchord__V1__VerifyQuestion, anchord__v1__verify_question);
    if (!req || !req->questions) {
        hook_refuse(h, 503, "unavailable", NULL);
        return false;
    }
    req->n_questions = 1;
    req->questions[0]->host = h->host;
    req->questions[0]->chain_digest = wire_bytes(slice_of(h->digest, DIGEST_LEN));
    for (bool whole = h->chain.n == 0;; whole = true) {
        if (call(h, &h->verification, "EdgeService/VerifyClient", req, &resp) < 0)
            return false;
        h->verified = ((const Anchord__V1__VerifyClientResponse *)resp)->answers[0];
        if (h->verified->verdict != ANCHORD__V1__VERDICT__NEED_CERTIFICATE || whole)
            return true;
        if (!fill_chain(h, &req->questions[0]->n_chain, &req->questions[0]->chain))
            return false;
        req->questions[0]->chain_digest = wire_bytes(slice_of(NULL, 0));
    }
}

/* The server's answers live in the results until the headers of the reply are copied. */
static void
ask(struct hook *h)
{
    if (evaluate(h) && (!h->presented || h->verified || verify(h)))
        hook_answer(h);
    admin_result_done(&h->evaluated);
    admin_result_done(&h->verification);
}

void
hook_serve(struct gw *g)
{
    struct hook h = {.g = g};
    if (!peers_have(g->gateway->peers, g->http->remote))
        hook_refuse(
            &h, 403, "refused",
            mem_printf(g->region, "%s is not among the proxies that may ask (--auth-peer)", g->http->remote));
    else if (!hook_form_read(g->http->target, &h.form))
        hook_refuse(&h, 403, "refused",
                    "the path is not /auth{/WORD}[/request/...] with words that are known");
    else if (take_certificate(&h) && take_request(&h))
        ask(&h);
}
