/*
 * Calls, as a handler sees them: a table of methods (methods.def), deadlines, statuses, error details.
 *
 * Included by core, query, feed and daemon for handlers; by the bus to run them. The table is filled before
 * the bus starts and constant afterwards. A rpc_call belongs to one worker while it runs; nothing of it
 * (request, region, slices) outlives the handler, except the response, which lives until the reply is
 * encoded.
 *
 * A handler returns 0 and sets *ret_resp to a message made in call->region, or returns a negative ACD_E* with
 * a sentence in err; the reply's code is the gRPC code of the table in anchord/status.h. err->retry_after_ms
 * goes to the caller. A handler is called on a query worker (RPC_EDGE) or on the admin pool (the other
 * classes); the thread is registered with RCU.
 *
 * A prompt handler (rpc_bind_prompt) is called first where the message was read, which saves two hand-overs
 * between threads: with call->prompt set it must neither wait nor work for long, and returns RPC_LATER when
 * it would have to. It is then called again on a worker, from the beginning. Nor may the authorize hook wait
 * for calls of the class RPC_EDGE.
 */
#ifndef WIRE_RPC_H
#define WIRE_RPC_H

#include "base/clock.h"
#include "base/map.h"
#include "wire/frame.h"
#include "wire/msg.h"

enum rpc_class {
    RPC_EDGE,       /* answered from the snapshot */
    RPC_ADMIN_READ, /* may read truth */
    RPC_MUTATION,   /* needs an idempotency key */
};

enum rpc_transport { RPC_IPC, RPC_TCP };

/* Who is at the other end of the connection, as far as the system can tell. */
struct rpc_peer {
    enum rpc_transport transport;
    bool uid_known; /* ipc: of the process that connected */
    uint32_t uid;
    uint32_t conn;   /* number of the connection, unique while it lasts */
    char remote[64]; /* "127.0.0.1:4711"; the path for ipc */
};

struct rpc_method {
    const char *name;    /* "anchord.v1.EdgeService/GetTrust" */
    const char *service; /* "EdgeService" */
    const wire_type *request, *response;
    enum rpc_class class;
    uint32_t batch; /* the longest list a request may hold; 0: LIMIT_REPEATED */
};

struct rpc_bound;

/* What a caller reaches, by the rules of the layer that authorizes. */
struct rpc_scope {
    const char *account; /* id of the one account */
    bool (*has_zone)(const struct rpc_scope *s, acd_slice account_id, acd_slice zone_id);
};

#define RPC_LATER 1 /* of a prompt handler: call me again on a worker */

struct rpc_call {
    struct mem_region *region;
    const struct rpc_method *method;
    const struct rpc_peer *peer;
    struct frame_call frame; /* request_id, idem_key, payload (raw, for digests), metadata */
    uint64_t arrival_ns;     /* monotonic */
    uint64_t deadline_ns;    /* monotonic */
    const char *actor;       /* the authorize hook leaves who calls, for the record; NULL: the peer itself */
    const struct rpc_scope *scope; /* and what the caller reaches; NULL: everything */
    uint64_t revision;             /* the handler sets it: reply.revision */
    bool prompt;                   /* the handler must not wait now */

    /* private to wire/ */
    const struct rpc_bound *bound;
    struct frame_reply reply; /* a handler may set its effect */
    bool packed;              /* reply.payload is the response */
    int status;
    acd_err err;
};

/* A handler that succeeds leaves its response in *ret_resp, or has called rpc_reply_packed. */
typedef int (*rpc_handler)(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err);

/* Called before the request is decoded. 0: go on; negative: the reply. */
typedef int (*rpc_authorize)(void *ctx, struct rpc_call *call, acd_err *err);

struct rpc_table {
    const struct clock *clock;
    struct map methods; /* name -> struct rpc_bound */
    rpc_authorize authorize;
    void *authorize_ctx;
};

int rpc_table_init(struct rpc_table *t, const struct clock *clock) ACD_MUSTCHECK;
void rpc_table_done(struct rpc_table *t);

/* method: "EdgeService/GetTrust" or the full name. ACD_ENOENT: not in methods.def; ACD_EEXIST: bound already.
 */
int rpc_bind(struct rpc_table *t, const char *method, rpc_handler fn, void *ctx) ACD_MUSTCHECK;
int rpc_bind_prompt(struct rpc_table *t, const char *method, rpc_handler fn, void *ctx) ACD_MUSTCHECK;
void rpc_set_authorize(struct rpc_table *t, rpc_authorize fn, void *ctx);

/* All rows of methods.def, for documentation, clients and tests. NULL behind the last. */
const struct rpc_method *rpc_method_at(size_t i);
const struct rpc_method *rpc_method_find(acd_slice full_name);

/* Metadata of the call; {NULL, 0}: not there. Keys are lower case. */
acd_slice rpc_metadata(const struct rpc_call *call, const char *key);
uint64_t rpc_now_ns(const struct rpc_table *t);

/* Details of an error, for programs; texts are copied into the region. Beyond LIMIT_DETAILS, or with the
 * region full, a detail is dropped: the status and the sentence still go out. index -1: the upload as a
 * whole. */
void rpc_detail_error_info(struct rpc_call *call, const char *reason, uint32_t code, const char *subject);
void rpc_detail_quota(struct rpc_call *call, const char *pool, int64_t used, int64_t limit);
void rpc_detail_finding(struct rpc_call *call, int severity, int32_t index, const char *code,
                        const char *message);
void rpc_detail_field(struct rpc_call *call, const char *field, const char *description);
void rpc_detail_precondition(struct rpc_call *call, uint64_t revision);
void rpc_detail_in_use(struct rpc_call *call, const char *zone_id, const char *zone_name, const char *host);
/* A finding of a rule; the texts of *m are copied. */
void rpc_detail_rule(struct rpc_call *call, const Anchord__V1__RuleFinding *m);

/* The response as bytes in the call's region (pack.h), in place of *ret_resp. */
void rpc_reply_packed(struct rpc_call *call, acd_slice response);

/* Forgets the details so far: a handler that begins again begins without them. */
void rpc_details_clear(struct rpc_call *call);

/* --- for the bus --- */

/* Decodes the envelope, finds the method, starts the deadline. 0: run it; negative: refused, the reply is
 * ready. Touches no region, never blocks. raw must live until the reply is encoded. */
int rpc_admit(const struct rpc_table *t, acd_slice raw, const struct rpc_peer *peer, struct rpc_call *call);
/* Makes `code` with the sentence the reply. */
void rpc_refuse(struct rpc_call *call, int code, uint32_t retry_after_ms, const char *text);
/* Runs an admitted call in call->region where it may not wait. True: the reply is ready; false: it needs a
 * worker, nothing was done. */
bool rpc_try(const struct rpc_table *t, struct rpc_call *call);
/* May rpc_try be worth it? For calls that are admitted. */
bool rpc_is_prompt(const struct rpc_call *call);
/* Runs an admitted call in call->region; the reply is ready afterwards, whatever happened. */
void rpc_run(const struct rpc_table *t, struct rpc_call *call);
/* The reply's size, within LIMIT_MESSAGE: a larger one is replaced by an error. Then its bytes. */
size_t rpc_reply_size(struct rpc_call *call);
void rpc_reply_write(const struct rpc_call *call, uint8_t *out);

/* gRPC code of a reply to ours; a code 8 with a time to come back is ACD_EBUSY, without ACD_ELIMIT. */
int rpc_status_of(uint32_t grpc, uint32_t retry_after_ms);

#endif
