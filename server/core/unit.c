/*
 * How a mutation runs:
 *
 *   prepare -> writer's place -> begin -> idempotency lookup -> apply -> change record, outcome under the key
 * -> commit
 *           -> publish -> leave
 *
 * The place is kept until the change is published, so that publishing happens in commit order and a reply is
 * never ahead of what queries see. A transaction that storage calls busy is run again until the call's
 * deadline.
 */
#include "core/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/log.h"
#include "core/effect.h"
#include "core/idem.h"
#include "core/keys.h"

struct op_binding {
    struct core *core;
    const struct op *op;
};

struct session_node {
    struct plug_session *s;
    struct session_node *next;
};

struct core {
    struct core_deps deps;
    pthread_mutex_t lock; /* of what follows; never held while something is waited for */
    pthread_cond_t free_to_write;
    bool writing;                 /* somebody has the writer's place, from begin to publication */
    struct session_node *idle;    /* read sessions */
    struct plug_session *write_s; /* of whoever is writing */
    struct imports *imports;
    struct tokens tokens;
    bool tokens_stale; /* they could not be read; the next change tries again */
    struct crl_uploads *crl_uploads;
    struct rule_scheme *scheme;
    struct op_binding *bindings;
    size_t nbindings;
};

enum { BUSY_TRIES = 100 };

struct plug_quota *
core_quota(struct core *core)
{
    return core->deps.quota;
}

struct plug_validator *
core_validator(struct core *core)
{
    return core->deps.validator;
}

struct imports *
core_imports(struct core *core)
{
    return core->imports;
}

struct crl_uploads *
core_crl_uploads(struct core *core)
{
    return core->crl_uploads;
}

const struct rule_scheme *
core_scheme(struct core *core)
{
    return core->scheme;
}

struct tokens *
core_tokens(struct core *core)
{
    return &core->tokens;
}

struct keyring *
core_keyring(struct core *core)
{
    return core->deps.keyring;
}

uint32_t
core_client_certs(struct core *core)
{
    return core->deps.client_certs;
}

int64_t
core_now(const struct core *core)
{
    return clock_wall_ms(core->deps.clock);
}

const char *
call_actor(struct rpc_call *call)
{
    if (call->actor)
        return call->actor;
    const char *actor = call->peer->uid_known
                            ? mem_printf(call->region, "uid:%llu", (unsigned long long)call->peer->uid)
                            : "unknown";
    return actor ? actor : "unknown";
}

/* --- sessions ---------------------------------------------------------------------------------------------
 */

static int
session_take(struct core *core, struct session_node **ret, acd_err *err)
{
    (void)pthread_mutex_lock(&core->lock);
    struct session_node *node = core->idle;
    if (node)
        core->idle = node->next;
    (void)pthread_mutex_unlock(&core->lock);
    if (!node) {
        node = calloc(1, sizeof(*node));
        if (!node)
            return err_set(err, ACD_ENOMEM, "out of memory");
        int rc = plug_session_open(core->deps.storage, &node->s, err);
        if (rc < 0) {
            free(node);
            return rc;
        }
    }
    *ret = node;
    return 0;
}

static void
session_give(struct core *core, struct session_node *node)
{
    (void)pthread_mutex_lock(&core->lock);
    node->next = core->idle;
    core->idle = node;
    (void)pthread_mutex_unlock(&core->lock);
}

/* The writer's place, or a refusal at the call's deadline. */
static int
writer_enter(struct core *core, struct rpc_call *call, acd_err *err)
{
    const struct timespec until = {
        .tv_sec = (time_t)(call->deadline_ns / 1000000000u),
        .tv_nsec = (long)(call->deadline_ns % 1000000000u),
    };
    int rc = 0;
    (void)pthread_mutex_lock(&core->lock);
    while (core->writing && rc == 0)
        rc = call->deadline_ns
                 ? pthread_cond_clockwait(&core->free_to_write, &core->lock, CLOCK_MONOTONIC, &until)
                 : pthread_cond_wait(&core->free_to_write, &core->lock);
    bool entered = !core->writing;
    core->writing |= entered;
    (void)pthread_mutex_unlock(&core->lock);
    return entered ? 0 : err_set(err, ACD_ETIMEOUT, "deadline passed while other changes were being written");
}

