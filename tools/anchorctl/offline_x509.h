/*
 * `anchorctl x509 ...`: certificates are inspected and verified here, without a server, through a validator
 * plugin's table. Results go to standard output, errors to standard error.
 *
 * Who may include: anchorctl and its tests. Threading: one thread. Ownership: ops and inst are borrowed.
 * Exit codes: 0 acceptable or verified, 1 refused or not verified, 2 usage or unreadable input.
 *
 *   x509 inspect [--role ca|leaf|origin-root|chain] [--key FILE] [--time RFC3339] FILE
 *   x509 verify --purpose client|server [--host NAME | --ip IP | --email ADDR] [--time RFC3339] --trust
 * FILE...
 *               [--untrusted FILE]... [--crl FILE]... [--max-depth N] [--profile strict|compat] [--explain]
 *               [-o json] LEAF
 *   x509 verify --batch      one JSON request per line in, one JSON answer per line out, in order
 */
#ifndef ANCHORCTL_OFFLINE_X509_H
#define ANCHORCTL_OFFLINE_X509_H

#include <anchord/plugin-validator.h>

/* argv[0] is the first word after "x509". */
int offline_x509(const acd_validator_ops *ops, void *inst, int argc, char **argv);

#endif
