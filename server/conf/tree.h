/*
 * YAML text as a small tree: mappings, lists, texts, each with its line. The one place that uses libyaml, and
 * only the plain part of the language: no anchors, aliases, tags or second documents. Inside conf/ only.
 *
 * The tree lives in the region that it was given; texts are copies in it.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdbool.h>

#include <anchord/types.h>

#include "base/mem.h"

enum conf_node_kind { CONF_N_TEXT, CONF_N_LIST, CONF_N_MAP };

struct conf_node {
    enum conf_node_kind kind;
    unsigned line;
    bool is_null;   /* TEXT: nothing was written, or an unquoted ~ or null */
    acd_slice text; /* TEXT */
    acd_slice key;  /* the node's name in its mapping */
    unsigned key_line;
    struct conf_node *first, *last; /* LIST, MAP: in the order of the file */
    struct conf_node *next;
};

/* *ret is NULL for a text without any value. On failure *ret_line says where. Bounds: LIMIT_CONF_*. */
int conf_tree_parse(acd_slice text, struct mem_region *mem, struct conf_node **ret, unsigned *ret_line,
                    acd_err *err) ACD_MUSTCHECK;

#endif
