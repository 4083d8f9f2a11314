/*
 * The compact program of an expression. Every test has two ways out, so `not`, `and` and `or` cost nothing:
 * one leads to the next instruction, the other away, so that what usually happens is a straight walk. Every
 * jump goes forward, so a program ends. Values stand in slots: first the fields of the context, then
 * registers. Inside rule/ only; read-only once made.
 */
#ifndef RULE_CODE_H
#define RULE_CODE_H

#include <stdint.h>

#include "rule/ast.h"
#include "rule/regex.h"
#include "rule/set.h"
#include "rule/wild.h"

enum rule_op {
    OP_FALSE, /* ends */
    OP_TRUE,
    /* Tests of the value in src; a missing one fails. */
    OP_BOOL,
    OP_EQ_BYTES,
    OP_CMP_BYTES, /* sel: bits for less, equal, greater */
    OP_CMP_INT,
    OP_CMP_IP,
    OP_BITAND,
    OP_IN_BYTES,
    OP_IN_INT,
    OP_IN_IP,
    OP_CONTAINS,
    OP_MATCH,
    OP_WILD,
    OP_ANY, /* src: bits, or an array of booleans */
    OP_ALL,
    /* The rest goes on at `to`. */
    OP_EACH,   /* dst: bits of the test `sel_op` over the elements of src; a missing array has none */
    OP_BITS,   /* dst: bits of the array of booleans src; a missing one has none */
    OP_UNBITS, /* dst: array of booleans from bits src */
    OP_BITS_NOT,
    OP_BITS_AND, /* src, aux; cut to the shorter */
    OP_BITS_OR,
    OP_BITS_XOR,
    OP_SET,  /* dst: the boolean sel */
    OP_PATH, /* dst: src indexed by path */
    OP_CALL, /* dst: call */
    OP_JUMP, /* costs no step */
    OP_COUNT
};

/* Bits of OP_CMP_*. */
enum { SEL_LT = 1, SEL_EQ = 2, SEL_GT = 4, SEL_NE = SEL_LT | SEL_GT };

struct rule_path {
    const struct ast_index *indexes;
    unsigned n;
    unsigned each;
};

/* Where an argument comes from. */
struct rule_operand {
    bool literal;
    uint16_t slot;
    struct rule_value value;
};

struct rule_call_code {
    unsigned func; /* enum rule_func_id */
    unsigned nargs;
    bool mapped; /* the first argument is an array whose elements are taken one by one */
    struct rule_operand *args;
};

struct rule_insn {
    uint8_t op;
    uint8_t want; /* tag of the value that the test takes */
    uint8_t sel;
    uint8_t test; /* of OP_EACH: the test */
    bool leave;   /* a test goes to `to` when it comes to this, else to the next instruction */
    uint16_t src, dst;
    uint16_t to;
    uint16_t node; /* of the tree, for explanations */
    uint16_t aux;
    union {
        int64_t i;
        struct {
            const uint8_t *p;
            size_t len;
        } bytes;
        struct rule_ip ip; /* family in aux */
        const struct rule_set *set;
        const struct rule_regex *regex;
        const struct rule_wild *wild;
        const struct rule_path *path;
        const struct rule_call_code *call;
    };
};

enum {
    RULE_REGS_MAX = 4096, /* registers of a program */
    RULE_CODE_MAX = 16384,
    RULE_NO_NODE = UINT16_MAX,
};

#define RULE_PROG_MAGIC 0x72756c65u

/* What a program owns outside its region. */
struct rule_owned {
    struct rule_owned *next;
    struct rule_set *set;
    struct rule_regex *regex;
};

struct rule_prog {
    uint32_t magic;
    const struct rule_scheme *scheme;
    struct mem_region region;
    acd_slice text;
    struct ast ast;
    struct rule_insn *code;
    unsigned ncode, entry, nregs;
    uint16_t *reads; /* fields that occur, ascending */
    unsigned nreads;
    struct rule_owned *owned;
};

/* Is the value of the node known without any field? -1: no; 0, 1. */
int rule_const(const struct ast_node *n);

/* Generates p->code from p->ast; ret_at says which node failed. */
int rule_emit(struct rule_prog *p, const struct ast_node **ret_node,
              char message[RULE_MESSAGE_MAX]) ACD_MUSTCHECK;

#endif
