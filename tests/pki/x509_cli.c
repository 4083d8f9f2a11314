/* The offline x509 commands with the validator linked in, for tests. */
#include <stdio.h>

#include <anchord/plugin.h>

#include "offline_x509.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

int
main(int argc, char **argv)
{
    const acd_plugin *p = &acd_plugin_1_validator_openssl;
    acd_err err = ACD_ERR_INIT;
    void *inst = NULL;
    if (p->create(NULL, NULL, 0, &inst, &err) < 0 || p->start(inst, &err) < 0) {
        (void)fprintf(stderr, "x509_cli: %s\n", err.text);
        return 2;
    }
    int rc = offline_x509(p->ops, inst, argc - 1, argv + 1);
    p->destroy(inst);
    return rc;
}
