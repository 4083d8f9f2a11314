/* Certificate objects as messages and as rows. Inside a unit. */
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
/* A copy that outlives the validator's callback. */
int certinfo_keep(struct mem_region *r, const acd_certinfo *info, acd_certinfo *ret) ACD_MUSTCHECK;
/* The row of one certificate of the object; it borrows from *i. */
void cert_item_row(const char *id, const acd_certinfo *i, acd_value row[ITEM_COLS]);
int cert_put_item(struct unit *u, const char *id, const acd_certinfo *i, acd_err *err) ACD_MUSTCHECK;
int cert_drop_items(struct unit *u, acd_slice id, acd_err *err) ACD_MUSTCHECK;
/* RFC 7468 text, in the region and NUL-terminated; ptr NULL: no memory. */
acd_slice cert_pem(struct mem_region *r, acd_slice der);

#endif
