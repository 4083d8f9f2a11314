#include "cmd.h"
#include "offline_rule.h"

int
cmd_rule(struct ctl *c)
{
    return offline_rule(c->raw_argc, c->raw_argv);
}
