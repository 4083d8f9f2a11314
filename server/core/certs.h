/* Certificate objects as messages, and their removal. Inside a unit. */
#ifndef CORE_CERTS_H
#define CORE_CERTS_H

#include "core/unit.h"

/* The object with its items; text: with the PEM as uploaded. NULL with *err: storage failed or no memory. */
int cert_msg(struct unit *u, const acd_value *row, bool text, Anchord__V1__Certificate **ret,
             acd_err *err) ACD_MUSTCHECK;

/* The object, its items and its place in the quota go. ACD_EPRECOND names the hosts that still use it, unless
 * they are to be detached in the same transaction; *ret_detached is how many there were. */
int cert_delete(struct unit *u, const acd_value *cert, bool detach_hosts, uint64_t *ret_detached,
                acd_err *err) ACD_MUSTCHECK;

#endif
