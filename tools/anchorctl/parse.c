/*
 * An option has the same arity in every command, so that one pass over the arguments suffices: options before
 * the noun are understood as well as those behind it, and whether the command takes them is asked at the end.
 */
#include "parse.h"

#include "base/str.h"
#include "fail.h"

struct parse {
    struct ctl *c;
    int argc, at; /* at: the next argument */
    char **argv;
    const struct ctl_noun *noun;
    bool only_args; /* behind "--" */
};

static int
unknown(struct parse *p, const char *what, const char *word, const struct ctl_near *near)
{
    const char *dashes = strcmp(what, "option") == 0 ? "--" : "";
    if (near->best)
        return fail_usage(p->c, "unknown %s '%s': did you mean '%s%s'?", what, word, dashes, near->best);
    return fail_usage(p->c, "unknown %s '%s'", what, word);
}

static int
unknown_option(struct parse *p, const char *arg)
{
    char word[CTL_NEAR_WORD + 2];
    size_t at = 0;
    bool required;
    const char *name = arg + strspn(arg, "-");
    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "="), name);
    struct ctl_near near = CTL_NEAR_INIT(word);
    if (!p->c->cmd)
        for (unsigned id = OPT_NONE + 1; id < OPT_COUNT; id++)
            ctl_near_offer(&near, ctl_opt(id)->name);
    else
        for (unsigned id; (id = ctl_opt_next(p->c->cmd, &at, &required)) != OPT_NONE;)
            ctl_near_offer(&near, ctl_opt(id)->name);
    return unknown(p, "option", arg, &near);
}

static int
check_value(struct ctl *c, unsigned id, const char *value)
{
    const struct ctl_opt *opt = ctl_opt(id);
    uint64_t number;
    int64_t ms;
    if (opt->kind != KIND_FILE && opt->kind != KIND_LIST && !utf8_valid(slice_str(value)))
        return fail_usage(c, "option --%s: its value is not UTF-8", opt->name);
    if (opt->kind == KIND_NUMBER && !str_u64(slice_str(value), &number))
        return fail_usage(c, "option --%s: '%s' is not a whole number", opt->name, value);
    if (opt->kind == KIND_TIME && !time_parse(slice_str(value), &ms))
        return fail_usage(c, "option --%s: '%s' is not a time like 2026-01-02T03:04:05Z", opt->name, value);
    if (opt->kind == KIND_CHOICE && !ctl_choice_has(opt->arg, value))
        return fail_usage(c, "option --%s: '%s' is none of %s", opt->name, value, opt->arg);
    return 0;
}

/* value NULL: the next argument is it, if the option has one. */
static int
take_option(struct parse *p, unsigned id, const char *value)
{
    struct ctl *c = p->c;
    const struct ctl_opt *opt = ctl_opt(id);
    int rc = 0;
    if (opt->kind == KIND_FLAG && value)
        return fail_usage(c, "option --%s takes no value", opt->name);
    if (opt->kind == KIND_FLAG)
        value = "";
    else if (!value && p->at == p->argc)
        return fail_usage(c, "option --%s is missing its value %s", opt->name, opt->arg);
    else if (!value)
        value = p->argv[p->at++];
    if (opt->kind == KIND_LIST)
        c->list[c->n_list++] = value;
    else if (c->val[id] && strcmp(c->val[id], value) != 0)
        return fail_usage(c, "option --%s is given twice", opt->name);
    if (opt->kind != KIND_FLAG)
        rc = check_value(c, id, value);
    c->val[id] = value;
    if (rc == 0 && id == OPT_OUTPUT)
        c->json = strcmp(value, "json") == 0;
    return rc;
}

static int
take_long(struct parse *p, const char *arg)
{
    const char *name = arg + 2;
    size_t len = strcspn(name, "=");
    unsigned id = ctl_opt_find(name, len);
    return id == OPT_NONE ? unknown_option(p, arg)
                          : take_option(p, id, name[len] == '=' ? name + len + 1 : NULL);
}

/* "-o json", "-ojson"; one letter an argument. */
static int
take_short(struct parse *p, const char *arg)
{
    unsigned id = ctl_opt_letter(arg[1]);
    if (id == OPT_NONE)
        return unknown_option(p, arg);
    if (arg[2] && ctl_opt(id)->kind == KIND_FLAG)
        return unknown_option(p, arg);
    return take_option(p, id, arg[2] ? arg + 2 : NULL);
}

static int
take_noun(struct parse *p, const char *word)
{
    struct ctl_near near = CTL_NEAR_INIT(word);
    p->noun = ctl_noun_find(word);
    if (p->noun)
        return 0;
    for (const struct ctl_noun *n = ctl_nouns; n->name; n++)
        ctl_near_offer(&near, n->name);
    return unknown(p, "noun", word, &near);
}

static int
take_verb(struct parse *p, const char *word)
{
    struct ctl_near near = CTL_NEAR_INIT(word);
    p->c->cmd = ctl_cmd_find(p->noun->name, word);
    if (p->c->cmd)
        return 0;
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
        if (strcmp(cmd->noun, p->noun->name) == 0)
            ctl_near_offer(&near, cmd->verb);
    if (near.best)
        return fail_usage(p->c, "'%s' has no verb '%s': did you mean '%s'?", p->noun->name, word, near.best);
    return fail_usage(p->c, "'%s' has no verb '%s'", p->noun->name, word);
}