static void
writer_leave(struct core *core)
{
    (void)pthread_mutex_lock(&core->lock);
    core->writing = false;
    (void)pthread_cond_signal(&core->free_to_write);
    (void)pthread_mutex_unlock(&core->lock);
}

/* --- one transaction --------------------------------------------------------------------------------------
 */

int
unit_rev(struct unit *u, uint64_t *ret, acd_err *err)
{
    if (!u->rev) {
        int rc = plug_next_seq(u->db.s, &u->rev, err);
        if (rc < 0)
            return rc;
    }
    *ret = u->rev;
    return 0;
}

void
unit_note(struct unit *u, const char *account_id, const char *object, const char *text)
{
    u->note_account = account_id;
    u->note_object = object;
    u->note_text = text;
}

static void
unit_init(struct unit *u, struct core *core, struct rpc_call *call, struct plug_session *s)
{
    *u = (struct unit){
        .core = core,
        .call = call,
        .region = call->region,
        .db = {s, call->region},
        .now_ms = core_now(core),
        .note_account = "",
        .note_object = "",
        .note_text = "",
    };
    mem_init(&u->changes_region, 4096, 0);
    change_init(&u->changes, &u->changes_region);
}

static void
unit_done(struct unit *u)
{
    mem_done(&u->changes_region);
}

static int
write_change(struct unit *u, const char *method, acd_err *err)
{
    const acd_value row[CHANGE_COLS] = {
        [CHANGE_SEQ] = VAL_INT(u->rev),
        [CHANGE_AT] = VAL_INT(u->now_ms),
        [CHANGE_ACTOR] = VAL_TEXT(call_actor(u->call)),
        [CHANGE_METHOD] = VAL_TEXT(method),
        [CHANGE_ACCOUNT] = VAL_TEXT(u->note_account),
        [CHANGE_OBJECT] = VAL_TEXT(u->note_object),
        [CHANGE_TEXT] = VAL_TEXT(u->note_text),
    };
    return db_put(&u->db, COLL_CHANGE, row, ACD_REV_NEW, err);
}

/* What the change would come to, for who asks and for the guard: compared with what a reader sees now. */
static int
look_ahead(struct unit *u, acd_err *err)
{
    struct session_node *now = NULL;
    bool guard = u->narrows && !u->call->frame.force;
    if (!guard && !u->dry)
        return 0;
    int rc = session_take(u->core, &now, err);
    if (rc < 0)
        return rc;
    rc = plug_begin(now->s, 0, u->call->deadline_ns, err);
    if (rc == 0) {
        rc = guard ? effect_guard(u, now->s, err) : 0;
        if (rc == 0 && u->dry)
            rc = effect_tell(u, now->s, err);
        plug_rollback(now->s);
    }
    session_give(u->core, now);
    return rc;
}

/* Under the idempotency key goes what may be shown again. */
static int
store_outcome(struct unit *u, const struct op *op, void *resp, acd_err *err)
{
    char **secret = op->secret ? op->secret(resp) : NULL, *text = secret ? *secret : NULL;
    if (secret)
        *secret = WIRE_STR(NULL);
    int rc = idem_store(u, op->method, resp, err);
    if (secret)
        *secret = text;
    return rc;
}

/* Everything between begin and commit. */
static int
transact(struct unit *u, const struct op *op, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    int rc = idem_find(u, op->method, ret_resp, err);
    if (rc != ACD_ENOENT)
        return rc;
    rc = op->apply(u, req, plan, ret_resp, err);
    if (rc == 0)
        rc = look_ahead(u, err);
    if (rc < 0 || u->dry)
        return rc;
    if (u->rev) {
        rc = write_change(u, op->method, err);
        if (rc < 0)
            return rc;
    }
    return store_outcome(u, op, *ret_resp, err);
}

