/*
 * Unit of work: one operation of an admin service inside one transaction.
 *
 * A mutation has two halves. `prepare` runs without a transaction and in parallel with others (parsing,
 * certificate checks); `apply` runs inside the writer's transaction, may be run again from its beginning when
 * storage says busy, and therefore touches nothing but the unit. A read has only `apply`, inside a read
 * transaction.
 */
#ifndef CORE_UNIT_H
#define CORE_UNIT_H

#include <stdbool.h>

#include "core/core.h"
#include "core/crl_uploads.h"
#include "core/db.h"
#include "core/imports.h"
#include "core/tokens.h"
#include "rule/scheme.h"
#include "wire/msg.h"

struct unit {
    struct core *core;
    struct rpc_call *call;
    struct mem_region *region; /* the request's */
    struct db db;
    struct mem_region changes_region; /* may be larger than a request's */
    struct change_set changes;
    int64_t now_ms;
    uint64_t rev; /* 0 until unit_rev gave it */
    bool dry;     /* everything but the commit */
    bool narrows; /* an operation sets it when it takes trust from a host: the last valid CA is guarded */
    const char *note_account, *note_object, *note_text;
};

/* The revision of this change, given inside the transaction at the first call. */
int unit_rev(struct unit *u, uint64_t *ret, acd_err *err) ACD_MUSTCHECK;

/* What the change record says; the last note counts. Strings live in the region or are constant. */
void unit_note(struct unit *u, const char *account_id, const char *object, const char *text);

typedef int (*op_prepare_fn)(struct core *core, struct rpc_call *call, const void *req, void **ret_plan,
                             acd_err *err);
typedef int (*op_apply_fn)(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err);

struct op {
    const char *method; /* "CaService/UploadCertificate" */
    op_prepare_fn prepare;
    op_apply_fn apply;
    bool write;
    bool (*dry_run)(const void *req); /* does the request ask for everything but the commit? */
    /* What must not be kept for whoever repeats the call under its idempotency key: the text to leave out. */
    char **(*secret)(void *resp);
    void (*release)(void *plan);     /* ends what prepare made outside of the region */
    void (*forget)(const void *req); /* wipes what is secret in it, when the call is over */
};

#define OP_READ(m, fn)               \
    {                                \
        .method = (m), .apply = (fn) \
    }
#define OP_WRITE(m, fn)                             \
    {                                               \
        .method = (m), .apply = (fn), .write = true \
    }
#define OP_WRITE_DRY(m, prep, fn, d)                                                   \
    {                                                                                  \
        .method = (m), .prepare = (prep), .apply = (fn), .write = true, .dry_run = (d) \
    }

/* Each service file offers its table, ended by a row without method. */
extern const struct op account_ops[], zone_ops[], ca_ops[], import_ops[], host_ops[], rule_ops[],
    expression_ops[], quota_ops[], origin_ops[], access_ops[], access_setting_ops[], token_ops[],
    expiry_ops[], crl_ops[];
extern const struct op key_ops[], managed_ca_ops[], client_cert_ops[];

/* Runs one operation; the rpc handler of every row. */
int unit_run(struct core *core, const struct op *op, struct rpc_call *call, const void *req, void **ret_resp,
             acd_err *err) ACD_MUSTCHECK;

/* What the operations need of the core. */
struct plug_quota *core_quota(struct core *core);
struct plug_validator *core_validator(struct core *core);
struct imports *core_imports(struct core *core);
struct crl_uploads *core_crl_uploads(struct core *core);
const struct rule_scheme *core_scheme(struct core *core);
struct tokens *core_tokens(struct core *core);
int64_t core_now(const struct core *core);
struct keyring *core_keyring(struct core *core);
uint32_t core_client_certs(struct core *core); /* active ones that a zone may have */

/* Who calls, as the change record names it: "uid:1000". In the call's region. */
const char *call_actor(struct rpc_call *call);

#endif
