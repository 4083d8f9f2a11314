/*
 * The managed CA of an account: one certificate object with a certificate for each of its keys, the newest
 * first. The newest signs; all of them are trusted until they are retired. Inside a unit of work.
 */
#ifndef CORE_MANAGED_CA_H
#define CORE_MANAGED_CA_H

#include "core/keys.h"
#include "core/unit.h"

struct managed_ca {
    acd_value *account, *cert;
    struct db_rows items; /* the newest first; none: it never signed */
};

int managed_ca_find(struct unit *u, const acd_value *account, struct managed_ca *ret,
                    acd_err *err) ACD_MUSTCHECK;

/* A fresh private key; makes no use of a unit, so it may be made off the writer: RSA keys take long. */
int managed_ca_key(struct core *core, struct rpc_call *call, enum acd_key_kind kind, struct secret *ret,
                   acd_err *err) ACD_MUSTCHECK;
/* The CA goes on with this key: a certificate for it is made and comes first. */
int managed_ca_add(struct unit *u, struct managed_ca *ca, acd_slice key, acd_err *err) ACD_MUSTCHECK;
/* Only the newest certificate stays. *ret_orphans: active client certificates of the others. */
int managed_ca_retire(struct unit *u, struct managed_ca *ca, uint32_t *ret_retired, uint64_t *ret_orphans,
                      acd_err *err) ACD_MUSTCHECK;
/* What is revoked of it has changed: its row gets this revision, which the image tells verdicts apart by. */
int managed_ca_touch(struct unit *u, acd_slice id, acd_err *err) ACD_MUSTCHECK;
/* Everything of it but the object's own row, with the client certificates: its account is deleted. */
int managed_ca_drop(struct unit *u, acd_slice id, acd_err *err) ACD_MUSTCHECK;

#endif
