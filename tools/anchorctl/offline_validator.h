/*
 * The validator plugin in this process, for the x509 commands that need no server. In a file of its own
 * because plugin-validator.h and client.h do not go into one source file.
 *
 * Included by cmd_x509.c. One thread. Errors: the plugin cannot be loaded or started, the sentence says why.
 */
#ifndef ANCHORCTL_OFFLINE_VALIDATOR_H
#define ANCHORCTL_OFFLINE_VALIDATOR_H

#include "base/err.h"

/* argv[0] is "inspect" or "verify". *ret_exit is what the program exits with. */
int offline_validator(int argc, char **argv, int *ret_exit, acd_err *err) ACD_MUSTCHECK;

#endif
