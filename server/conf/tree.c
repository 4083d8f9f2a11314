/* libyaml's events, put together with a stack of bounded depth: no recursion, whatever the text is. */
#include "conf/tree.h"

#include <yaml.h>

#include "base/err.h"
#include "base/str.h"
#include "model/limits.h"

struct level {
    struct conf_node *node;
    struct conf_node *key; /* MAP: the text that was read as key and waits for its value */
};

struct builder {
    struct mem_region *mem;
    struct conf_node *root;
    struct level stack[LIMIT_CONF_DEPTH];
    unsigned depth, nodes, line;
    bool is_done;
    acd_err *err;
};

static bool
is_null_text(acd_slice text)
{
    return text.len == 0 || slice_eqs(text, "~") || slice_eqs(text, "null");
}

static void
append(struct conf_node *parent, struct conf_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* Puts a node where the text has it: as the root, behind its siblings, or as a key. */
static int
place(struct builder *b, struct conf_node *node)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct level *top = &b->stack[b->depth - 1];
    if (top->node->kind == CONF_N_MAP) {
        if (!top->key) {
            if (node->kind != CONF_N_TEXT)
                return err_set(b->err, ACD_EINVAL, "a key is not a text");
            top->key = node;
            return 0;
        }
        node->key = top->key->text;
        node->key_line = top->key->line;
        top->key = NULL;
    }
    append(top->node, node);
    return 0;
}

static int
add(struct builder *b, enum conf_node_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag,
    struct conf_node **ret)
{
    if (anchor || tag)
        return err_set(b->err, ACD_EINVAL, "anchors and tags are not part of this file's language");
    if (++b->nodes > LIMIT_CONF_NODES)
        return err_set(b->err, ACD_ELIMIT, "more than %d values", LIMIT_CONF_NODES);
    struct conf_node *node = mem_new(b->mem, struct conf_node);
    if (!node)
        return err_set(b->err, ACD_ENOMEM, "out of memory");
    node->kind = kind;
    node->line = b->line;
    *ret = node;
    return 0;
}

static int
open_level(struct builder *b, enum conf_node_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct conf_node *node = NULL;
    int rc = add(b, kind, anchor, tag, &node);
    if (rc == 0)
        rc = place(b, node);
    if (rc < 0)
        return rc;
    if (b->depth == LIMIT_CONF_DEPTH)
        return err_set(b->err, ACD_ELIMIT, "nested deeper than %d levels", LIMIT_CONF_DEPTH);
    b->stack[b->depth++] = (struct level){.node = node};
    return 0;
}

static int
add_text(struct builder *b, const yaml_event_t *event)
{
    struct conf_node *node = NULL;
    acd_slice text = slice_of(event->data.scalar.value, event->data.scalar.length);
    int rc = add(b, CONF_N_TEXT, event->data.scalar.anchor, event->data.scalar.tag, &node);
    if (rc < 0)
        return rc;
    node->is_null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null_text(text);
    node->text = slice_of(mem_strndup(b->mem, text.ptr, text.len), text.len);
    if (!node->text.ptr)
        return err_set(b->err, ACD_ENOMEM, "out of memory");
    return place(b, node);
}

static int
take(struct builder *b, const yaml_event_t *event)
{
    b->line = (unsigned)event->start_mark.line + 1;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_text(b, event);
    case YAML_MAPPING_START_EVENT:
        return open_level(b, CONF_N_MAP, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(b, CONF_N_LIST, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        must(b->depth > 0);
        b->depth--;
        return 0;
    case YAML_ALIAS_EVENT:
        return err_set(b->err, ACD_EINVAL, "aliases are not part of this file's language");
    case YAML_DOCUMENT_START_EVENT:
        return b->root ? err_set(b->err, ACD_EINVAL, "a second document begins") : 0;
    case YAML_STREAM_END_EVENT:
        b->is_done = true;
        return 0;
    default:
        return 0;
    }
}

static int
next_event(yaml_parser_t *parser, struct builder *b)
{
    yaml_event_t event;
    if (!yaml_parser_parse(parser, &event)) {
        b->line = (unsigned)parser->problem_mark.line + 1;
        if (parser->error == YAML_MEMORY_ERROR)
            return err_set(b->err, ACD_ENOMEM, "out of memory");
        return err_set(b->err, ACD_EINVAL, "%s", parser->problem ? parser->problem : "not valid YAML");
    }
    int rc = take(b, &event);
    yaml_event_delete(&event);
    return rc;
}

int
conf_tree_parse(acd_slice text, struct mem_region *mem, struct conf_node **ret, unsigned *ret_line,
                acd_err *err)
{
    struct builder b = {.mem = mem, .err = err};
    yaml_parser_t parser;
    int rc = 0;
    *ret_line = 0;
    if (text.len > LIMIT_CONF_FILE)
        return err_set(err, ACD_ELIMIT, "longer than %d bytes", LIMIT_CONF_FILE);
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ACD_ENOMEM, "out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.ptr ? text.ptr : (const unsigned char *)"", text.len);
    while (rc == 0 && !b.is_done)
        rc = next_event(&parser, &b);
    yaml_parser_delete(&parser);
    if (rc < 0) {
        *ret_line = b.line;
        return rc;
    }
    *ret = b.root;
    return 0;
}
