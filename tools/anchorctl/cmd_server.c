#include <poll.h>

#include "base/clock.h"
#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"

/* --- status -------------------------------------------------------------------------------------------- */

static const struct out_col status_cols[] = {
    {"VERSION", "version", false},
    {"ROLE", "role", false},
    {"STARTED", "started_on", false},
    {"NOW", "now", false},
    {"TRUTH REVISION", "truth_revision", false},
    {"SNAPSHOT REVISION", "snapshot_revision", false},
    {"LISTENS ON", "listeners", false},
    {"DATA", "data_dir", false},
    {"WRAPPING KEY", "keys.key_id", false},
    {"PRIVATE KEYS", "keys.wrapped", false},
    {"PRIVATE KEYS TO REWRAP", "keys.to_rewrap", false},
    {"PRIVATE KEYS UNREADABLE", "keys.unreadable", false},
    {"WRAPPING KEYS MISSING", "keys.missing_key_ids", false},
    {"WRAPPING KEY PROBLEM", "keys.problem", false},
    {NULL, NULL, false},
};

static const struct out_col counter_cols[] = {
    {"COUNTER", "name", false},
    {"VALUE", "value", true},
    {NULL, NULL, false},
};

static json_t *
js_keys(const Anchord__V1__KeyStatus *k)
{
    json_t *v = js_object(), *missing = js_array();
    js_set(v, "key_id", js_text_or_null(k->key_id));
    js_set(v, "wrapped", json_integer((json_int_t)k->wrapped));
    js_set(v, "to_rewrap", json_integer((json_int_t)k->to_rewrap));
    js_set(v, "unreadable", json_integer((json_int_t)k->unreadable));
    for (size_t i = 0; i < k->n_missing_key_ids; i++)
        js_add(missing, js_text(k->missing_key_ids[i]));
    js_set(v, "missing_key_ids", missing);
    js_set(v, "problem", js_text_or_null(k->problem));
    return v;
}

static json_t *
js_status(const Anchord__V1__GetStatusResponse *resp)
{
    json_t *v = js_object(), *listeners = js_array(), *counters = js_object();
    js_set(v, "version", js_text(resp->version));
    js_set(v, "role", js_text(resp->role));
    js_set(v, "started_on", js_time(resp->started_ms));
    js_set(v, "now", js_time(resp->now_ms));
    js_set(v, "truth_revision", json_integer((json_int_t)resp->truth_revision));
    js_set(v, "snapshot_revision", json_integer((json_int_t)resp->snapshot_revision));
    for (size_t i = 0; i < resp->n_listeners; i++)
        js_add(listeners, js_text(resp->listeners[i]));
    js_set(v, "listeners", listeners);
    js_set(v, "data_dir", js_text(resp->data_dir));
    js_set(v, "keys", resp->keys ? js_keys(resp->keys) : json_null());
    for (size_t i = 0; i < resp->n_counters; i++)
        js_set(counters, resp->counters[i]->name, json_integer(resp->counters[i]->value));
    js_set(v, "counters", counters);
    return v;
}

static void
show_status(struct ctl *c, const Anchord__V1__GetStatusResponse *resp)
{
    out_object(c, js_status(resp), status_cols);
    if (c->json || resp->n_counters == 0)
        return;
    json_t *rows = js_array();
    for (size_t i = 0; i < resp->n_counters; i++) {
        json_t *row = js_object();
        js_set(row, "name", js_text(resp->counters[i]->name));
        js_set(row, "value", json_integer(resp->counters[i]->value));
        js_add(rows, row);
    }
    out_line(c, "%s", "");
    out_table(c, rows, counter_cols);
    json_decref(rows);
}

enum {
    WAIT_STEP_MS = 100, /* between two tries that fail at once */
    WAIT_MAX_S = 86400,
};

static int64_t
left_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_mono_ns(&clock_system);
    return now < deadline_ns ? (int64_t)((deadline_ns - now) / 1000000) : 0;
}

