/*
 * Revocation lists on their way in: larger than a message, so they are gathered in memory and checked as a
 * whole. An upload that is idle for LIMIT_CRL_IDLE_MS is dropped when its place is needed.
 *
 * Threading: any thread. An upload that was taken belongs to its taker until it is given back; calls on one
 * upload exclude each other that way, without holding the table's lock.
 */
#ifndef CORE_CRL_UPLOADS_H
#define CORE_CRL_UPLOADS_H

#include "base/mem.h"
#include "model/ids.h"
#include "wire/rpc.h"

struct crl_checked;
struct crl_uploads;

struct crl_upload {
    char id[ID_UUID_LEN + 1], actor[64], ca_id[ID_UUID_LEN + 1];
    int64_t touched_ms;
    bool busy, stored; /* stored: committed, kept only so that a commit can be tried again */
    uint8_t *bytes;
    size_t size, filled;
    struct mem_region region; /* of what follows, findings included */
    acd_slice *cas;           /* certificates of the CA, by DER */
    uint32_t *indexes;        /* their numbers */
    size_t ncas;
    struct crl_checked *checked; /* NULL: not yet */
};

struct crl_uploads *crl_uploads_new(void);
void crl_uploads_free(struct crl_uploads *t);

/* Room for a list of that size. Owned by the caller until it is opened. */
int crl_upload_new(size_t size, struct crl_upload **ret, acd_err *err) ACD_MUSTCHECK;
void crl_upload_free(struct crl_upload *up); /* NULL is fine */
/* Takes ownership when it returns 0. ACD_ELIMIT: too many are open. */
int crl_upload_open(struct crl_uploads *t, struct crl_upload *up, acd_err *err) ACD_MUSTCHECK;
/* ACD_ENOENT: no such upload of this caller; ACD_EBUSY: another call works on it. */
int crl_upload_take(struct crl_uploads *t, const char *actor, const char *id, int64_t now_ms,
                    struct crl_upload **ret, acd_err *err) ACD_MUSTCHECK;
void crl_upload_give(struct crl_uploads *t, struct crl_upload *up, bool drop);

#endif
