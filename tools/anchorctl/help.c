#include "help.h"

#include <string.h>

enum { COLUMN = 34, WIDTH = 100 };

/* Text from column `indent` on, broken at spaces; the first line stands at `at` already. */
static void
put_wrapped(FILE *f, const char *text, size_t at, size_t indent)
{
    if (at + 1 > indent) {
        (void)fputc('\n', f);
        at = 0;
    }
    (void)fprintf(f, "%*s", (int)(indent - at), "");
    for (size_t col = indent; *text;) {
        size_t n = strcspn(text, " ");
        if (col > indent && col + 1 + n > WIDTH) {
            (void)fprintf(f, "\n%*s", (int)indent, "");
            col = indent;
        } else if (col > indent) {
            col += (size_t)fprintf(f, " ");
        }
        col += (size_t)fprintf(f, "%.*s", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
    (void)fputc('\n', f);
}

static size_t
put_option(FILE *f, const struct ctl_opt *opt)
{
    int n = fprintf(f, "  ");
    n += opt->letter ? fprintf(f, "-%c, ", opt->letter) : fprintf(f, "    ");
    n += fprintf(f, "--%s%s%s", opt->name, opt->arg[0] ? " " : "", opt->arg);
    return (size_t)n;
}

static void
put_options(FILE *f, const struct ctl_cmd *cmd)
{
    size_t at = 0;
    bool required;
    (void)fputs("\nOptions:\n", f);
    for (unsigned id; (id = ctl_opt_next(cmd, &at, &required)) != OPT_NONE;) {
        size_t n = put_option(f, ctl_opt(id));
        put_wrapped(f, ctl_opt(id)->help, n, COLUMN);
    }
}

static void
put_synopsis(FILE *f, const struct ctl_cmd *cmd)
{
    size_t at = 0;
    bool required;
    (void)fprintf(f, "anchorctl %s %s", cmd->noun, cmd->verb);
    for (unsigned id; (id = ctl_opt_next(cmd, &at, &required)) != OPT_NONE;)
        if (required)
            (void)fprintf(f, " --%s %s", ctl_opt(id)->name, ctl_opt(id)->arg);
    (void)fprintf(f, "%s%s%s%s\n", cmd->flags & CMD_RAW ? "" : " [OPTION...]", cmd->args[0] ? " " : "",
                  cmd->args, "");
}

void
help_cmd(FILE *f, const struct ctl_cmd *cmd)
{
    (void)fputs("Usage: ", f);
    put_synopsis(f, cmd);
    (void)fprintf(f, "\n%s %s: %s\n", cmd->noun, cmd->verb, cmd->help);
    if (cmd->detail) {
        (void)fputc('\n', f);
        put_wrapped(f, cmd->detail, 0, 0);
    }
    if (!(cmd->flags & CMD_RAW))
        put_options(f, cmd);
}

static void
put_verbs(FILE *f, const struct ctl_noun *noun)
{
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++) {
        if (strcmp(cmd->noun, noun->name) != 0)
            continue;
        int n = fprintf(f, "  %s %s", cmd->noun, cmd->verb);
        put_wrapped(f, cmd->help, (size_t)n, COLUMN);
    }
}

void
help_noun(FILE *f, const struct ctl_noun *noun)
{
    (void)fprintf(f, "Usage: anchorctl %s VERB [OPTION...] [ARGUMENT...]\n\n%s: %s\n\n", noun->name,
                  noun->name, noun->help);
    put_verbs(f, noun);
    (void)fprintf(f, "\n'anchorctl %s VERB --help' says more about one of them.\n", noun->name);
}

void
help_all(FILE *f)
{
    (void)fputs("Usage: anchorctl NOUN VERB [OPTION...] [ARGUMENT...]\n\n", f);
    for (const struct ctl_noun *noun = ctl_nouns; noun->name; noun++) {
        (void)fprintf(f, "%s: %s\n", noun->name, noun->help);
        put_verbs(f, noun);
        (void)fputc('\n', f);
    }
    (void)fputs("Options may stand anywhere.\n", f);
    put_options(f, NULL);
    (void)fputs(
        "\nExit codes: 0 done; 1 refused, or not verified; 2 usage, or input that cannot be read; 3 the\n"
        "server cannot be reached.\n",
        f);
}
