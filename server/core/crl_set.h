/* The set of revoked serial numbers of one certificate as rows. Inside a unit. Only core/ includes this. */
#ifndef CORE_CRL_SET_H
#define CORE_CRL_SET_H

#include "core/crls.h"

/* What the lists of one certificate come to. */
struct crl_state {
    bool listed;
    int64_t from_ms, until_ms;
    struct snap_revoked_shape shape;
};

/* ACD_ENOENT: there never was a list. */
int crl_state_get(struct unit *u, const acd_value *cert_id, uint32_t index, struct crl_state *ret,
                  acd_err *err) ACD_MUSTCHECK;
int crl_state_put(struct unit *u, const acd_value *cert_id, uint32_t index, const struct crl_state *s,
                  acd_err *err) ACD_MUSTCHECK;

/* Adds the rows that are there to a set that is being built. */
int crl_set_load(struct unit *u, const acd_value *cert_id, uint32_t index, const struct crl_state *s,
                 struct snap_revoked_set *set, acd_err *err) ACD_MUSTCHECK;
/* Replaces the rows by this set, which is used up; rows that stay the same are not written. s->shape is that
 * of before and becomes that of now. */
int crl_set_store(struct unit *u, const acd_value *cert_id, uint32_t index, struct snap_revoked_set *set,
                  struct crl_state *s, acd_err *err) ACD_MUSTCHECK;

/* Deletes the rows of a collection whose first columns of the primary key are these; memory does not grow
 * with their number. */
int crl_rows_drop(struct unit *u, enum collection coll, const acd_value *eq, size_t neq,
                  acd_err *err) ACD_MUSTCHECK;

#endif
