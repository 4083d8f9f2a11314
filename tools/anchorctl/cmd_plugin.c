#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"
#include "plug/meta.h"

static const struct out_col cols[] = {
    {"NAME", "name", false},   {"KIND", "kind", false},       {"VERSION", "version", false},
    {"STATE", "state", false}, {"SUMMARY", "summary", false}, {"FILE", "file", false},
    {NULL, NULL, false},
};

static json_t *
js_plugin(const Anchord__V1__Plugin *p)
{
    char abi[32];
    json_t *v = js_object(), *config = js_object();
    (void)snprintf(abi, sizeof(abi), "%u.%u", (unsigned)p->major, (unsigned)p->minor);
    js_set(v, "name", js_text(p->name));
    js_set(v, "kind", js_text(p->kind));
    js_set(v, "version", js_text(p->version));
    js_set(v, "summary", js_text(p->summary));
    js_set(v, "state", js_text(p->state));
    js_set(v, "file", js_text(p->file));
    js_set(v, "abi", js_text(abi));
    js_set(v, "threading", js_text(p->threading));
    for (size_t i = 0; i < p->n_config; i++)
        js_set(config, p->config[i]->key, js_text(p->config[i]->value));
    js_set(v, "config", config);
    return v;
}

int
cmd_plugin_list(struct ctl *c)
{
    struct admin_result res;
    const void *resp_ = NULL;
    Anchord__V1__ListPluginsRequest *req =
        ctl_new(c, Anchord__V1__ListPluginsRequest, anchord__v1__list_plugins_request);
    int rc = ctl_call(c, "PluginService/ListPlugins", req, &resp_, &res);
    if (rc == 0) {
        const Anchord__V1__ListPluginsResponse *resp = resp_;
        json_t *rows = js_array();
        for (size_t i = 0; i < resp->n_plugins; i++)
            js_add(rows, js_plugin(resp->plugins[i]));
        out_rows(c, rows, cols);
    }
    admin_result_done(&res);
    return rc;
}

/* --- inspect ------------------------------------------------------------------------------------------- */

static const struct out_col meta_cols[] = {
    {"NAME", "name", false}, {"KIND", "kind", false}, {"VERSION", "version", false},
    {"ABI", "abi", false},   {NULL, NULL, false},
};

int
cmd_plugin_inspect(struct ctl *c)
{
    char abi[32];
    struct plug_meta meta;
    acd_err err = ACD_ERR_INIT;
    int rc = plug_meta_read(c->args[0], &meta, &err);
    if (rc == ACD_EABI)
        return fail_refused(c, rc, NULL, "%s", err_text(&err, rc));
    if (rc < 0)
        return fail_input(c, rc, "%s", err_text(&err, rc));
    json_t *v = js_object();
    (void)snprintf(abi, sizeof(abi), "%u.%u", (unsigned)meta.major, (unsigned)meta.minor);
    js_set(v, "name", js_text(meta.name));
    js_set(v, "kind", js_text(plug_kind_name(meta.kind)));
    js_set(v, "version", js_text(meta.version));
    js_set(v, "abi", js_text(abi));
    js_set(v, "file", js_text(c->args[0]));
    out_object(c, v, meta_cols);
    return EXIT_DONE;
}
