/*
 * Access CAs: their space, and their hosts. Inside a unit.
 *
 * The hosts are one list per CA over all zones of its account. A host lies in its most specific zone, as
 * those of mTLS certificates do, and is kept apart from them.
 */
#ifndef CORE_ACCESS_H
#define CORE_ACCESS_H

#include "core/unit.h"
#include "model/digest.h"
#include "model/host.h"

#define SPACE_ACCESS "access"

/* Numbers that the REST API shows. */
enum {
    REST_ACCESS_QUOTA = 12130,
    REST_ACCESS_DUPLICATE = 12131,
    REST_ACCESS_IN_USE = 12134,
    REST_ACCESS_NOT_FOUND = 12135,
};

static inline bool
is_access(const acd_value *cert)
{
    return slice_eqs(cert[CERT_SPACE].bytes, SPACE_ACCESS);
}

struct access_host {
    const char *text; /* as sent */
    struct host host;
    const char *zone_id;
};

/* Names of a request, each in a zone of the account, without repetitions. Every bad one becomes a detail
 * under `field`. */
int access_hosts_parse(struct unit *u, acd_slice account_id, const char *field, char *const *texts, size_t n,
                       struct access_host **ret, size_t *ret_n, acd_err *err) ACD_MUSTCHECK;

struct access_change {
    uint32_t added, removed;
    bool moved; /* order or spelling changed */
};

/* Makes the names the CA's whole list. A host that stays keeps its place among the CAs of that host. */
int access_hosts_replace(struct unit *u, const acd_value *cert, const struct access_host *hosts, size_t n,
                         struct access_change *ret, acd_err *err) ACD_MUSTCHECK;

/* The CA's list in its order. */
int access_hosts_list(struct unit *u, const acd_value *cert, struct db_rows *ret, acd_err *err) ACD_MUSTCHECK;

/* The settings of an account that is being deleted go with it. */
int access_settings_drop(struct unit *u, const acd_value *account, acd_err *err) ACD_MUSTCHECK;

#endif
