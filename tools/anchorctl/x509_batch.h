/* `x509 verify --batch`: JSON lines in, JSON lines out. Who may include: tools/anchorctl. One thread. */
#ifndef ANCHORCTL_X509_BATCH_H
#define ANCHORCTL_X509_BATCH_H

#include <stdio.h>

#include <anchord/plugin-validator.h>

/* Never stops at a bad line. Returns the exit code: 0, or 2 when in or out fails. */
int x509_batch(const acd_validator_ops *ops, void *inst, FILE *in, FILE *out);

#endif
