/*
 * Revocation lists in truth: what a list says when it was looked at, and the rows that it comes to. Of each
 * certificate of a CA one complete list is kept and at most one delta to it; the set of revoked serial
 * numbers lies ready beside them, in the parts that the image takes over as they are.
 */
#ifndef CORE_CRLS_H
#define CORE_CRLS_H

#include "core/unit.h"
#include "model/digest.h"
#include "snap/revoked.h"

/* A list that the validator has looked at. Text lies in the region it was checked with. */
struct crl_checked {
    uint32_t index; /* of the certificate whose list it is */
    bool delta;
    const char *number, *base, *issuer;
    int64_t this_ms, next_ms; /* next_ms 0: none given */
    size_t entries;
    uint8_t sha256[DIGEST_LEN];
    acd_slice der;
    uint8_t *own; /* der, when the upload was not DER itself */
    struct snap_revoked_set *set;
    Anchord__V1__Finding **findings;
    size_t nfindings, cap_findings, errors;
};

/* text stays until the result is freed. Findings are no failure of this function. */
int crl_check(struct plug_validator *v, struct mem_region *region, int64_t now_ms, acd_slice text,
              const acd_slice *cas, const uint32_t *indexes, size_t ncas, struct crl_checked **ret,
              acd_err *err) ACD_MUSTCHECK;
void crl_checked_free(struct crl_checked *c); /* NULL is fine */

/* The certificates of a CA object. Lists are for CAs: ACD_EPRECOND otherwise. */
int crls_of_ca(struct unit *u, struct mem_region *region, const char *ca_id, acd_slice **ret_ders,
               uint32_t **ret_indexes, size_t *ret_n, acd_err *err) ACD_MUSTCHECK;

/* Stores a list without errors, and what it comes to with those that are there. ACD_EEXIST: it is there;
 * ACD_EPRECOND: it is older than what is there, or a delta to something else. */
struct crl_outcome {
    acd_value *row;
    uint64_t revoked;
    const char *replaced[2];
    size_t nreplaced;
};
int crls_add(struct unit *u, const acd_value *cert, const struct crl_checked *c, struct crl_outcome *ret,
             acd_err *err) ACD_MUSTCHECK;

int crls_list(struct unit *u, const acd_value *cert, struct db_rows *ret, acd_err *err) ACD_MUSTCHECK;
/* One list (a complete one with its delta), or with crl_id "" all of the CA. */
int crls_delete(struct unit *u, const acd_value *cert, const char *crl_id, struct db_rows *ret_deleted,
                acd_err *err) ACD_MUSTCHECK;
/* With the CA itself. */
int crls_drop(struct unit *u, const acd_value *cert_id, acd_err *err) ACD_MUSTCHECK;

/* The policy row's value, or the default. */
int crls_policy(struct unit *u, const acd_value *cert, int64_t *ret, acd_err *err) ACD_MUSTCHECK;

#endif