static int
take_word(struct parse *p, const char *word)
{
    struct ctl *c = p->c;
    if (!p->noun)
        return take_noun(p, word);
    if (!c->cmd)
        return take_verb(p, word);
    if (!(c->cmd->flags & CMD_FILES) && !utf8_valid(slice_str(word)))
        return fail_usage(c, "argument '%s' is not UTF-8", word);
    c->args[c->n_args++] = word;
    return 0;
}

/* A command that parses its own options gets its verb and what stands behind, and -o json wherever it stood;
 * -o table is what it does without. */
static int
leave_raw(struct parse *p)
{
    struct ctl *c = p->c;
    int n = 0;
    c->raw_argv = mem_new_n(&c->region, (size_t)p->argc + 4, char *);
    ctl_need(c->raw_argv);
    c->raw_argv[n++] = (char *)c->cmd->noun;
    c->raw_argv[n++] = (char *)c->cmd->verb;
    if (c->json) {
        c->raw_argv[n++] = (char *)"-o";
        c->raw_argv[n++] = (char *)"json";
    }
    for (; p->at < p->argc; p->at++) {
        if (strcmp(p->argv[p->at], "--help") == 0 || strcmp(p->argv[p->at], "-h") == 0)
            c->val[OPT_HELP] = "";
        c->raw_argv[n++] = p->argv[p->at];
    }
    c->raw_argc = n;
    return 0;
}

static int
take_all(struct parse *p)
{
    int rc = 0;
    while (rc == 0 && p->at < p->argc) {
        const char *arg = p->argv[p->at++];
        if (p->only_args || arg[0] != '-' || !arg[1])
            rc = take_word(p, arg);
        else if (strcmp(arg, "--") == 0)
            p->only_args = true;
        else
            rc = arg[1] == '-' ? take_long(p, arg) : take_short(p, arg);
        if (rc == 0 && p->c->cmd && p->c->cmd->flags & CMD_RAW)
            return leave_raw(p);
    }
    return rc;
}

/* Everything that is missing, in one sentence. */
static int
check_needs(struct ctl *c)
{
    char text[256] = "";
    size_t at = 0, n = 0;
    bool required;
    for (unsigned id; (id = ctl_opt_next(c->cmd, &at, &required)) != OPT_NONE;)
        if (required && !c->val[id] && n < sizeof(text))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s--%s %s", n ? ", " : "", ctl_opt(id)->name,
                                  ctl_opt(id)->arg);
    if (n)
        return fail_usage(c, "missing: %s", text);
    if (c->n_args < c->cmd->min_args)
        return fail_usage(c, "missing: %s", c->cmd->args);
    if (c->n_args > c->cmd->max_args)
        return fail_usage(c, "unexpected argument '%s'", c->args[c->cmd->max_args]);
    return 0;
}

static int
check_bounds(struct ctl *c)
{
    if (c->val[OPT_TIMEOUT]) {
        uint64_t s = ctl_number(c, OPT_TIMEOUT);
        if (s < 1 || s > LIMIT_TIMEOUT_MS / 1000)
            return fail_usage(c, "option --timeout: 1 to %d seconds", LIMIT_TIMEOUT_MS / 1000);
    }
    if (c->val[OPT_IDEMPOTENCY_KEY]) {
        size_t n = strlen(c->val[OPT_IDEMPOTENCY_KEY]);
        if (n < 1 || n > LIMIT_IDEM_KEY)
            return fail_usage(c, "option --idempotency-key: 1 to %d bytes", LIMIT_IDEM_KEY);
    }
    return 0;
}

static int
check_command(struct parse *p)
{
    struct ctl *c = p->c;
    for (unsigned id = OPT_NONE + 1; id < OPT_COUNT; id++)
        if (c->val[id] && !ctl_cmd_takes(c->cmd, id)) {
            char arg[64];
            (void)snprintf(arg, sizeof(arg), "--%s", ctl_opt(id)->name);
            return unknown_option(p, arg);
        }
    int rc = check_needs(c);
    return rc ? rc : check_bounds(c);
}

enum parse_result
parse_args(struct ctl *c, int argc, char **argv, const struct ctl_noun **ret_noun, int *ret_exit)
{
    struct parse p = {.c = c, .argc = argc, .at = 1, .argv = argv};
    c->args = mem_new_n(&c->region, (size_t)argc + 1, const char *);
    c->list = mem_new_n(&c->region, (size_t)argc + 1, const char *);
    ctl_need(c->args);
    ctl_need(c->list);
    *ret_exit = take_all(&p);
    *ret_noun = p.noun;
    if (p.noun && !c->cmd && !c->val[OPT_HELP])
        c->cmd = ctl_cmd_default(p.noun->name);
    if (*ret_exit)
        return PARSE_FAILED;
    if (c->val[OPT_HELP])
        return PARSE_HELP;
    if (c->val[OPT_VERSION] && !p.noun)
        return PARSE_VERSION;
    if (!p.noun)
        *ret_exit = fail_usage(c, "missing: NOUN and VERB");
    else if (!c->cmd)
        *ret_exit = fail_usage(c, "missing: the verb of '%s'", p.noun->name);
    else if (!(c->cmd->flags & CMD_RAW))
        *ret_exit = check_command(&p);
    return *ret_exit ? PARSE_FAILED : PARSE_RUN;
}
