/*
 * The tree of an expression. Everything in it lies in the region it was parsed into; literals are decoded
 * copies there. Inside rule/ and its tests only. Read-only once parsed.
 */
#ifndef RULE_AST_H
#define RULE_AST_H

#include <stddef.h>
#include <stdint.h>

#include "rule/scheme.h"
#include "rule/value.h"

enum ast_op {
    AST_EQ,
    AST_NE,
    AST_LT,
    AST_LE,
    AST_GT,
    AST_GE,
    AST_IN,
    AST_BITAND,
    AST_CONTAINS,
    AST_MATCHES,
    AST_WILDCARD,
    AST_STRICT
};

/* The first three in rising order of binding: what precedence climbing compares. */
enum ast_kind {
    AST_OR = 1,
    AST_XOR,
    AST_AND,
    AST_NOT,    /* kids: one */
    AST_ANY,    /* arg */
    AST_ALL,    /* arg */
    AST_BARE,   /* value alone */
    AST_CMP,    /* value op operand */
    AST_POISON, /* stands for an operand that was refused, while further errors are looked for */
};

enum ast_index_kind { AST_INDEX_INT, AST_INDEX_KEY, AST_INDEX_EACH };

struct ast_index {
    enum ast_index_kind kind;
    uint32_t n;
    acd_slice key;
};

struct ast_arg;

/* A field or a call, and what is indexed out of it. */
struct ast_value {
    int field; /* number in the scheme; -1: a call */
    const struct rule_func *func;
    struct ast_arg *args;
    unsigned nargs;
    struct ast_index *indexes;
    unsigned nindexes;
    unsigned each;         /* how many of them are [*] */
    struct rule_type root; /* before indexes */
    struct rule_type type; /* after indexes: of one element when each > 0 */
};

enum ast_arg_kind { AST_ARG_LITERAL, AST_ARG_VALUE, AST_ARG_LOGIC };

struct ast_node;

struct ast_arg {
    enum ast_arg_kind kind;
    size_t at, len;
    struct rule_type type; /* of a value: of one element */
    struct rule_value literal;
    struct ast_value *value;
    struct ast_node *logic;
};

/* Element of `in { }`: for bytes only lo counts. */
struct ast_elem {
    struct rule_value lo, hi;
};

struct ast_node {
    enum ast_kind kind;
    enum ast_op op;
    struct rule_type type; /* Bool, Array<Bool>, or what a bare value is */
    size_t at, len;        /* where it stands in the text */
    unsigned id;           /* number of the node, from 0 */
    struct ast_node *kids, *next;
    struct ast_value *value;
    struct ast_arg *arg;
    struct rule_value literal; /* of a comparison; a pattern's text */
    struct ast_elem *elems;
    size_t nelems;
    const struct rule_list *list; /* in $list */
};

struct ast {
    struct ast_node *root;
    unsigned nodes; /* ids are below */
};

#endif
