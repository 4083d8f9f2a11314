/* Rules between options. Pure: whether files and directories exist is found out by who opens them. */
#include <string.h>

#include "base/err.h"
#include "conf/conf.h"
#include "conf/items.h"
#include "conf/report.h"
#include "conf/url.h"

struct check {
    const struct conf *c;
    struct conf_report *report;
};

#define REPORT(k, id, ...) conf_report((k)->report, conf_items[id].key, (k)->c->line[id], __VA_ARGS__)

static void
check_url(struct check *k, enum conf_item_id id, const char *text)
{
    const struct conf *c = k->c;
    acd_err err = ACD_ERR_INIT;
    struct conf_url url;
    if (conf_url_parse(text, &url, &err) < 0) {
        REPORT(k, id, "'%s': '%.200s' %s", conf_items[id].key, text, err.text);
        return;
    }
    if (url.scheme == CONF_URL_TCP && !url.is_loopback && !c->insecure)
        REPORT(k, id, "'%s': '%.200s' is not on loopback: say 'insecure: true' if that is meant",
               conf_items[id].key, text);
}

static void
check_role(struct check *k)
{
    const struct conf *c = k->c;
    if (c->role == CONF_EDGE && !c->primary)
        REPORT(k, CONF_ID_role, "'role' is edge, and 'primary' does not say whom it follows");
    if (c->role == CONF_PRIMARY && c->primary)
        REPORT(k, CONF_ID_primary, "'primary' is given, and 'role' is not edge");
    if (c->primary)
        check_url(k, CONF_ID_primary, c->primary);
}

/* A name is always there by default, so only one that somebody gave can contradict a file. */
static void
check_plugin(struct check *k, enum conf_item_id name, enum conf_item_id file)
{
    if (k->c->line[name] && k->c->line[file])
        REPORT(k, file, "'%s' and '%s' are both given", conf_items[name].key, conf_items[file].key);
    if (strchr(*CONF_AT(k->c, &conf_items[name], char *const), '/'))
        REPORT(k, name, "'%s' is a name, not a path: give '%s'", conf_items[name].key, conf_items[file].key);
}

/* One source, or none: two would leave open which key counts. */
static void
check_keys(struct check *k)
{
    const struct {
        enum conf_item_id id;
        const char *given;
    } sources[] = {{CONF_ID_keys_file, k->c->keys.file},
                   {CONF_ID_keys_credential, k->c->keys.credential},
                   {CONF_ID_keys_env, k->c->keys.env}};
    int first = -1;
    for (int i = 0; i < 3; i++) {
        if (!sources[i].given)
            continue;
        if (first >= 0)
            REPORT(k, sources[i].id, "'%s' and '%s' are both given", conf_items[sources[first].id].key,
                   conf_items[sources[i].id].key);
        else
            first = i;
    }
}

int
conf_check(const struct conf *c, conf_finding_f found, void *ctx, acd_err *err)
{
    struct conf_report report = {.found = found, .ctx = ctx};
    struct check k = {c, &report};
    check_role(&k);
    for (size_t i = 0; i < c->listen.n; i++)
        check_url(&k, CONF_ID_listen, c->listen.items[i]);
    check_plugin(&k, CONF_ID_storage_name, CONF_ID_storage_file);
    check_plugin(&k, CONF_ID_validator_name, CONF_ID_validator_file);
    check_plugin(&k, CONF_ID_quota_name, CONF_ID_quota_file);
    check_keys(&k);
    return conf_report_end(&report, err);
}
