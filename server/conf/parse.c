/*
 * From the tree to values. The walk goes down the sections of the file beside those of the table; what the
 * table does not know is refused by its full name, and the walk goes on, so that one run shows all problems.
 */
#include "conf/parse.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "conf/items.h"
#include "conf/tree.h"

struct walk {
    struct conf *c;
    struct conf_report *report;
    struct conf_node *path[LIMIT_CONF_DEPTH]; /* the way down to where the walk is */
    unsigned depth;
};

/* Long enough for every key of the table and to show what an unknown one was. */
#define KEY_ROOM 256
#define KEY_PART 64

static void
full_key(const struct walk *w, const struct conf_node *node, char out[KEY_ROOM])
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i <= w->depth && at < KEY_ROOM - 1; i++) {
        acd_slice key = i < w->depth ? w->path[i]->key : node->key;
        int len = (int)(key.len < KEY_PART ? key.len : KEY_PART);
        int n = snprintf(out + at, KEY_ROOM - at, "%s%.*s", i ? "." : "", len, (const char *)key.ptr);
        if (n > 0)
            at += (size_t)n;
    }
}

/* A key that stands twice in one mapping would silently win over its first value. */
static void
check_twice(struct walk *w, const struct conf_node *map)
{
    char key[KEY_ROOM];
    for (const struct conf_node *node = map->first; node; node = node->next) {
        const struct conf_node *before = map->first;
        while (before != node && !slice_eq(before->key, node->key))
            before = before->next;
        if (before == node)
            continue;
        full_key(w, node, key);
        conf_report(w->report, key, node->key_line, "'%s' is given twice, first on line %u", key,
                    before->key_line);
    }
}

/* The same for a mapping that is a value, whose keys stand one level deeper. */
static void
check_twice_inside(struct walk *w, struct conf_node *node)
{
    must(w->depth < LIMIT_CONF_DEPTH);
    w->path[w->depth++] = node;
    check_twice(w, node);
    w->depth--;
}

static int
put_options(struct walk *w, const struct conf_item *item, const struct conf_node *map, acd_err *err)
{
    struct conf_options *options = CONF_AT(w->c, item, struct conf_options);
    size_t n = 0;
    for (const struct conf_node *node = map->first; node; node = node->next)
        n++;
    if ((int64_t)n > item->hi)
        return err_set(err, ACD_EINVAL, "has %zu entries, more than %lld", n, (long long)item->hi);
    struct conf_option *items = mem_new_n(&w->c->mem, n, struct conf_option);
    if (!items)
        return err_set(err, ACD_ENOMEM, "takes more memory than there is");
    n = 0;
    for (const struct conf_node *node = map->first; node; node = node->next, n++) {
        struct conf_option *o = &items[n];
        o->line = node->key_line;
        if (node->kind != CONF_N_TEXT || node->is_null)
            return err_set(err, ACD_EINVAL, "has no plain value for '%.*s' on line %u",
                           (int)(node->key.len < KEY_PART ? node->key.len : KEY_PART),
                           (const char *)node->key.ptr, node->key_line);
        int rc = conf_item_text(w->c, node->key, 1, LIMIT_CONF_TEXT, &o->key, err);
        if (rc == 0)
            rc = conf_item_text(w->c, node->text, 0, LIMIT_CONF_TEXT, &o->value, err);
        if (rc < 0)
            return err_context(err, rc, "the option on line %u", node->key_line);
    }
    *options = (struct conf_options){items, n};
    return 0;
}

static int
put_list(struct walk *w, const struct conf_item *item, const struct conf_node *list, acd_err *err)
{
    acd_slice texts[LIMIT_CONF_LIST];
    size_t n = 0;
    for (const struct conf_node *node = list->first; node; node = node->next) {
        if (node->kind != CONF_N_TEXT || node->is_null)
            return err_set(err, ACD_EINVAL, "has an entry that is not a text on line %u", node->line);
        if (n == LIMIT_CONF_LIST)
            return err_set(err, ACD_EINVAL, "has more than %lld entries", (long long)item->hi);
        texts[n++] = node->text;
    }
    return conf_item_put_list(w->c, item, texts, n, err);
}

static int
put_value(struct walk *w, const struct conf_item *item, const struct conf_node *node, acd_err *err)
{
    if (node->kind == CONF_N_TEXT && node->is_null)
        return err_set(err, ACD_EINVAL, "has no value");
    if (node->kind == CONF_N_TEXT)
        return conf_item_put(w->c, item, node->text, err);
    if (node->kind == CONF_N_LIST && item->type == CONF_T_LIST)
        return put_list(w, item, node, err);
    if (node->kind == CONF_N_MAP && item->type == CONF_T_OPTIONS)
        return put_options(w, item, node, err);
    return err_set(err, ACD_EINVAL,
                   node->kind == CONF_N_LIST ? "must not be a list" : "must not be a mapping");
}

static void walk_map(struct walk *w, struct conf_node *map);

static void
walk_entry(struct walk *w, struct conf_node *node)
{
    char key[KEY_ROOM];
    acd_err err = ACD_ERR_INIT;
    full_key(w, node, key);
    /* A dot inside a key would reach an option by another way than its sections, a zero byte would end it. */
    bool is_odd = node->key.len > 0 &&
                  (memchr(node->key.ptr, '.', node->key.len) || memchr(node->key.ptr, '\0', node->key.len));
    int id = is_odd ? -1 : conf_item_find(key);
    if (id >= 0) {
        w->c->line[id] = node->key_line;
        if (node->kind == CONF_N_MAP)
            check_twice_inside(w, node);
        if (put_value(w, &conf_items[id], node, &err) < 0)
            conf_report(w->report, key, node->key_line, "'%s' %s", key, err.text);
    } else if (is_odd || !conf_item_is_section(key)) {
        conf_report(w->report, key, node->key_line, "unknown key '%s'", key);
    } else if (node->kind != CONF_N_MAP) {
        conf_report(w->report, key, node->key_line, "'%s' is a section: it holds keys, not a value", key);
    } else {
        must(w->depth < LIMIT_CONF_DEPTH);
        w->path[w->depth++] = node;
        walk_map(w, node);
        w->depth--;
    }
}

/* Recursion is bounded by the depth of the tree, LIMIT_CONF_DEPTH. */
static void
walk_map(struct walk *w, struct conf_node *map)
{
    check_twice(w, map);
    for (struct conf_node *node = map->first; node; node = node->next)
        walk_entry(w, node);
}

int
conf_parse_into(struct conf *c, acd_slice text, struct conf_report *report, acd_err *err)
{
    struct walk w = {.c = c, .report = report};
    struct mem_region mem;
    struct conf_node *root;
    acd_err why = ACD_ERR_INIT;
    unsigned line;
    mem_init(&mem, LIMIT_CONF_FILE, 0);
    int rc = conf_tree_parse(text, &mem, &root, &line, &why);
    if (rc == ACD_ENOMEM)
        (void)err_set(err, rc, "out of memory");
    else if (rc < 0)
        conf_report(report, "", line, "%s", why.text);
    else if (root && root->kind == CONF_N_MAP)
        walk_map(&w, root);
    else if (root && !(root->kind == CONF_N_TEXT && root->is_null))
        conf_report(report, "", root->line, "the file is not a mapping of keys to values");
    mem_done(&mem);
    return rc == ACD_ENOMEM ? rc : 0;
}
