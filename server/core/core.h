/*
 * The write side: admin services over truth. Primary only.
 *
 * Order of every mutation: validate (off the writer, in parallel) -> one transaction (idempotency key, quota,
 * rows, revision, change record) -> commit -> publish -> reply. Whatever can fail comes before the commit.
 * A reply is sent when the change is durable and visible to queries of this server.
 *
 * Threading: handlers run on any thread; one writer at a time, readers in parallel.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "base/clock.h"
#include "core/keyring.h"
#include "model/change.h"
#include "plug/quota.h"
#include "plug/storage.h"
#include "plug/validator.h"
#include "wire/rpc.h"

/* Called after each commit with a session outside any transaction, by the one writer. A failure is the
 * publisher's own business: it must catch up by itself, the change is durable already. */
typedef void (*core_publish_fn)(void *ctx, struct plug_session *s, const struct change_set *set,
                                uint64_t revision);

struct core_deps {
    struct plug_storage *storage;
    struct plug_quota *quota;
    struct plug_validator *validator;
    struct keyring *keyring;
    uint32_t client_certs; /* active ones that a zone may have */
    const struct clock *clock;
    core_publish_fn publish;
    void *publish_ctx;
};

struct core;

int core_new(const struct core_deps *deps, struct core **ret, acd_err *err) ACD_MUSTCHECK;
void core_free(struct core *core); /* after the bus has stopped */

/* Binds the admin services of this layer. */
int core_bind(struct core *core, struct rpc_table *table, acd_err *err) ACD_MUSTCHECK;

/* The last committed revision, for status. Any thread. */
int core_revision(struct core *core, uint64_t *ret, acd_err *err) ACD_MUSTCHECK;

/* Compares quota counters with rows over all accounts; *ret_bad counts the differences. Inside a call. */
int core_audit(struct core *core, struct rpc_call *call, uint64_t *ret_bad, acd_err *err) ACD_MUSTCHECK;

/* The private keys at rest, by what can be said without opening them. */
enum { CORE_KEYS_MISSING = 8 };
struct core_keys {
    char key_id[KEYRING_ID_LEN + 1]; /* of the current wrapping key; "": there is none yet */
    uint64_t wrapped, to_rewrap, unreadable;
    char missing[CORE_KEYS_MISSING][KEYRING_ID_LEN + 1]; /* wrapping keys that rows name and nobody gave */
    size_t nmissing;
    char problem[KEYRING_WHY]; /* why a source of wrapping keys cannot be read; "": none */
};
int core_key_status(struct core *core, struct rpc_call *call, struct core_keys *ret,
                    acd_err *err) ACD_MUSTCHECK;
/* The same, and opens every one of them; *ret_bad counts those that do not open. Inside a call. */
int core_check_keys(struct core *core, struct rpc_call *call, struct core_keys *ret, uint64_t *ret_bad,
                    acd_err *err) ACD_MUSTCHECK;

#endif
