/* Bodies of requests: bounded before they are parsed; read as rules, or refused with a problem that is JSON.
 */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "rule_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count(const json_t *v, size_t depth)
{
    size_t n = 1, i;
    const char *name;
    json_t *member;
    must(depth <= JSON_DEPTH_MAX);
    if (json_is_object(v))
        json_object_foreach((json_t *)v, name, member) n += count(member, depth + 1);
    if (json_is_array(v))
        json_array_foreach((json_t *)v, i, member) n += count(member, depth + 1);
    return n;
}

static void
check_reply(const struct http_reply *rep)
{
    must(rep->status >= 400 && rep->status < 500);
    json_t *v = json_loadb(rep->body.ptr, rep->body.len, 0, NULL);
    must(v && json_is_false(json_object_get(v, "success")));
    must(json_array_size(json_object_get(v, "errors")) > 0);
    json_decref(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct route route = {.method = "PUT", .pattern = "/", .style = &v4_style};
    struct mem_region region;
    struct http_reply rep = {0};
    struct http_request http = {
        .region = &region, .method = "PUT", .target = SLICE_LIT("/"), .body = {data, size}};
    struct gw g = {.http = &http, .rep = &rep, .region = &region, .match.route = &route};
    struct at at;
    bool there;
    mem_init(&region, 4096, 0);
    Anchord__V1__PutRulesRequest *req =
        wire_new(&region, Anchord__V1__PutRulesRequest, anchord__v1__put_rules_request);
    must(req);
    bool good = body_read(&g, OPTIONAL, &at);
    if (g.body)
        must(count(g.body, 0) <= 2 * JSON_VALUES_MAX);
    if (good && rules_read(&g, &at, REQUIRED, req, &there)) {
        for (size_t i = 0; i < req->n_rules; i++)
            json_decref(rule_json(req->rules[i]));
        must(rep.status == 0);
    } else {
        check_reply(&rep);
    }
    json_decref(g.body);
    mem_done(&region);
    return 0;
}