static int
attempt(struct unit *u, const struct op *op, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    u->dry = u->call->frame.dry_run || (op->dry_run && op->dry_run(req));
    int rc = plug_begin(u->db.s, 1, u->call->deadline_ns, err);
    if (rc < 0)
        return rc;
    rc = transact(u, op, req, plan, ret_resp, err);
    if (rc == IDEM_REPLAYED || rc < 0 || u->dry) {
        plug_rollback(u->db.s);
        if (u->dry)
            u->rev = 0;
        return rc;
    }
    return plug_commit(u->db.s, err);
}

static bool
expired(struct core *core, const struct rpc_call *call)
{
    return call->deadline_ns && clock_mono_ns(core->deps.clock) >= call->deadline_ns;
}

/* A token that is revoked is refused before its revocation is answered. */
static void
tokens_changed(struct core *core, const struct change_set *set)
{
    acd_err err = ACD_ERR_INIT;
    bool changed = core->tokens_stale;
    for (size_t i = 0; i < set->n; i++)
        changed |= set->items[i].kind == CHANGED_TOKEN;
    if (!changed)
        return;
    core->tokens_stale = tokens_load(&core->tokens, core->write_s, &err) < 0;
    if (core->tokens_stale)
        LOG(ACD_LOG_ERR, "tokens.refused", LF_STR("why", err.text));
}

static int
run_write(struct core *core, const struct op *op, struct rpc_call *call, const void *req, void *plan,
          void **ret_resp, acd_err *err)
{
    struct unit u;
    int rc = writer_enter(core, call, err);
    if (rc < 0)
        return rc;
    int tries = 0;
    do {
        if (tries > 0)
            unit_done(&u);
        unit_init(&u, core, call, core->write_s);
        rpc_details_clear(call);
        rc = attempt(&u, op, req, plan, ret_resp, err);
    } while (rc == ACD_EBUSY && ++tries < BUSY_TRIES && !expired(core, call));
    if (rc == 0 && u.rev) {
        call->revision = u.rev;
        tokens_changed(core, &u.changes);
        core->deps.publish(core->deps.publish_ctx, core->write_s, &u.changes, u.rev);
        LOG(ACD_LOG_INFO, "change", LF_INT("revision", u.rev), LF_STR("method", op->method),
            LF_STR("actor", call_actor(call)), LF_STR("account", u.note_account),
            LF_STR("object", u.note_object), LF_STR("text", u.note_text));
    }
    writer_leave(core);
    unit_done(&u);
    return rc < 0 ? rc : 0;
}

static int
run_read(struct core *core, const struct op *op, struct rpc_call *call, const void *req, void **ret_resp,
         acd_err *err)
{
    struct session_node *node = NULL;
    struct unit u;
    int rc = session_take(core, &node, err);
    if (rc < 0)
        return rc;
    unit_init(&u, core, call, node->s);
    rc = plug_begin(node->s, 0, call->deadline_ns, err);
    if (rc == 0) {
        rc = op->apply(&u, req, NULL, ret_resp, err);
        uint64_t seq = 0;
        if (rc == 0 && plug_seq_now(node->s, &seq, err) == 0)
            call->revision = seq;
        plug_rollback(node->s);
    }
    unit_done(&u);
    session_give(core, node);
    return rc;
}

/* The secret is in the decoded request, which shares the region's memory with whoever comes next, and in the
 * bytes that it was decoded from. */
static void
forget(const struct op *op, struct rpc_call *call, const void *req)
{
    op->forget(req);
    wipe((void *)(uintptr_t)call->frame.payload.ptr, call->frame.payload.len);
}

int
unit_run(struct core *core, const struct op *op, struct rpc_call *call, const void *req, void **ret_resp,
         acd_err *err)
{
    void *plan = NULL;
    if (!op->write)
        return run_read(core, op, call, req, ret_resp, err);
    int rc = op->prepare ? op->prepare(core, call, req, &plan, err) : 0;
    if (rc == 0)
        rc = run_write(core, op, call, req, plan, ret_resp, err);
    if (op->release && plan)
        op->release(plan);
    if (op->forget)
        forget(op, call, req);
    return rc;
}

