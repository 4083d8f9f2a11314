/* From the command line to the handler, and the exit code. */
#include <anchord/version.h>

#include "cmd.h"
#include "effect.h"
#include "fail.h"
#include "help.h"
#include "parse.h"

static int
show_help(struct ctl *c, const struct ctl_noun *noun)
{
    if (c->cmd)
        help_cmd(c->out, c->cmd);
    else if (noun)
        help_noun(c->out, noun);
    else
        help_all(c->out);
    return EXIT_DONE;
}

static int
run(struct ctl *c)
{
    c->call.idem_key = c->val[OPT_IDEMPOTENCY_KEY];
    c->call.dry_run = ctl_flag(c, OPT_DRY_RUN);
    c->call.force = ctl_flag(c, OPT_FORCE);
    int rc = c->cmd->run(c);
    effect_show(c);
    return rc;
}

/* A command that cannot say what it found has not done what it was asked for. */
static int
check_output(struct ctl *c, int rc)
{
    if (fflush(c->out) == 0 && !ferror(c->out))
        return rc;
    (void)fputs("anchorctl: standard output cannot be written\n", c->err);
    return rc ? rc : EXIT_REFUSED;
}

int
ctl_main(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl c;
    const struct ctl_noun *noun = NULL;
    int rc = EXIT_USAGE;
    ctl_init(&c, out, err);
    switch (parse_args(&c, argc, argv, &noun, &rc)) {
    case PARSE_HELP:
        rc = show_help(&c, noun);
        break;
    case PARSE_VERSION:
        (void)fprintf(out, "anchorctl %s\n", ACD_VERSION);
        rc = EXIT_DONE;
        break;
    case PARSE_RUN:
        rc = run(&c);
        break;
    case PARSE_FAILED:
        break;
    }
    rc = check_output(&c, rc);
    ctl_done(&c);
    return rc;
}

int
cmd_completion(struct ctl *c)
{
    switch (c->cmd->verb[0]) {
    case 'b':
        help_bash(c->out);
        break;
    case 'z':
        help_zsh(c->out);
        break;
    default:
        help_fish(c->out);
    }
    return EXIT_DONE;
}

int
cmd_manual(struct ctl *c)
{
    help_manual(c->out);
    return EXIT_DONE;
}
