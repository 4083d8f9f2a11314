#include "ctl.h"

#include <stdlib.h>

#include "base/str.h"
#include "effect.h"
#include "fail.h"
#include "json.h"
#include "out.h"

enum { REGION_BLOCK = 65536 };

void
ctl_init(struct ctl *c, FILE *out, FILE *err)
{
    *c = (struct ctl){.out = out, .err = err};
    mem_init(&c->region, REGION_BLOCK, 0);
}

void
ctl_done(struct ctl *c)
{
    ctl_disconnect(c);
    json_decref(c->effect);
    mem_done(&c->region);
}

void
ctl_oom(void)
{
    (void)fputs("anchorctl: out of memory\n", stderr);
    exit(EXIT_REFUSED);
}

char *
ctl_text(const struct ctl *c, enum ctl_opt_id id)
{
    return WIRE_STR(c->val[id]);
}

uint64_t
ctl_number(const struct ctl *c, enum ctl_opt_id id)
{
    uint64_t n = 0;
    must(c->val[id] && ctl_opt(id)->kind == KIND_NUMBER);
    must(str_u64(slice_str(c->val[id]), &n)); /* the parser refused what is none */
    return n;
}

Anchord__V1__Profile
ctl_profile(const struct ctl *c)
{
    return strcmp(ctl_text(c, OPT_PROFILE), "compat") == 0 ? ANCHORD__V1__PROFILE__PROFILE_COMPAT
                                                           : ANCHORD__V1__PROFILE__PROFILE_STRICT;
}

char *
ctl_space(const struct ctl *c)
{
    return WIRE_STR(strcmp(ctl_text(c, OPT_PRODUCT), "access") == 0 ? "access" : NULL);
}

int
ctl_time(struct ctl *c, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (!ctl_flag(c, OPT_TIME))
        return 0;
    must(time_parse(slice_str(ctl_text(c, OPT_TIME)), ret_ms)); /* the parser refused what is none */
    return *ret_ms ? 0 : fail_usage(c, "option --time: the first instant of 1970 cannot be asked for");
}

/* --- connection --------------------------------------------------------------------------------------- */

const char *
ctl_url(struct ctl *c)
{
    return c->url = anchord_admin_url(c->val[OPT_SOCKET]);
}

/* At the first call, so that a command that reads files does so before anybody is asked. */
static int
open_client(struct ctl *c, struct admin_result *res)
{
    acd_err err = ACD_ERR_INIT;
    acd_client_opts opts = {.struct_size = sizeof(opts), .connect_ms = CTL_CONNECT_MS};
    if (c->val[OPT_TIMEOUT])
        opts.timeout_ms = (uint32_t)ctl_number(c, OPT_TIMEOUT) * 1000;
    /* Not an option: a command line can be read by everybody on the machine. */
    const char *token = getenv("ANCHORD_TOKEN");
    if (token && token[0])
        opts.authorization = ctl_need(mem_printf(&c->region, "Bearer %s", token));
    int rc = acd_client_open(ctl_url(c), &opts, &c->client, &err);
    *res = (struct admin_result){.status = rc, .code = status_grpc(rc), .message = ""};
    if (rc < 0)
        res->message = ctl_need(mem_strdup(&c->region, err_text(&err, rc)));
    return rc;
}

void
ctl_disconnect(struct ctl *c)
{
    acd_client_close(c->client);
    c->client = NULL;
}

int
ctl_try(struct ctl *c, const char *method, const void *req, const void **ret_resp, struct admin_result *res)
{
    acd_err err = ACD_ERR_INIT;
    int rc = c->client ? 0 : open_client(c, res);
    if (rc < 0)
        return rc;
    c->asked = method;
    rc = anchord_admin_call(c->client, method, req, ret_resp, res, &c->call, &err);
    effect_keep(c, res->effect);
    return rc;
}

int
ctl_call(struct ctl *c, const char *method, const void *req, const void **ret_resp, struct admin_result *res)
{
    int rc = ctl_try(c, method, req, ret_resp, res);
    return rc == 0 ? 0 : fail_result(c, rc, res);
}

int
ctl_show(struct ctl *c, const char *method, const void *req, json_t *(*make)(const void *resp),
         const struct out_col *cols)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0)
        out_object(c, make(resp), cols);
    admin_result_done(&res);
    return rc;
}

/* --- lists -------------------------------------------------------------------------------------------- */

Anchord__V1__PageRequest *
ctl_page(struct ctl *c, uint32_t size)
{
    Anchord__V1__PageRequest *page = ctl_new(c, Anchord__V1__PageRequest, anchord__v1__page_request);
    page->size = size;
    return page;
}

/* One page. 0, an exit code, or -1: it does not fit into a message, the size is halved. */
static int
one_page(struct ctl *c, const char *method, const void *req, Anchord__V1__PageRequest *page, ctl_take take,
         json_t *rows, bool *ret_more)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_try(c, method, req, &resp, &res);
    *ret_more = false;
    if (rc == ACD_ELIMIT && page->size > 1) {
        page->size /= 2;
        rc = -1;
    } else if (rc < 0) {
        rc = fail_result(c, rc, &res);
    } else {
        const Anchord__V1__PageInfo *info = take(rows, resp);
        const char *next = info ? info->next : "";
        *ret_more = next[0] != '\0';
        if (*ret_more && strcmp(next, page->after) == 0)
            rc = fail_answer(c, "the list does not go on behind '%s'", next);
        else if (*ret_more)
            page->after = ctl_need(mem_strdup(&c->region, next));
    }
    admin_result_done(&res);
    return rc;
}

int
ctl_pages(struct ctl *c, const char *method, const void *req, Anchord__V1__PageRequest *page, ctl_take take,
          json_t **ret_rows)
{
    json_t *rows = js_array();
    bool more = true;
    int rc = 0;
    while (rc == -1 || (rc == 0 && more))
        rc = one_page(c, method, req, page, take, rows, &more);
    if (rc)
        json_decref(rows);
    else
        *ret_rows = rows;
    return rc;
}

int
ctl_list(struct ctl *c, const char *method, const void *req, Anchord__V1__PageRequest *page, ctl_take take,
         const struct out_col *cols)
{
    json_t *rows;
    int rc = ctl_pages(c, method, req, page, take, &rows);
    if (rc == 0)
        out_rows(c, rows, cols);
    return rc;
}
