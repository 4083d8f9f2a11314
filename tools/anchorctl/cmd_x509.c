#include "cmd.h"
#include "fail.h"
#include "offline_validator.h"

int
cmd_x509(struct ctl *c)
{
    acd_err err = ACD_ERR_INIT;
    int code = EXIT_DONE;
    int rc = offline_validator(c->raw_argc - 1, c->raw_argv + 1, &code, &err);
    return rc < 0 ? fail_input(c, rc, "%s", err_text(&err, rc)) : code;
}
