/*
 * The one table of commands: names, arguments, options, help, handlers. Command line, help, completion and
 * manual page are made from it.
 *
 * Included by anchorctl and its tests. Constant data, any thread.
 */
#ifndef ANCHORCTL_TABLE_H
#define ANCHORCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl;

enum ctl_kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_FILE, KIND_CHOICE, KIND_TIME, KIND_LIST };

struct ctl_opt {
    const char *name;
    char letter; /* '\0': none */
    enum ctl_kind kind;
    const char *arg; /* how help shows its value; the choices of KIND_CHOICE, divided by '|' */
    const char *help;
};

enum ctl_opt_id {
    OPT_NONE,
#define OPTION(id, name, letter, kind, arg, help) OPT_##id,
#include "options.def"
#undef OPTION
    OPT_COUNT
};

struct ctl_use {
    uint8_t id; /* enum ctl_opt_id; OPT_NONE ends the list */
    bool required;
};

enum ctl_flag {
    CMD_MUTATION = 1, /* changes something: takes an idempotency key */
    CMD_LOCAL = 2,    /* asks no server */
    CMD_RAW = 4,      /* parses its own options; `args` shows them */
    CMD_FILES = 8,    /* positional arguments are files */
    CMD_DEFAULT = 16, /* its noun means it where no verb is given */
};

enum { CTL_USES = 10, CTL_ARGS_MAX = 1 << 20 };

struct ctl_cmd {
    const char *noun, *verb;
    const char *args; /* positional arguments as help shows them, "" for none */
    size_t min_args, max_args;
    struct ctl_use uses[CTL_USES];
    unsigned flags;
    int (*run)(struct ctl *);
    const char *help;   /* a phrase */
    const char *detail; /* sentences, NULL for none */
};

struct ctl_noun {
    const char *name, *help;
};

/* NULL, or a row whose name is NULL, behind the last. */
extern const struct ctl_noun ctl_nouns[];
extern const struct ctl_cmd ctl_cmds[];

const struct ctl_opt *ctl_opt(unsigned id);
/* Every option that a command takes, its own first, then the common ones: start with *at = 0; OPT_NONE at the
 * end. cmd NULL: the common ones. */
unsigned ctl_opt_next(const struct ctl_cmd *cmd, size_t *at, bool *ret_required);
bool ctl_cmd_takes(const struct ctl_cmd *cmd, unsigned id);

const struct ctl_noun *ctl_noun_find(const char *name);
const struct ctl_cmd *ctl_cmd_find(const char *noun, const char *verb);
const struct ctl_cmd *ctl_cmd_default(const char *noun); /* NULL: a verb is needed */
unsigned ctl_opt_find(const char *name, size_t len);     /* OPT_NONE: there is no such option */
unsigned ctl_opt_letter(char letter);

/* Does a list "a|b|c" hold the word? */
bool ctl_choice_has(const char *choices, const char *word);

/* The nearest of some names, for "did you mean": start with best = CTL_NEAR_INIT and offer them one by one.
 */
struct ctl_near {
    const char *word, *best;
    size_t distance;
};
#define CTL_NEAR_INIT(w)                        \
    {                                           \
        .word = (w), .distance = CTL_NEAR_LIMIT \
    }
enum { CTL_NEAR_LIMIT = 3, CTL_NEAR_WORD = 40 };
void ctl_near_offer(struct ctl_near *near, const char *name);

#endif
