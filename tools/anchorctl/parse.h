/*
 * The command line: options and arguments in any order, "--" ends the options. One thread.
 */
#ifndef ANCHORCTL_PARSE_H
#define ANCHORCTL_PARSE_H

#include "ctl.h"

enum parse_result {
    PARSE_FAILED, /* said so; *ret_exit */
    PARSE_RUN,    /* c->cmd is to be run */
    PARSE_HELP,   /* --help: of c->cmd, of *ret_noun, or of the whole */
    PARSE_VERSION,
};

enum parse_result parse_args(struct ctl *c, int argc, char **argv, const struct ctl_noun **ret_noun,
                             int *ret_exit);

#endif
