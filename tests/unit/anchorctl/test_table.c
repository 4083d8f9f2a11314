/* The table of commands is consistent with itself. */
#include "table.h"

#include <string.h>

#include "lib/main.h"

START_TEST(rows_are_whole)
{
    size_t n = 0;
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++, n++) {
        ck_assert_msg(ctl_noun_find(cmd->noun) != NULL, "%s", cmd->noun);
        ck_assert_ptr_eq(ctl_cmd_find(cmd->noun, cmd->verb), cmd); /* and so no row is there twice */
        ck_assert(cmd->run && cmd->args && cmd->help && cmd->help[0]);
        ck_assert(cmd->max_args >= cmd->min_args);
        ck_assert((cmd->max_args > 0) == (cmd->args[0] != '\0'));
        ck_assert(cmd->uses[CTL_USES - 1].id == OPT_NONE); /* the list has its end */
    }
    ck_assert(n > 20);
}
END_TEST

START_TEST(every_noun_has_a_verb)
{
    for (const struct ctl_noun *noun = ctl_nouns; noun->name; noun++) {
        bool found = false;
        for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
            found |= strcmp(cmd->noun, noun->name) == 0;
        ck_assert_msg(found, "%s", noun->name);
    }
}
END_TEST

START_TEST(every_option_is_used_and_unique)
{
    for (unsigned id = OPT_NONE + 1; id < OPT_COUNT; id++) {
        const struct ctl_opt *opt = ctl_opt(id);
        bool used = ctl_cmd_takes(NULL, id);
        for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
            used |= ctl_cmd_takes(cmd, id);
        ck_assert_msg(used, "--%s", opt->name);
        ck_assert_uint_eq(ctl_opt_find(opt->name, strlen(opt->name)), id);
        ck_assert_int_eq(opt->arg[0] == '\0', opt->kind == KIND_FLAG);
        if (opt->letter)
            ck_assert_uint_eq(ctl_opt_letter(opt->letter), id);
    }
}
END_TEST

START_TEST(mutations_take_an_idempotency_key)
{
    ck_assert(ctl_cmd_takes(ctl_cmd_find("account", "create"), OPT_IDEMPOTENCY_KEY));
    ck_assert(!ctl_cmd_takes(ctl_cmd_find("account", "list"), OPT_IDEMPOTENCY_KEY));
    ck_assert(!ctl_cmd_takes(ctl_cmd_find("completion", "bash"), OPT_SOCKET));
    ck_assert(ctl_cmd_takes(ctl_cmd_find("account", "list"), OPT_SOCKET));
}
END_TEST

START_TEST(choices)
{
    ck_assert(ctl_choice_has("a|bc|d", "a") && ctl_choice_has("a|bc|d", "bc") &&
              ctl_choice_has("a|bc|d", "d"));
    ck_assert(!ctl_choice_has("a|bc|d", "b") && !ctl_choice_has("a|bc|d", "") &&
              !ctl_choice_has("a|bc|d", "a|bc"));
}
END_TEST

static const char *
nearest(const char *word)
{
    struct ctl_near near = CTL_NEAR_INIT(word);
    for (const struct ctl_noun *noun = ctl_nouns; noun->name; noun++)
        ctl_near_offer(&near, noun->name);
    return near.best;
}

START_TEST(nearest_name)
{
    ck_assert_str_eq(nearest("acount"), "account");
    ck_assert_str_eq(nearest("acconut"), "account"); /* a swap is one edit */
    ck_assert_str_eq(nearest("zones"), "zone");
    ck_assert_str_eq(nearest("qu"), "quota"); /* begun alike */
    ck_assert_ptr_null(nearest("frobnicate"));
    ck_assert_ptr_null(nearest("x"));
    ck_assert_ptr_null(nearest("a-word-that-is-far-longer-than-any-name-in-the-table-could-be"));
}
END_TEST

Suite *suite_table(void);
Suite *
suite_table(void)
{
    Suite *s = suite_create("anchorctl table");
    ADD_TESTS(s, "table", rows_are_whole, every_noun_has_a_verb, every_option_is_used_and_unique,
              mutations_take_an_idempotency_key, choices, nearest_name);
    return s;
}