/* The client connects again by itself, but the URL may be another once a socket is there. */
static int
ask_until(struct ctl *c, const void *req, const void **ret_resp, struct admin_result *res,
          uint64_t deadline_ns)
{
    for (;;) {
        int64_t left = left_ms(deadline_ns);
        c->call.timeout_ms = left < 1 ? 1 : left < LIMIT_TIMEOUT_DEFAULT_MS ? (uint32_t)left : 0;
        int rc = ctl_try(c, "ServerService/GetStatus", req, ret_resp, res);
        if (rc == 0 || (rc != ACD_EUNAVAIL && rc != ACD_ETIMEOUT) || left_ms(deadline_ns) == 0)
            return rc == 0 ? 0 : fail_result(c, rc, res);
        admin_result_done(res);
        const char *url = c->url;
        if (strcmp(ctl_url(c), url) != 0)
            ctl_disconnect(c);
        (void)poll(NULL, 0, WAIT_STEP_MS);
    }
}

int
cmd_server_status(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc;
    Anchord__V1__GetStatusRequest *req =
        ctl_new(c, Anchord__V1__GetStatusRequest, anchord__v1__get_status_request);
    if (ctl_flag(c, OPT_WAIT)) {
        uint64_t s = ctl_number(c, OPT_WAIT);
        if (s > WAIT_MAX_S)
            return fail_usage(c, "option --wait: at most %d seconds", WAIT_MAX_S);
        rc = ask_until(c, req, &resp, &res, clock_mono_ns(&clock_system) + s * 1000000000u);
    } else {
        rc = ctl_call(c, "ServerService/GetStatus", req, &resp, &res);
    }
    if (rc == 0)
        show_status(c, resp);
    admin_result_done(&res);
    return rc;
}

/* --- check --------------------------------------------------------------------------------------------- */

static const struct out_col check_cols[] = {
    {"CHECK", "name", false},
    {"OK", "ok", false},
    {"RESULT", "text", false},
    {NULL, NULL, false},
};

static void
show_checks(struct ctl *c, const Anchord__V1__CheckServerResponse *resp)
{
    json_t *rows = js_array();
    for (size_t i = 0; i < resp->n_results; i++) {
        json_t *row = js_object();
        js_set(row, "name", js_text(resp->results[i]->name));
        js_set(row, "ok", json_boolean(resp->results[i]->ok));
        js_set(row, "text", js_text(resp->results[i]->text));
        js_add(rows, row);
    }
    if (!c->json) {
        out_rows(c, rows, check_cols);
        return;
    }
    json_t *v = js_object();
    js_set(v, "ok", json_boolean(resp->ok));
    js_set(v, "results", rows);
    out_json(c, v);
}

int
cmd_server_check(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__CheckServerRequest *req =
        ctl_new(c, Anchord__V1__CheckServerRequest, anchord__v1__check_server_request);
    /* It reads everything that is stored. */
    if (!ctl_flag(c, OPT_TIMEOUT))
        c->call.timeout_ms = LIMIT_TIMEOUT_MS;
    int rc = ctl_call(c, "ServerService/CheckServer", req, &resp, &res);
    if (rc == 0) {
        show_checks(c, resp);
        rc = ((const Anchord__V1__CheckServerResponse *)resp)->ok ? EXIT_DONE : EXIT_REFUSED;
    }
    admin_result_done(&res);
    return rc;
}

/* --- rewrap -------------------------------------------------------------------------------------------- */

static const struct out_col rewrap_cols[] = {
    {"WRAPPING KEY", "key_id", false},
    {"REWRAPPED", "rewrapped", false},
    {"REMAINING", "remaining", false},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

/* Step by step until nothing is left; a dry run takes the first step. */
int
cmd_server_rewrap(struct ctl *c)
{
    struct admin_result res;
    const void *resp_ = NULL;
    json_t *v = NULL;
    uint64_t total = 0, remaining = 0;
    int rc;
    Anchord__V1__RewrapKeysRequest *req =
        ctl_new(c, Anchord__V1__RewrapKeysRequest, anchord__v1__rewrap_keys_request);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    do {
        rc = ctl_call(c, "KeyService/RewrapKeys", req, &resp_, &res);
        if (rc == 0) {
            const Anchord__V1__RewrapKeysResponse *resp = resp_;
            total += resp->rewrapped;
            remaining = resp->remaining;
            json_decref(v);
            v = js_object();
            js_set(v, "key_id", js_text(resp->key_id));
        }
        admin_result_done(&res);
    } while (rc == 0 && remaining > 0 && !req->dry_run);
    if (rc) {
        json_decref(v);
        return rc;
    }
    js_set(v, "rewrapped", json_integer((json_int_t)total));
    js_set(v, "remaining", json_integer((json_int_t)remaining));
    js_set(v, "dry_run", json_boolean(req->dry_run));
    out_object(c, v, rewrap_cols);
    return 0;
}