/* --- the core itself --------------------------------------------------------------------------------------
 */

static int
handle(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    const struct op_binding *b = ctx;
    return unit_run(b->core, b->op, call, req, ret_resp, err);
}

static const struct op *const op_tables[] = {
    account_ops,    zone_ops,  ca_ops,     import_ops,     host_ops,           rule_ops,
    expression_ops, quota_ops, origin_ops, access_ops,     access_setting_ops, token_ops,
    expiry_ops,     crl_ops,   key_ops,    managed_ca_ops, client_cert_ops};
enum { OP_TABLES = sizeof(op_tables) / sizeof(op_tables[0]) };

static size_t
op_count(void)
{
    size_t n = 0;
    for (size_t t = 0; t < OP_TABLES; t++)
        for (const struct op *op = op_tables[t]; op->method; op++)
            n++;
    return n;
}

int
core_bind(struct core *core, struct rpc_table *table, acd_err *err)
{
    core->bindings = calloc(op_count(), sizeof(*core->bindings));
    if (!core->bindings)
        return err_set(err, ACD_ENOMEM, "out of memory");
    for (size_t t = 0; t < OP_TABLES; t++)
        for (const struct op *op = op_tables[t]; op->method; op++) {
            struct op_binding *b = &core->bindings[core->nbindings++];
            *b = (struct op_binding){core, op};
            int rc = rpc_bind(table, op->method, handle, b);
            if (rc < 0)
                return err_set(err, rc, "%s: %s", op->method, status_text(rc));
        }
    return 0;
}

/* A wrapping key that was lost is told now, and not when somebody first needs it. */
static int
tell_keys(struct core *core, acd_err *err)
{
    struct core_keys keys;
    int rc = plug_begin(core->write_s, 0, 0, err);
    if (rc < 0)
        return rc;
    rc = keys_survey(core->write_s, core->deps.keyring, &keys, err);
    plug_rollback(core->write_s);
    if (rc == 0)
        keys_log(&keys);
    return rc;
}

int
core_new(const struct core_deps *deps, struct core **ret, acd_err *err)
{
    struct core *core = calloc(1, sizeof(*core));
    if (!core)
        return err_set(err, ACD_ENOMEM, "out of memory");
    core->deps = *deps;
    must(pthread_mutex_init(&core->lock, NULL) == 0);
    must(pthread_cond_init(&core->free_to_write, NULL) == 0);
    core->imports = imports_new();
    core->crl_uploads = crl_uploads_new();
    int rc = core->imports && core->crl_uploads ? rule_scheme_new(true, &core->scheme) : ACD_ENOMEM;
    if (rc == 0)
        rc = plug_session_open(deps->storage, &core->write_s, err);
    if (rc == 0)
        rc = tokens_load(&core->tokens, core->write_s, err);
    if (rc == 0)
        rc = tell_keys(core, err);
    if (rc < 0) {
        core_free(core);
        return rc;
    }
    *ret = core;
    return 0;
}

void
core_free(struct core *core)
{
    if (!core)
        return;
    while (core->idle) {
        struct session_node *node = core->idle;
        core->idle = node->next;
        plug_session_close(node->s);
        free(node);
    }
    plug_session_close(core->write_s);
    imports_free(core->imports);
    tokens_done(&core->tokens);
    crl_uploads_free(core->crl_uploads);
    rule_scheme_free(core->scheme);
    (void)pthread_cond_destroy(&core->free_to_write);
    (void)pthread_mutex_destroy(&core->lock);
    free(core->bindings);
    free(core);
}

int
core_revision(struct core *core, uint64_t *ret, acd_err *err)
{
    struct session_node *node = NULL;
    int rc = session_take(core, &node, err);
    if (rc < 0)
        return rc;
    rc = plug_begin(node->s, 0, 0, err);
    if (rc == 0) {
        rc = plug_seq_now(node->s, ret, err);
        plug_rollback(node->s);
    }
    session_give(core, node);
    return rc;
}
