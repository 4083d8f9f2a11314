/* Finding the things that requests name, by id or by name, with the refusals that go with it. Inside a unit.
 */
#ifndef CORE_FIND_H
#define CORE_FIND_H

#include "core/unit.h"

/* Does the caller reach what these rows are? */
bool reaches_account(const struct unit *u, const acd_value *account);
bool reaches_cert(const struct unit *u, const acd_value *cert);
bool reaches_zone(const struct unit *u, const acd_value *zone);

/* Rows are in the region. ACD_ENOENT says which thing was not found; what the caller does not reach is not
 * there. */
int find_account(struct unit *u, const char *id_or_name, acd_value **ret_row, acd_err *err) ACD_MUSTCHECK;
int find_zone(struct unit *u, const char *id_or_name, acd_value **ret_row, acd_err *err) ACD_MUSTCHECK;
/* account: id or name of the account it must belong to, "" for any. */
int find_cert_of(struct unit *u, const char *account, const char *id, acd_value **ret_row,
                 acd_err *err) ACD_MUSTCHECK;
int find_cert(struct unit *u, const char *id, acd_value **ret_row, acd_err *err) ACD_MUSTCHECK;

/* ACD_ENOENT for what a request names, with the number that the REST API shows (0: none). */
int find_refuse(struct unit *u, const char *what, const char *which, uint32_t rest,
                acd_err *err) ACD_MUSTCHECK;

/* A name of an object: 1 to LIMIT_NAME bytes of printable UTF-8. field is for the error. */
int check_name(struct rpc_call *call, const char *field, const char *name, acd_err *err) ACD_MUSTCHECK;

/* Page size and start from a request; 0 rows were asked for: the default. */
uint32_t page_size(const Anchord__V1__PageRequest *page);
const char *page_after(const Anchord__V1__PageRequest *page);
Anchord__V1__PageInfo *page_info(struct mem_region *r, const char *next, uint64_t total) ACD_MUSTCHECK;

#endif
