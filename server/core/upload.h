/*
 * An upload on its way into truth: checked off the writer, stored inside a unit of work. Shared by single
 * uploads and imports. Everything lives in the region it was checked with.
 */
#ifndef CORE_UPLOAD_H
#define CORE_UPLOAD_H

#include "core/unit.h"
#include "model/digest.h"

struct upload {
    const char *name, *product;
    acd_slice text;
    acd_slice key; /* PEM, borrowed from the request; {NULL, 0}: none */
    bool leaf, helper;
    bool root; /* an entry of a custom origin trust store: exactly one self-signed CA */
    enum acd_profile profile;
    acd_certinfo *items; /* deep copies */
    size_t nitems, cap_items;
    Anchord__V1__Finding **findings;
    size_t nfindings, cap_findings, errors;
    uint8_t digest[DIGEST_LEN]; /* of the list of DERs */
};

/* Runs the validator; findings land in up->findings, errors among them are no failure of this function. up's
 * name, product, text, leaf and profile must be set. */
int upload_check(struct plug_validator *v, struct mem_region *region, int64_t now_ms, acd_slice key,
                 struct upload *up, acd_err *err) ACD_MUSTCHECK;

/* One more finding, copied. */
int upload_add_finding(struct mem_region *r, struct upload *up, const acd_finding *f) ACD_MUSTCHECK;

/* Refuses an upload with errors: all findings become details of the call. */
int upload_refuse(struct rpc_call *call, const struct upload *up, acd_err *err) ACD_MUSTCHECK;

/* The same with a reason and the number that the REST API shows for it. */
int upload_refuse_as(struct rpc_call *call, const struct upload *up, const char *reason, uint32_t rest,
                     acd_err *err) ACD_MUSTCHECK;

/* The product, with its default. ACD_EINVAL names an unknown one. */
int upload_product(struct rpc_call *call, const char *product, const char **ret, acd_err *err) ACD_MUSTCHECK;
/* The product of a leaf: what a Worker presents to an origin. */
int upload_leaf_product(struct rpc_call *call, const char *product, const char **ret,
                        acd_err *err) ACD_MUSTCHECK;

/* May this account upload CAs at all? */
int upload_profile(Anchord__V1__Profile profile, acd_err *err) ACD_MUSTCHECK;
int upload_entitled(struct rpc_call *call, const acd_value *account, acd_err *err) ACD_MUSTCHECK;

/* Another object of the account with the same certificates: ACD_EEXIST with its id in *ret_id; 0 when there
 * is none. */
int upload_duplicate(struct unit *u, const acd_value *account, const struct upload *up, const char **ret_id,
                     acd_err *err) ACD_MUSTCHECK;

/* Reserves quota and writes the rows. *ret_cert is the stored object's row, *ret_pool the quota afterwards.
 */
int upload_store(struct unit *u, const acd_value *account, const struct upload *up, acd_value **ret_cert,
                 Anchord__V1__QuotaPool **ret_pool, acd_err *err) ACD_MUSTCHECK;

/* The space in which duplicates count. */
const char *product_space(const char *product);

#endif
